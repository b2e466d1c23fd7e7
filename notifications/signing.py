"""Secrets of webhooks and the signatures made with them (Standard Webhooks)."""

import base64
import secrets
from datetime import datetime

from standardwebhooks.webhooks import Webhook

from common.sealed import unseal
from notifications.models import WebhookEndpoint, WebhookMessage

_PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_secret() -> str:
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii")


def signed_headers(endpoint: WebhookEndpoint, message: WebhookMessage, *, now: datetime) -> dict[str, str]:
    """The headers of a delivery (`now`: UTC). While a former secret is valid, there is a signature with each.

    Raises CannotUnseal.
    """
    sealed = [endpoint.secret]
    if endpoint.former_secret and endpoint.former_secret_until is not None and now < endpoint.former_secret_until:
        sealed.append(endpoint.former_secret)
    signatures = [Webhook(unseal(secret)).sign(message.uid, now, message.body) for secret in sealed]
    return {
        "Content-Type": "application/json",
        "User-Agent": "Concord",
        "webhook-id": message.uid,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
