"""Peak memory of a process and all its descendants, measured by a thread."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType

import psutil

# The kernel walks all pages of a process to compute its PSS. So the cheap resident size comes first: it counts shared
# pages in full, never too few, and shows whether there can be a new peak. Even so a sample slows the process by a tenth
# and more, so an import is either timed or sampled. Large processes, whose walk takes longer, are sampled less often.
SAMPLE_SECONDS, LARGE_SAMPLE_SECONDS = 0.04, 0.5
MEGABYTE = 1024 * 1024


class PeakMemory:
    """`peak_mb`: the largest sum of proportional set sizes (PSS: a page shared by n processes counts 1/n in each)
    over `root` and its descendants; `largest_mb`: the largest single process in any sample."""

    def __init__(self, root: psutil.Process, *, every: float = SAMPLE_SECONDS) -> None:
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
            shares = [_pss(pid) // MEGABYTE for pid in pids]
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


def _pss(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        # The process has ended since it was listed.
        return 0
    return sum(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
