"""Excel workbooks → raw frames, through calamine (by fastexcel), which keeps a sheet out of Python objects."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import fastexcel
import polars as pl
import xlrd

from reading.columns import HEAD_ROWS, FileKind, Layout, Row, choose_sheets, columns_of
from reading.excel.first_rows import xlsx_heads
from reading.excel.guard import LostCells, Scan, scan_file
from reading.excel.number_cells import FRACTION, number_cells
from reading.excel.odd_dates import is_day, numbers_without_day, plain_number
from reading.excel.old_records import counts_from_1904, merged_cells
from reading.excel.package import open_package
from reading.formats import Format
from reading.library_errors import library_errors
from reading.limits import Limits
from reading.problems import Problem, UnreadableFile
from reading.raw import RawSheet, empty_frame, layout_of, raw_frame
from reading.sources import ColumnsBySheet, ReadFile

Heads = dict[str, Sequence[Row]]
# A sheet's name, cells, layout and first column → the cells with those that the reader library lost.
Restore = Callable[[str, pl.DataFrame, Layout, int], pl.DataFrame]
# As the reader writes days before 1904 (where the other of a workbook's two calendars begins) and after 9999.
_ODD_DAY = r"^(?:[+-][0-9]+|0[0-9]{3}|1[0-8][0-9]{2}|190[0-3])-[0-9]{2}-[0-9]{2} [0-9]{2}:"
_MIDNIGHT = " 00:00:00"
# A serial number: a cell in a column of dates that is not formatted as one.
_SERIAL = r"^([0-9]+)(\.[0-9]+)?$"
_DAYS_FROM_1900_TO_1904 = 1462
_LAST_SERIAL = 2_958_465


@dataclass(frozen=True)
class _Workbook:
    """How the sheets of one workbook are read, whatever its format."""

    reader: fastexcel.ExcelReader
    restore: Restore
    merged: Callable[[str], Sequence[int]]
    counts_from_1904: bool


def read_xlsx(
    path: str, *, named: str | None, index: int, kind: FileKind, limits: Limits, scanned: Scan | None = None
) -> ReadFile:
    """Read an .xlsx. Raises UnreadableFile: what `scan`, `choose_sheets`, `layout_of`, `raw_frame` refuse.

    With `scanned`, the scan is under way elsewhere and what it finds is asked for when it is needed.
    """
    if scanned is None:
        found = scan_file(path, limits=limits)
        scanned = lambda: found  # noqa: E731
    package = open_package(path)
    with package.archive:
        # Laying a sheet out is what costs: the first rows of each tell which are worth it.
        heads = xlsx_heads(package, rows=HEAD_ROWS)
    choice = choose_sheets(heads, kind=kind, named=named)
    if choice.problems:
        raise UnreadableFile(list(choice.problems))

    def restore(sheet: str, cells: pl.DataFrame, layout: Layout, first_column: int) -> pl.DataFrame:
        lost = scanned().get(sheet, LostCells())
        cells = _put_back(cells, lost, first_column)
        doubtful = [first_column + at for at in _doubtful_dates(cells, layout, empty_too=lost.dates_too)]
        return _put_back(cells, numbers_without_day(path, sheet, columns=doubtful), first_column)

    book = _Workbook(
        open_workbook(path),
        restore,
        merged=lambda sheet: scanned().get(sheet, LostCells()).merged,
        counts_from_1904=package.counts_from_1904,
    )
    return _read_sheets(book, tuple(heads), choice.sheets, index=index, kind=kind, limits=limits)


def read_xls(path: str, *, named: str | None, index: int, kind: FileKind, limits: Limits) -> ReadFile:
    """Read an .xls. Raises UnreadableFile, as `read_xlsx`, and `encrypted`."""
    reader = open_workbook(path)
    heads = xls_heads(reader)
    choice = choose_sheets(heads, kind=kind, named=named)
    if choice.problems:
        raise UnreadableFile(list(choice.problems))
    merged = merged_cells(path)

    def restore(sheet: str, cells: pl.DataFrame, layout: Layout, first_column: int) -> pl.DataFrame:
        doubtful = [first_column + at for at in _doubtful_dates(cells, layout, empty_too=True)]
        return _put_back(cells, _xls_lost(path, sheet, dates=doubtful), first_column) if doubtful else cells

    book = _Workbook(
        reader,
        restore,
        merged=lambda sheet: merged.get(sheet, array("I")),
        counts_from_1904=counts_from_1904(path),
    )
    return _read_sheets(book, tuple(heads), choice.sheets, index=index, kind=kind, limits=limits)


def xls_heads(reader: fastexcel.ExcelReader, *, rows: int = HEAD_ROWS) -> Heads:
    """The first rows of each sheet, by name."""
    return {name: sheet_cells(reader, name, rows=rows)[0].rows() for name in reader.sheet_names}


def open_workbook(path: str) -> fastexcel.ExcelReader:
    """Raises UnreadableFile: `encrypted`, `damaged`."""
    try:
        return fastexcel.read_excel(path)
    except fastexcel.FastExcelError as error:
        code = "encrypted" if "password" in str(error).lower() else "damaged"
        raise UnreadableFile([Problem(code)]) from error


def sheet_cells(reader: fastexcel.ExcelReader, name: str, *, rows: int | None = None) -> tuple[pl.DataFrame, int]:
    """Every row of a sheet from its first, as text, and the sheet's column (0-based) that the first of them is."""
    # `skip_rows=0` keeps the empty rows above the header, without which every row number would be off.
    with library_errors(sheet=name):
        sheet = reader.load_sheet(name, header_row=None, skip_rows=0, n_rows=rows, dtypes="string")
        if sheet.total_height == 0 or not sheet.selected_columns:
            return pl.DataFrame(), 0
        return pl.DataFrame(sheet), sheet.selected_columns[0].absolute_index


