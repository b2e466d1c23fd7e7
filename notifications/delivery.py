"""Delivers the messages of webhooks: at least once, those of one session in their order, with retries for a day.

A worker claims an endpoint, and renews the claim before each message, so that two workers never deliver to it at the
same time. A worker that dies leaves a claim that expires; the sweeper then calls another. An answer with an error is
about its message, which waits, and so do the later ones of the same session. No answer is about the endpoint, which
waits as a whole: a host that hangs takes a worker for one delivery at a time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from common import outgoing
from common.outgoing import Limits, OutgoingError
from common.sealed import CannotUnseal
from common.task_queue import send_task_within
from notifications.models import (
    AttemptResult,
    EndpointState,
    MessageState,
    WebhookAttempt,
    WebhookEndpoint,
    WebhookMessage,
)
from notifications.signing import headers_of
from users.models import MailPurpose
from users.sign_in.mails import queue_mail

log = structlog.get_logger(__name__)

DELIVER_TASK = "notifications.deliver"
# Seconds that a run or a request waits for the broker. The sweeper sends the task again when the broker did not get it.
BROKER_SECONDS = 1.0
SWEEPER_BROKER_SECONDS = 0.2
# A task ends after this time, so that imports get their turn.
ROUND_SECONDS = 60
# The receiver says that it wants no messages any more (Standard Webhooks).
GONE = 410


@dataclass(frozen=True)
class Claim:
    endpoint_id: int
    token: int


@dataclass(frozen=True)
class Outcome:
    """`status` None: there was no answer."""

    result: str
    status: int | None
    milliseconds: int

    @property
    def is_accepted(self) -> bool:
        return self.result == AttemptResult.ACCEPTED


# ------------------------------------------------------------------------------------------------ calling a worker


def request(endpoint_id: int, *, patience: float = BROKER_SECONDS) -> None:
    """Call a worker for an endpoint. Never raises for the broker."""
    WebhookEndpoint.objects.filter(pk=endpoint_id).update(rung_at=timezone.now())
    send_task_within(patience, DELIVER_TASK, endpoint_id)


def request_due() -> list[int]:
    """Call a worker for each endpoint with a message that is due; → their ids. The sweeper calls this repeatedly."""
    now = timezone.now()
    again = timedelta(seconds=settings.CONCORD["RING_AGAIN_SECONDS"])
    # A call in the future: the clock was set back.
    not_called = Q(rung_at=None) | Q(rung_at__lt=now - again) | Q(rung_at__gt=now + again)
    waiting = _waiting().filter(endpoint=OuterRef("pk"), due_at__lte=now)
    due = list(
        WebhookEndpoint.objects.filter(_claimable(now), not_called, Exists(waiting), due_at__lte=now).values_list(
            "pk", flat=True
        )
    )
    for endpoint_id in due:
        request(endpoint_id, patience=SWEEPER_BROKER_SECONDS)
    return due


# ------------------------------------------------------------------------------------------------ the claim


def _seconds(name: str) -> timedelta:
    return timedelta(seconds=settings.WEBHOOKS[name])


def _claimable(now: datetime) -> Q:
    """Endpoints that no worker holds. A claim that ends later than any can was given before the clock was set back."""
    free = Q(claimed_until=None) | Q(claimed_until__lt=now) | Q(claimed_until__gt=now + 2 * _seconds("CLAIM_SECONDS"))
    return Q(state=EndpointState.ACTIVE) & free


def _claim(endpoint_id: int) -> Claim | None:
    now = timezone.now()
    with transaction.atomic():
        taken = WebhookEndpoint.objects.filter(_claimable(now), pk=endpoint_id, due_at__lte=now).update(
            claim_token=F("claim_token") + 1, claimed_until=now + _seconds("CLAIM_SECONDS"), rung_at=None
        )
        if not taken:
            return None
        return Claim(endpoint_id, WebhookEndpoint.objects.values_list("claim_token", flat=True).get(pk=endpoint_id))


def _held(claim: Claim) -> QuerySet[WebhookEndpoint]:
    """The endpoint while it is this worker's, and active."""
    return WebhookEndpoint.objects.filter(
        pk=claim.endpoint_id, claim_token=claim.token, state=EndpointState.ACTIVE, claimed_until__isnull=False
    )


# ------------------------------------------------------------------------------------------------ one round


def deliver(endpoint_id: int) -> int:
    """Deliver what is due to an endpoint; → the number of messages that were accepted."""
    claim = _claim(endpoint_id)
    if claim is None:
        return 0
    accepted, end = 0, monotonic() + ROUND_SECONDS
    while monotonic() < end:
        endpoint, message = _next(claim)
        if endpoint is None or message is None:
            break
        outcome = _attempt(endpoint, message)
        if not _settle(claim, message, outcome):
            break
        accepted += outcome.is_accepted
    # Not called any more: a message may have come since, whose call found the endpoint claimed.
    _held(claim).update(claimed_until=None, rung_at=None)
    return accepted


