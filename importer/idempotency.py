"""An import that is sent twice under one key is one import: a client may repeat a POST whose answer was lost."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.exceptions import APIException

from common.api_errors import SessionNotFound
from common.errors import Conflict, FormError, InvalidForm
from file_handling.files.storage import StoredObjects, all_or_nothing
from file_handling.models import IdempotencyKey, ImportSession
from users.access.viewsets import visible_or_refused
from users.models import User

HEADER = "Idempotency-Key"
# What a header can contain without quotes, and what fits the column.
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class KeyReused(APIException):
    """422: the key stands for another import."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "key_reused"


def read_key(header: str | None) -> str:
    """The key of a request, "" when it has none. Raises InvalidForm for a text that cannot be a key."""
    if header is None:
        return ""
    key = header.strip()
    if not _KEY.fullmatch(key):
        raise InvalidForm([FormError(HEADER, _("Give 1 to 255 letters, digits or signs, without spaces."))])
    return key


def start_once(
    *, user: User, key: str, digest: str, start: Callable[[StoredObjects], ImportSession]
) -> tuple[ImportSession, bool]:
    """Start an import under `key`, or find the one that the account started under it; → session, whether it was found.

    `digest`: the fingerprint of what the request asks for. `start` runs inside the transaction of the key. Of two at
    the same time, the second waits for the row of the key and finds the first. Raises KeyReused when the first request
    had another digest, Conflict when its session was deleted, AccessDenied when the user may no longer see it; and
    what `start` raises.
    """
    found = find_earlier(user=user, key=key, digest=digest)
    if found is not None:
        return found, True
    try:
        with all_or_nothing() as stored:
            row = IdempotencyKey.objects.create(user=user, key=key, request_sha256=digest)
            row.session = start(stored)
            row.save(update_fields=["session"])
            return row.session, False
    except IntegrityError:
        found = find_earlier(user=user, key=key, digest=digest)
        if found is None:
            raise
        return found, True


def find_earlier(*, user: User, key: str, digest: str) -> ImportSession | None:
    """The session that the account started under the key; None for a new key. Raises as `start_once`."""
    row = IdempotencyKey.objects.filter(user=user, key=key).first()
    if row is None:
        return None
    if row.request_sha256 != digest:
        raise KeyReused(_("This key was used for an import of other files or options. Use a new key for a new import."))
    if row.session_id is None:
        raise Conflict(_("The import that was started under this key was deleted. Use a new key to import again."))
    session: ImportSession = visible_or_refused(
        rows=ImportSession.objects.visible_to(user), pk=str(row.session_id), not_found=SessionNotFound
    )
    return session


def digest_of(values: Mapping[str, Any]) -> str:
    """The fingerprint of what a request asks for. `values`: JSON values."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
