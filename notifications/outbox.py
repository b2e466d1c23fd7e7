"""What the end of a session brings about: a message for each webhook and a mail for each account that chose so.

All of it is written in the transaction that ends the session, so neither is an end without its messages nor a message
without its end. Ids and counts only: no names of people or files, no amounts.
"""

import json
import secrets
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from file_handling.models import ImportSession
from notifications import delivery
from notifications.models import TEST_EVENT, Ending, EndpointState, WebhookEndpoint, WebhookMessage
from users.models import COUNTRY_BOUND, ImportMails, MailPurpose, User
from users.sign_in.mails import queue_mail


def session_ended(session_id: int, ending: Ending, *, counts: Mapping[str, int] | None = None) -> None:
    """Store messages and mails about the end of a session, in the caller's transaction.

    `counts`: those of the message; those of the session's row when None.
    """
    session = ImportSession.objects.select_related("country").get(pk=session_id)
    facts = {
        "import_session": session.pk,
        "country": session.country.code,
        "status": session.status,
        "counts": dict(_counts_of(session) if counts is None else counts),
    }
    if ending is not Ending.SHEET:
        _store_messages(session, ending, facts)
    _queue_mails(session, ending, facts)


def store_test(endpoint: WebhookEndpoint) -> WebhookMessage:
    """Store a message that says only that it is a test, for an endpoint of any event types."""
    return _store(endpoint, TEST_EVENT, {"webhook": endpoint.pk}, session_number=None)


def _counts_of(session: ImportSession) -> dict[str, int]:
    """Of claims in the files, as far as the session was reconciled, and of what it created."""
    summary = session.summary or {}
    counts: dict[str, int] = {}
    if summary:
        total, importable = summary["claims"]["total"], summary["importable"]["claims"]
        counts |= {"claims": total, "claims_left_out": total - importable}
    return counts | {
        "claims_created": session.claims_created_count,
        "insured_created": session.insured_created_count,
    }


def _store_messages(session: ImportSession, ending: Ending, facts: dict[str, Any]) -> None:
    of_country = Q(country=None) | Q(country_id=session.country_id)
    # An endpoint that was disabled after failures gets its messages once it is enabled again.
    kept = Q(state__in=[EndpointState.ACTIVE, EndpointState.FAILED])
    for endpoint in WebhookEndpoint.objects.filter(of_country, kept).order_by("pk"):
        if ending.value in endpoint.events:
            _store(endpoint, ending.value, facts, session_number=session.pk)


def _store(
    endpoint: WebhookEndpoint, event: str, data: dict[str, Any], *, session_number: int | None
) -> WebhookMessage:
    body = {"type": event, "timestamp": timezone.now().isoformat(), "data": data}
    message = WebhookMessage.objects.create(
        endpoint=endpoint,
        uid=f"msg_{secrets.token_hex(16)}",
        event=event,
        session_number=session_number,
        body=json.dumps(body, separators=(",", ":")),
    )
    if endpoint.state == EndpointState.ACTIVE:
        # The message is stored by then: a failure from here on is logged, and the sweeper tries again.
        transaction.on_commit(lambda: delivery.request(endpoint.pk), robust=True)
    return message


def _queue_mails(session: ImportSession, ending: Ending, facts: dict[str, Any]) -> None:
    """Whether an account may see the session is checked when its mail is written (`notifications.mails`)."""
    own = Q(mail_imports=ImportMails.OWN, pk=session.user_id)
    accounts = User.objects.filter(own | Q(mail_imports=ImportMails.ALL), is_active=True)
    accounts = accounts.filter(Q(country_id=session.country_id) | ~Q(role__in=COUNTRY_BOUND))
    if ending is not Ending.FAILED:
        accounts = accounts.filter(mail_failures_only=False)
    for account in accounts:
        queue_mail(purpose=MailPurpose.IMPORT, account=account, data=facts | {"ending": ending.value})
