"""Peak memory of a process and all that it started, while something else goes on."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType

import psutil

# Asking for a large process's exact share walks all its pages: a cheap look, which counts shared pages once in each
# process and so never too few, tells whether it can be a new peak. Looking still slows what is looked at by a tenth and
# more, so that an import is either timed or looked at; the walk grows with the process, so a large one is looked at
# more seldom.
LOOK_SECONDS, SELDOM_SECONDS = 0.04, 0.5
MEGABYTE = 1024 * 1024


class PeakMemory:
    """`peak_mb`: the largest sum of proportional set sizes (PSS: a page shared by n processes counts 1/n in each)
    over the tree of `root`; `largest_mb`: the largest single process at any look."""

    def __init__(self, root: psutil.Process, *, every: float = LOOK_SECONDS) -> None:
        self.peak_mb = self.largest_mb = 0
        self._root, self._every = root, every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(self._every):
            pids = self._tree()
            if sum(_resident(pid) for pid in pids) // MEGABYTE <= self.peak_mb:
                continue
            shares = [_share(pid) // MEGABYTE for pid in pids]
            self.peak_mb = max(self.peak_mb, sum(shares))
            self.largest_mb = max(self.largest_mb, *shares)

    def _tree(self) -> list[int]:
        try:
            return [self._root.pid, *(child.pid for child in self._root.children(recursive=True))]
        except psutil.NoSuchProcess:
            return []


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
    except (OSError, IndexError):
        return 0


def _share(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        # It ended between the look and the question.
        return 0
    return sum(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