def _read_sheets(
    book: _Workbook, all_sheets: tuple[str, ...], sheets: tuple[str, ...], *, index: int, kind: FileKind, limits: Limits
) -> ReadFile:
    read: dict[str, RawSheet] = {}
    problems: list[Problem] = []
    for name in sheets:
        try:
            read[name] = _read_sheet(book, name, index=index, kind=kind, limits=limits)
        except UnreadableFile as refused:
            problems += [Problem(p.code, sheet=name, row=p.row, params=p.params) for p in refused.problems]
    if problems:
        raise UnreadableFile(problems)
    frame = pl.concat([one.frame for one in read.values()], rechunk=False) if read else empty_frame(kind)
    return ReadFile(frame, all_sheets, sheets, {name: one.columns for name, one in read.items()})


def _read_sheet(book: _Workbook, name: str, *, index: int, kind: FileKind, limits: Limits) -> RawSheet:
    cells, first_column = sheet_cells(book.reader, name)
    layout = layout_of(cells, kind=kind, limits=limits)
    cells = book.restore(name, cells, layout, first_column)
    merged = book.merged(name)
    raw = raw_frame(cells, layout, index=index, sheet=name, first_column=first_column, merged=merged)
    frame = raw.frame.with_columns(shown(field) for field in raw.frame.columns[4:])
    if book.counts_from_1904:
        frame = frame.with_columns(_counted_from_1900(one.field) for one in columns_of(kind) if one.kind == "date")
    return RawSheet(frame, raw.columns)


def shown(field: str) -> pl.Expr:
    """A cell of calamine as a raw frame has it: booleans in capitals, dates without a midnight."""
    text = pl.col(field)
    is_date = text.str.ends_with(_MIDNIGHT) & (text.str.len_bytes() == 19)
    return (
        pl.when(is_date)
        .then(text.str.head(10))
        .when(text.is_in(["true", "false"]))
        .then(text.str.to_uppercase())
        .otherwise(text)
        .alias(field)
    )


