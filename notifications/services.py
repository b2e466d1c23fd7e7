"""Services that register, change and steer webhooks (DOMAIN §1). API and pages call these; the actor is an argument.

An account manages the webhooks that it sees (`visible_to`): a territorial admin those of the country, global roles all.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from common import outgoing
from common.errors import Conflict, Gone, Invalid, NotAllowed
from common.keys import clean_text
from common.outgoing import OutgoingError
from common.sealed import seal
from common.signing import new_secret
from notifications import delivery, outbox
from notifications.models import EVENT_TYPES, EndpointState, MessageState, WebhookEndpoint, WebhookMessage
from users import audit
from users.models import AuditAction, Country, User

CHANGEABLE = ("name", "url", "events")
LONGEST_NAME = 100
# Of one country, and of all countries together.
MOST_ENDPOINTS = 20


def register(
    *, actor: User, name: str, url: str, events: list[str], country: Country | None = None
) -> tuple[WebhookEndpoint, str]:
    """Register an endpoint; → it, and its secret, which nobody can read again.

    `country`: for global roles, None means all countries; an endpoint of a territorial admin is of the own country.
    Raises NotAllowed for another country, Invalid with every error of the values.
    """
    country = _country_for(actor, country)
    values, errors = _checked({"name": name, "url": url, "events": events})
    secret = new_secret()
    with transaction.atomic():
        if WebhookEndpoint.objects.filter(country=country).count() >= MOST_ENDPOINTS:
            errors.setdefault("name", []).append(
                _("There are %(most)d webhooks already. Delete one that is no longer needed.")
                % {"most": MOST_ENDPOINTS}
            )
        if errors:
            raise Invalid(errors)
        endpoint = WebhookEndpoint.objects.create(country=country, registered_by=actor, secret=seal(secret), **values)
        _record(actor, AuditAction.CREATE, endpoint)
    return endpoint, secret


def change(*, actor: User, endpoint: WebhookEndpoint, **fields: Any) -> WebhookEndpoint:
    """Change any of CHANGEABLE. Raises Invalid with every error of the values, Gone, TypeError for an unknown field."""
    unknown = set(fields) - set(CHANGEABLE)
    if unknown:
        raise TypeError(f"unknown fields: {', '.join(sorted(unknown))}")
    values, errors = _checked(fields)
    if errors:
        raise Invalid(errors)
    with transaction.atomic():
        locked = _locked(endpoint)
        changed = sorted(name for name, value in values.items() if getattr(locked, name) != value)
        for name in changed:
            setattr(locked, name, values[name])
        if changed:
            locked.save(update_fields=changed)
            _record(actor, AuditAction.UPDATE, locked, fields=changed)
    return locked


def enable(*, actor: User, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Deliver again, beginning with the messages that wait."""
    with transaction.atomic():
        locked = _locked(endpoint)
        if locked.state != EndpointState.ACTIVE:
            now = timezone.now()
            locked.state, locked.due_at, locked.claimed_until = EndpointState.ACTIVE, now, None
            locked.save(update_fields=["state", "due_at", "claimed_until"])
            # The day of attempts begins again.
            locked.messages.filter(state=MessageState.PENDING).update(attempts=0, first_attempt_at=None, due_at=now)
            _record(actor, AuditAction.ACTIVATE, locked)
            transaction.on_commit(lambda: delivery.request(locked.pk), robust=True)
    return locked


