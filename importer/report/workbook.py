"""A session's report → one workbook: a summary and lists. The caller decides its content and its language."""

import os
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import polars as pl
from rustpy_xlsxwriter import FastExcel, Format

from common.workbook import (
    CONTROL_CHARACTERS,
    FIRST_DAY,
    MOST_CHARACTERS,
    MOST_ROWS,
    CellKind,
    ColumnSpec,
    add_sheet,
    cell_text,
    cell_value,
    checked_headers,
    new_workbook,
    save_workbook,
    sheet_title,
)

_TYPES: dict[CellKind, pl.DataType] = {
    "text": pl.String(), "money": pl.Int64(), "date": pl.Date(), "integer": pl.Int64(),
}  # fmt: skip
_SUMMARY_WIDTHS = [48.0, 32.0]


@dataclass(frozen=True, kw_only=True)
class SheetSpec:
    """A sheet: its title, its columns (all headers different) and its rows.

    `rows` has one column for each ColumnSpec, in their order, whatever their names: String for text, Int64 hundredths
    for money, Date, and any integer type; null leaves the cell empty. A list of tuples of the same is also accepted.
    """

    title: str
    columns: Sequence[ColumnSpec]
    rows: pl.DataFrame | Sequence[tuple[object, ...]]


class Fact(NamedTuple):
    """A line of the summary. Money is a Decimal. A value of None makes the label a heading."""

    label: str
    value: str | int | Decimal | date | None


@dataclass(frozen=True, kw_only=True)
class Report:
    """A whole report: the title of the summary's sheet, its heading, its facts in order, then the lists."""

    summary_title: str
    heading: str
    facts: Sequence[Fact | tuple[str, str | int | Decimal | date | None]]
    sheets: Sequence[SheetSpec]


def write_report(path: Path | str, report: Report) -> None:
    """Write a report as an .xlsx workbook at `path`, or nothing at all.

    The summary comes first. A list that is longer than a worksheet continues in a sheet of the same title and a number.
    Money is shown with two decimals. A date column with a day before 1900, which no workbook knows, is text. Raises
    OSError, with its errno, when the disk is full or the folder cannot be written; ValueError when two columns of a
    sheet have the same header.
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
    book = new_workbook(path)
    _add_summary(book, report, sheet_title(report.summary_title, taken=taken))
    for sheet in report.sheets:
        frame = _cells(sheet)
        for part in _parts(frame):
            title = sheet_title(sheet.title, taken=taken)
            add_sheet(book, title=title, columns=sheet.columns, rows=part, is_frame=True)
    save_workbook(book)


def _add_summary(book: FastExcel, report: Report, title: str) -> None:
    heading = cell_text(report.heading) or title
    facts = [(cell_text(label), cell_value(value)) for label, value in report.facts]
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


def _cells(sheet: SheetSpec) -> pl.DataFrame:
    """The rows of a sheet in the types that the writer knows, under their headers."""
    headers = checked_headers(sheet.columns, sheet.title)
    if isinstance(sheet.rows, pl.DataFrame):
        frame = sheet.rows
        if frame.width != len(headers):
            raise ValueError(f"the sheet “{sheet.title}” has {len(headers)} columns, its rows have {frame.width}")
        frame = frame.rename(dict(zip(frame.columns, headers, strict=True)))
    else:
        schema = {header: _TYPES[column.kind] for header, column in zip(headers, sheet.columns, strict=True)}
        frame = pl.DataFrame(list(sheet.rows), schema=schema, orient="row", strict=True)
    return frame.with_columns(
        _cell(frame[header], column.kind) for header, column in zip(headers, sheet.columns, strict=True)
    )


def _cell(cells: pl.Series, kind: CellKind) -> pl.Series:
    cells = cells.cast(_TYPES[kind])
    if kind == "money":
        return _nearest_doubles(cells)
    if kind == "text":
        cells = cells.str.replace_all(CONTROL_CHARACTERS, "")
        longest = cells.str.len_chars().max()
        return cells.str.head(MOST_CHARACTERS) if isinstance(longest, int) and longest > MOST_CHARACTERS else cells
    if kind == "date" and (cells < FIRST_DAY).any():
        return cells.dt.to_string("%d/%m/%Y")
    return cells


def _nearest_doubles(cents: pl.Series) -> pl.Series:
    """Hundredths → the double that is nearest to the amount.

    By numpy: Polars divides by a number by multiplying with 1 / 100, which is rounded itself, and so writes
    102310.40000000001.
    """
    return pl.Series(cents.name, cents.cast(pl.Float64).to_numpy() / 100, nan_to_null=True)


def _parts(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    for start in range(0, max(frame.height, 1), MOST_ROWS):
        yield frame.slice(start, MOST_ROWS)
