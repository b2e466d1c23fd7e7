"""Two processes for a large workbook: the parent scans the file while a forked child reads it.

The reader libraries lay a sheet out as a full grid, so one cell in the last row and column aborts their process; and
they lose error cells. The scan (`excel.guard`) finds both, in pure Python, which no file can crash.
Run before the reading, the scan would add a third to its time; in a thread, the abort would end it too.
So the reading runs in a child: on a second core, and when the child dies, the parent still has the reason.
The parent scans, because the process that the caller waits for must be the one that survives.
"""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress

from common.processes import end_with_parent
from reading.excel.guard import LostCells, Scan
from reading.problems import UnreadableFile
from reading.sources import Source, source_format

# Below this size, the scan takes less time than the start of a process.
LEAST_BYTES = 1024 * 1024
# Niceness of the process that finishes first.
NICENESS = 10


def is_large_xlsx(source: Source) -> bool:
    try:
        return os.path.getsize(source.path) >= LEAST_BYTES and source_format(source) == "xlsx"
    except UnreadableFile:
        return False


def fork_reader(scan: Scan) -> Scan:
    """Go on in a child process; → a function by which the child waits for the result of `scan`.

    In this process the function does not return: it scans, waits for the child, and ends with the child's exit status.
    When `scan` raises, this process kills the child and raises that exception. Must be called before any library has
    started threads.
    """
    receive, send = os.pipe()
    started = os.getpid()
    child = os.fork()
    if child == 0:
        os.close(send)
        end_with_parent(started)
        return _answer_from(receive)
    os.close(receive)
    # The reading takes longer, so it goes first where there are fewer processors than processes.
    os.nice(NICENESS)
    try:
        found = scan()
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    # A child that has ended does not take the result; its exit status follows below.
    with suppress(BrokenPipeError), os.fdopen(send, "w") as pipe:
        json.dump(
            {
                name: [list(cells.rows), list(cells.columns), cells.texts, cells.dates_too, list(cells.merged)]
                for name, cells in found.items()
            },
            pipe,
        )
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status))


def _answer_from(receive: int) -> Scan:
    answer: dict[str, LostCells] | None = None

    def ask() -> dict[str, LostCells]:
        nonlocal answer
        if answer is None:
            with os.fdopen(receive) as pipe:
                answer = {name: LostCells.of(*columns) for name, columns in json.load(pipe).items()}
        return answer

    return ask
