"""Starts the process that reads files, follows it, and turns its death into words. Knows no model."""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reading.child import FACTS_NAME, FRAME_NAME, NO_ROOM
from reading.columns import FileKind
from reading.limits import Limits
from reading.problems import Problem
from reading.sources import Source

if TYPE_CHECKING:
    import polars as pl

READER_MODULE = "reading.child"
_ROOT = Path(__file__).resolve().parent.parent
_CHECK_SECONDS = 0.25
DEFAULT_WALL_SECONDS = 600.0
# What ends the reader from outside: nothing is known of the file then, and the run is tried again.
_KILLED_BY_OTHERS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# How Python, Rust and the loader of libraries say that they got no memory.
_OUT_OF_MEMORY = (
    b"MemoryError",
    b"memory allocation of",
    b"Cannot allocate memory",
    # A library that finds no room to be loaded, a thread that finds none for its stack.
    b"failed to map segment",
    b"bad_alloc",
    b"Resource temporarily unavailable",
    b"can't start new thread",
    b"background thread creation failed",
)


class ReaderKilled(Exception):
    """The reading process was ended by someone else (or by the system, short of memory): try again."""


@dataclass(frozen=True)
class ReadResult:
    """`problems`: everything that keeps the files from being read; empty when `frame` is there.

    `files`: for each file given its `name`, `sheets` (all of them), `read` (those read) and `rows`.
    `lone_marks`: for each amount column with texts such as `12.000`, how they were read (`LoneMark.as_dict` of
    reading/lone_marks.py).
    """

    problems: list[Problem]
    frame_path: Path
    files: list[dict[str, Any]] = field(default_factory=list)
    lone_marks: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    peak_mb: int = 0

    @property
    def ok(self) -> bool:
        return not self.problems

    @property
    def frame(self) -> pl.DataFrame:
        """The typed frame of all the files (docs/architecture.md)."""
        import polars as pl

        # The other engine holds the file and the frame at once, a third more at its peak.
        return pl.scan_ipc(self.frame_path).collect(engine="in-memory")


class ReadJob:
    """A reading process under way. Leaving it as a context manager ends the process if it still runs."""

    def __init__(self, process: subprocess.Popen[bytes], out_dir: Path, *, wall_seconds: float) -> None:
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
        """End the process and whatever it started; nothing happens when it has ended."""
        if self._process.poll() is None:
            # It leads a process group of its own.
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def wait(self, check: Callable[[], None] = lambda: None) -> ReadResult:
        """Wait for the answer, calling `check` about every quarter of a second; what that raises ends the process.

        Raises ReaderKilled when someone else ended the process, OSError (ENOSPC) when the disk is full.
        """
        ended = os.pidfd_open(self._process.pid)
        try:
            while self._process.poll() is None:
                left = self._began + self._wall_seconds - time.monotonic()
                if left <= 0:
                    self.stop()
                    return self._failed("reader_too_slow")
                check()
                select.select([ended], [], [], min(left, _CHECK_SECONDS))
        finally:
            os.close(ended)
            self.stop()
        return self._result(self._process.returncode)

    def _result(self, code: int) -> ReadResult:
        if code == 0:
            facts = json.loads((self._out_dir / FACTS_NAME).read_text())
            return ReadResult(
                problems=[Problem.from_dict(one) for one in facts["problems"]],
                frame_path=self._out_dir / FRAME_NAME,
                files=facts.get("files", []),
                lone_marks=facts.get("lone_marks", []),
                seconds=facts.get("seconds", 0.0),
                peak_mb=facts.get("peak_mb", 0),
            )
        if code == NO_ROOM:
            raise OSError(errno.ENOSPC, "no room for what the reader found")
        if code == -signal.SIGXCPU:
            return self._failed("reader_too_slow")
        if -code in _KILLED_BY_OTHERS:
            raise ReaderKilled(f"the reading process ended by signal {-code}")
        return self._failed("reader_out_of_memory" if self._ran_out_of_memory(code) else "reader_crashed")

    def _ran_out_of_memory(self, code: int) -> bool:
        # An allocator that gets nothing aborts, whatever the language; Python and Rust say so before.
        if code == -signal.SIGABRT:
            return True
        said = self._said()
        return any(sign in said for sign in _OUT_OF_MEMORY)

    def _said(self) -> bytes:
        with (self._out_dir / "stderr.txt").open("rb") as stderr:
            stderr.seek(max(0, os.fstat(stderr.fileno()).st_size - 64 * 1024))
            return stderr.read()

    def _failed(self, code: str) -> ReadResult:
        return ReadResult([Problem(code)], self._out_dir / FRAME_NAME)


