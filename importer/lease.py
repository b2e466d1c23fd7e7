"""Who holds a session: claimed by compare-and-swap, kept by heartbeats, lost by silence (RELIABILITY: F1–F4, F11).

Every claim takes the next token. Whatever a run writes, it writes under the condition that its token is still the session's,
so a run that was given up for dead and comes back writes nothing.
"""

import os
import queue
import socket
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now

from file_handling.models import ImportSession, SessionStatus
from importer import events

log = structlog.get_logger(__name__)


class LeaseLost(Exception):
    """The session is no longer this run's: cancelled, or taken over after a silence."""


@dataclass(frozen=True)
class Lease:
    session_id: int
    token: int
    attempt: int


def seconds(name: str) -> float:
    return float(settings.CONCORD[name])


def claimable() -> Q:
    """Sessions that wait for a run, or whose run has fallen silent."""
    return Q(status=SessionStatus.PENDING) | Q(status=SessionStatus.PROCESSING, lease_expires_at__lt=Now())


def claim(session_id: int) -> Lease | None:
    """Take the session, or None when it is not to be had. The attempt is counted before any file is opened."""
    runner = f"{socket.gethostname()}|{os.getpid()}|{_started(os.getpid())}|{uuid.uuid4().hex}"
    taken = ImportSession.objects.filter(claimable(), pk=session_id).update(
        status=SessionStatus.PROCESSING,
        attempts=F("attempts") + 1,
        lease_token=F("lease_token") + 1,
        lease_expires_at=Now() + timedelta(seconds=seconds("LEASE_SECONDS")),
        started_at=Coalesce("started_at", Now()),
        runner=runner,
    )
    if not taken:
        return None
    row = ImportSession.objects.filter(pk=session_id, runner=runner).values("lease_token", "attempts").first()
    if row is None:
        return None
    lease = Lease(session_id, row["lease_token"], row["attempts"])
    _end_stalled_writer(lease)
    return lease


def held(lease: Lease) -> Any:
    """The session's row, as long as it is this run's: `held(lease).update(…)` is the fence around every write."""
    return ImportSession.objects.filter(
        pk=lease.session_id, lease_token=lease.token, status=SessionStatus.PROCESSING
    )


def release(lease: Lease) -> bool:
    """Hand the session back to the queue, its attempt counted."""
    return bool(held(lease).update(status=SessionStatus.PENDING, lease_expires_at=None, rung_at=None))


# ------------------------------------------------------------------------------------------------ keeping it


class Keeper:
    """A thread with a database connection of its own: renews the lease and writes the run's events.

    The run's main thread is inside the data transaction for seconds; what it tells must show meanwhile and must
    survive a rollback, so it is handed to this thread.
    """

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self._lost = threading.Event()
        self._inbox: queue.Queue[Callable[[], object] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._keep, name=f"keeper-{lease.session_id}", daemon=True)

    def __enter__(self) -> "Keeper":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._inbox.put(None)
        self._thread.join()

    def check(self) -> None:
        """Raises LeaseLost once the session is no longer this run's."""
        if self._lost.is_set():
            raise LeaseLost

    def tell(self, *, step: str, message: str, progress: int, level: str = "info", data: dict[str, Any] | None = None) -> None:
        """Append an event and move the progress bar, in the order of the calls."""

        def write() -> None:
            events.append(
                self.lease.session_id, step=step, message=message, progress=progress, level=level, data=data
            )
            events.show_progress(self.lease.session_id, token=self.lease.token, progress=progress)

        self._inbox.put(write)

    def flush(self) -> None:
        """Wait until everything told so far is written."""
        done = threading.Event()
        self._inbox.put(done.set)
        while not done.wait(0.5):
            if not self._thread.is_alive():
                return

    def _keep(self) -> None:
        beat = seconds("HEARTBEAT_SECONDS")
        next_beat = time.monotonic() + beat
        try:
            while True:
                try:
                    job = self._inbox.get(timeout=max(0.0, next_beat - time.monotonic()))
                except queue.Empty:
                    job = self._renew
                    next_beat = time.monotonic() + beat
                if job is None:
                    return
                self._do(job)
        finally:
            connection.close()

    def _do(self, job: Callable[[], object]) -> None:
        try:
            job()
        except DatabaseError as error:
            # The database may be away for a moment, or SQLite's one writer busy; the next beat tries again, and a
            # lease that runs out meanwhile is somebody else's by the token alone.
            log.warning("keeper_write_failed", session=self.lease.session_id, error=type(error).__name__)
            close_old_connections()
            if connection.connection is not None and not connection.is_usable():
                connection.close()

    def _renew(self) -> None:
        renewed = held(self.lease).update(lease_expires_at=Now() + timedelta(seconds=seconds("LEASE_SECONDS")))
        if not renewed:
            self._lost.set()


# ------------------------------------------------------------------------------------------------ stalled writers


def writer_name(session_id: int, token: int) -> str:
    """How a run's write shows among the connections of PostgreSQL."""
    return f"concord-write-{session_id}-{token}"


def _end_stalled_writer(lease: Lease) -> None:
    """End the connection in which an earlier run of this session still holds the country's lock.

    A run that stopped without dying keeps its transaction open, and what it holds would block its successor for ever.
    """
    if connection.vendor != "postgresql" or lease.token < 2:
        return
    names = [writer_name(lease.session_id, token) for token in range(max(1, lease.token - 5), lease.token)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ANY(%s)", [names]
        )


def end_stopped_runners() -> int:
    """Kill runs of this machine whose lease is over and whose process is stopped; → how many.

    SQLite has one writer: a stopped process inside its transaction would lock all others out.
    """
    ended = 0
    here = socket.gethostname()
    silent = ImportSession.objects.filter(status=SessionStatus.PROCESSING, lease_expires_at__lt=Now())
    for runner in silent.values_list("runner", flat=True):
        host, _, rest = runner.partition("|")
        pid, _, rest = rest.partition("|")
        started, _, _ = rest.partition("|")
        if host == here and pid.isdigit() and _state(int(pid)) in ("T", "t") and _started(int(pid)) == started:
            os.kill(int(pid), 9)
            ended += 1
    return ended


def _stat_fields(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return []
    # The command's name stands in parentheses and may hold anything; fields are counted behind it.
    return text.rpartition(")")[2].split()


def _state(pid: int) -> str:
    fields = _stat_fields(pid)
    return fields[0] if fields else ""


def _started(pid: int) -> str:
    fields = _stat_fields(pid)
    return fields[19] if len(fields) > 19 else ""