def disable(*, actor: User, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Deliver nothing, and store no new messages. Those that wait are delivered if the webhook is enabled again."""
    with transaction.atomic():
        locked = _locked(endpoint)
        if locked.state != EndpointState.OFF:
            locked.state = EndpointState.OFF
            locked.save(update_fields=["state"])
            _record(actor, AuditAction.DEACTIVATE, locked)
    return locked


def rotate(*, actor: User, endpoint: WebhookEndpoint) -> tuple[WebhookEndpoint, str]:
    """Replace the secret; → the endpoint and the new secret. The former one signs too, for OVERLAP_SECONDS."""
    secret = new_secret()
    with transaction.atomic():
        locked = _locked(endpoint)
        overlap = timedelta(seconds=settings.WEBHOOKS["OVERLAP_SECONDS"])
        locked.former_secret, locked.former_secret_until = locked.secret, timezone.now() + overlap
        locked.secret = seal(secret)
        locked.save(update_fields=["secret", "former_secret", "former_secret_until"])
        _record(actor, AuditAction.UPDATE, locked, act="rotate")
    return locked, secret


def send_test(*, actor: User, endpoint: WebhookEndpoint) -> WebhookMessage:
    """Store a test message. Raises Conflict when the endpoint is not active."""
    with transaction.atomic():
        locked = _locked(endpoint)
        _refuse_inactive(locked)
        _record(actor, AuditAction.UPDATE, locked, act="test")
        return outbox.store_test(locked)


def replay(*, actor: User, message: WebhookMessage) -> WebhookMessage:
    """Deliver a message once more, with the same id and content. Raises Conflict when it waits or cannot be sent."""
    with transaction.atomic():
        endpoint = _locked(message.endpoint)
        _refuse_inactive(endpoint)
        now = timezone.now()
        rows = WebhookMessage.objects.filter(pk=message.pk, state=MessageState.DELIVERED)
        if not rows.update(state=MessageState.PENDING, attempts=0, first_attempt_at=None, due_at=now):
            raise Conflict(_("This message waits already. It is delivered as soon as the receiver accepts it."))
        _record(actor, AuditAction.UPDATE, endpoint, act="replay", message=message.pk)
        transaction.on_commit(lambda: delivery.request(endpoint.pk), robust=True)
    message.refresh_from_db()
    return message


def delete(*, actor: User, endpoint: WebhookEndpoint) -> None:
    """Delete the endpoint with its messages and its log. Raises Gone."""
    with transaction.atomic():
        locked = _locked(endpoint)
        _record(actor, AuditAction.DELETE, locked)
        locked.delete()


def _country_for(actor: User, country: Country | None) -> Country | None:
    if actor.sees_all_countries():
        return country
    if not actor.is_admin_territorial() or actor.working_country_id() is None:
        raise NotAllowed(_("You may not manage webhooks."))
    if country is not None and country.pk != actor.working_country_id():
        raise NotAllowed(_("You may register webhooks of your own country only."))
    return actor.country


def _checked(fields: dict[str, Any]) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """The values as they are stored, and field → errors."""
    values: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    for field, value in fields.items():
        if field == "events":
            values[field] = [event.value for event in EVENT_TYPES if event in value]
            reason = _events_error(value)
        elif field == "url":
            values[field] = str(value).strip()
            reason = _url_error(values[field])
        else:
            values[field] = clean_text(str(value))
            reason = _name_error(values[field])
        if reason:
            errors[field] = [reason]
    return values, errors


def _events_error(events: list[str]) -> str:
    if not events or set(events) - set(EVENT_TYPES):
        return _("Choose from: %(values)s.") % {"values": ", ".join(EVENT_TYPES)}
    return ""


def _url_error(url: str) -> str:
    try:
        outgoing.check(url, seconds=settings.WEBHOOKS["CONNECT_SECONDS"])
    except OutgoingError as error:
        return str(error.reason.label)
    return ""


def _name_error(name: str) -> str:
    if not name:
        return _("This may not be empty.")
    if len(name) > LONGEST_NAME:
        return _("At most %(limit)d characters.") % {"limit": LONGEST_NAME}
    return ""


def _refuse_inactive(endpoint: WebhookEndpoint) -> None:
    if endpoint.state != EndpointState.ACTIVE:
        raise Conflict(_("This webhook is not active. Enable it first."))


def _locked(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    locked = WebhookEndpoint.objects.select_for_update().filter(pk=endpoint.pk).first()
    if locked is None:
        raise Gone
    return locked


def _record(actor: User, action: AuditAction, endpoint: WebhookEndpoint, **facts: Any) -> None:
    audit.record(actor=actor, action=action, target=endpoint, label=endpoint.name, data=facts)
