"""The child process that reads one group of files: `python -m reading.child JOB.json PARENT`, or forked for it.

A file is hostile until read, and is read by a process that may die: this process limits its own memory and CPU time,
and dies with its parent, the process PARENT. The job is a JSON object: `mode`, `out` (a folder), `limits`, `files`
(`path`, `name`, `sheet` each) and, by mode:

- `read`: `kind` and `currency`, and the `corrections` of the files, if any. Writes `<out>/frame.arrow`, and the lines
  of each file as read to `<out>/lines-<index of the file>.parquet`.
- `lines`: `kind`, and the `places` of the lines: [index of the file, sheet, row] each.
- `first_look`: a `kind` in each file.
- `heads`: the `expected` kind in each file, or null.
- `preview`: one file, and `rows`.
- `marked`: one file, and the `mark`. Writes the rows of its marked sheets to `<out>/frame.arrow`.
- `sheet`: one file. Writes every row of the sheet to `<out>/frame.arrow`.

The answer is `<out>/facts.json`.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.processes import end_with_parent
from reading.columns import FileKind
from reading.corrections import Corrections
from reading.excel.guard import LostCells, Scan, scan_file
from reading.limits import Limits
from reading.parallel_scan import NICENESS, fork_reader, is_large_xlsx
from reading.problems import Problem, UnreadableFile
from reading.sources import Source

if TYPE_CHECKING:
    import polars as pl

FACTS_NAME = "facts.json"
FRAME_NAME = "frame.arrow"
# The exit code for a full disk, which has no room for an answer.
NO_ROOM = errno.ENOSPC
# The modes that read the first rows alone.
LOOKS_AT_HEADS = ("first_look", "heads")


def main(job_path: str, *, parent: int) -> int:
    job: dict[str, Any] = json.loads(Path(job_path).read_text())
    limits = Limits.from_dict(job["limits"])
    _confine(limits, parent=parent)
    if job.get("kind") == "recap":
        # It runs beside the reading of a stat file, which has three times the lines.
        os.nice(NICENESS)
    out = Path(job["out"])
    # Temporary copies go with this folder, which the parent deletes even when this process was killed.
    tempfile.tempdir = str(out)
    scanned: Scan | None = None
    try:
        scanned = _fork_large_xlsx(job, limits)
        facts = _answer(job, limits, out, scanned)
    except MemoryError:
        facts = {"problems": [Problem("reader_out_of_memory").as_dict()]}
    except UnreadableFile as unreadable:
        facts = {"problems": [problem.as_dict() for problem in unreadable.problems]}
    except OSError as error:
        # Polars gives no error number, only the system's words.
        if error.errno not in (errno.ENOSPC, errno.EDQUOT) and "(os error 28)" not in str(error):
            raise
        return NO_ROOM
    if scanned is not None:
        # A problem that the scan finds comes before any other: this process is ended here.
        scanned()
    facts["ok"] = not facts["problems"]
    facts["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    write_json(out / FACTS_NAME, facts)
    return 0


def _confine(limits: Limits, *, parent: int) -> None:
    end_with_parent(parent)
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    # The hard limit is later, so that the process ends by the soft limit's SIGXCPU, which tells the reason.
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _fork_large_xlsx(job: dict[str, Any], limits: Limits) -> Scan | None:
    """For one large workbook: go on in a child process while this one scans the file (see `parallel_scan`)."""
    if job["mode"] not in ("read", "lines", "sheet") or len(job["files"]) != 1:
        return None
    source = _source(job["files"][0])
    if not is_large_xlsx(source):
        return None

    def scan() -> dict[str, LostCells]:
        # Imported late: the child that reads must be forked before the libraries of the scan are loaded.
        from reading.excel.standard import standard_workbook

        try:
            with standard_workbook(source.path, file_format="xlsx", limits=limits) as path:
                return scan_file(path, limits=limits)
        except UnreadableFile as unreadable:
            raise UnreadableFile([replace(one, file=source.name) for one in unreadable.problems]) from unreadable

    return fork_reader(scan)


def _answer(job: dict[str, Any], limits: Limits, out: Path, scanned: Scan | None) -> dict[str, Any]:
    # Imported late: a first look must not wait for the libraries that the other modes need.
    match job["mode"]:
        case "first_look":
            return _first_look(job, out)
        case "heads":
            return _heads(job, out)
        case "preview":
            from reading.preview import preview

            return {"problems": []} | preview(_source(job["files"][0]), rows=job["rows"], limits=limits)
        case "marked":
            from reading.marked_sheets import marked_sheets

            frame, facts = marked_sheets(_source(job["files"][0]), mark=job["mark"], limits=limits)
            write_frame(out / FRAME_NAME, frame)
            return {"problems": []} | facts
        case "lines":
            return _lines(job, limits, scanned)
        case "sheet":
            from reading.preview import whole_sheet

            frame, facts = whole_sheet(_source(job["files"][0]), limits=limits, scanned=scanned)
            # In small batches: a page of rows is then read without the rest of the file.
            frame.rechunk().write_ipc(out / FRAME_NAME, compression="lz4", record_batch_size=1_000)
            return {"problems": []} | facts
        case _:
            return _read(job, limits, out, scanned)


def _source(one: dict[str, Any]) -> Source:
    return Source(one["path"], one["name"], one.get("sheet"))


def _first_look(job: dict[str, Any], out: Path) -> dict[str, Any]:
    # Imported late, as in `_answer`.
    from reading.first_look import all_problems

    sources = [(one["kind"], _source(one)) for one in job["files"]]
    found: list[dict[str, Any]] = []
    for problem in all_problems(sources):
        found.append(problem.as_dict())
        # The parent may end this process at any moment: the problems found until then must be there.
        write_json(out / FACTS_NAME, {"problems": found})
    return {"problems": found}


def _heads(job: dict[str, Any], out: Path) -> dict[str, Any]:
    # Imported late, as in `_answer`.
    from reading.first_look import head_of

    found: list[dict[str, Any]] = []
    for one in job["files"]:
        found.append(head_of(_source(one), expected=one["expected"]).as_dict())
        # As in `_first_look`.
        write_json(out / FACTS_NAME, {"problems": [], "heads": found})
    return {"problems": [], "heads": found}


def _read(job: dict[str, Any], limits: Limits, out: Path, scanned: Scan | None) -> dict[str, Any]:
    # Imported late, as in `_answer`.
    from reading.overlay import with_corrections
    from reading.sources import ReadFile, read_file
    from reading.typed import RawFile, type_amounts, type_texts

    kind: FileKind = job["kind"]
    corrections = Corrections.from_dict(job["corrections"])
    to_correct: list[ReadFile] = []
    typed: list[RawFile] = []
    lone_marks: list[dict[str, Any]] = []
    files: list[dict[str, Any]] = []
    problems: list[Problem] = []
    began = time.perf_counter()
    for index, one in enumerate(job["files"]):
        source = _source(one)
        try:
            read = read_file(source, index=index, kind=kind, limits=limits, scanned=scanned)
        except UnreadableFile as unreadable:
            problems += unreadable.problems
            files.append({"name": source.name, "sheets": [], "read": [], "rows": 0})
            continue
        files.append({"name": source.name, "sheets": read.sheets, "read": read.read, "rows": read.frame.height})
        if not problems:
            _write_lines(out / lines_name(index), read.frame)
        if corrections:
            to_correct.append(read)
        elif not problems:
            typed.append(RawFile(type_texts(read.frame, kind=kind), read.fractions))
        del read
        _give_back_memory()
    if corrections and not problems:
        names = [one["name"] for one in job["files"]]
        corrected = with_corrections(to_correct, corrections, kind=kind, names=names, currency=job["currency"])
        to_correct.clear()
        problems += corrected.refused
        typed = [RawFile(type_texts(read.frame, kind=kind), read.fractions) for read in corrected.reads]
    if typed and not problems:
        side = type_amounts(typed, kind=kind, currency=job["currency"])
        lone_marks = [mark.as_dict() for mark in side.lone_marks]
        write_frame(out / FRAME_NAME, side.frame)
    seconds = round(time.perf_counter() - began, 3)
    return {
        "problems": [problem.as_dict() for problem in problems],
        "files": files,
        "lone_marks": lone_marks,
        "seconds": seconds,
    }


def _lines(job: dict[str, Any], limits: Limits, scanned: Scan | None) -> dict[str, Any]:
    """`lines`: for each place that is a line of its file, [file, sheet, row, {field: text as read}]."""
    # Imported late, as in `_answer`.
    import polars as pl

    from reading.sources import read_file

    places = pl.DataFrame(
        job["places"], schema={"file": pl.UInt32, "sheet": pl.String, "row": pl.UInt32}, orient="row"
    ).unique()
    lines: list[list[Any]] = []
    problems: list[Problem] = []
    for index, one in enumerate(job["files"]):
        try:
            frame = read_file(_source(one), index=index, kind=job["kind"], limits=limits, scanned=scanned).frame
        except UnreadableFile as unreadable:
            problems += unreadable.problems
            continue
        found = frame.join(places, on=["file", "sheet", "row"], how="semi", maintain_order="left").drop("anomaly")
        lines += [
            [file, sheet, row, dict(zip(found.columns[3:], texts, strict=True))]
            for file, sheet, row, *texts in found.iter_rows()
        ]
    return {"problems": [problem.as_dict() for problem in problems], "lines": lines}


def _give_back_memory() -> None:
    """Return freed memory to the system: the allocator would keep a workbook's, a fifth of the whole peak."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def lines_name(index: int) -> str:
    """The file with the lines as read of a file of the job."""
    return f"lines-{index}.parquet"


def _write_lines(path: Path, frame: pl.DataFrame) -> None:
    # A tenth of the size of Arrow, in the same time. More on the disk would slow the database down, which writes next.
    frame.drop("anomaly").write_parquet(path, compression="lz4", statistics=False, row_group_size=10_000)


def write_frame(path: Path, frame: pl.DataFrame) -> None:
    """Write Arrow uncompressed: the file lives for seconds, and is read sooner so."""
    frame.write_ipc(path, compression="uncompressed")


def write_json(path: Path, value: dict[str, Any]) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(value))
    partial.replace(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], parent=int(sys.argv[2])))
