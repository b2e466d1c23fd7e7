"""Files on disk → raw frames: text cells with file, sheet and row (see docs/architecture.md, "Raw frame")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reading.columns import FileKind
from reading.formats import Format, format_of
from reading.library_errors import library_errors
from reading.limits import Limits
from reading.problems import UnreadableFile

if TYPE_CHECKING:
    import polars as pl

    from reading.excel.guard import Scan


# For each sheet, the column (0-based) from which each field was taken.
ColumnsBySheet = dict[str, dict[str, int]]
# A field → the rows (1-based), by sheet, in which it is a number cell with a fraction.
FindFractions = Callable[[str], dict[str, list[int]]]


@dataclass(frozen=True)
class Source:
    """A file to read: its path, the name that its owner gave it, and the sheet to read, if one was named."""

    path: str
    name: str
    sheet: str | None = None


@dataclass(frozen=True)
class ReadFile:
    """One file as read: its raw frame, all its `sheets`, and the sheets that were `read`.

    `columns`: the place of each field in the sheets of a workbook. `fractions` finds number cells, in another pass
    over the workbook; it is None for CSV, which has none.
    """

    frame: pl.DataFrame
    sheets: tuple[str, ...]
    read: tuple[str, ...]
    columns: ColumnsBySheet = field(default_factory=dict)
    fractions: FindFractions | None = None


def source_format(source: Source) -> Format:
    """How to read `source`. Raises UnreadableFile, as `format_of` does."""
    with Path(source.path).open("rb") as file:
        return format_of(file, name=source.name)


def read_file(source: Source, *, index: int, kind: FileKind, limits: Limits, scanned: Scan | None = None) -> ReadFile:
    """Read one file into its raw frame, in which `index` is the `file` column.

    `scanned`: what `guard.scan` finds in the file, where another process scans it.

    Raises UnreadableFile with every problem found, each with the file's name (codes: `file_handling.problem_texts`).
    """
    try:
        with library_errors():
            file_format = source_format(source)
            return _read_as(file_format, source, index=index, kind=kind, limits=limits, scanned=scanned)
    except UnreadableFile as unreadable:
        raise UnreadableFile([replace(problem, file=source.name) for problem in unreadable.problems]) from unreadable


def _read_as(
    file_format: Format, source: Source, *, index: int, kind: FileKind, limits: Limits, scanned: Scan | None
) -> ReadFile:
    # Imported late: a first look must not wait for the libraries that reading needs.
    if file_format == "csv":
        from reading.csv.read import read_csv

        return read_csv(source.path, index=index, kind=kind, limits=limits)
    from reading.excel.read import read_xls, read_xlsx
    from reading.excel.standard import standard_workbook

    with standard_workbook(source.path, file_format=file_format, limits=limits) as path:
        if file_format == "xlsx":
            read = read_xlsx(path, named=source.sheet, index=index, kind=kind, limits=limits, scanned=scanned)
        else:
            read = read_xls(path, named=source.sheet, index=index, kind=kind, limits=limits)
    return replace(read, fractions=_fractions(source, file_format, read.columns, limits))


def _fractions(source: Source, file_format: Format, columns: ColumnsBySheet, limits: Limits) -> FindFractions:
    # Imported late, as in `_read_as`.
    from reading.excel.read import fraction_rows
    from reading.excel.standard import standard_workbook

    def find(name: str) -> dict[str, list[int]]:
        try:
            with (
                library_errors(),
                standard_workbook(source.path, file_format=file_format, limits=limits) as path,
            ):
                return fraction_rows(path, file_format=file_format, columns=columns, field=name)
        except UnreadableFile as unreadable:
            raise UnreadableFile([replace(one, file=source.name) for one in unreadable.problems]) from unreadable

    return find
