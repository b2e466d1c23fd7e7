"""The lease of a session: claimed by compare-and-swap, kept by heartbeats, lost without them (RELIABILITY: F1–F4, F11).

Every claim takes the next token. A run writes only under the condition that its token is still the session's, so a run
that was taken for dead and comes back writes nothing.
"""

import os
import queue
import signal
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
from django.db import Error as DatabaseFailure
from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Greatest, Now

from file_handling.models import ImportSession, SessionStatus
from importer import events
from importer.sql import is_postgresql

log = structlog.get_logger(__name__)


WRITER_PREFIX = "concord-write-"
# Seconds before a failed database write is retried.
RETRY_SECONDS = 0.5


class LeaseLost(Exception):
    """The session is no longer this run's: it was cancelled, or its lease expired and another run took it."""


@dataclass(frozen=True)
class Lease:
    session_id: int
    token: int
    attempt: int


def seconds(name: str) -> float:
    return float(settings.CONCORD[name])


def claimable() -> Q:
    """Sessions that wait for a run and are due, or whose run stopped renewing its lease.

    A lease that ends later than any lease can was given before the clock of the database was set back, and so was a
    time of the next attempt that is later than any can be.
    """
    expired = Q(lease_expires_at__lt=Now()) | Q(lease_expires_at__gt=Now() + _lease_time(10))
    longest = timedelta(seconds=settings.CONVERTERS["LONGEST_WAIT_SECONDS"])
    due = Q(not_before=None) | Q(not_before__lte=Now()) | Q(not_before__gt=Now() + 2 * longest)
    return (Q(status=SessionStatus.PENDING) & due) | (
        Q(status=SessionStatus.PROCESSING) & (expired | Q(lease_expires_at=None))
    )


def _lease_time(times: int = 1) -> timedelta:
    return timedelta(seconds=times * seconds("LEASE_SECONDS"))


def renewed() -> Any:
    """The end of a lease that is given or renewed now, by the clock of the database."""
    return Now() + _lease_time()


def claim(session_id: int) -> Lease | None:
    """Claim the session; None when it is not claimable. The attempt is counted before any file is opened."""
    runner = f"{socket.gethostname()}|{os.getpid()}|{_started(os.getpid())}|{uuid.uuid4().hex}"
    # First, or the UPDATE could wait for ever: a run that stopped just before its commit has locked the row.
    end_stalled_writers()
    taken = ImportSession.objects.filter(claimable(), pk=session_id).update(
        status=SessionStatus.PROCESSING,
        attempts=F("attempts") + 1,
        lease_token=F("lease_token") + 1,
        lease_expires_at=renewed(),
        started_at=Coalesce("started_at", Now()),
        not_before=None,
        runner=runner,
    )
    if not taken:
        return None
    row = ImportSession.objects.filter(pk=session_id, runner=runner).values("lease_token", "attempts").first()
    if row is None:
        return None
    return Lease(session_id, row["lease_token"], row["attempts"])


def current(lease: Lease) -> Any:
    """The session's row while it is this run's: `current(lease).update(…)` is the fence around every write."""
    return ImportSession.objects.filter(pk=lease.session_id, lease_token=lease.token, status=SessionStatus.PROCESSING)


def release(lease: Lease, *, wait: timedelta | None = None, is_called: bool = False) -> bool:
    """Put the session back into the queue; its attempt stays counted.

    `wait`: no run takes it before. `is_called`: as if a worker had just been called, so that the sweeper calls one
    after a while.
    """
    return bool(
        current(lease).update(
            status=SessionStatus.PENDING,
            lease_expires_at=None,
            rung_at=Now() if is_called else None,
            not_before=None if wait is None else Now() + wait,
        )
    )


# ------------------------------------------------------------------------------------------------ heartbeat


