"""Rings for every session that waits or whose run fell silent. Needs no broker to know them: the database does."""

import threading
from datetime import timedelta

import structlog
from django.db import DatabaseError, connection
from django.db.models import Q
from django.db.models.functions import Now

from file_handling.models import ImportSession, SessionStatus
from importer import dispatch
from importer.lease import claimable, end_stopped_runners, seconds
from users import letters

log = structlog.get_logger(__name__)


def sweep() -> list[int]:
    """Ring for what is due; → the ids of the sessions rung for."""
    end_stopped_runners()
    quiet = Q(rung_at__isnull=True) | Q(rung_at__lt=Now() - timedelta(seconds=seconds("RING_AGAIN_SECONDS")))
    due = list(ImportSession.objects.filter(claimable(), quiet).order_by("id").values_list("id", flat=True))
    for session_id in due:
        dispatch.ring(session_id, patience=0.2)
    return due


def waiting() -> int:
    return ImportSession.objects.filter(status=SessionStatus.PENDING).count()


class SweeperThread(threading.Thread):
    """Sweeps while its worker lives. Each pass opens and closes its own connection: children are forked beside it."""

    def __init__(self) -> None:
        super().__init__(name="sweeper", daemon=True)
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.wait(seconds("SWEEP_SECONDS")):
            try:
                due = sweep()
                if due:
                    log.info("sweeper_rang", sessions=due)
                letters.ring_if_due()
            except DatabaseError as error:
                # The database is away; it is asked again at the next pass.
                log.warning("sweeper_failed", error=type(error).__name__)
            finally:
                connection.close()

    def stop(self) -> None:
        self.stopping.set()
