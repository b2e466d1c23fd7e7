"""Persons and families of a small country, and their whole state as plain values, to compare before and after."""

from __future__ import annotations

from datetime import date
from typing import Any

from core import models as core
from tests.support.cast import PASSWORD
from tests.support.small_country import SmallCountry

Dump = dict[str, list[dict[str, Any]]]
EARLY, LATE = date(2024, 2, 10), date(2024, 11, 20)


def dump() -> Dump:
    """Every column of persons, spellings and memberships, and the references of claims, in order of their ids."""
    claims = core.Claim.objects.order_by("pk")
    references = ("pk", "membership", "insured", "policy", "client", "claimed_amount", "reimbursed_amount")
    return {
        model.__name__: list(model._default_manager.order_by("pk").values())
        for model in (core.Insured, core.InsuredSpelling, core.Membership)
    } | {"Claim": list(claims.values(*references))}


def small_country(code: str = "TG") -> SmallCountry:
    """Its account can confirm changes with the usual password."""
    country = SmallCountry(code)
    country.user.set_password(PASSWORD)
    country.user.save()
    # A new password ends the token.
    country._sign_in(country.user)
    return country


def give_card(insured: core.Insured, number: str) -> None:
    insured.card_number = insured.card_key = number
    insured.save()


def fit_dates() -> None:
    """The dates of memberships as an import writes them."""
    for membership in core.Membership.objects.all():
        days = sorted(membership.claims.values_list("settlement_date", flat=True))
        membership.first_settlement_date = days[0] if days else None
        membership.last_settlement_date = days[-1] if days else None
        membership.save()
