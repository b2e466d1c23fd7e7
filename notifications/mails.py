"""The mails about imports and webhooks: counts and links, never personal data, not even the names of files.

Each is written when it is sent, and only for an account that may see then what the mail is about.
"""

from datetime import date
from typing import Any

from django.conf import settings
from django.urls import reverse

from common.formats import format_day
from file_handling.models import ImportSession, SessionStatus
from notifications.models import Ending, MessageState, WebhookEndpoint
from notifications.summaries import counts_of_day
from users.models import User
from users.sign_in.mails import Content


def _address(page: str, **parts: int) -> str:
    return settings.PUBLIC_URL + reverse(page, kwargs=parts)


def _import_ended(account: User, data: dict[str, Any]) -> dict[str, Any] | None:
    """`data`: the facts of `notifications.outbox`, with the ending."""
    number = data["import_session"]
    if not ImportSession.objects.visible_to(account).filter(pk=number).exists():
        return None
    return {
        "number": number,
        "country": data["country"],
        "ending": Ending(data["ending"]).name.lower(),
        "status": SessionStatus(data["status"]).label,
        "counts": data["counts"],
        "link": _address("page-import", pk=number),
        "choices": _address("own-account"),
    }


def _summary(account: User, data: dict[str, Any]) -> dict[str, Any] | None:
    """`data`: the day. No mail about a day without imports when none waits either."""
    day = date.fromisoformat(data["day"])
    counts = counts_of_day(account, day)
    if not counts.ended and not counts.waiting:
        return None
    return {
        "day": format_day(day),
        "counts": counts,
        "link": _address("page-imports"),
        "choices": _address("own-account"),
    }


def _webhook_disabled(account: User, data: dict[str, Any]) -> dict[str, Any] | None:
    """`data`: the id of the webhook."""
    endpoint = WebhookEndpoint.objects.visible_to(account).filter(pk=data["webhook"]).first()
    if endpoint is None:
        return None
    return {
        "number": endpoint.pk,
        "waiting": endpoint.messages.filter(state=MessageState.PENDING).count(),
        "link": _address("page-webhook", pk=endpoint.pk),
    }


IMPORT = Content("notifications/mails/import", _import_ended)
SUMMARY = Content("notifications/mails/summary", _summary)
WEBHOOK = Content("notifications/mails/webhook", _webhook_disabled)
