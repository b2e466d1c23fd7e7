"""A quick look at the first rows of a file: enough to refuse an upload before it is queued."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from reading.columns import HEAD_ROWS, FileKind, Row, choose_sheets
from reading.excel.first_rows import xlsx_heads
from reading.excel.package import open_package
from reading.library_errors import library_errors
from reading.limits import Limits
from reading.problems import Problem, UnreadableFile
from reading.sources import Source, source_format


def heads(source: Source, *, kind: FileKind, rows: int = HEAD_ROWS) -> dict[str, Sequence[Row]]:
    """The first `rows` rows of each sheet, by name ("" for CSV). Raises UnreadableFile."""
    match source_format(source):
        # Each format loads its own libraries only: a first look has a second or two.
        case "csv":
            from reading.csv.read import csv_head

            return {"": csv_head(source.path, kind=kind, rows=rows)}
        case "xlsx":
            package = open_package(source.path)
            with package.archive:
                return dict(xlsx_heads(package, rows=rows))
        case "xls":
            from reading.excel.read import open_workbook, xls_heads
            from reading.excel.standard import standard_workbook

            with standard_workbook(source.path, file_format="xls", limits=Limits()) as path:
                return xls_heads(open_workbook(path))


def problems_of(source: Source, *, kind: FileKind) -> list[Problem]:
    """Every problem in the first rows of `source`, with the file's name."""
    try:
        with library_errors():
            found: Sequence[Problem] = choose_sheets(heads(source, kind=kind), kind=kind, named=source.sheet).problems
    except UnreadableFile as unreadable:
        found = unreadable.problems
    return [replace(problem, file=source.name) for problem in found]


def all_problems(sources: Sequence[tuple[FileKind, Source]]) -> Iterator[Problem]:
    """The problems of each file in turn: a caller that stops early has those found until then."""
    for kind, source in sources:
        yield from problems_of(source, kind=kind)
