"""Two ways to start a reading process: anew, or by a fork of the fork server, which has the libraries loaded."""

from __future__ import annotations

import atexit
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Protocol

from reading import child, fork_server
from reading.fork_server import NUMBER

# The folder from which Python finds the package `reading`.
_ROOT = Path(__file__).resolve().parent.parent
# The fork server loads its libraries within a second; a machine may be busy.
_FORK_SECONDS = 30.0
_KILL_SECONDS = 5.0


class Started(Protocol):
    """A reading process, which leads a process group of its own."""

    @property
    def pid(self) -> int: ...

    def code(self) -> int | None:
        """The exit code, negative for a signal; None while the process runs."""

    def wait(self, seconds: float) -> None:
        """Wait until the process has ended, or for `seconds`."""

    def kill(self) -> None:
        """End the process and its children. Does nothing when the process has ended."""

    def close(self) -> None:
        """Give back what this object holds; the process has ended."""


def start(job_path: Path, *, mode: str, output: Path, fork: bool) -> Started:
    """Start `reading.child` with a job. `fork`: by the fork server, for a job that takes less time than a start."""
    with output.open("wb") as file:
        forked = _client.fork(f"{mode} {job_path}", output=file.fileno()) if fork else None
        return forked or _Spawned(job_path, output=file.fileno())


class _Spawned:
    def __init__(self, job_path: Path, *, output: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", child.__name__, str(job_path), str(os.getpid())],
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # A group, not a session: the processor time of a session cannot be lowered in favour of another's.
            process_group=0,
            env=reader_environment(),
        )
        self._ended = os.pidfd_open(self._process.pid)

    @property
    def pid(self) -> int:
        return self._process.pid

    def code(self) -> int | None:
        return self._process.poll()

    def wait(self, seconds: float) -> None:
        select.select([self._ended], [], [], seconds)

    def kill(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def close(self) -> None:
        if self._ended >= 0:
            os.close(self._ended)
            self._ended = -1


class _Forked:
    def __init__(self, job: socket.socket, pid: int) -> None:
        self._job = job
        self._pid = pid
        self._code: int | None = None

    @property
    def pid(self) -> int:
        return self._pid

    def code(self) -> int | None:
        if self._code is None and select.select([self._job], [], [], 0)[0]:
            answer = self._job.recv(NUMBER.size)
            # Without an answer the fork server was killed, and the process with it.
            self._code = NUMBER.unpack(answer)[0] if answer else -signal.SIGKILL
        return self._code

    def wait(self, seconds: float) -> None:
        select.select([self._job], [], [], seconds)

    def kill(self) -> None:
        if self.code() is None:
            self._job.shutdown(socket.SHUT_WR)
            self.wait(_KILL_SECONDS)
            if self.code() is None:
                # The fork server itself is stopped.
                ended = os.pidfd_open(self._pid)
                os.killpg(self._pid, signal.SIGKILL)
                select.select([ended], [], [], _KILL_SECONDS)
                os.close(ended)
                self._code = -signal.SIGKILL

    def close(self) -> None:
        self._job.close()


class _Server:
    """A running fork server."""

    def __init__(self) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", fork_server.__name__],
                cwd=_ROOT,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # Else an interrupt from the keyboard would end it before its caller has ended the jobs.
                process_group=0,
                env=reader_environment(),
            )

    def fork(self, message: str, *, output: int) -> _Forked:
        """Raises OSError when the server has ended or does not answer."""
        job, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                socket.send_fds(self._requests, [os.fsencode(message)], [theirs.fileno(), output])
            job.settimeout(_FORK_SECONDS)
            answer = job.recv(NUMBER.size)
            if not answer:
                raise ConnectionResetError
            return _Forked(job, NUMBER.unpack(answer)[0])
        except BaseException:
            job.close()
            raise

    def stop(self) -> None:
        self._requests.close()
        self._process.kill()
        self._process.wait()

    def forget(self) -> None:
        """In a fork of the process that started it: the server belongs to that process alone."""
        self._requests.close()
        # Nobody waits for it here. Python would warn of that.
        self._process.returncode = 0


class _Client:
    """The fork server of this process, started at its first job. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: _Server | None = None
        os.register_at_fork(after_in_child=self._after_fork)
        atexit.register(self._stop)

    def fork(self, message: str, *, output: int) -> _Forked | None:
        """Start a job; None when the fork server cannot do it."""
        with self._lock:
            # Twice, because the server may have been killed since the last job.
            for _ in range(2):
                try:
                    if self._server is None:
                        self._server = _Server()
                    return self._server.fork(message, output=output)
                except OSError:
                    self._stop()
        return None

    def _stop(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None

    def _after_fork(self) -> None:
        self._lock = threading.Lock()
        if self._server is not None:
            self._server.forget()
            self._server = None


_client = _Client()


def reader_environment() -> dict[str, str]:
    """The variables that the process needs, and no secret: it reads hostile files."""
    names = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV", "TMPDIR", "HOME")
    # Each arena of the allocator takes address space, which counts against the limit, and is mostly empty.
    own = {"POLARS_MAX_THREADS": "2", "MALLOC_ARENA_MAX": "1"}
    return {name: os.environ[name] for name in names if name in os.environ} | own
