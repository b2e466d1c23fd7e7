"""A workbook that people fill in and send back: protected but for some cells. Text stays text, also when it is edited.

XlsxWriter makes all of the workbook but the rows of its lists, of which it would write 200,000 cells in a second; they
are put into its XML here. Row 1 of a list is hidden: its first cell has the `mark` of the list, the others the names of
the columns, so that a program knows them in every language. Row 2 is the header.
"""

import io
import re
import zipfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from common.workbook import HEADER_FILL, cell_text

# The first row of the lists' rows, as a spreadsheet shows it.
FIRST_ROW = 3
MARKED_FILL = "#FFE08A"
_OPEN_FILL = "#FFFFFF"
_LOCKED_FILL = "#F2F2F2"
_GUIDE_WIDTH = 110
_CHUNK_ROWS = 500
_END_OF_ROWS = b"</sheetData>"
_DIMENSION = re.compile(rb'<dimension ref="[^"]*"/>')
# A text that looks like the escape of a character in a workbook.
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_XML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "_x000D_"})
# Code points that no XML has.
_NOT_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, kw_only=True)
class FormColumn:
    """`name`: for programs. `is_open`: its cells can be edited. `choices`: the values that an edited cell may have."""

    name: str
    header: str
    width: float
    is_open: bool = False
    is_number: bool = False
    wraps: bool = False
    is_hidden: bool = False
    choices: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class FormSheet:
    """A list. `rows`: a text, whole number or None for each column, and the positions of the marked cells.

    `title`: see `common.workbook.sheet_title`. `frozen_columns`: how many of the first stay in view.
    `wrong_choice`: what a spreadsheet says about a value that is none of the choices.
    """

    title: str
    mark: str
    columns: Sequence[FormColumn]
    rows: Sequence[tuple[Sequence[str | int | None], Collection[int]]]
    frozen_columns: int
    wrong_choice: str


@dataclass(frozen=True, kw_only=True)
class Guide:
    """The first sheet: a heading, paragraphs, and what the colour of the marked cells means."""

    title: str
    heading: str
    paragraphs: Sequence[str]
    legend: str


