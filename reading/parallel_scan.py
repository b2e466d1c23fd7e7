"""A large workbook is looked through by one process while another reads it: two cores, and a verdict that survives.

The process that was started does the looking, in Python alone, which no file can crash. Its child does the reading,
which some files can: what the look finds against the file is the answer then, and not the crash.
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

# Below this size, the look takes less time than a process of its own.
LEAST_BYTES = 1024 * 1024
# How far what is sooner done steps back for what is waited for longest.
NICENESS = 10


def is_large_xlsx(source: Source) -> bool:
    try:
        return os.path.getsize(source.path) >= LEAST_BYTES and source_format(source) == "xlsx"
    except UnreadableFile:
        return False


def fork_reader(scan: Scan) -> Scan:
    """Go on in a child process; → how the child asks for what `scan` finds.

    This process scans, waits for the child and ends as the child does. Should `scan` raise, the child is ended, and the
    exception leaves this function in this process. Must be called before any library has started threads.
    """
    receive, send = os.pipe()
    started = os.getpid()
    child = os.fork()
    if child == 0:
        os.close(send)
        end_with_parent(started)
        return _answer_from(receive)
    os.close(receive)
    # The reading takes longer, so it goes first where processes are more than processors.
    os.nice(NICENESS)
    try:
        found = scan()
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    # A child that is there no more has its reason, which its end tells.
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
