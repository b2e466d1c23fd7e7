"""Rows of a list → CSV or XLSX. Text stays text: no cell that a file brought becomes a formula, a link or a number."""

import csv
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, BinaryIO, Literal

from rustpy_xlsxwriter import FastExcel, Format

CellKind = Literal["text", "money", "date", "moment", "integer", "yes_no", "choice"]

# What a worksheet can hold, the header's row not counted.
MOST_SHEET_ROWS = 1_048_575
_MOST_CHARACTERS = 32_767
_LONGEST_TITLE = 31
_FIRST_SHEET_DAY = date(1900, 1, 1)
_LARGEST_EXACT = 2**53

# What a spreadsheet takes for the beginning of a formula, full-width forms too.
_FORMULA = re.compile(r"\s*[=+\-@\t\r＝＋－＠]")
_CONTROL = re.compile(r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F]")
_NOT_IN_TITLE = re.compile(r"[\[\]:*?/\\]")
# Where the writer's failures keep the system's error number.
_ERRNO = re.compile(r"(?:os error |code: )([0-9]+)")
_HEADER_FILL = "#DCE6F1"
_NUMBER_FORMATS: dict[str, str] = {"money": "#,##0.00", "date": "dd/mm/yyyy", "integer": "0"}
_WIDTHS: dict[str, float] = {"money": 16, "date": 12, "integer": 10, "moment": 20, "yes_no": 8}


@dataclass(frozen=True)
class Column:
    """A column of an export: its header, the way to its value over the ORM (`insured__name`), the kind of its cells.

    `choices` are (value, label) pairs whose labels are written in the language of the caller.
    """

    header: Any
    path: str
    kind: CellKind = "text"
    choices: Sequence[tuple[Any, Any]] = ()


def _cell_maker(column: Column, *, yes: str, no: str) -> Callable[[Any], Any]:
    """Turns a value of the database into text, Decimal, int, date or None."""
    match column.kind:
        case "choice":
            labels = {value: str(label) for value, label in column.choices}
            return lambda value: labels.get(value, value)
        case "yes_no":
            return lambda value: None if value is None else (yes if value else no)
        case "moment":
            return lambda value: f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z" if isinstance(value, datetime) else None
        case "text":
            return lambda value: None if value is None else _CONTROL.sub("", str(value))
    return lambda value: value


def _makers(columns: Sequence[Column], words: tuple[str, str]) -> list[Callable[[Any], Any]]:
    return [_cell_maker(column, yes=words[0], no=words[1]) for column in columns]


def csv_safe(text: str) -> str:
    """Text that no spreadsheet evaluates: what begins like a formula gets an apostrophe before it."""
    return "'" + text if _FORMULA.match(text) else text


class _Echo:
    """A file that hands back what is written to it, for the csv module to stream by."""

    def write(self, text: str) -> str:
        return text


def csv_lines(*, columns: Sequence[Column], rows: Iterable[Sequence[Any]], words: tuple[str, str]) -> Iterator[bytes]:
    """UTF-8 with a byte order mark, separated by `;`, decimal point, dates as YYYY-MM-DD: what Excel opens unasked.

    `rows`: one value per column, as the ORM gives it; `words`: yes and no in the language of the caller.
    """
    writer = csv.writer(_Echo(), delimiter=";", lineterminator="\r\n")
    makers = _makers(columns, words)
    texts = [column.kind not in ("money", "integer", "date") for column in columns]
    yield b"\xef\xbb\xbf"
    yield writer.writerow([csv_safe(str(column.header)) for column in columns]).encode()
    for row in rows:
        cells = []
        for value, make, is_text in zip(row, makers, texts, strict=True):
            cell = make(value)
            cells.append("" if cell is None else csv_safe(cell) if is_text else cell)
        yield writer.writerow(cells).encode()


def write_xlsx(
    *,
    target: BinaryIO,
    title: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Any]],
    words: tuple[str, str],
) -> None:
    """One worksheet with a frozen, filterable header, into the open file `target`.

    `rows` as for `csv_lines`, at most MOST_SHEET_ROWS of them; an amount that a double cannot hold exactly is text.
    Raises OSError, with its errno, when the disk is full.
    """
    headers = [str(column.header) for column in columns]
    if len(set(headers)) < len(headers):
        raise ValueError("two columns of an export have the same header")
    makers = _makers(columns, words)
    records: Iterable[dict[str, Any]] = (
        {header: _sheet_cell(make(value)) for header, make, value in zip(headers, makers, row, strict=True)}
        for row in rows
    )
    book = FastExcel(target, output_format="xlsx").format(float_format="#,##0.00", datetime_format="dd/mm/yyyy")
    book.freeze(row=1).sheet(
        _NOT_IN_TITLE.sub(" ", title)[:_LONGEST_TITLE],
        _with_header(records, headers),
        column_widths=[_WIDTHS.get(column.kind, 24.0) for column in columns],
        column_formats=[Format().set_num_format(_NUMBER_FORMATS.get(column.kind, "@")) for column in columns],
        header_format=Format().set_bold().set_background_color(_HEADER_FILL).set_border_bottom("thin"),
        autofilter=True,
        ignore_errors=headers,
    )
    save_workbook(book)


def save_workbook(book: FastExcel) -> None:
    """Have the writer finish its file. Raises OSError, with its errno, when the disk is full or cannot be written."""
    try:
        book.save()
    except BaseException as failure:
        error = _system_error(failure)
        if error is None:
            raise
        raise error from failure


def _system_error(failure: BaseException) -> OSError | None:
    """The OSError behind a failed save; None when it was something else.

    The writer keeps its unfinished sheets in temporary files. When those cannot be written it panics, which reaches
    Python as a BaseException outside every hierarchy, known by its name only.
    """
    if not isinstance(failure, OSError | RuntimeError) and type(failure).__name__ != "PanicException":
        return None
    number = _ERRNO.search(str(failure))
    return OSError(int(number[1]), os.strerror(int(number[1]))) if number else None


def _sheet_cell(cell: Any) -> Any:
    if isinstance(cell, Decimal):
        return float(cell) if abs(cell) * 100 <= _LARGEST_EXACT else str(cell)
    if isinstance(cell, str):
        return cell[:_MOST_CHARACTERS]
    if isinstance(cell, date) and cell < _FIRST_SHEET_DAY:
        return cell.isoformat()
    return cell


def _with_header(records: Iterable[dict[str, Any]], headers: Sequence[str]) -> Iterable[dict[str, Any]]:
    # The writer takes the header from the first record: a list without rows still has its header, over an empty one.
    empty = True
    for record in records:
        empty = False
        yield record
    if empty:
        yield dict.fromkeys(headers)
