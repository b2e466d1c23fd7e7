"""The first rows of a file as they stand, with how large it is: what a person looks at before an import."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import islice
from typing import Any

from reading.columns import HEADER_SEARCH_ROWS, FileKind, Row
from reading.csv.records import records
from reading.csv.text import find_separator, lines_of, read_text
from reading.excel.guard import scan
from reading.excel.package import open_package
from reading.excel.read import open_workbook, sheet_cells, shown
from reading.limits import Limits
from reading.problems import Problem, UnreadableFile
from reading.sources import Source, format_of, panics_refused


def preview(source: Source, *, rows: int, limits: Limits) -> dict[str, Any]:
    """The first `rows` lines below the header, here the first row that is not blank.

    Answers `sheets` (names; none for CSV), `sheet` (the one shown: the one named, else the first), `columns` (header
    texts), `rows` (lists of text or null), `total_rows` (below the header, blank ones at the end left out) and
    `total_columns`. Raises UnreadableFile, also with `no_such_sheet`.
    """
    with panics_refused():
        if format_of(source) == "csv":
            return _preview_csv(source, rows)
        if format_of(source) == "xlsx":
            package = open_package(source.path)
            with package.archive:
                scan(package, file_bytes=os.path.getsize(source.path), limits=limits)
        reader = open_workbook(source.path)
        sheets = list(reader.sheet_names)
        sheet = source.sheet or (sheets[0] if sheets else "")
        if sheet not in sheets:
            raise UnreadableFile([Problem("no_such_sheet", source.name, sheet, params={"sheets": sheets})])
        cells, _ = sheet_cells(reader, sheet)
        cells = cells.select(shown(name) for name in cells.columns)
        return _facts(cells.iter_rows(), cells.height, cells.width, rows) | {"sheets": sheets, "sheet": sheet}


def _preview_csv(source: Source, rows: int) -> dict[str, Any]:
    lines, separator = lines_of(read_text(source.path))
    if separator is None:
        kinds: tuple[FileKind, FileKind] = ("stat", "recap")
        found = [find_separator(lines, kind=kind) for kind in kinds]
        separator = max(found, key=lambda one: sum(line.count(one) for line in lines[:HEADER_SEARCH_ROWS]))
    every = [record.fields for record in records(lines, separator)]
    return _facts(iter(every), len(every), max(map(len, every), default=0), rows) | {"sheets": [], "sheet": ""}


def _facts(table: Iterable[Row], height: int, width: int, rows: int) -> dict[str, Any]:
    lines = enumerate(table, start=1)
    header_at, header = next(
        ((at, row) for at, row in lines if any(cell and cell.strip() for cell in row)), (height, [])
    )
    return {
        "columns": [(cell or "").strip() for cell in header],
        "rows": [[cell or None for cell in row] for _, row in islice(lines, rows)],
        "total_rows": height - header_at,
        "total_columns": width,
    }
