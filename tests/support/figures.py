"""The figures of the dashboard once more, row by row in plain Python, to compare with. Shares no code with it.

Slow on purpose: every figure is a loop over the rows as its definition reads (DOMAIN §8).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from core import models as core

ROLES = ("primary", "spouse", "child", "other")
ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Line:
    claim: int
    act: int | None
    act_category: int
    operator: int | None
    invoice: int | None
    incident: date | None
    claimed: Decimal
    reimbursed: Decimal


@dataclass(frozen=True)
class Claim:
    id: int
    number: str
    country: int
    settled: date
    incident: date | None
    membership: int
    role: str
    family: tuple[int, int]
    insured: int
    client: int | None
    policy: int
    partner: int
    currency: str
    lines: tuple[Line, ...]
    claimed: Decimal
    reimbursed: Decimal


@dataclass(frozen=True)
class Member:
    id: int
    insured: int
    policy: int
    client: int | None
    role: str
    first: date | None


@dataclass(frozen=True)
class Portfolio:
    """Settled claims and memberships of some countries, of all time."""

    claims: tuple[Claim, ...]
    members: tuple[Member, ...]


def read(countries: Iterable[int]) -> Portfolio:
    """All that the database has of the countries, cancelled claims left out."""
    ids = list(countries)
    claims = []
    rows = core.Claim.objects.filter(country_id__in=ids, status="settled").select_related("membership").order_by("pk")
    for row in rows.prefetch_related("lines"):
        lines = tuple(
            Line(
                row.pk,
                one.act_id,
                one.category_id,
                one.operator_id,
                one.invoice_id,
                one.incident_date,
                one.claimed_amount,
                one.reimbursed_amount,
            )
            for one in row.lines.all()
        )
        member = row.membership
        claims.append(
            Claim(
                id=row.pk,
                number=row.number,
                country=row.country_id,
                settled=row.settlement_date,
                incident=row.incident_date,
                membership=member.pk,
                role=member.role,
                family=(member.policy_id, member.principal_id or member.insured_id),
                insured=row.insured_id,
                client=row.client_id,
                policy=row.policy_id,
                partner=row.partner_id,
                currency=row.currency,
                lines=lines,
                claimed=row.claimed_amount,
                reimbursed=row.reimbursed_amount,
            )
        )
    members = tuple(
        Member(one.pk, one.insured_id, one.policy_id, one.client_id, one.role, one.first_settlement_date)
        for one in core.Membership.objects.filter(policy__country_id__in=ids).order_by("pk")
    )
    return Portfolio(tuple(claims), members)


def in_scope(portfolio: Portfolio, kind: str, id_: int) -> Portfolio:
    """The claims (of operators, acts and categories: their lines alone) and memberships of a scope."""
    if kind in ("operator", "act", "act_category"):
        claims = []
        for claim in portfolio.claims:
            lines = tuple(line for line in claim.lines if getattr(line, kind) == id_)
            if lines:
                claimed = sum((line.claimed for line in lines), ZERO)
                reimbursed = sum((line.reimbursed for line in lines), ZERO)
                claims.append(_with(claim, lines=lines, claimed=claimed, reimbursed=reimbursed))
    else:
        claims = [claim for claim in portfolio.claims if getattr(claim, kind) == id_]
    if kind in ("client", "policy", "insured"):
        members = [one for one in portfolio.members if getattr(one, kind) == id_]
    else:
        first: dict[int, date] = {}
        for claim in claims:
            first[claim.membership] = min(first.get(claim.membership, claim.settled), claim.settled)
        members = [
            Member(one.id, one.insured, one.policy, one.client, one.role, first[one.id])
            for one in portfolio.members
            if one.id in first
        ]
    return Portfolio(tuple(claims), tuple(members))


def _with(claim: Claim, **changes: Any) -> Claim:
    return Claim(**{**{name: getattr(claim, name) for name in claim.__dataclass_fields__}, **changes})


def span(portfolio: Portfolio) -> tuple[date, date] | None:
    days = [claim.settled for claim in portfolio.claims]
    return (min(days), max(days)) if days else None


def within(portfolio: Portfolio, start: date, end: date) -> list[Claim]:
    return [claim for claim in portfolio.claims if start <= claim.settled <= end]


def previous(start: date, end: date) -> tuple[date, date]:
    length = (end - start).days + 1
    return start - timedelta(days=length), start - timedelta(days=1)


def ratio(part: Decimal | int, whole: Decimal | int) -> str | None:
    return None if not whole else str((Decimal(part) / Decimal(whole)).quantize(Decimal("0.0001"), ROUND_HALF_UP))


def mean(amount: Decimal, count: int) -> str | None:
    return None if not count else str((amount / count).quantize(Decimal("0.01"), ROUND_HALF_UP))


def portfolio_values(
    portfolio: Portfolio, start: date, end: date, currencies: Iterable[str]
) -> dict[tuple[str, str | None], Any]:
    """(key, currency or None) → value as JSON."""
    claims = within(portfolio, start, end)
    values: dict[tuple[str, str | None], Any] = {
        ("claims", None): len(claims),
        ("lines", None): sum(len(claim.lines) for claim in claims),
        ("insured_who_consumed", None): len({claim.insured for claim in claims}),
        ("known_insured", None): sum(1 for one in portfolio.members if one.first and one.first <= end),
        ("active_clients", None): len({claim.client for claim in claims if claim.client}),
        ("active_policies", None): len({claim.policy for claim in claims}),
        ("active_partners", None): len({claim.partner for claim in claims}),
        ("active_operators", None): len({line.operator for claim in claims for line in claim.lines if line.operator}),
    }
    for role in ROLES:
        values[f"insured_who_consumed_{role}", None] = len({claim.insured for claim in claims if claim.role == role})
        values[f"known_insured_{role}", None] = sum(
            1 for one in portfolio.members if one.role == role and one.first and one.first <= end
        )
    for key, kind in (("new_clients", "client"), ("new_insured", "insured"), ("new_partners", "partner")):
        first: dict[int, date] = {}
        for claim in portfolio.claims:
            id_ = getattr(claim, kind)
            if id_ is not None:
                first[id_] = min(first.get(id_, claim.settled), claim.settled)
        values[key, None] = sum(1 for day in first.values() if start <= day <= end)
    for currency in currencies:
        own = [claim for claim in claims if claim.currency == currency]
        claimed = sum((claim.claimed for claim in own), ZERO)
        reimbursed = sum((claim.reimbursed for claim in own), ZERO)
        values |= {
            ("claimed", currency): f"{claimed:.2f}",
            ("reimbursed", currency): f"{reimbursed:.2f}",
            ("reimbursement_rate", currency): ratio(reimbursed, claimed),
            ("cost_per_claim", currency): mean(reimbursed, len(own)),
            ("cost_per_insured", currency): mean(reimbursed, len({claim.insured for claim in own})),
        }
    return values


def ranking(portfolio: Portfolio, start: date, end: date, by: str, currency: str) -> list[dict[str, Any]]:
    """Rows: id (of a family: its policy and head), rank, amounts, claims, insured, share, cumulative share."""
    amounts: dict[Any, list[tuple[int, int, Decimal, Decimal]]] = defaultdict(list)
    whole = ZERO
    for claim in within(portfolio, start, end):
        if claim.currency != currency:
            continue
        whole += claim.reimbursed
        if by in ("operator", "act", "act_category"):
            for line in claim.lines:
                if getattr(line, by) is not None:
                    amounts[getattr(line, by)].append((claim.id, claim.insured, line.claimed, line.reimbursed))
        elif getattr(claim, by) is not None:
            amounts[getattr(claim, by)].append((claim.id, claim.insured, claim.claimed, claim.reimbursed))
    rows: list[dict[str, Any]] = []
    for id_, parts in amounts.items():
        reimbursed = sum((part[3] for part in parts), ZERO)
        rows.append(
            {
                "id": id_,
                "reimbursed": f"{reimbursed:.2f}",
                "claimed": f"{sum((part[2] for part in parts), ZERO):.2f}",
                "claims": len({part[0] for part in parts}),
                "insured": len({part[1] for part in parts}),
                "share": ratio(reimbursed, whole),
            }
        )
    rows.sort(key=lambda row: (-Decimal(row["reimbursed"]), row["id"]))
    cumulated = ZERO
    for row in rows:
        cumulated += Decimal(row["reimbursed"])
        row["cumulative_share"] = ratio(cumulated, whole)
        row["rank"] = 1 + sum(1 for other in rows if Decimal(other["reimbursed"]) > Decimal(row["reimbursed"]))
    return rows


def percentile(values: list[int], share: Decimal) -> float | None:
    """Interpolated between the two values that it lies between."""
    if not values:
        return None
    ordered = sorted(values)
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return round(float(ordered[low] + (ordered[high] - ordered[low]) * (at - low)), 2)


def delay(portfolio: Portfolio, start: date, end: date) -> dict[str, Any]:
    claims = within(portfolio, start, end)
    days = [(claim.settled - claim.incident).days for claim in claims if claim.incident]
    measured = [one for one in days if one >= 0]
    bands = {
        "0-7": sum(1 for one in measured if one <= 7),
        "8-30": sum(1 for one in measured if 8 <= one <= 30),
        "31-90": sum(1 for one in measured if 31 <= one <= 90),
        "91+": sum(1 for one in measured if one > 90),
        "negative": sum(1 for one in days if one < 0),
        "unknown": sum(1 for claim in claims if claim.incident is None),
    }
    return {
        "n": len(measured),
        "median": percentile(measured, Decimal("0.5")),
        "p90": percentile(measured, Decimal("0.9")),
        "bands": bands,
    }
