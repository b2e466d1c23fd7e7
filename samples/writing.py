"""Cells to files: workbooks and CSV, plain or in an odd layout."""

from __future__ import annotations

import csv
import datetime as dt
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random

import rustpy_xlsxwriter
import xlsxwriter

from samples.columns import INCIDENT, R_SETTLED, RECAP_HEADERS, SETTLED, STAT_HEADERS
from samples.layout import ENCODINGS, SEPARATORS, Layout, Table, odd_layout
from samples.spelling import MINUS, NARROW_NO_BREAK, NO_BREAK, Cell

FORMATS = ("xlsx", "csv")
SHEET = "Feuil1"
# Shared strings, as Excel itself writes them, hold the whole sheet in memory; beyond this they are written inline.
MOST_ROWS_WITH_SHARED_STRINGS = 50_000
DATE_FORMAT = "dd/mm/yyyy"
_CP1252 = str.maketrans({MINUS: "-", NARROW_NO_BREAK: NO_BREAK})


def write_pair(
    out: Path, stat: list[list[Cell]], recap_pages: list[list[list[Cell]]], *, fmt: str, layout: Random | None
) -> tuple[str, list[str]]:
    """Writes the files of a pair into `out` and returns their names: the stat file's, the recap pages'."""
    tables = [Table("stat", STAT_HEADERS, stat, (INCIDENT, SETTLED), "%d/%m/%Y")]
    tables += [Table("recap", RECAP_HEADERS, page, (R_SETTLED,), "%d-%m-%Y") for page in recap_pages]
    names = [f"stat.{fmt}"] + [f"recap_{page:02d}.{fmt}" for page in range(1, len(recap_pages) + 1)]
    first_turn = layout.randrange(len(SEPARATORS) * len(ENCODINGS)) if layout else 0
    for turn, (name, table) in enumerate(zip(names, tables, strict=True), first_turn):
        if layout is not None:
            _write_odd(out / name, odd_layout(table, layout, turn), fmt)
        elif fmt == "xlsx":
            _write_workbook(out / name, table)
        else:
            encoding = "cp1252" if table.kind == "stat" else "utf-8-sig"
            _write_csv(out / name, table, [table.headers, *table.rows], ";", encoding)
    return names[0], names[1:]


# ------------------------------------------------------------------------------------------------ workbooks
def _write_workbook(path: Path, table: Table) -> None:
    general = rustpy_xlsxwriter.Format()
    general.set_num_format("General")
    # This writer gives a column the format of its first date: a row of bare serial numbers has to say that it has none.
    serial_rows = {
        number: general
        for number, row in enumerate(table.rows, 1)
        if any(type(row[column]) is int for column in table.date_columns)
    }
    rustpy_xlsxwriter.write_worksheet(
        _records(table),
        str(path),
        sheet_name=SHEET,
        datetime_format=DATE_FORMAT,
        row_formats=serial_rows,
        dedupe_strings=len(table.rows) <= MOST_ROWS_WITH_SHARED_STRINGS,
    )


def _records(table: Table) -> Iterator[dict[str, Cell]]:
    midnights: dict[dt.date, dt.datetime] = {}
    for row in table.rows:
        record = dict(zip(table.headers, row, strict=True))
        for column in table.date_columns:
            # Where a column begins with a plain date, this writer drops the time of day of all that follows.
            if type(day := row[column]) is dt.date:
                if day not in midnights:
                    midnights[day] = dt.datetime.combine(day, dt.time())
                record[table.headers[column]] = midnights[day]
        yield record


def _write_odd(path: Path, layout: Layout, fmt: str) -> None:
    if fmt == "csv":
        _write_csv(path, layout.table, layout.grid(), layout.separator, layout.encoding)
    else:
        _write_odd_workbook(path, layout)


def _write_odd_workbook(path: Path, layout: Layout) -> None:
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        date = book.add_format({"num_format": DATE_FORMAT})
        moment = book.add_format({"num_format": f"{DATE_FORMAT} hh:mm"})
        sheets: list[tuple[str, Iterable[Sequence[Cell]]]] = [(SHEET, layout.grid()), *layout.other_sheets]
        if layout.table_comes_last:
            sheets.reverse()
        for name, grid in sheets:
            sheet = book.add_worksheet(name)
            for r, row in enumerate(grid):
                for c, cell in enumerate(row):
                    if isinstance(cell, dt.datetime):
                        sheet.write_datetime(r, c, cell, moment)
                    elif isinstance(cell, dt.date):
                        sheet.write_datetime(r, c, cell, date)
                    elif isinstance(cell, str) and cell.startswith("#") and cell.isupper():
                        # A true error cell, as a formula leaves it.
                        sheet.write_formula(r, c, "=NA()" if cell == "#N/A" else '="a"+1', value=cell)
                    elif cell is not None and cell != "":
                        sheet.write(r, c, cell)


# ------------------------------------------------------------------------------------------------ CSV
def csv_text(cell: Cell, date_pattern: str) -> str:
    """A cell the way a CSV export shows it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, dt.datetime):
        return cell.strftime(f"{date_pattern} %H:%M")
    if isinstance(cell, dt.date):
        return cell.strftime(date_pattern)
    return cell if isinstance(cell, str) else str(cell)


def _write_csv(path: Path, table: Table, grid: Iterable[Sequence[Cell]], separator: str, encoding: str) -> None:
    # Windows-1252 has no combining accents; and a recap row must read the same on two pages of different encodings.
    composed = encoding == "cp1252" or table.kind == "recap"
    signs = _CP1252 if encoding == "cp1252" else {}

    def written(cell: Cell) -> str:
        text = csv_text(cell, table.date_pattern)
        return unicodedata.normalize("NFC", text).translate(signs) if composed and not text.isascii() else text

    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter=separator).writerows([written(cell) for cell in row] for row in grid)