def _counted_from_1900(field: str) -> pl.Expr:
    """Serial numbers of the calendar of 1904 as those of the usual one, which is the only one that a raw frame has."""
    text = pl.col(field)
    days = text.str.extract(_SERIAL, 1).cast(pl.Int64, strict=False) + _DAYS_FROM_1900_TO_1904
    moved = days.cast(pl.String) + text.str.extract(_SERIAL, 2).fill_null("")
    # A number that is no day stays as the workbook shows it.
    return pl.when(days <= _LAST_SERIAL).then(moved).otherwise(text).alias(field)


def _put_back(cells: pl.DataFrame, lost: LostCells, first_column: int) -> pl.DataFrame:
    """Put the texts of lost cells where they belong."""
    if not lost.rows:
        return cells
    placed = pl.DataFrame({"row": lost.rows, "column": lost.columns, "text": lost.texts}).filter(
        pl.col("row") < cells.height
    )
    for (column,), group in placed.group_by("column"):
        at = int(str(column)) - first_column
        if 0 <= at < cells.width:
            name = cells.columns[at]
            cells = cells.with_columns(cells[name].scatter(group["row"], group["text"]).alias(name))
    return cells


def _doubtful_dates(cells: pl.DataFrame, layout: Layout, *, empty_too: bool) -> list[int]:
    """The columns of dates where a number may have been lost: one is a day that no spreadsheet shows, or empty."""
    body = cells.slice(layout.header_row + 1)
    dates = [
        at
        for column in columns_of(layout.kind)
        if column.kind == "date"
        for at in layout.positions.get(column.field, ())
    ]
    return [
        at
        for at in dates
        if body.select(_is_odd(body.columns[at]).any()).item() or (empty_too and body[:, at].null_count())
    ]


def _is_odd(name: str) -> pl.Expr:
    return pl.col(name).str.contains(_ODD_DAY)


def _xls_lost(path: str, sheet_name: str, *, dates: Collection[int]) -> LostCells:
    """Error cells, and numbers in the columns `dates` that are no day."""
    lost = LostCells()
    with library_errors(sheet=sheet_name), _open_by_xlrd(path) as book:
        sheet = book.sheet_by_name(sheet_name)
        for row in range(sheet.nrows):
            for column, kind in enumerate(sheet.row_types(row)):
                if kind == xlrd.XL_CELL_ERROR:
                    code = sheet.cell_value(row, column)
                    lost.add(row, column, xlrd.error_text_from_code.get(code, "#ERROR!"))
                elif column in dates and kind in (xlrd.XL_CELL_DATE, xlrd.XL_CELL_NUMBER):
                    number = sheet.cell_value(row, column)
                    if not is_day(number):
                        lost.add(row, column, plain_number(number))
    return lost


def fraction_rows(path: str, *, file_format: Format, columns: ColumnsBySheet, field: str) -> dict[str, list[int]]:
    """The rows (1-based), by sheet, in which `field` is a number cell with a fraction. `columns`: `ReadFile.columns`.

    Raises UnreadableFile: `damaged`, `encrypted`, `entities`.
    """
    find = _xlsx_fractions if file_format == "xlsx" else _xls_fractions
    return {
        sheet: [row + 1 for row in find(path, sheet, column_of[field])]
        for sheet, column_of in columns.items()
        if field in column_of
    }


def _xlsx_fractions(path: str, sheet: str, column: int) -> list[int]:
    package = open_package(path)
    with package.archive:
        return [row for row, _, _ in number_cells(package, sheet, columns=[column], value=FRACTION)]


def _xls_fractions(path: str, sheet_name: str, column: int) -> list[int]:
    with library_errors(sheet=sheet_name), _open_by_xlrd(path) as book:
        sheet = book.sheet_by_name(sheet_name)
        return [
            row
            for row in range(sheet.nrows)
            if column < sheet.row_len(row)
            and sheet.cell_type(row, column) == xlrd.XL_CELL_NUMBER
            and not float(sheet.cell_value(row, column)).is_integer()
        ]


@contextmanager
def _open_by_xlrd(path: str) -> Iterator[xlrd.Book]:
    """The old workbook at `path` as xlrd reads it: slowly, but with the type of each cell."""
    with open(os.devnull, "w") as silence, xlrd.open_workbook(path, on_demand=True, logfile=silence) as book:
        yield book