class Heartbeat:
    """A thread with a database connection of its own: renews the lease and writes the run's events.

    The main thread is inside the data transaction for many seconds. Its events must be visible meanwhile and survive a
    rollback, so this thread writes them.
    """

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self._lost = threading.Event()
        self._failure: Exception | None = None
        self._inbox: queue.Queue[Callable[[], object] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._loop, name=f"heartbeat-{lease.session_id}", daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._inbox.put(None)
        self._thread.join()

    def check(self) -> None:
        """Raises LeaseLost when the session is no longer this run's, or the exception that ended this thread."""
        if self._failure is not None:
            raise self._failure
        if self._lost.is_set():
            raise LeaseLost

    def record(
        self, *, step: str, code: str, progress: int, level: str = "info", data: dict[str, Any] | None = None
    ) -> None:
        """Append an event and move the progress bar, in the order of the calls, while the session is this run's."""

        def write() -> None:
            if self._renew(progress=Greatest(F("progress"), progress)):
                events.append_under_lease(
                    self.lease.session_id,
                    token=self.lease.token,
                    step=step,
                    code=code,
                    progress=progress,
                    level=level,
                    data=data,
                )

        self._inbox.put(write)

    def flush(self) -> None:
        """Wait until everything recorded so far is written."""
        done = threading.Event()
        self._inbox.put(done.set)
        while not done.wait(0.5):
            if not self._thread.is_alive():
                return

    def _loop(self) -> None:
        beat = seconds("HEARTBEAT_SECONDS")
        next_beat = time.monotonic() + beat
        job: Callable[[], object] | None = None
        give_up = 0.0
        try:
            while True:
                if time.monotonic() >= next_beat:
                    self._try(self._renew)
                    next_beat = time.monotonic() + beat
                if job is None:
                    try:
                        job = self._inbox.get(timeout=max(0.0, next_beat - time.monotonic()))
                    except queue.Empty:
                        continue
                    if job is None:
                        return
                    give_up = time.monotonic() + seconds("LEASE_SECONDS")
                if self._try(job) or time.monotonic() > give_up:
                    job = None
                else:
                    time.sleep(RETRY_SECONDS)
        except Exception as error:  # noqa: BLE001
            # `check` raises it again in the main thread: a run without a heartbeat must not go on.
            log.error("heartbeat_failed", session=self.lease.session_id, error=type(error).__name__)
            self._failure = error
        finally:
            connection.close()

    def _try(self, job: Callable[[], object]) -> bool:
        """Whether the job succeeded. The database may be away for a moment, or the one writer of SQLite busy."""
        try:
            job()
        except DatabaseFailure as error:
            log.warning("heartbeat_write_failed", session=self.lease.session_id, error=type(error).__name__)
            connection.close()
            return False
        return True

    def _renew(self, **changes: Any) -> bool:
        """Renew the lease; → whether the session is still this run's."""
        still = bool(current(self.lease).update(lease_expires_at=renewed(), **changes))
        if not still:
            self._lost.set()
        return still


# ------------------------------------------------------------------------------------------------ stalled writers


def writer_name(session_id: int, token: int) -> str:
    """The name of a run's write among the connections of PostgreSQL."""
    return f"{WRITER_PREFIX}{session_id}-{token}"


def end_stalled_writers() -> int:
    """End the connections of runs that lost their session and still hold the lock of a country; → how many.

    A run that stopped without dying keeps its transaction open. Every other import of the country would wait for that
    transaction, until no worker is left to take over. Only PostgreSQL needs this and can do it.
    """
    if not is_postgresql():
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a
            WHERE a.datname = current_database() AND a.usename = current_user
              AND a.application_name LIKE '{WRITER_PREFIX}%%' AND a.pid <> pg_backend_pid()
              AND NOT EXISTS (
                SELECT 1 FROM {ImportSession._meta.db_table} s
                WHERE a.application_name = '{WRITER_PREFIX}' || s.id || '-' || s.lease_token
                  AND s.status = %s AND s.lease_expires_at >= statement_timestamp()
              )
            """,  # noqa: S608
            [SessionStatus.PROCESSING.value],
        )
        return int(cursor.fetchone()[0])


def end_stopped_runners() -> int:
    """Kill the runs of this machine whose lease has expired and whose process is stopped; → how many.

    SQLite has one writer: a process stopped inside its transaction would lock out all others.
    """
    ended = 0
    here = socket.gethostname()
    expired = ImportSession.objects.filter(claimable(), status=SessionStatus.PROCESSING)
    for runner in expired.values_list("runner", flat=True):
        host, _, rest = runner.partition("|")
        pid, _, rest = rest.partition("|")
        started, _, _ = rest.partition("|")
        if host == here and pid.isdigit() and _state(int(pid)) in ("T", "t") and _started(int(pid)) == started:
            try:
                os.kill(int(pid), signal.SIGKILL)
            except (ProcessLookupError, PermissionError) as error:
                log.warning("stopped_run_stays", pid=int(pid), error=type(error).__name__)
                continue
            ended += 1
    return ended


def _stat_fields(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return []
    # The name of the command is in parentheses and may contain anything; the fields are counted after it.
    return text.rpartition(")")[2].split()


def _state(pid: int) -> str:
    fields = _stat_fields(pid)
    return fields[0] if fields else ""


def _started(pid: int) -> str:
    fields = _stat_fields(pid)
    return fields[19] if len(fields) > 19 else ""
