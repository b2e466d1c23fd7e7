"""Calling a worker for a session. The queue of record is the database; the broker only wakes a worker.

The sweeper sends again what the broker did not take, so nothing here may fail the caller or keep it waiting.
"""

from django.db import transaction
from django.db.models.functions import Now

from common.task_queue import send_task_within
from file_handling.models import ImportSession

RUN_TASK = "importer.run_session"
# How long a request waits for the broker at most.
BROKER_SECONDS = 1.0


def enqueue_after_commit(session_id: int) -> None:
    """Call a worker once others can see the session."""
    # The session is stored by then: a failure from here on is logged, and the sweeper tries again.
    transaction.on_commit(lambda: enqueue(session_id), robust=True)


def enqueue(session_id: int, *, wait_seconds: float = BROKER_SECONDS) -> None:
    """Call a worker. A broker that refuses or hangs delays the session, never the caller."""
    ImportSession.objects.filter(pk=session_id).update(rung_at=Now())
    send_task_within(wait_seconds, RUN_TASK, session_id)
