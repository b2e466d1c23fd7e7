"""The first rows of a file as they stand, with its size: for a person to look at before an import."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from reading.columns import HEAD_ROWS, FileKind, Row, recognise
from reading.csv.records import records
from reading.csv.text import find_separator, lines_of, read_text
from reading.excel.guard import scan_file
from reading.excel.read import open_workbook, sheet_cells, shown
from reading.excel.standard import standard_workbook
from reading.formats import Format
from reading.library_errors import library_errors
from reading.limits import Limits
from reading.problems import Problem, UnreadableFile
from reading.sources import Source, source_format


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


def _preview_workbook(path: str, source: Source, file_format: Format, rows: int, limits: Limits) -> dict[str, Any]:
    if file_format == "xlsx":
        scan_file(path, limits=limits)
    reader = open_workbook(path)
    sheets = list(reader.sheet_names)
    sheet = source.sheet or (sheets[0] if sheets else "")
    if not sheets:
        raise UnreadableFile([Problem("empty_file")])
    if sheet not in sheets:
        raise UnreadableFile([Problem("no_such_sheet", sheet=sheet, params={"sheets": sheets})])
    cells, _ = sheet_cells(reader, sheet)
    cells = cells.select(shown(name) for name in cells.columns)
    return _facts(cells.iter_rows(), cells.height, cells.width, rows) | {"sheets": sheets, "sheet": sheet}


def _preview_csv(source: Source, rows: int) -> dict[str, Any]:
    lines, separator = lines_of(read_text(source.path))
    if separator is None:
        kinds: tuple[FileKind, FileKind] = ("stat", "recap")
        found = [find_separator(lines, kind=kind) for kind in kinds]
        separator = max(found, key=lambda one: sum(line.count(one) for line in lines[:HEAD_ROWS]))
    every = [record.fields for record in records(lines, separator)]
    return _facts(iter(every), len(every), max(map(len, every), default=0), rows) | {"sheets": [], "sheet": ""}


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
