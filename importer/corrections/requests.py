"""One request that corrects a session, from the API or a page: sent twice under one key, it corrects once."""

from __future__ import annotations

from typing import Any

from file_handling.models import CorrectionOrigin, ImportSession
from importer.corrections.entries import Entries
from importer.corrections.service import prepare, start
from importer.idempotency import digest_of, find_earlier, start_once
from users.models import User


def correct_once(
    *, session: ImportSession, entries: Entries, user: User, origin: CorrectionOrigin, key: str, content: Any
) -> tuple[ImportSession, bool]:
    """Correct the session, or find what an earlier request with the key started; → session, whether it was found.

    `key`: "" for a request without one. `content`: what the request asks for, as a JSON value. Raises as
    `prepare`, `start` and `start_once`. The files are read before the transaction of the key begins.
    """
    digest = digest_of({"corrects": session.pk, "entries": content})
    earlier = find_earlier(user=user, key=key, digest=digest) if key else None
    if earlier is not None:
        return earlier, True
    prepared = prepare(session, cells=entries.cells, removals=entries.removals, problems=entries.problems)
    if not key:
        return start(prepared, user=user, origin=origin), False
    return start_once(
        user=user, key=key, digest=digest, start=lambda _stored: start(prepared, user=user, origin=origin)
    )
