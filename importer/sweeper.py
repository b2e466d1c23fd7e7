"""Calls a worker for every session that waits or whose run died. Finds them in the database, without the broker."""

import re
import shutil
import time
from datetime import timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from file_handling.models import ImportSession, SessionStatus
from importer import dispatch
from importer.lease import claimable, end_stalled_writers, end_stopped_runners, seconds

log = structlog.get_logger(__name__)

# The oldest come first. More at once would only fill the broker while all workers are busy.
MOST_AT_ONCE = 100
# The age from which a temporary file was left by a killed request; no request takes so long.
STALE_SECONDS = 24 * 3600
_RUN_FOLDER = re.compile(r"run-(\d+)-")


def sweep() -> list[int]:
    """End stalled runs, call workers for the sessions that are due, tidy up; → the ids of these sessions."""
    end_stopped_runners()
    end_stalled_writers()
    again = timedelta(seconds=seconds("RING_AGAIN_SECONDS"))
    # A call in the future: the clock was set back.
    not_called = Q(rung_at=None) | Q(rung_at__lt=Now() - again) | Q(rung_at__gt=Now() + again)
    due = ImportSession.objects.filter(claimable(), not_called).order_by("id").values_list("id", flat=True)
    called = list(due[:MOST_AT_ONCE])
    for session_id in called:
        dispatch.enqueue(session_id, wait_seconds=0.2)
    prune()
    return called


def prune() -> int:
    """Remove what killed runs and requests left in the folder of temporary files; → how many entries."""
    folders = {path: int(found[1]) for path in _entries() if (found := _RUN_FOLDER.match(path.name))}
    # A run makes its folder after claiming the session, and needs it no longer when another run has the session.
    running = set(
        ImportSession.objects.filter(pk__in=set(folders.values()), status=SessionStatus.PROCESSING).values_list(
            "pk", flat=True
        )
    )
    abandoned = [path for path, session_id in folders.items() if session_id not in running and _age(path) > _grace()]
    abandoned += [path for path in _entries() if path not in folders and _age(path) > STALE_SECONDS]
    for path in abandoned:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(abandoned)


def _entries() -> list[Path]:
    return list(Path(settings.UPLOAD_DIR).iterdir())


def _grace() -> float:
    """A run that has just ended removes its folder itself."""
    return seconds("LEASE_SECONDS")


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
