"""Secrets that two systems share, and the signatures of messages with them (Standard Webhooks)."""

import base64
import secrets
from collections.abc import Iterable
from datetime import datetime

from standardwebhooks.webhooks import Webhook

_PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_secret() -> str:
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii")


def signed_headers(keys: Iterable[str], *, uid: str, now: datetime, content: str) -> dict[str, str]:
    """The three headers that sign `content`, with a signature for each of `keys`. `now`: UTC."""
    return {
        "webhook-id": uid,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Webhook(key).sign(uid, now, content) for key in keys),
    }
