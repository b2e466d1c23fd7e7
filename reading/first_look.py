"""What the first rows of a file tell, quickly: enough to refuse an upload before it is queued."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from reading.columns import HEADER_SEARCH_ROWS, FileKind, Row, choose_sheets
from reading.excel.first_rows import xlsx_heads
from reading.excel.package import open_package
from reading.problems import Problem, UnreadableFile
from reading.sources import Source, format_of, panics_refused


def heads(source: Source, *, kind: FileKind, rows: int = HEADER_SEARCH_ROWS) -> dict[str, Sequence[Row]]:
    """The first `rows` rows of each sheet, by name ("" for CSV). Raises UnreadableFile."""
    match format_of(source):
        case "csv":
            from reading.csv.read import csv_head

            return {"": csv_head(source.path, kind=kind, rows=rows)}
        case "xlsx":
            package = open_package(source.path)
            with package.archive:
                return dict(xlsx_heads(package, rows=rows))
        case _:
            from reading.excel.read import open_workbook, xls_heads

            return xls_heads(open_workbook(source.path))


def peek_problems(source: Source, *, kind: FileKind) -> list[Problem]:
    """Every problem that the first rows of `source` show, with the file's name."""
    try:
        with panics_refused():
            found: Sequence[Problem] = choose_sheets(heads(source, kind=kind), kind=kind, named=source.sheet).problems
    except UnreadableFile as refused:
        found = refused.problems
    return [replace(problem, file=source.name) for problem in found]


def peek_all(sources: Sequence[tuple[FileKind, Source]]) -> Iterator[Problem]:
    """The problems of each file in turn, so that whoever stops listening has what was found until then."""
    for kind, source in sources:
        yield from peek_problems(source, kind=kind)
