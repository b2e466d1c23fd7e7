"""Files on disk → raw frames: text cells with file, sheet and row (see docs/architecture.md, "Raw frame")."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reading.columns import FileKind
from reading.limits import Limits
from reading.problems import Problem, UnreadableFile

if TYPE_CHECKING:
    import polars as pl

    from reading.excel.guard import Scan

_HEAD_BYTES = 4096
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True)
class Source:
    """A file to read: where its bytes are, the name its owner gave it, and the sheet named for it, if any."""

    path: str
    name: str
    sheet: str | None = None


@dataclass(frozen=True)
class ReadFile:
    """What was read of one file: its raw frame, all its `sheets`, and those that it was `read` from."""

    frame: pl.DataFrame
    sheets: tuple[str, ...]
    read: tuple[str, ...]


def content_of(path: str) -> str:
    """What a file is: `xlsx` (any zip), `xls` (any OLE document), `html`, `xml`, `pdf`, `empty`, `binary` or `text`."""
    with Path(path).open("rb") as file:
        head = file.read(_HEAD_BYTES)
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:512].lower()
    if not head.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        return "empty"
    if head.startswith(b"PK\x03\x04"):
        return "xlsx"
    if head.startswith(_OLE) or head[:2] == b"\x09\x08":
        return "xls"
    if start.startswith((b"<html", b"<!doctype html", b"<table", b"<meta", b"<head")):
        return "html"
    if start.startswith(b"<?xml") or start.startswith(b"<workbook"):
        return "xml"
    if start.startswith(b"%pdf"):
        return "pdf"
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "binary"
    return "text"


def format_of(source: Source) -> str:
    """`xlsx`, `xls` or `csv`. Raises UnreadableFile: `empty_file`, `wrong_extension`, `wrong_content` (`found`)."""
    extension = Path(source.name).suffix.lower().lstrip(".")
    if extension not in ("xlsx", "xls", "csv"):
        raise UnreadableFile([Problem("wrong_extension", params={"extension": extension})])
    found = content_of(source.path)
    if found == "empty":
        raise UnreadableFile([Problem("empty_file")])
    if {"xlsx": "xlsx", "xls": "xls", "csv": "text"}[extension] != found:
        raise UnreadableFile([Problem("wrong_content", params={"extension": extension, "found": found})])
    return extension


def read_file(source: Source, *, index: int, kind: FileKind, limits: Limits, scanned: Scan | None = None) -> ReadFile:
    """Read one file into its raw frame; `index` becomes its `file` column.

    `scanned` gives what `xlsx_scan.scan` finds in the file, where that is done elsewhere.

    Raises UnreadableFile with every problem found, each bearing the file's name (codes: `file_handling.problem_texts`).
    """
    try:
        with panics_refused():
            return _read_format(format_of(source), source, index=index, kind=kind, limits=limits, scanned=scanned)
    except UnreadableFile as refused:
        raise UnreadableFile([replace(problem, file=source.name) for problem in refused.problems]) from refused


def _read_format(
    extension: str, source: Source, *, index: int, kind: FileKind, limits: Limits, scanned: Scan | None
) -> ReadFile:
    # Imported late: a peek must not wait for the libraries that reading needs.
    match extension:
        case "csv":
            from reading.csv.read import read_csv

            return read_csv(source.path, index=index, kind=kind, limits=limits)
        case "xlsx":
            from reading.excel.read import read_xlsx

            return read_xlsx(source.path, named=source.sheet, index=index, kind=kind, limits=limits, scanned=scanned)
        case _:
            from reading.excel.read import read_xls

            return read_xls(source.path, named=source.sheet, index=index, kind=kind, limits=limits)


# How a panic says that there was no room for another thread, or for its data.
_NO_RESOURCES = ("Resource temporarily unavailable", "Cannot allocate memory", "os error 11", "os error 12")


@contextmanager
def panics_refused() -> Iterator[None]:
    """A panic of the Rust readers is a BaseException without a public name; it says that the file cannot be read.

    Raises MemoryError where the panic was about the system's resources: the file is not to blame for those.
    """
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        if any(sign in str(error) for sign in _NO_RESOURCES):
            raise MemoryError from None
        raise UnreadableFile([Problem("damaged")]) from None