def start_read(
    *,
    kind: FileKind,
    files: Sequence[Source],
    out_dir: Path,
    currency: str = "",
    limits: Limits | None = None,
    wall_seconds: float = DEFAULT_WALL_SECONDS,
) -> ReadJob:
    """Start reading `files`, all of one `kind`, into `out_dir`.

    `currency`: the ISO 4217 code of the amounts, which decides what `12.000` is where nothing else does (DOMAIN §4).
    The thread that calls this must live until the job ends: the process dies with it, so that a killed worker leaves no
    reader behind.
    """
    listed = [{"path": str(file.path), "name": file.name, "sheet": file.sheet} for file in files]
    return _start(
        {"kind": kind, "files": listed, "currency": currency}, out_dir=out_dir, limits=limits, wall_seconds=wall_seconds
    )


def inspect_upload(
    *, stat: Source | None, recaps: Sequence[Source], seconds: float = 2.5, limits: Limits | None = None
) -> list[Problem]:
    """What the first rows of the files tell at once. What is not known within `seconds` is left to the run.

    The codes `several_sheets` and `no_such_sheet` are among them: the caller decides what they mean for an upload.
    """
    sources: list[tuple[FileKind, Source]] = [("stat", stat)] if stat is not None else []
    sources += [("recap", recap) for recap in recaps]
    listed = [{"kind": kind, "path": str(one.path), "name": one.name, "sheet": one.sheet} for kind, one in sources]
    with tempfile.TemporaryDirectory(prefix="peek-") as folder:
        out_dir = Path(folder)
        with _start({"mode": "peek", "files": listed}, out_dir=out_dir, limits=limits, wall_seconds=seconds) as job:
            try:
                job.wait()
            except ReaderKilled:
                # The run will read the files anyway.
                return []
        facts = out_dir / FACTS_NAME
        if not facts.exists():
            return []
        return [Problem.from_dict(one) for one in json.loads(facts.read_text())["problems"]]


def _start(job: dict[str, Any], *, out_dir: Path, limits: Limits | None, wall_seconds: float) -> ReadJob:
    out_dir.mkdir(parents=True, exist_ok=True)
    for name in (FACTS_NAME, FRAME_NAME):
        (out_dir / name).unlink(missing_ok=True)
    job = job | {"out": str(out_dir), "limits": (limits or Limits()).as_dict(), "parent": os.getpid()}
    job_path = out_dir / "job.json"
    job_path.write_text(json.dumps(job))
    with (out_dir / "stderr.txt").open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", READER_MODULE, str(job_path)],
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=stderr,
            stderr=stderr,
            # A group, not a session: a session's share of the processor cannot be given up for another's.
            process_group=0,
            env=reader_environment(),
        )
    return ReadJob(process, out_dir, wall_seconds=wall_seconds)


def reader_environment() -> dict[str, str]:
    """Nothing of ours that the process has no need to know: what reads hostile files holds no secret."""
    kept = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV", "TMPDIR", "HOME")
    # Each arena of the allocator takes address space that counts against the limit and holds nothing.
    own = {"POLARS_MAX_THREADS": "2", "MALLOC_ARENA_MAX": "1"}
    return {name: os.environ[name] for name in kept if name in os.environ} | own
