"""A process that has the libraries of reading loaded and forks one process for each small job.

`python -m reading.fork_server`, whose standard input is a Unix socket. A job is one message on it: the mode and the
path of JOB.json (see `reading.child`), with two descriptors: the job's own socket, and the file for the output of the
process. On the job's socket the server answers with the process id and, when the process has ended, with its exit
code, negative for a signal. When the caller closes its end before that, the server kills the process and its group.

The server opens no file of a user. It ends with the process that started it, and every process that it forked ends with
it. A fork is safe although Polars has threads by then: they only clear up memory. The threads that compute start at
their first use, in the forked process.
"""

from __future__ import annotations

import gc
import importlib
import os
import selectors
import signal
import socket
import struct
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NoReturn

from reading import child

NUMBER = struct.Struct("i")
_LONGEST_MESSAGE = 8192
# A look at the first rows needs no large library, and must not wait for one.
_FOR_HEADS = ("reading.first_look",)
_FOR_FRAMES = (*_FOR_HEADS, "reading.marked_sheets", "reading.overlay", "reading.preview", "reading.typed")


@dataclass
class _Job:
    pid: int
    caller: socket.socket
    # Readable when the process has ended.
    ended: int = field(init=False)
    is_over: bool = False

    def __post_init__(self) -> None:
        self.ended = os.pidfd_open(self.pid)

    def kill(self) -> None:
        # The id cannot be another process's by now: this one is waited for below, and only there.
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def answer(self) -> None:
        _, status = os.waitpid(self.pid, 0)
        with suppress(OSError):
            self.caller.send(NUMBER.pack(os.waitstatus_to_exitcode(status)))
        self.caller.close()
        os.close(self.ended)
        self.is_over = True


def main() -> int:
    requests = socket.socket(fileno=os.dup(sys.stdin.fileno()))
    selector = selectors.DefaultSelector()
    selector.register(requests, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            job: _Job | None = key.data
            if job is None:
                job = _accept(requests)
                if job is None:
                    return 0
                selector.register(job.caller, selectors.EVENT_READ, job)
                selector.register(job.ended, selectors.EVENT_READ, job)
            elif job.is_over:
                # Caller and process ended at the same moment.
                continue
            elif key.fileobj is job.caller:
                selector.unregister(job.caller)
                job.kill()
            else:
                with suppress(KeyError):
                    selector.unregister(job.caller)
                selector.unregister(job.ended)
                job.answer()


def _accept(requests: socket.socket) -> _Job | None:
    """Fork the process of the next job; None when the caller has ended."""
    message, descriptors, _, _ = socket.recv_fds(requests, _LONGEST_MESSAGE, 2)
    if not message:
        return None
    mode, path = os.fsdecode(message).split(" ", 1)
    for library in _FOR_HEADS if mode in child.LOOKS_AT_HEADS else _FOR_FRAMES:
        importlib.import_module(library)
    # Else a collection in the forked process would copy every page of what is loaded.
    gc.freeze()
    caller, output = socket.socket(fileno=descriptors[0]), descriptors[1]
    server = os.getpid()
    pid = os.fork()
    if pid == 0:
        _run(path, output=output, server=server)
    os.close(output)
    with suppress(OSError):
        # The process does so too: neither knows who is first.
        os.setpgid(pid, pid)
    job = _Job(pid, caller)
    with suppress(OSError):
        caller.send(NUMBER.pack(pid))
    return job


def _run(path: str, *, output: int, server: int) -> NoReturn:
    code = 1
    try:
        os.setpgid(0, 0)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for descriptor, standard in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(descriptor, standard)
        # The sockets of other jobs among them, on which a process that a file has taken over could answer.
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        code = child.main(path, parent=server)
    except Exception:  # noqa: BLE001  (as an interpreter prints it: the caller reads the reason there)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
