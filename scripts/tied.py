"""`python -m scripts.tied MODULE ARGUMENTS…`: runs the module's program so that it ends with whoever started it.

When the supervisor is killed, what it supervised would go on, hold the port and keep `make serve` from starting again.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def tie(*, parent: int) -> None:
    """Be killed with the parent. Linux alone offers this; elsewhere the program is merely run."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit("who started this has ended already")


if __name__ == "__main__":
    tie(parent=os.getppid())
    os.execv(sys.executable, [sys.executable, "-m", *sys.argv[1:]])  # noqa: S606
