"""Cells to files: workbooks and CSV, plain or in an odd layout."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import rustpy_xlsxwriter
import xlsxwriter

from samples.columns import INCIDENT, R_SETTLED, RECAP_HEADERS, SETTLED, STAT_HEADERS
from samples.layout import ENCODINGS, SEPARATORS, Layout, Merge, Table, plain_layout
from samples.odd import OddKind, Where
from samples.spelling import MINUS, NARROW_NO_BREAK, NO_BREAK, Cell, csv_text

FORMATS = ("xlsx", "csv")
SHEET, DRAFT_SHEET = "Feuil1", "Brouillon"
# Shared strings, as Excel writes them, keep the whole sheet in memory; beyond this number of rows, texts are inline.
MOST_ROWS_WITH_SHARED_STRINGS = 50_000
DATE_FORMAT = "dd/mm/yyyy"
_QUOTED_FORMULA = re.compile(r'"=""([^"]*)"""')
_CP1252 = str.maketrans({MINUS: "-", NARROW_NO_BREAK: NO_BREAK})


def write_pair(
    out: Path,
    stat: list[list[Cell]],
    recap_pages: list[list[list[Cell]]],
    *,
    fmt: str,
    odd: Sequence[OddKind] = (),
    where: Where = "both",
    zipped: bool = False,
    draft_sheet: bool = False,
    number_left_out: int = 0,
    rng: Random,
) -> tuple[str, list[str]]:
    """Writes the files of a pair into `out`; → the name of the stat file, the names of the recap files.

    The files of `where` have the `odd` kinds. `zipped` writes the recap pages into one .zip. `draft_sheet` adds a sheet
    with half of the lines to a plain stat workbook. `number_left_out`: the page that no name has.
    """
    tables = [Table("stat", STAT_HEADERS, stat, (INCIDENT, SETTLED), "%d/%m/%Y")]
    tables += [Table("recap", RECAP_HEADERS, page, (R_SETTLED,), "%d-%m-%Y") for page in recap_pages]
    names = []
    first_turn = rng.randrange(len(SEPARATORS) * len(ENCODINGS))
    for turn, table in enumerate(tables):
        number = turn + 1 if 0 < number_left_out <= turn else turn
        stem = "stat" if table.kind == "stat" else f"recap_{number:02d}"
        kinds = odd if where in (table.kind, "both") else ()
        extension = next((kind.extension for kind in kinds if kind.extension), fmt)
        names.append(f"{stem}.{extension}")
        path = out / names[-1]
        if kinds:
            _write_odd(path, table, kinds, fmt=fmt, rng=rng, turn=first_turn + turn)
        elif fmt == "xlsx" and draft_sheet and table.kind == "stat":
            draft: list[list[Cell]] = [list(table.headers), *table.rows[: len(table.rows) // 2]]
            _write_odd_workbook(path, replace(plain_layout(table), other_sheets=[(DRAFT_SHEET, draft)]))
        elif fmt == "xlsx":
            _write_workbook(path, table)
        else:
            _write_csv(path, plain_layout(table))
    return names[0], _zip_pages(out, names[1:]) if zipped else names[1:]


def _write_odd(path: Path, table: Table, kinds: Sequence[OddKind], *, fmt: str, rng: Random, turn: int) -> None:
    layout = plain_layout(table)
    for kind in kinds:
        if kind.arrange:
            layout = kind.arrange(layout, rng, turn)
    if fmt == "csv":
        _write_csv(path, layout)
    else:
        _write_odd_workbook(path, layout)
    for kind in kinds:
        if kind.repack:
            path.write_bytes(kind.repack(path.read_bytes(), layout))


def _zip_pages(out: Path, names: list[str]) -> list[str]:
    """Moves the recap pages into one archive, in a folder, beside a lock file of Excel; → the archive's name."""
    with zipfile.ZipFile(out / "recap.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"pages/~${names[0]}", b"lock")
        for name in names:
            archive.write(out / name, f"pages/{name}")
            (out / name).unlink()
    return ["recap.zip"]


# ------------------------------------------------------------------------------------------------ workbooks
def _write_workbook(path: Path, table: Table) -> None:
    general = rustpy_xlsxwriter.Format()
    general.set_num_format("General")
    # This writer gives a column the format of its first date: rows of bare serial numbers need the general format.
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


def _write_odd_workbook(path: Path, layout: Layout) -> None:
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    grid, merges = layout.grid()
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, options) as book:
        date = book.add_format({"num_format": DATE_FORMAT})
        moment = book.add_format({"num_format": f"{DATE_FORMAT} hh:mm"})
        sheets: list[tuple[str, list[list[Cell]], list[Merge]]] = [(SHEET, grid, merges)]
        sheets += [(name, rows, []) for name, rows in layout.other_sheets]
        if layout.table_comes_last:
            sheets.reverse()
        for name, rows, areas in sheets:
            sheet = book.add_worksheet(name)
            for area in areas:
                sheet.merge_range(*area, "")
            for r, row in enumerate(rows):
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
    path.write_bytes(content.getvalue())


# ------------------------------------------------------------------------------------------------ CSV
def _write_csv(path: Path, layout: Layout) -> None:
    table, encoding = layout.table, layout.encoding
    # Windows-1252 has no combining accents, and a recap row must read the same on two pages of different encodings.
    composed = encoding == "cp1252" or table.kind == "recap"
    signs = _CP1252 if encoding == "cp1252" else {}

    def written(cell: Cell) -> str:
        text = csv_text(cell, table.date_pattern)
        return unicodedata.normalize("NFC", text).translate(signs) if composed and not text.isascii() else text

    rows, _ = layout.grid()
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter=layout.separator).writerows([written(cell) for cell in row] for row in rows)
    if layout.bare_equals:
        text = path.read_bytes().decode(encoding)
        path.write_bytes(_QUOTED_FORMULA.sub(r'="\1"', text).encode(encoding))
