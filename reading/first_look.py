"""A quick look at the first rows of a file: enough to refuse an upload before it is queued."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from reading.columns import (
    HEAD_ROWS,
    KINDS,
    FileKind,
    Row,
    choose_sheets,
    recognise,
    telling_headers,
)
from reading.excel.first_rows import xlsx_heads
from reading.excel.package import open_package
from reading.heads import Head
from reading.library_errors import library_errors
from reading.limits import Limits
from reading.problems import Problem, UnreadableFile
from reading.sources import Source, source_format

# Of a file that shows neither kind: with fewer known headers, no kind is named as the one that it was meant to be.
_FEW_HEADERS = 2


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


def head_of(source: Source, *, expected: FileKind | None) -> Head:
    """What the first rows of `source` show; `expected`: the kind that its owner named, if any."""
    try:
        with library_errors():
            found = _head(_heads_by_kind(source), expected=expected)
    except UnreadableFile as unreadable:
        found = Head(is_readable=False, problems=tuple(unreadable.problems))
    return replace(found, problems=tuple(replace(problem, file=source.name) for problem in found.problems))


def _heads_by_kind(source: Source) -> dict[FileKind, Mapping[str, Sequence[Row]]]:
    if source_format(source) == "csv":
        # The separator is found by the headers of the kind.
        return {kind: heads(source, kind=kind) for kind in KINDS}
    return dict.fromkeys(KINDS, heads(source, kind="stat"))


def _head(by_kind: Mapping[FileKind, Mapping[str, Sequence[Row]]], *, expected: FileKind | None) -> Head:
    layouts = {kind: {name: recognise(rows, kind) for name, rows in by_kind[kind].items()} for kind in KINDS}
    showing = {kind: tuple(name for name, layout in layouts[kind].items() if layout.shows_kind) for kind in KINDS}
    first = sorted(KINDS, key=lambda kind: kind != expected)
    recognised: FileKind | None = next((kind for kind in first if showing[kind]), None)
    known = {kind: max((len(layout.positions) for layout in layouts[kind].values()), default=0) for kind in KINDS}
    nearest = KINDS[0] if known[KINDS[0]] >= known[KINDS[1]] else KINDS[1]
    judged: FileKind = expected or recognised or nearest
    problems = choose_sheets(by_kind[judged], kind=judged, named=None).problems
    if any(problem.code == "empty_file" for problem in problems):
        return Head(is_readable=False, problems=problems)
    if recognised is None and expected is None and known[judged] < _FEW_HEADERS:
        problems = (Problem("not_recognised", params={kind: telling_headers(kind) for kind in KINDS}),)
    return Head(
        recognised_as=recognised,
        sheets=tuple(name for name in showing[recognised] if name) if recognised else (),
        # `sheets` says it, and the sheet is named when the import starts.
        problems=tuple(problem for problem in problems if problem.code != "several_sheets"),
    )
