"""The search over all records (`/search/`): one text, a group of results for each kind of record that it can mean.

A text with a digit may be a claim number, a card or a policy; one with a letter may be a name. Each group reads the
keys of one kind, as the search of its list does, and only the groups that the text can match are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from common.formats import format_amount, format_day
from common.keys import claim_number, name_key, reference_key
from core import filters
from core.models import Claim, Client, Insured, Partner, Policy
from users.models import Country, User

SHOWN = 10
# One sign matches nearly everything and says nothing.
SHORTEST = 2


@dataclass(frozen=True)
class Result:
    """`title` names the record, `about` what tells it from others of the same name."""

    title: str
    about: str
    address: str


@dataclass(frozen=True)
class Group:
    """`more`: the address of the whole list, where there are more results than are shown."""

    kind: str
    title: str | Promise
    results: Sequence[Result]
    more: str = ""


def search(text: str, *, request: HttpRequest, user: User) -> list[Group]:
    """The groups that have results, claims first. A claim with exactly this number is the first of them.

    No groups for a text of fewer than SHORTEST letters and digits.
    """
    words = name_key(text).split()
    if len(reference_key(text)) < SHORTEST:
        return []
    has_digit = any(sign.isdigit() for sign in text)
    has_name = any(word.isalpha() for word in words)
    groups = [
        _claims(text, user=user, parts=has_digit),
        _persons(text, request=request, user=user, by_name=has_name),
        _listed("policies", _("Policies"), "page-policy", filters.PolicyFilter, text, request, user),
    ]
    if has_name:
        groups += [
            _listed("clients", _("Clients"), "page-client", filters.ClientFilter, text, request, user),
            _listed("partners", _("Providers"), "page-partner", filters.PartnerFilter, text, request, user),
        ]
    return [group for group in groups if group.results]


def _claims(text: str, *, user: User, parts: bool) -> Group:
    """By the whole number, which an index finds; by a part of it only where the text has a digit."""
    number = claim_number(text)
    related = ("insured", "partner", "country")
    rows: Any = Claim.objects.visible_to(user)
    # The index of numbers is one for each country.
    found = list(
        rows.filter(number=number, country__in=Country.objects.visible_to(user))
        .select_related(*related)
        .order_by("pk")[: SHOWN + 1]
    )
    if parts and len(found) <= SHOWN:
        # The rows first: related rows that are joined to all rows that are read take most of the time.
        ids = list(rows.filter(number__contains=number).order_by().values_list("pk", flat=True)[: SHOWN + 1])
        known = {claim.pk for claim in found}
        others = Claim.objects.visible_to(user).filter(pk__in=[pk for pk in ids if pk not in known])
        found += others.select_related(*related).order_by("number")
    results = [
        Result(
            title=claim.number,
            about=_about(
                user,
                claim.country,
                claim.insured.name,
                claim.partner.name,
                format_day(claim.settlement_date),
                format_amount(claim.reimbursed_amount, claim.currency, with_currency=True),
            ),
            address=reverse("page-claim", args=[claim.pk]),
        )
        for claim in found
    ]
    return _group("claims", _("Claims"), results, "page-claims", text)


def _persons(text: str, *, request: HttpRequest, user: User, by_name: bool) -> Group:
    rows: Any = Insured.objects.visible_to(user)
    if by_name:
        rows = filters.InsuredFilter({"search": text}, rows, request=request).qs
    else:
        # The index of cards is one for each country.
        rows = rows.filter(card_key=reference_key(text), country__in=Country.objects.visible_to(user))
    results = [
        Result(
            title=person.name,
            about=_about(user, person.country, person.card_number),
            address=reverse("page-insured", args=[person.pk]),
        )
        for person in rows.select_related("country").order_by("name_key", "pk")[: SHOWN + 1]
    ]
    return _group("insured", _("Insured persons"), results, "page-insured-list", text)


def _listed(
    kind: str, title: str | Promise, page: str, filterset: Any, text: str, request: HttpRequest, user: User
) -> Group:
    """Records that are found as the search of their list finds them."""
    model: Any = {"policies": Policy, "clients": Client, "partners": Partner}[kind]
    rows = filterset({"search": text}, model.objects.visible_to(user), request=request).qs
    results = [
        Result(title=str(row), about=_about(user, row.country), address=reverse(page, args=[row.pk]))
        for row in rows.select_related("country").order_by("key")[: SHOWN + 1]
    ]
    return _group(kind, title, results, f"page-{kind}", text)


def _group(kind: str, title: str | Promise, results: list[Result], page: str, text: str) -> Group:
    more = f"{reverse(page)}?{urlencode({'search': text})}" if len(results) > SHOWN else ""
    return Group(kind, title, results[:SHOWN], more)


def _about(user: User, country: Country, *parts: str) -> str:
    shown: Iterable[str] = (*parts, country.name) if user.sees_all_countries() else parts
    return " · ".join(part for part in shown if part)
