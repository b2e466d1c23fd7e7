"""What helps to judge whether two records are one: their claims, amounts, dates, names, roles and files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Min, Sum

from core.models import (
    REVIEWED_MODELS,
    Claim,
    ClaimLine,
    InsuredSpelling,
    Membership,
    ReviewKind,
    ReviewPair,
)
from core.other_names import ALIASES

CENT = Decimal("0.01")
# A person is rarely on more policies, a record rarely in more files.
MOST_NAMED = 5


@dataclass
class Amounts:
    """Sums of claims in one currency."""

    currency: str
    claimed: Decimal
    reimbursed: Decimal


@dataclass
class Role:
    policy: str
    role: str
    principal: str


@dataclass
class RecordFacts:
    """One record of a pair. `claims`: of all states. `policies`: how many, of clients and persons.

    `roles`: of a person, on MOST_NAMED policies. `files`: (id, name) of the files of its claims, MOST_NAMED at most.
    """

    id: int
    name: str
    card_number: str = ""
    is_deduced: bool = False
    address: str = ""
    partner_country: str = ""
    other_names: list[str] = field(default_factory=list)
    claims: int = 0
    policies: int = 0
    amounts: list[Amounts] = field(default_factory=list)
    first_settlement_date: date | None = None
    last_settlement_date: date | None = None
    roles: list[Role] = field(default_factory=list)
    files: list[tuple[int, str]] = field(default_factory=list)


def facts_of_pairs(pairs: Iterable[ReviewPair], *, with_files: bool = False) -> dict[tuple[str, int], RecordFacts]:
    """(kind, id) → the facts of each record of the pairs that is there."""
    ids: dict[str, set[int]] = defaultdict(set)
    for pair in pairs:
        ids[pair.kind] |= {pair.one_id, pair.other_id}
    return {
        (kind, id_): facts
        for kind, wanted in ids.items()
        for id_, facts in facts_of(ReviewKind(kind), wanted, with_files=with_files).items()
    }


def facts_of(kind: ReviewKind, ids: Collection[int], *, with_files: bool = False) -> dict[int, RecordFacts]:
    """The facts of the records of a kind, in a fixed number of queries. The caller has checked who may see them."""
    rows: Any = REVIEWED_MODELS[kind]._default_manager.filter(pk__in=ids)
    found = {
        row.pk: RecordFacts(
            id=row.pk,
            name=row.name,
            card_number=getattr(row, "card_number", ""),
            is_deduced=getattr(row, "is_deduced", False),
            address=getattr(row, "address", ""),
            partner_country=getattr(row, "partner_country", ""),
        )
        for row in rows
    }
    _add_claims(kind, found)
    _add_names(kind, found)
    if kind in (ReviewKind.CLIENT, ReviewKind.INSURED):
        _add_memberships(kind, found)
    if with_files:
        claims, reference = _claims_of(kind)
        named = claims.filter(**{f"{reference}__in": list(found), "file__isnull": False})
        for id_, file_id, name in named.order_by("file_id").values_list(reference, "file_id", "file__name").distinct():
            if len(found[id_].files) < MOST_NAMED:
                found[id_].files.append((file_id, name))
    return found


def claim_counts(kind: ReviewKind, ids: Collection[int]) -> dict[int, int]:
    """Id → how many claims the record has; of operators, how many lines."""
    rows, reference = _claims_of(kind)
    counted = rows.filter(**{f"{reference}__in": list(ids)}).order_by().values(reference).annotate(number=Count("pk"))
    return dict.fromkeys(ids, 0) | dict(counted.values_list(reference, "number"))


def _claims_of(kind: ReviewKind) -> tuple[Any, str]:
    """The rows that refer to records of the kind, and the reference."""
    if kind == ReviewKind.OPERATOR:
        return ClaimLine.objects.all(), "operator_id"
    return Claim.objects.all(), f"{kind.value}_id"


def _add_claims(kind: ReviewKind, found: dict[int, RecordFacts]) -> None:
    rows, reference = _claims_of(kind)
    claim, count = ("claim__", Count("claim", distinct=True)) if kind == ReviewKind.OPERATOR else ("", Count("pk"))
    sums = (
        rows.filter(**{f"{reference}__in": list(found)})
        .order_by()
        .values(reference, f"{claim}currency")
        .annotate(
            number=count,
            claimed=Sum("claimed_amount"),
            reimbursed=Sum("reimbursed_amount"),
            first=Min(f"{claim}settlement_date"),
            last=Max(f"{claim}settlement_date"),
        )
        .values_list(reference, f"{claim}currency", "number", "claimed", "reimbursed", "first", "last")
    )
    for id_, currency, number, claimed, reimbursed, first, last in sums:
        facts = found[id_]
        facts.claims += number
        # SQLite adds decimals as floats; the sums are exact to the hundredth.
        facts.amounts.append(Amounts(currency, claimed.quantize(CENT), reimbursed.quantize(CENT)))
        facts.first_settlement_date = min(filter(None, (facts.first_settlement_date, first)))
        facts.last_settlement_date = max(filter(None, (facts.last_settlement_date, last)))
    for facts in found.values():
        facts.amounts.sort(key=lambda one: one.currency)


def _add_names(kind: ReviewKind, found: dict[int, RecordFacts]) -> None:
    names: Any = InsuredSpelling.objects.all() if kind == ReviewKind.INSURED else ALIASES[kind].objects.all()
    named = names.filter(**{f"{kind.value}__in": list(found)}).order_by("pk")
    for id_, name in named.values_list(f"{kind.value}_id", "name"):
        found[id_].other_names.append(name)


def _add_memberships(kind: ReviewKind, found: dict[int, RecordFacts]) -> None:
    reference = f"{kind.value}_id"
    rows = Membership.objects.filter(**{f"{reference}__in": list(found)})
    if kind == ReviewKind.CLIENT:
        counts = rows.order_by().values(reference).annotate(number=Count("policy", distinct=True))
        for id_, number in counts.values_list(reference, "number"):
            found[id_].policies = number
        return
    policies: dict[int, set[int]] = defaultdict(set)
    for row in rows.select_related("policy", "principal").order_by("pk"):
        facts = found[row.insured_id]
        if len(facts.roles) < MOST_NAMED:
            principal = row.principal.name if row.principal else ""
            facts.roles.append(Role(row.policy.number, row.get_role_display(), principal))
        policies[row.insured_id].add(row.policy_id)
        facts.policies = len(policies[row.insured_id])