def write_form(target: BinaryIO, *, guide: Guide, sheets: Sequence[FormSheet]) -> None:
    """Write the workbook into the open file `target`. Raises OSError, with its errno, when the disk is full."""
    frame = io.BytesIO()
    book = Workbook(frame, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    formats = _Formats(book)
    _add_guide(book, guide, formats)
    styles = [_add_list(book, sheet, formats) for sheet in sheets]
    book.close()
    with (
        zipfile.ZipFile(frame) as made,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        lists = {f"xl/worksheets/sheet{number}.xml": at for at, number in enumerate(range(2, len(sheets) + 2))}
        for entry in made.infolist():
            content = made.read(entry)
            if entry.filename not in lists:
                archive.writestr(entry.filename, content)
                continue
            at = lists[entry.filename]
            with archive.open(entry.filename, "w", force_zip64=True) as part:
                for piece in _with_rows(content, sheets[at], [style.indexes() for style in styles[at]]):
                    part.write(piece)


class _Formats:
    """The formats of a workbook. All cells are text, so that a spreadsheet keeps what is typed into them."""

    def __init__(self, book: Workbook) -> None:
        top = {"num_format": "@", "valign": "top"}
        self.header = book.add_format(
            {"bold": True, "bg_color": HEADER_FILL, "bottom": 1, "text_wrap": True, "valign": "top"}
        )
        self.heading = book.add_format({"bold": True, "font_size": 14})
        self.paragraph = book.add_format({"text_wrap": True, "valign": "top"})
        self.marked = book.add_format(top | {"locked": False, "bg_color": MARKED_FILL, "border": 1})
        self.open = book.add_format(top | {"locked": False, "bg_color": _OPEN_FILL, "border": 4})
        self.locked = book.add_format(top | {"bg_color": _LOCKED_FILL})
        self.number = book.add_format(top | {"bg_color": _LOCKED_FILL, "num_format": "0"})
        self.wrapped = book.add_format(top | {"bg_color": _LOCKED_FILL, "text_wrap": True})

    def of(self, column: FormColumn) -> "_Style":
        if column.is_open:
            return _Style(self.open, self.marked)
        plain = self.number if column.is_number else self.wrapped if column.wraps else self.locked
        return _Style(plain, plain)


@dataclass(frozen=True)
class _Style:
    plain: Format
    marked: Format

    def indexes(self) -> tuple[int, int]:
        """The numbers of both formats in the workbook, which they have once it is closed."""
        return self.plain.xf_index, self.marked.xf_index


def _add_guide(book: Workbook, guide: Guide, formats: _Formats) -> None:
    sheet: Worksheet = book.add_worksheet(guide.title)
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, _GUIDE_WIDTH)
    sheet.write_string(0, 0, cell_text(guide.heading), formats.heading)
    for row, paragraph in enumerate(guide.paragraphs, start=2):
        sheet.write_string(row, 0, cell_text(paragraph), formats.paragraph)
    sheet.write_string(len(guide.paragraphs) + 3, 0, cell_text(guide.legend), formats.marked)
    sheet.protect()


def _add_list(book: Workbook, sheet: FormSheet, formats: _Formats) -> list[_Style]:
    """Add the sheet without its rows; → the style of each column."""
    made: Worksheet = book.add_worksheet(sheet.title)
    styles = [formats.of(column) for column in sheet.columns]
    last = FIRST_ROW - 2 + len(sheet.rows)
    for at, (column, style) in enumerate(zip(sheet.columns, styles, strict=True)):
        made.set_column(at, at, column.width, style.plain, {"hidden": True} if column.is_hidden else {})
        made.write_string(0, at, cell_text(column.name if at else sheet.mark))
        made.write_string(1, at, cell_text(column.header), formats.header)
        if column.choices and sheet.rows:
            made.data_validation(
                FIRST_ROW - 1,
                at,
                last,
                at,
                {"validate": "list", "source": list(column.choices), "error_message": sheet.wrong_choice[:255]},
            )
    made.set_row(0, None, None, {"hidden": True})
    made.freeze_panes(FIRST_ROW - 1, sheet.frozen_columns)
    made.autofilter(1, 0, last, len(sheet.columns) - 1)
    made.ignore_errors({"number_stored_as_text": f"A1:{xl_col_to_name(len(sheet.columns) - 1)}{last + 1}"})
    made.protect("", {"autofilter": True, "sort": True, "format_columns": True, "format_rows": True})
    return styles


def _with_rows(content: bytes, sheet: FormSheet, styles: Sequence[tuple[int, int]]) -> Iterator[bytes]:
    """The XML of a sheet in pieces, with its rows."""
    before, after = content.split(_END_OF_ROWS)
    corner = f"{xl_col_to_name(len(sheet.columns) - 1)}{FIRST_ROW - 1 + len(sheet.rows)}"
    yield _DIMENSION.sub(f'<dimension ref="A1:{corner}"/>'.encode(), before, count=1)
    pieces: list[str] = []
    for piece in _rows(sheet, styles):
        pieces.append(piece)
        if len(pieces) == _CHUNK_ROWS:
            yield "".join(pieces).encode()
            pieces.clear()
    yield "".join(pieces).encode() + _END_OF_ROWS + after


def _rows(sheet: FormSheet, styles: Sequence[tuple[int, int]]) -> Iterator[str]:
    letters = [xl_col_to_name(at) for at in range(len(styles))]
    # Many cells of a list have the same text.
    written = _Written()
    for number, (cells, marked) in enumerate(sheet.rows, start=FIRST_ROW):
        line = [f'<row r="{number}">']
        for at, (value, letter, style) in enumerate(zip(cells, letters, styles, strict=True)):
            if value is None or value == "":
                # Any other empty cell has the format of its column.
                if at in marked:
                    line.append(f'<c r="{letter}{number}" s="{style[1]}"/>')
            elif isinstance(value, int):
                line.append(f'<c r="{letter}{number}" s="{style[0]}"><v>{value}</v></c>')
            else:
                line.append(f'<c r="{letter}{number}" s="{style[at in marked]}"{written[value]}')
        line.append("</row>")
        yield "".join(line)


class _Written(dict[str, str]):
    """The end of a cell's element for each text."""

    def __missing__(self, text: str) -> str:
        value = _NOT_XML.sub("", _ESCAPE.sub("_x005F_", cell_text(text)).translate(_XML))
        made = f' t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'
        self[text] = made
        return made


def unescaped(text: str) -> str:
    """The text of a cell whose reader leaves the escapes of a workbook as they are."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text
