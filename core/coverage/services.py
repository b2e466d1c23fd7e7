"""Typed coverage rates and subscribers (DOMAIN §10): typed by people, given back to what is observed or deduced."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeVar

from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Gone, Invalid, NotAllowed
from common.keys import clean_text, is_empty
from core.changes import lock_countries
from core.data_versions import MEMBERSHIPS, renew
from core.models import Plan, Policy
from users import audit
from users.models import AuditAction, User
from users.scoping import country_id_of

LONGEST_NAME = 255
STEP = Decimal("0.01")

Covered = TypeVar("Covered", Policy, Plan)


def may_type_rates(user: User, country_id: int) -> bool:
    """Whether the account may type rates and subscribers in this country (DOMAIN §1)."""
    return user.is_superuser_role() or (user.is_admin_territorial() and user.working_country_id() == country_id)


def type_rate(*, actor: User, record: Covered, rate: Decimal | None) -> Covered:
    """Type the coverage rate of a policy or plan, 0 < rate ≤ 1 in steps of 0.01; None gives it back.

    No import replaces a typed rate. Renews the version of the figures. Raises NotAllowed, Invalid, and Gone for a
    record that was removed meanwhile.
    """
    _require_right(actor, record)
    if rate is not None and not (0 < rate <= 1 and rate == rate.quantize(STEP)):
        raise Invalid({"rate": [_("Give a rate above 0 and up to 1, in steps of 0.01.")]})
    with transaction.atomic():
        record = _locked(record)
        if record.typed_rate != rate:
            record.typed_rate = rate
            record.save(update_fields=["typed_rate"])
            renew(_country(record), [MEMBERSHIPS])
            data = {"part": "rate", "typed": rate is not None}
            audit.record(actor=actor, action=AuditAction.UPDATE, target=record, label=str(record), data=data)
    return record


def type_subscriber(*, actor: User, policy: Policy, name: str) -> Policy:
    """Type who took the policy out; an empty name gives it back to the deduced one. No import replaces a typed one.

    Raises NotAllowed, Invalid, and Gone for a policy that was removed meanwhile.
    """
    _require_right(actor, policy)
    name = "" if is_empty(name) else clean_text(name)
    if len(name) > LONGEST_NAME:
        raise Invalid({"subscriber": [_("At most %(limit)d characters.") % {"limit": LONGEST_NAME}]})
    with transaction.atomic():
        policy = _locked(policy)
        if policy.typed_subscriber != name:
            policy.typed_subscriber = name
            policy.save(update_fields=["typed_subscriber"])
            # The name of a person or employer: only that there is one is kept in the trail.
            data = {"part": "subscriber", "typed": bool(name)}
            audit.record(actor=actor, action=AuditAction.UPDATE, target=policy, label=str(policy), data=data)
    return policy


def _require_right(actor: User, record: Policy | Plan) -> None:
    if not may_type_rates(actor, _country(record)):
        raise NotAllowed(_("Only territorial administrators of the country type coverage rates and subscribers."))


def _locked(record: Covered) -> Covered:
    """The record as it is now, in a country that nobody else changes until the end of the transaction."""
    lock_countries([_country(record)])
    related = ("country",) if isinstance(record, Policy) else ("policy",)
    now: Covered | None = type(record)._default_manager.select_related(*related).filter(pk=record.pk).first()
    if now is None:
        raise Gone(_("It was removed meanwhile."))
    return now


def _country(record: Policy | Plan) -> int:
    country_id = country_id_of(record)
    assert country_id is not None
    return country_id
