"""The headers of a delivery."""

from datetime import datetime

from common.sealed import unseal
from common.signing import signed_headers
from notifications.models import WebhookEndpoint, WebhookMessage


def headers_of(endpoint: WebhookEndpoint, message: WebhookMessage, *, now: datetime) -> dict[str, str]:
    """The headers of a delivery (`now`: UTC). While a former secret is valid, there is a signature with each.

    Raises CannotUnseal.
    """
    sealed = [endpoint.secret]
    if endpoint.former_secret and endpoint.former_secret_until is not None and now < endpoint.former_secret_until:
        sealed.append(endpoint.former_secret)
    signatures = signed_headers(map(unseal, sealed), uid=message.uid, now=now, content=message.body)
    return {"Content-Type": "application/json", "User-Agent": "Concord", **signatures}
