"""The rows of a file as they stand, with its size, for a person to look at: the first ones, or a whole sheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any

import fastexcel
import polars as pl

from reading.columns import HEAD_ROWS, FileKind, Row, recognise
from reading.csv.records import records
from reading.csv.text import find_separator, lines_of, read_text
from reading.excel.guard import Scan, scan_file
from reading.excel.read import open_workbook, sheet_cells, shown
from reading.excel.standard import standard_workbook
from reading.formats import Format
from reading.library_errors import library_errors
from reading.limits import Limits
from reading.problems import Problem, UnreadableFile
from reading.sources import Source, source_format

# Characters of a cell that a page shows.
LONGEST_SHOWN = 1_000


def preview(source: Source, *, rows: int, limits: Limits) -> dict[str, Any]:
    """The first `rows` lines below the header: the header that an import finds, else the first row with a text.

    Returns `sheets` (names; none for CSV), `sheet` (the one shown: the one named, else the first), `columns` (header
    texts), `rows` (lists of text or null), `total_rows` (below the header, blank ones at the end left out) and
    `total_columns`. Raises UnreadableFile, also with `no_such_sheet`, each problem with the file's name.
    """
    try:
        with library_errors():
            file_format = source_format(source)
            if file_format == "csv":
                return _preview_csv(source, rows)
            with standard_workbook(source.path, file_format=file_format, limits=limits) as path:
                return _preview_workbook(path, source, file_format, rows, limits)
    except UnreadableFile as unreadable:
        raise UnreadableFile([replace(problem, file=source.name) for problem in unreadable.problems]) from unreadable


def whole_sheet(source: Source, *, limits: Limits, scanned: Scan | None = None) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Every row of a sheet from its first, and facts about the sheet.

    The frame has one String column for each column of the sheet, `limits.max_columns` at most; row n of the sheet is
    row n - 1 of the frame. Cells are cut after LONGEST_SHOWN characters. The facts: `sheets`, `sheet` (as in
    `preview`), `columns` (the texts of the header), `header_row` (1-based; 0: no header), `first_column`
    (0-based: that of the frame's first column), `total_rows` and `total_columns`. With `scanned`, the scan of the
    workbook is under way elsewhere. Raises UnreadableFile, as `preview`.
    """
    try:
        with library_errors():
            file_format = source_format(source)
            if file_format == "csv":
                every = _csv_records(source)
                width = max(map(len, every), default=0)
                shown_width = min(width, limits.max_columns)
                cells = pl.DataFrame(
                    {f"c{at}": [row[at] if at < len(row) else None for row in every] for at in range(shown_width)},
                    schema={f"c{at}": pl.String for at in range(shown_width)},
                )
                facts: dict[str, Any] = {"sheets": [], "sheet": "", "first_column": 0, "total_columns": width}
            else:
                with standard_workbook(source.path, file_format=file_format, limits=limits) as path:
                    if file_format == "xlsx" and scanned is None:
                        scan_file(path, limits=limits)
                    reader, sheets, sheet = _sheet_of(path, source)
                    cells, first_column = sheet_cells(reader, sheet)
                    width = cells.width
                    cells = cells[:, : limits.max_columns]
                    cells = cells.select(shown(name) for name in cells.columns)
                facts = {"sheets": sheets, "sheet": sheet, "first_column": first_column, "total_columns": width}
    except UnreadableFile as unreadable:
        raise UnreadableFile([replace(problem, file=source.name) for problem in unreadable.problems]) from unreadable
    header_row, header = _header(cells.head(HEAD_ROWS).rows())
    facts |= {"columns": header, "header_row": header_row, "total_rows": cells.height}
    return cells.select(pl.col(name).str.head(LONGEST_SHOWN) for name in cells.columns), facts


def _header(head: Sequence[Row]) -> tuple[int, list[str]]:
    """The header's last row (1-based, 0 for none) and its texts: the one that an import finds, else the first row."""
    layout = next((one for one in (recognise(head, "stat"), recognise(head, "recap")) if one.shows_kind), None)
    if layout:
        return layout.header_row + 1, list(layout.headers)
    for at, row in enumerate(head, start=1):
        if any(cell and cell.strip() for cell in row):
            return at, [(cell or "").strip() for cell in row]
    return 0, []


def _preview_workbook(path: str, source: Source, file_format: Format, rows: int, limits: Limits) -> dict[str, Any]:
    if file_format == "xlsx":
        scan_file(path, limits=limits)
    reader, sheets, sheet = _sheet_of(path, source)
    cells, _ = sheet_cells(reader, sheet)
    cells = cells.select(shown(name) for name in cells.columns)
    return _facts(cells.iter_rows(), cells.height, cells.width, rows) | {"sheets": sheets, "sheet": sheet}


def _sheet_of(path: str, source: Source) -> tuple[fastexcel.ExcelReader, list[str], str]:
    """The open workbook, the names of its sheets, and the sheet to show: the one named, else the first."""
    reader = open_workbook(path)
    sheets = list(reader.sheet_names)
    sheet = source.sheet or (sheets[0] if sheets else "")
    if not sheets:
        raise UnreadableFile([Problem("empty_file")])
    if sheet not in sheets:
        raise UnreadableFile([Problem("no_such_sheet", sheet=sheet, params={"sheets": sheets})])
    return reader, sheets, sheet


def _preview_csv(source: Source, rows: int) -> dict[str, Any]:
    every = _csv_records(source)
    return _facts(iter(every), len(every), max(map(len, every), default=0), rows) | {"sheets": [], "sheet": ""}


def _csv_records(source: Source) -> list[list[str]]:
    lines, separator = lines_of(read_text(source.path))
    if separator is None:
        kinds: tuple[FileKind, FileKind] = ("stat", "recap")
        found = [find_separator(lines, kind=kind) for kind in kinds]
        separator = max(found, key=lambda one: sum(line.count(one) for line in lines[:HEAD_ROWS]))
    return [record.fields for record in records(lines, separator)]


def _facts(table: Iterable[Row], height: int, width: int, rows: int) -> dict[str, Any]:
    lines = iter(table)
    head = list(islice(lines, HEAD_ROWS))
    layout = next((one for one in (recognise(head, "stat"), recognise(head, "recap")) if one.shows_kind), None)
    if layout:
        header_at, header = layout.header_row + 1, list(layout.headers)
        lines = chain(head[header_at:], lines)
    else:
        numbered = enumerate(chain(head, lines), start=1)
        header_at, header = next(
            ((at, [(cell or "").strip() for cell in row]) for at, row in numbered if any(c and c.strip() for c in row)),
            (height, []),
        )
        lines = (row for _, row in numbered)
    return {
        "columns": header,
        "rows": [[cell or None for cell in row] for row in islice(lines, rows)],
        "total_rows": height - header_at,
        "total_columns": width,
    }
