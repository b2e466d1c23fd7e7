"""The event log of a session, as codes: progress, log file and statistics are made from its rows."""

from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Max
from django.utils import timezone

from file_handling.models import EventLevel, ImportSession, SessionEvent, SessionStatus
from file_handling.wording import MESSAGES

APPEND_TRIES = 5


def append(
    session_id: int,
    *,
    step: str,
    code: str,
    progress: int = 0,
    level: str = EventLevel.INFO,
    data: dict[str, Any] | None = None,
) -> SessionEvent:
    """Append one event; its sequence follows the last one's. `data` has counts and row numbers, never cell values.

    Raises ValueError for a code without a sentence.
    """
    MESSAGES.check(code)
    for attempt in range(1, APPEND_TRIES + 1):
        last = SessionEvent.objects.filter(session_id=session_id).aggregate(last=Max("sequence"))["last"] or 0
        try:
            with transaction.atomic():
                return SessionEvent.objects.create(
                    session_id=session_id,
                    sequence=last + 1,
                    step=step,
                    code=code,
                    progress=progress,
                    level=level,
                    data=data or {},
                )
        except IntegrityError:
            # A run and a person may append at the same time; the second of them takes the next number.
            if attempt == APPEND_TRIES or not ImportSession.objects.filter(pk=session_id).exists():
                raise
    raise AssertionError("unreachable")


def append_under_lease(
    session_id: int,
    *,
    token: int,
    step: str,
    code: str,
    progress: int,
    level: str = EventLevel.INFO,
    data: dict[str, Any] | None = None,
) -> bool:
    """Append an event of a run, only while the session is the run's: check and insert are one statement.

    Between two statements, a stopped run could write an event after another run has taken over. Raises ValueError for a
    code without a sentence.
    """
    MESSAGES.check(code)
    columns = {
        "at": timezone.now(),
        "level": level,
        "step": step,
        "progress": progress,
        "code": code,
        "data": data or {},
    }
    fields = {name: SessionEvent._meta.get_field(name) for name in columns}
    values = [fields[name].get_db_prep_save(value, connection) for name, value in columns.items()]  # type: ignore[union-attr]
    event, session = SessionEvent._meta.db_table, ImportSession._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {event} (session_id, sequence, {', '.join(columns)}) "  # noqa: S608
            f"SELECT s.id, (SELECT coalesce(max(e.sequence), 0) + 1 FROM {event} e WHERE e.session_id = s.id), "
            f"{', '.join(['%s'] * len(values))} FROM {session} s "
            "WHERE s.id = %s AND s.lease_token = %s AND s.status = %s",
            [*values, session_id, token, SessionStatus.PROCESSING.value],
        )
        return bool(cursor.rowcount)
