"""The one event log: everything that a session tells of itself is a row here."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max

from file_handling.models import EventLevel, ImportSession, SessionEvent

APPEND_TRIES = 5


def append(
    session_id: int,
    *,
    step: str,
    message: str,
    progress: int = 0,
    level: str = EventLevel.INFO,
    data: dict[str, Any] | None = None,
) -> SessionEvent:
    """Append one event; its sequence follows the last one's. `data` bears counts and row numbers, no cell values."""
    for attempt in range(1, APPEND_TRIES + 1):
        last = SessionEvent.objects.filter(session_id=session_id).aggregate(last=Max("sequence"))["last"] or 0
        try:
            with transaction.atomic():
                return SessionEvent.objects.create(
                    session_id=session_id,
                    sequence=last + 1,
                    step=step,
                    message=message,
                    progress=progress,
                    level=level,
                    data=data or {},
                )
        except IntegrityError:
            # A run and a person may speak at once; who comes second takes the next number.
            if attempt == APPEND_TRIES or not ImportSession.objects.filter(pk=session_id).exists():
                raise
    raise AssertionError("unreachable")