def _waiting() -> QuerySet[WebhookMessage]:
    """Messages that wait, without those that have to wait for an earlier one of their session."""
    earlier = WebhookMessage.objects.filter(
        endpoint=OuterRef("endpoint"),
        session_number=OuterRef("session_number"),
        state=MessageState.PENDING,
        pk__lt=OuterRef("pk"),
    )
    return WebhookMessage.objects.filter(~Exists(earlier), state=MessageState.PENDING)


def _next(claim: Claim) -> tuple[WebhookEndpoint | None, WebhookMessage | None]:
    """Renew the claim and count the next attempt, before anything is sent.

    None: nothing is due, or the claim is lost.
    """
    now = timezone.now()
    with transaction.atomic():
        if not _held(claim).filter(due_at__lte=now).update(claimed_until=now + _seconds("CLAIM_SECONDS")):
            return None, None
        message = _waiting().filter(endpoint_id=claim.endpoint_id, due_at__lte=now).order_by("pk").first()
        if message is None:
            return None, None
        message.attempts += 1
        message.first_attempt_at = message.first_attempt_at or now
        message.save(update_fields=["attempts", "first_attempt_at"])
        return WebhookEndpoint.objects.get(pk=claim.endpoint_id), message


def _attempt(endpoint: WebhookEndpoint, message: WebhookMessage) -> Outcome:
    limits = Limits(
        connect_seconds=settings.WEBHOOKS["CONNECT_SECONDS"],
        read_seconds=settings.WEBHOOKS["READ_SECONDS"],
        whole_seconds=settings.WEBHOOKS["WHOLE_SECONDS"],
    )
    began, status = monotonic(), None
    try:
        headers = headers_of(endpoint, message, now=timezone.now())
        status = outgoing.post(endpoint.url, body=message.body.encode(), headers=headers, limits=limits).status
        result = AttemptResult.ACCEPTED if 200 <= status < 300 else AttemptResult.REFUSED
        return Outcome(result.value, status, _milliseconds_since(began))
    except CannotUnseal:
        return Outcome(AttemptResult.SEALED.value, None, _milliseconds_since(began))
    except OutgoingError as error:
        return Outcome(error.reason.value, None, _milliseconds_since(began))


def _milliseconds_since(began: float) -> int:
    return round((monotonic() - began) * 1000)


def _settle(claim: Claim, message: WebhookMessage, outcome: Outcome) -> bool:
    """Log the attempt, and store what follows from it; → whether the round goes on."""
    now = timezone.now()
    log.info("webhook_attempted", webhook=claim.endpoint_id, message=message.pk, result=outcome.result)
    with transaction.atomic():
        WebhookAttempt.objects.create(
            message=message, result=outcome.result, status=outcome.status, milliseconds=outcome.milliseconds
        )
        rows = WebhookEndpoint.objects.select_for_update().filter(pk=claim.endpoint_id, claim_token=claim.token)
        endpoint = rows.first()
        if endpoint is None:
            # Another worker has taken over, and delivers the message again.
            return False
        if outcome.is_accepted:
            message.state, message.delivered_at = MessageState.DELIVERED, now
            message.save(update_fields=["state", "delivered_at"])
            return True
        if endpoint.state != EndpointState.ACTIVE:
            return False
        first = message.first_attempt_at or now
        if outcome.status == GONE or now - first >= _seconds("GIVE_UP_SECONDS"):
            _disable(endpoint)
            return False
        message.due_at = now + _wait(message.attempts)
        message.save(update_fields=["due_at"])
        if outcome.status is None:
            endpoint.due_at = message.due_at
            endpoint.save(update_fields=["due_at"])
    return outcome.status is not None


def _wait(attempts: int) -> timedelta:
    """The wait after so many failed attempts."""
    longest = _seconds("LONGEST_WAIT_SECONDS")
    # The exponent has a limit of its own, because timedelta has one.
    return min(longest, _seconds("FIRST_WAIT_SECONDS") * 4 ** min(attempts - 1, 10))


def _disable(endpoint: WebhookEndpoint) -> None:
    """Disable an endpoint in the caller's transaction, with a mail to the account that registered it."""
    endpoint.state, endpoint.claimed_until = EndpointState.FAILED, None
    endpoint.save(update_fields=["state", "claimed_until"])
    log.warning("webhook_disabled", webhook=endpoint.pk)
    if endpoint.registered_by is not None:
        queue_mail(purpose=MailPurpose.WEBHOOK, account=endpoint.registered_by, data={"webhook": endpoint.pk})
