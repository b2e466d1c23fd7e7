"""Ringing for a worker. The database is the queue of record; the broker is only a doorbell.

What is rung in vain is rung again by the sweeper, so nothing here may fail the caller or keep them waiting.
"""

from django.db import transaction
from django.db.models.functions import Now

from common.task_queue import send_task_within
from file_handling.models import ImportSession

RUN_TASK = "importer.run_session"
# How long a request may wait to learn whether the thread sounded. It answers either way.
ANSWER_SECONDS = 1.0


def enqueue_after_commit(session_id: int) -> None:
    """Ring once the session can be seen by others."""
    # The session is safe by then: what goes wrong from here on is logged, and the sweeper's to mend.
    transaction.on_commit(lambda: enqueue(session_id), robust=True)


def enqueue(session_id: int, *, wait_seconds: float = ANSWER_SECONDS) -> None:
    """Ask for a worker. A broker that is refused or paused delays the session, never the caller."""
    ImportSession.objects.filter(pk=session_id).update(rung_at=Now())
    send_task_within(wait_seconds, RUN_TASK, session_id)
