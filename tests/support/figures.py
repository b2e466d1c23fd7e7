"""The figures of the dashboard once more, row by row in plain Python, to compare with. Shares no code with it.

Slow on purpose: every figure is a loop over the rows as its definition reads (DOMAIN §8).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
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
    family: int
    insured: int
    client: int | None
    policy: int
    partner: int
    currency: str
    lines: tuple[Line, ...]
    claimed: Decimal
    reimbursed: Decimal
    # The coverage rate in force (DOMAIN §10): of the plan, else of the policy.
    rate: Decimal | None


@dataclass(frozen=True)
class Member:
    id: int
    insured: int
    policy: int
    client: int | None
    family: int
    role: str
    first: date | None


@dataclass(frozen=True)
class Portfolio:
    """Settled claims, memberships and premiums of some countries, of all time. `kind`: of the scope, "" of all."""

    claims: tuple[Claim, ...]
    members: tuple[Member, ...]
    premiums: tuple[core.Premium, ...] = ()
    kind: str = ""


def read(countries: Iterable[int]) -> Portfolio:
    """All that the database has of the countries, cancelled claims left out."""
    ids = list(countries)
    memberships = list(core.Membership.objects.filter(policy__country_id__in=ids).order_by("pk"))
    # A family is the membership of its principal on the policy (DOMAIN §12).
    heads: dict[tuple[int, int], int] = {}
    for one in sorted(memberships, key=lambda one: one.principal_id is not None):
        heads.setdefault((one.policy_id, one.insured_id), one.pk)
    members = tuple(
        Member(
            one.pk,
            one.insured_id,
            one.policy_id,
            one.client_id,
            heads.get((one.policy_id, one.principal_id or one.insured_id), one.pk),
            one.role,
            one.first_settlement_date,
        )
        for one in memberships
    )
    by_id = {one.id: one for one in members}
    rates = {one.pk: _rate(one) for one in core.Membership.objects.select_related("plan", "policy")}
    claims = []
    rows = core.Claim.objects.filter(country_id__in=ids, status="settled").order_by("pk")
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
        claims.append(
            Claim(
                id=row.pk,
                number=row.number,
                country=row.country_id,
                settled=row.settlement_date,
                incident=row.incident_date,
                membership=row.membership_id,
                role=by_id[row.membership_id].role,
                family=by_id[row.membership_id].family,
                insured=row.insured_id,
                client=row.client_id,
                policy=row.policy_id,
                partner=row.partner_id,
                currency=row.currency,
                lines=lines,
                claimed=row.claimed_amount,
                reimbursed=row.reimbursed_amount,
                rate=rates[row.membership_id],
            )
        )
    return Portfolio(tuple(claims), members, tuple(core.Premium.objects.filter(country_id__in=ids).order_by("pk")))


def _rate(membership: core.Membership) -> Decimal | None:
    for record in (membership.plan, membership.policy):
        for rate in () if record is None else (record.typed_rate, record.observed_rate):
            if rate is not None:
                return rate
    return None


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
    if kind in ("client", "policy", "insured", "family"):
        members = [one for one in portfolio.members if getattr(one, kind) == id_]
    else:
        first: dict[int, date] = {}
        for claim in claims:
            first[claim.membership] = min(first.get(claim.membership, claim.settled), claim.settled)
        members = [
            Member(one.id, one.insured, one.policy, one.client, one.family, one.role, first[one.id])
            for one in portfolio.members
            if one.id in first
        ]
    # Only clients have premiums.
    premiums = tuple(one for one in portfolio.premiums if kind != "client" or one.client_id == id_)
    return Portfolio(tuple(claims), tuple(members), premiums, kind)


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


def evolution(value: Any, before: Any) -> dict[str, str | None]:
    """`value`, `before`: as JSON; a missing one counts as nothing."""
    now, then = Decimal(value or 0), Decimal(before or 0)
    if not then:
        return {"type": "new" if now else "none", "percent": None}
    percent = (abs(now - then) / abs(then) * 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return {"type": "same" if now == then else "up" if now > then else "down", "percent": str(percent)}


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
    insured = {one.client_id for one in portfolio.premiums if one.start <= end and one.end >= start}
    values["clients_without_premium", None] = len({claim.client for claim in claims} - {None} - insured)
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
    """The rows of a ranking as the API has them, but for name and url."""
    rows = _ranked(portfolio, start, end, by, currency)
    before = {row["id"]: row for row in _ranked(portfolio, *previous(start, end), by, currency)}
    for row in rows:
        earlier = before.get(row["id"], {})
        row["evolution"] = evolution(row["reimbursed"], earlier.get("reimbursed"))
        row["previous_rank"] = earlier.get("rank")
    return rows


def _ranked(portfolio: Portfolio, start: date, end: date, by: str, currency: str) -> list[dict[str, Any]]:
    amounts: dict[int, list[tuple[int, int, Decimal, Decimal]]] = defaultdict(list)
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
        insured = len({part[1] for part in parts})
        rows.append(
            {
                "id": id_,
                "reimbursed": f"{reimbursed:.2f}",
                "claimed": f"{sum((part[2] for part in parts), ZERO):.2f}",
                "claims": len({part[0] for part in parts}),
                "insured": insured,
                "share": ratio(reimbursed, whole),
                "cost_per_insured": mean(reimbursed, insured),
            }
        )
    rows.sort(key=lambda row: (-Decimal(row["reimbursed"]), row["id"]))
    cumulated = ZERO
    for row in rows:
        cumulated += Decimal(row["reimbursed"])
        row["cumulative_share"] = ratio(cumulated, whole)
        row["rank"] = 1 + sum(1 for other in rows if Decimal(other["reimbursed"]) > Decimal(row["reimbursed"]))
    return rows


def ranking_total(portfolio: Portfolio, start: date, end: date, currency: str) -> dict[str, Any]:
    """All claims of the scope in a currency: what shares are shares of."""
    now = [claim for claim in within(portfolio, start, end) if claim.currency == currency]
    before = [claim for claim in within(portfolio, *previous(start, end)) if claim.currency == currency]
    reimbursed = sum((claim.reimbursed for claim in now), ZERO)
    insured = len({claim.insured for claim in now})
    return {
        "reimbursed": f"{reimbursed:.2f}",
        "claimed": f"{sum((claim.claimed for claim in now), ZERO):.2f}",
        "share": "1.0000" if reimbursed else None,
        "claims": len(now),
        "insured": insured,
        "cost_per_insured": mean(reimbursed, insured),
        "evolution": evolution(reimbursed, sum((claim.reimbursed for claim in before), ZERO)),
    }


def concentration(portfolio: Portfolio, start: date, end: date, currency: str) -> dict[str, Any]:
    """Shares of the highest 1, 5 and 10 % of the insured with a claim; known insured (persons) without one."""
    amounts: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for claim in within(portfolio, start, end):
        if claim.currency == currency:
            amounts[claim.insured] += claim.reimbursed
    ordered = sorted(amounts.values(), reverse=True)
    shares = []
    for percent in (1, 5, 10):
        count = -(-len(ordered) * percent // 100)
        shares.append(
            {
                "percent": percent,
                "insured": count,
                "share": ratio(sum(ordered[:count], ZERO), sum(ordered, ZERO)),
            }
        )
    known = {one.insured for one in portfolio.members if one.first and one.first <= end}
    active = {claim.insured for claim in within(portfolio, start, end)}
    return {
        "currency": currency,
        "insured": len(ordered),
        "known_insured": len(known),
        "shares": shares,
        "share_without_claim": ratio(len(known - active), len(known)),
    }


# ------------------------------------------------------------------------------------------------ series


def slots(start: date, end: date) -> tuple[str, list[dict[str, Any]]]:
    """The unit, and its slots as the API has them: days are walked one by one."""
    length = (end - start).days + 1
    day_of_end = start.replace(year=start.year + 3) if (start.month, start.day) != (2, 29) else None
    unit = (
        "day"
        if length <= 31
        else "week"
        if length <= 120
        else "month"
        if end < (day_of_end or date(start.year + 3, 3, 1))
        else "quarter"
    )

    def slot_of(day: date) -> tuple[int, ...]:
        if unit == "day":
            return (day.toordinal(),)
        if unit == "week":
            return tuple(day.isocalendar()[:2])
        return (day.year, day.month if unit == "month" else (day.month - 1) // 3)

    days = [start + timedelta(days=at) for at in range(length)]
    found: dict[tuple[int, ...], list[date]] = {}
    for day in days:
        found.setdefault(slot_of(day), []).append(day)
    one = timedelta(days=1)
    return unit, [
        {
            "start": inside[0].isoformat(),
            "end": inside[-1].isoformat(),
            # The day before or after would be of the same slot.
            "is_cut": slot_of(inside[0] - one) == slot or slot_of(inside[-1] + one) == slot,
        }
        for slot, inside in found.items()
    ]


# ------------------------------------------------------------------------------------------------ frequency


def frequency(portfolio: Portfolio, start: date, end: date, currency: str) -> dict[str, Any]:
    """Lines per known insured and cost per line of each category, and what the change of S parts into."""
    before = previous(start, end)
    now_lines, then_lines = (_by_category(portfolio, *days, currency) for days in ((start, end), before))
    known, known_before = exposure, earlier = tuple(
        sum(1 for one in portfolio.members if one.first and one.first <= last) for last in (end, before[1])
    )
    typed, typed_before = headcount(portfolio, start, end), headcount(portfolio, *before)
    has_headcount = typed is not None and (typed_before is not None or not known_before)
    if has_headcount:
        exposure, earlier = typed or 0, typed_before or 0
    rows = []
    whole = [Fraction(0)] * 3
    for category in {*now_lines, *then_lines}:
        now, then = now_lines.get(category, []), then_lines.get(category, [])
        reimbursed, reimbursed_then = sum(now, ZERO), sum(then, ZERO)
        effects = None
        if exposure and earlier:
            f1, f0 = Fraction(len(now), exposure), Fraction(len(then), earlier)
            # Without lines in one of the periods, nothing is known of its cost: that of the other one stands for it.
            c1 = Fraction(reimbursed) / len(now) if now else Fraction(reimbursed_then) / len(then)
            c0 = Fraction(reimbursed_then) / len(then) if then else c1
            effects = [(exposure - earlier) * f0 * c0, exposure * (f1 - f0) * c0, exposure * f1 * (c1 - c0)]
            assert sum(effects) == Fraction(reimbursed) - Fraction(reimbursed_then)
            whole = [a + b for a, b in zip(whole, effects, strict=True)]
        rows.append(
            {
                "id": category,
                "lines": len(now),
                "reimbursed": f"{reimbursed:.2f}",
                "frequency": ratio(len(now), exposure),
                "cost": mean(reimbursed, len(now)),
                "previous_lines": len(then),
                "previous_reimbursed": f"{reimbursed_then:.2f}",
                "change": f"{reimbursed - reimbursed_then:.2f}",
                "effects": effects,
            }
        )
    rows.sort(key=lambda row: (-Decimal(str(row["reimbursed"])), row["id"]))
    return {
        "currency": currency,
        "known_insured": known,
        "previous_known_insured": known_before,
        "exposure": exposure,
        "previous_exposure": earlier,
        "exposure_basis": "headcount" if has_headcount else "known_insured",
        "rows": rows,
        "effects": whole if rows and exposure and earlier else None,
    }


def headcount(portfolio: Portfolio, start: date, end: date) -> int | None:
    """The typed number of insured: of each client that of its last premium with a day in the period (DOMAIN §9)."""
    last: dict[int, core.Premium] = {}
    for one in sorted(portfolio.premiums, key=lambda one: one.start):
        if one.start <= end and one.end >= start:
            last[one.client_id] = one
    typed = {client: one.insured_count for client, one in last.items() if one.insured_count is not None}
    clients = {claim.client for claim in within(portfolio, start, end)}
    if portfolio.kind not in ("", "client") or not typed or None in clients or clients - set(typed):
        return None
    return sum(typed.values())


def _by_category(portfolio: Portfolio, start: date, end: date, currency: str) -> dict[int, list[Decimal]]:
    found: dict[int, list[Decimal]] = defaultdict(list)
    for claim in within(portfolio, start, end):
        if claim.currency == currency:
            for line in claim.lines:
                found[line.act_category].append(line.reimbursed)
    return found


# ------------------------------------------------------------------------------------------------ delay


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
    counts = {
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
        "bands": [
            {
                "key": key,
                "claims": count,
                "share": None if key in ("negative", "unknown") else ratio(count, len(measured)),
            }
            for key, count in counts.items()
        ],
    }


def currencies(portfolio: Portfolio, start: date, end: date) -> list[str]:
    """Those of the period, the one of most claims first, then those of the period before alone."""
    found: list[str] = []
    for days in ((start, end), previous(start, end)):
        counts = Counter(claim.currency for claim in within(portfolio, *days))
        found += sorted(set(counts) - set(found), key=lambda one: (-counts[one], one))
    return found
