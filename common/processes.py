"""Processes that must not outlive the process that started them. Loads no library, so it may be used before a fork."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int) -> None:
    """Have this process killed when its parent, the process `parent`, ends. Only Linux can do this; elsewhere the
    process ends here if the parent has ended already, and otherwise goes on as usual."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        # The parent ended before the call above.
        os.kill(os.getpid(), signal.SIGKILL)
