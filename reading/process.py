"""Starts the process that reads files, waits for it, and says why it died.

A read, a first look and a preview have one start: one environment, one set of limits, one handling of exits.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reading import child
from reading.child import FACTS_NAME, FRAME_NAME, NO_ROOM
from reading.columns import FileKind
from reading.corrections import Corrections
from reading.heads import Head
from reading.limits import Limits
from reading.parallel_scan import LEAST_BYTES
from reading.problems import Problem, UnreadableFile
from reading.sources import Source
from reading.starts import Started, start

if TYPE_CHECKING:
    import polars as pl

# A line: the index of its file in the list of files, its sheet ("" for CSV) and its row.
Place = tuple[int, str, int]

# What the process and its libraries print.
_OUTPUT_NAME = "stderr.txt"
_CHECK_SECONDS = 0.25
DEFAULT_WALL_SECONDS = 600.0
PREVIEW_SECONDS = 60.0
PREVIEW_FACTS = ("sheets", "sheet", "columns", "rows", "total_rows", "total_columns")
SHEET_FACTS = ("sheets", "sheet", "columns", "header_row", "first_column", "total_rows", "total_columns")
# Signals from outside: they mean nothing about the file, so the caller tries again.
_KILLED_BY_OTHERS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# The words of Python, Rust and the loader of libraries for want of memory.
_OUT_OF_MEMORY = (
    b"MemoryError",
    b"memory allocation of",
    b"Cannot allocate memory",
    # No room to load a library, or for the stack of a thread.
    b"failed to map segment",
    b"bad_alloc",
    b"Resource temporarily unavailable",
    b"can't start new thread",
    b"background thread creation failed",
)


class ReaderKilled(Exception):
    """Another process, or the system short of memory, ended the reading process: try again."""


@dataclass(frozen=True)
class ReadResult:
    """`problems`: everything that keeps the files from being read; empty when `frame` is there.

    `files`: for each file its `name`, `sheets` (all of them), `read` (those read) and `rows`.
    `lone_marks`: for each amount column with texts such as `12.000`, how they were read (`LoneMark.as_dict` of
    reading/lone_marks.py). `facts`: the whole answer of the process.
    """

    problems: list[Problem]
    frame_path: Path
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def files(self) -> list[dict[str, Any]]:
        files: list[dict[str, Any]] = self.facts.get("files", [])
        return files

    @property
    def lone_marks(self) -> list[dict[str, Any]]:
        marks: list[dict[str, Any]] = self.facts.get("lone_marks", [])
        return marks

    @property
    def lines(self) -> dict[Place, dict[str, str | None]]:
        """Place → the text of each field as read, null where it is empty, for the places that are lines of a file."""
        return {(file, sheet, row): texts for file, sheet, row, texts in self.facts.get("lines", [])}

    @property
    def seconds(self) -> float:
        return float(self.facts.get("seconds", 0.0))

    @property
    def peak_mb(self) -> int:
        return int(self.facts.get("peak_mb", 0))

    @property
    def frame(self) -> pl.DataFrame:
        """The typed frame of all the files (docs/architecture.md)."""
        # Imported late: web processes start readings and have no use for frames.
        import polars as pl

        # The streaming engine holds the file and the frame at once, a third more at its peak.
        return pl.scan_ipc(self.frame_path).collect(engine="in-memory")


class ReadJob:
    """A running reading process. As a context manager, it ends the process on leaving."""

    def __init__(self, process: Started, out_dir: Path, *, wall_seconds: float) -> None:
        self._process = process
        self._out_dir = out_dir
        self._began = time.monotonic()
        self._wall_seconds = wall_seconds

    def __enter__(self) -> ReadJob:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        """End the process and its children. Does nothing when the process has ended."""
        self._process.kill()
        self._process.close()

    def wait(self, check: Callable[[], None] = lambda: None) -> ReadResult:
        """Wait for the answer, calling `check` about every quarter of a second; an exception of it ends the process.

        Raises ReaderKilled when another process ended this one, OSError (ENOSPC) when the disk is full.
        """
        try:
            while (code := self._process.code()) is None:
                left = self._began + self._wall_seconds - time.monotonic()
                if left <= 0:
                    self.stop()
                    return self._failed("reader_too_slow")
                check()
                self._process.wait(min(left, _CHECK_SECONDS))
        finally:
            self.stop()
        return self._result(code)

    def _result(self, code: int) -> ReadResult:
        if code == 0:
            facts = json.loads((self._out_dir / FACTS_NAME).read_text())
            return ReadResult(
                problems=[Problem.from_dict(one) for one in facts["problems"]],
                frame_path=self._out_dir / FRAME_NAME,
                facts=facts,
            )
        if code == NO_ROOM:
            raise OSError(errno.ENOSPC, "no room for the answer of the reader")
        if code == -signal.SIGXCPU:
            return self._failed("reader_too_slow")
        if -code in _KILLED_BY_OTHERS:
            raise ReaderKilled(f"the reading process ended by signal {-code}")
        return self._failed("reader_out_of_memory" if self._ran_out_of_memory(code) else "reader_crashed")

    def _ran_out_of_memory(self, code: int) -> bool:
        # An allocator that gets nothing aborts, whatever the language; Python and Rust say so before.
        if code == -signal.SIGABRT:
            return True
        output = self._end_of_output()
        return any(sign in output for sign in _OUT_OF_MEMORY)

    def _end_of_output(self) -> bytes:
        with (self._out_dir / _OUTPUT_NAME).open("rb") as stderr:
            stderr.seek(max(0, os.fstat(stderr.fileno()).st_size - 64 * 1024))
            return stderr.read()

    def _failed(self, code: str) -> ReadResult:
        return ReadResult([Problem(code)], self._out_dir / FRAME_NAME)


def start_read(
    *,
    kind: FileKind,
    files: Sequence[Source],
    out_dir: Path,
    limits: Limits,
    currency: str = "",
    corrections: Corrections | None = None,
    wall_seconds: float = DEFAULT_WALL_SECONDS,
) -> ReadJob:
    """Start reading `files`, all of one `kind`, into `out_dir`.

    `currency`: the ISO 4217 code of the amounts, which decides what `12.000` is where nothing else does (DOMAIN §4).
    `corrections`: those of the files; one that does not fit any more is a problem of the result (`reading.overlay`).
    The thread that calls this must live until the job ends: the process dies with it, so that a killed worker leaves no
    reader behind.
    """
    job = {
        "mode": "read",
        "kind": kind,
        "files": [_as_dict(file) for file in files],
        "currency": currency,
        "corrections": (corrections or Corrections()).as_dict(),
    }
    return _start(job, out_dir=out_dir, limits=limits, wall_seconds=wall_seconds)


def start_lines(
    *,
    kind: FileKind,
    files: Sequence[Source],
    places: Sequence[Place],
    out_dir: Path,
    limits: Limits,
    wall_seconds: float = PREVIEW_SECONDS,
) -> ReadJob:
    """Start reading the lines at `places`; they are in `ReadResult.lines`. For the rest, see `start_read`."""
    job = {"mode": "lines", "kind": kind, "files": [_as_dict(file) for file in files], "places": list(places)}
    return _start(job, out_dir=out_dir, limits=limits, wall_seconds=wall_seconds)


def inspect_upload(
    *, stat: Source | None, recaps: Sequence[Source], limits: Limits, seconds: float = 2.5
) -> list[Problem]:
    """The problems that the first rows of the files show within `seconds`; any others are left to the run.

    The codes `several_sheets` and `no_such_sheet` are among them: the caller decides what they mean for an upload.
    """
    sources: list[tuple[FileKind, Source]] = [("stat", stat)] if stat is not None else []
    sources += [("recap", recap) for recap in recaps]
    job = {"mode": "first_look", "files": [_as_dict(file) | {"kind": kind} for kind, file in sources]}
    # The run will read the files anyway.
    found = _facts_within(job, limits=limits, seconds=seconds).get("problems", [])
    return [Problem.from_dict(one) for one in found]


def inspect_heads(
    files: Sequence[tuple[Source, FileKind | None]], *, limits: Limits, seconds: float
) -> list[Head | None]:
    """What the first rows of each file show; None for the files that were not looked at within `seconds`.

    With each file the kind that its owner named, None where they named none.
    """
    job = {"mode": "heads", "files": [_as_dict(file) | {"expected": expected} for file, expected in files]}
    found = _facts_within(job, limits=limits, seconds=seconds).get("heads", [])
    heads: list[Head | None] = [Head.from_dict(one) for one in found]
    return heads + [None] * (len(files) - len(heads))


def _facts_within(job: dict[str, Any], *, limits: Limits, seconds: float) -> dict[str, Any]:
    """What the process has written after at most `seconds`; nothing when another process ended it."""
    with tempfile.TemporaryDirectory(prefix="first-look-") as folder:
        out_dir = Path(folder)
        with _start(job, out_dir=out_dir, limits=limits, wall_seconds=seconds) as running:
            try:
                running.wait()
            except ReaderKilled:
                return {}
        written = out_dir / FACTS_NAME
        facts: dict[str, Any] = json.loads(written.read_text()) if written.exists() else {}
        return facts


def preview(file: Source, *, rows: int, limits: Limits, wall_seconds: float = PREVIEW_SECONDS) -> dict[str, Any]:
    """The first rows of `file`: `sheets`, `sheet`, `columns`, `rows`, `total_rows`, `total_columns`.

    Raises UnreadableFile, ReaderKilled, and OSError (ENOSPC) when the disk is full.
    """
    job = {"mode": "preview", "files": [_as_dict(file)], "rows": rows}
    with tempfile.TemporaryDirectory(prefix="preview-") as folder:
        with _start(job, out_dir=Path(folder), limits=limits, wall_seconds=wall_seconds) as running:
            result = running.wait()
        if result.problems:
            raise UnreadableFile(result.problems)
        return {name: result.facts[name] for name in PREVIEW_FACTS}


@dataclass(frozen=True)
class MarkedSheets:
    """What `reading.marked_sheets` reads: the names of the sheets, their rows, and (sheet, row, column) of formulas."""

    sheets: list[str]
    frame: pl.DataFrame
    formulas: list[tuple[int, int, int]]


def marked_sheets(file: Source, *, mark: str, limits: Limits, wall_seconds: float = PREVIEW_SECONDS) -> MarkedSheets:
    """The rows of the sheets of a workbook whose first cell begins with `mark` (`reading.marked_sheets`).

    Raises as `preview`.
    """
    job = {"mode": "marked", "files": [_as_dict(file)], "mark": mark}
    with tempfile.TemporaryDirectory(prefix="marked-") as folder:
        with _start(job, out_dir=Path(folder), limits=limits, wall_seconds=wall_seconds) as running:
            result = running.wait()
        if result.problems:
            raise UnreadableFile(result.problems)
        formulas = [(sheet, row, column) for sheet, row, column in result.facts["formulas"]]
        return MarkedSheets(result.facts["sheets"], result.frame, formulas)


def whole_sheet(file: Source, *, target: Path, limits: Limits, wall_seconds: float = PREVIEW_SECONDS) -> dict[str, Any]:
    """Write every row of a sheet to `target` as an Arrow file; → SHEET_FACTS (`reading.preview.whole_sheet`).

    Raises as `preview`.
    """
    job = {"mode": "sheet", "files": [_as_dict(file)]}
    with tempfile.TemporaryDirectory(prefix="sheet-", dir=target.parent) as folder:
        with _start(job, out_dir=Path(folder), limits=limits, wall_seconds=wall_seconds) as running:
            result = running.wait()
        if result.problems:
            raise UnreadableFile(result.problems)
        result.frame_path.replace(target)
        return {name: result.facts[name] for name in SHEET_FACTS}


def _as_dict(file: Source) -> dict[str, Any]:
    return {"path": str(file.path), "name": file.name, "sheet": file.sheet}


def _start(job: dict[str, Any], *, out_dir: Path, limits: Limits, wall_seconds: float) -> ReadJob:
    out_dir.mkdir(parents=True, exist_ok=True)
    for name in (FACTS_NAME, FRAME_NAME):
        (out_dir / name).unlink(missing_ok=True)
    job = job | {"out": str(out_dir), "limits": limits.as_dict()}
    job_path = out_dir / "job.json"
    job_path.write_text(json.dumps(job))
    process = start(job_path, mode=job["mode"], output=out_dir / _OUTPUT_NAME, fork=_is_small(job))
    return ReadJob(process, out_dir, wall_seconds=wall_seconds)


def _is_small(job: dict[str, Any]) -> bool:
    """Whether the job takes less time than the start of a process and its libraries."""
    if job["mode"] in child.LOOKS_AT_HEADS:
        return True
    try:
        return sum(os.path.getsize(one["path"]) for one in job["files"]) < LEAST_BYTES
    except OSError:
        return False
