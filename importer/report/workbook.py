"""A session's report → one workbook. Layout only: what it says, and in which language, is decided by the caller.

Every cell of kind text is written as text, so nothing that a claim says can become a formula, a link or a number.
"""

import os
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal, NamedTuple

import polars as pl
from rustpy_xlsxwriter import FastExcel, Format

from common.exports import save_workbook
from common.keys import clean_text

CellKind = Literal["text", "money", "date", "integer"]

# What a worksheet can hold, the header's row not counted.
MOST_ROWS = 1_048_575
MOST_CHARACTERS = 32_767
LONGEST_TITLE = 31

MONEY_FORMAT = "#,##0.00"
DATE_FORMAT = "dd/mm/yyyy"
INTEGER_FORMAT = "0"

_FIRST_DAY = date(1900, 1, 1)
_DTYPES = {"text": pl.String(), "money": pl.Int64(), "date": pl.Date(), "integer": pl.Int64()}
_NOT_IN_TITLE = re.compile(r"[\[\]:*?/\\]")
_CONTROL = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F]"
_HEADER_FILL = "#DCE6F1"
_SUMMARY_WIDTHS = [48.0, 32.0]


@dataclass(frozen=True, kw_only=True)
class ColumnSpec:
    """A column of a sheet: its header, the kind of its cells, its width in characters."""

    header: str
    kind: CellKind = "text"
    width: float = 16


@dataclass(frozen=True, kw_only=True)
class SheetSpec:
    """A sheet: its title, its columns (headers unlike each other) and its rows.

    `rows` has one column per ColumnSpec, in their order, whatever their names: String for text, Int64 hundredths for
    money, Date, and any integer type; null leaves the cell empty. A list of tuples of the same holds as well.
    """

    title: str
    columns: Sequence[ColumnSpec]
    rows: pl.DataFrame | Sequence[tuple[object, ...]]


class Fact(NamedTuple):
    """A line of the summary. Money is a Decimal. None as value makes the label a heading."""

    label: str
    value: str | int | Decimal | date | None


@dataclass(frozen=True, kw_only=True)
class Report:
    """A whole report: the summary's sheet title, its heading, its facts in order, then a sheet per list."""

    summary_title: str
    heading: str
    facts: Sequence[Fact | tuple[str, str | int | Decimal | date | None]]
    sheets: Sequence[SheetSpec]


def write_report(path: Path | str, report: Report) -> None:
    """Write a report as an .xlsx workbook at `path`, or nothing at all.

    The summary comes first; every sheet has a bold header, frozen and filterable; a list longer than a worksheet goes
    on in a sheet of the same title and a number. Money is shown with two decimals (a workbook keeps fifteen significant
    digits of it), a date column with a day before 1900, which no workbook knows, is text. Raises OSError, with its
    errno, when the disk is full or the folder cannot be written; ValueError when two columns of a sheet have the same
    header.
    """
    path = Path(path)
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        _save(unfinished, report)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _save(path: Path, report: Report) -> None:
    taken: set[str] = set()
    book = (
        FastExcel(path, output_format="xlsx")
        .format(float_format=MONEY_FORMAT, datetime_format=DATE_FORMAT)
        .freeze(row=1)
    )
    _add_summary(book, report, sheet_title(report.summary_title, taken=taken))
    for sheet in report.sheets:
        frame = _cells(sheet)
        for part in _parts(frame):
            _add_list(book, sheet, part, sheet_title(sheet.title, taken=taken))
    save_workbook(book)


def sheet_title(title: str, *, taken: set[str]) -> str:
    """A title that a worksheet may bear: 31 characters, none of `[]:*?/\\`, unlike those `taken`, to which it is added.

    The second of a title gets ` (2)`.
    """
    base = clean_text(_NOT_IN_TITLE.sub(" ", title)).strip("' ") or "_"
    number, name = 1, base[:LONGEST_TITLE].strip("' ")
    while name.lower() in taken:
        number += 1
        suffix = f" ({number})"
        name = base[: LONGEST_TITLE - len(suffix)].strip("' ") + suffix
    taken.add(name.lower())
    return name


def _add_summary(book: FastExcel, report: Report, title: str) -> None:
    heading = _printable(report.heading) or title
    facts = [(_printable(label), _fact_value(value)) for label, value in report.facts]
    headings = {row: Format().set_bold() for row, (_, value) in enumerate(facts, 1) if value is None}
    book.sheet(
        title,
        [{heading: label, " ": value} for label, value in facts]
        or pl.DataFrame(schema={heading: pl.String, " ": pl.String}),
        column_widths=_SUMMARY_WIDTHS,
        header_format=Format().set_bold().set_font_size(14),
        row_formats=headings,
        ignore_errors=[" "],
    )


def _fact_value(value: str | int | Decimal | date | None) -> str | int | float | date | None:
    if isinstance(value, str):
        return _printable(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date) and value < _FIRST_DAY:
        return value.isoformat()
    return value


def _printable(text: str) -> str:
    return re.sub(_CONTROL, "", text)[:MOST_CHARACTERS]


def _cells(sheet: SheetSpec) -> pl.DataFrame:
    """Bring a sheet's rows into the types that the writer knows, under their headers."""
    headers = [_printable(column.header) for column in sheet.columns]
    if len(set(headers)) < len(headers):
        raise ValueError(f"two columns of the sheet “{sheet.title}” have the same header")
    if isinstance(sheet.rows, pl.DataFrame):
        frame = sheet.rows
        if frame.width != len(headers):
            raise ValueError(f"the sheet “{sheet.title}” has {len(headers)} columns, its rows have {frame.width}")
        frame = frame.rename(dict(zip(frame.columns, headers, strict=True)))
    else:
        schema = {header: _DTYPES[column.kind] for header, column in zip(headers, sheet.columns, strict=True)}
        frame = pl.DataFrame(list(sheet.rows), schema=schema, orient="row", strict=True)
    return frame.with_columns(
        _cell(frame[header], column.kind) for header, column in zip(headers, sheet.columns, strict=True)
    )


def _cell(cells: pl.Series, kind: CellKind) -> pl.Series:
    cells = cells.cast(_DTYPES[kind])
    if kind == "money":
        return cells / 100
    if kind == "text":
        cells = cells.str.replace_all(_CONTROL, "")
        longest = cells.str.len_chars().max()
        return cells.str.head(MOST_CHARACTERS) if isinstance(longest, int) and longest > MOST_CHARACTERS else cells
    if kind == "date" and (cells < _FIRST_DAY).any():
        return cells.dt.to_string("%d/%m/%Y")
    return cells


def _parts(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    for start in range(0, max(frame.height, 1), MOST_ROWS):
        yield frame.slice(start, MOST_ROWS)


def _add_list(book: FastExcel, sheet: SheetSpec, frame: pl.DataFrame, title: str) -> None:
    book.sheet(
        title,
        frame,
        column_widths=[float(column.width) for column in sheet.columns],
        column_formats=[_format(column.kind) for column in sheet.columns],
        header_format=Format().set_bold().set_background_color(_HEADER_FILL).set_border_bottom("thin"),
        autofilter=True,
        ignore_errors=[name for name, dtype in frame.schema.items() if dtype == pl.String],
    )


def _format(kind: CellKind) -> Format:
    number_formats = {"text": "@", "money": MONEY_FORMAT, "date": DATE_FORMAT, "integer": INTEGER_FORMAT}
    return Format().set_num_format(number_formats[kind])
