"""The figures of a sample pair (DOMAIN §8): loops over its imported claims, as each definition reads.

They are those of a country that has this pair alone, over all its days. Records stand under their names, amounts and
ratios are decimal strings, ratios have four decimals.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from samples import columns as c
from samples.claims import SampleClaim
from samples.spelling import money

ROLES = {"A": "primary", "C": "spouse", "E": "child"}
_BANDS = (("0-7", 0, 7), ("8-30", 8, 30), ("31-90", 31, 90), ("91+", 91, 10**6))

Figures = dict[str, Any]


def figures_of(settled: list[SampleClaim], cancelled: list[SampleClaim]) -> Figures:
    """The figures of the imported claims; at least one is settled. A person with only a cancelled claim is known."""
    days = [claim.settled for claim in settled]
    return {
        "period": [min(days).isoformat(), max(days).isoformat()],
        "portfolio": _portfolio(settled, known=_memberships([*settled, *cancelled])),
        "rankings": {by: _ranking(settled, by) for by in (*_OF_CLAIM, *_OF_LINE)},
        "delay": _delay(settled),
        "triangle": _triangle(settled),
    }


def _ratio(part: int, whole: int) -> str | None:
    return None if not whole else str((Decimal(part) / whole).quantize(Decimal("0.0001"), ROUND_HALF_UP))


def _mean(cents: int, count: int) -> str | None:
    return None if not count else str((Decimal(cents) / 100 / count).quantize(Decimal("0.01"), ROUND_HALF_UP))


def _persons(claims: Iterable[SampleClaim]) -> set[Any]:
    return {claim.person for claim in claims}


def _memberships(claims: Iterable[SampleClaim]) -> set[Any]:
    return {(claim.person, claim.policy.number, claim.client) for claim in claims}


def _portfolio(claims: list[SampleClaim], *, known: set[Any]) -> Figures:
    lines = [line for claim in claims for line in claim.lines]
    claimed = sum(claim.totals()[0] for claim in claims)
    reimbursed = sum(claim.totals()[1] for claim in claims)
    people = _persons(claims)
    clients = {claim.client for claim in claims if claim.client}
    partners = {claim.partner.name for claim in claims}
    values: Figures = {
        "claims": len(claims),
        "lines": len(lines),
        "claimed": money(claimed),
        "reimbursed": money(reimbursed),
        "reimbursement_rate": _ratio(reimbursed, claimed),
        "cost_per_claim": _mean(reimbursed, len(claims)),
        "cost_per_insured": _mean(reimbursed, len(people)),
        "insured_who_consumed": len(people),
        "active_clients": len(clients),
        "active_policies": len({claim.policy.number for claim in claims}),
        "active_partners": len(partners),
        "active_operators": len({line[c.OPERATOR] for line in lines} - {None}),
        "new_clients": len(clients),
        "new_insured": len(people),
        "new_partners": len(partners),
    }
    for code, role in ROLES.items():
        values[f"insured_who_consumed_{role}"] = sum(person.status == code for person in people)
        values[f"known_insured_{role}"] = sum(person.status == code for person, _policy, _client in known)
    return values | {"known_insured": len(known)}


_OF_CLAIM: dict[str, Callable[[SampleClaim], str | None]] = {
    "client": lambda claim: claim.client,
    "policy": lambda claim: claim.policy.number,
    "partner": lambda claim: claim.partner.name,
}
_OF_LINE = {"operator": c.OPERATOR, "act": c.ACT, "act_category": c.CATEGORY}


def _ranking(claims: list[SampleClaim], by: str) -> list[Figures]:
    """Records by what was reimbursed; those of one amount by name."""
    parts: dict[str, list[tuple[SampleClaim, int, int]]] = defaultdict(list)
    for claim in claims:
        if by in _OF_CLAIM:
            name = _OF_CLAIM[by](claim)
            if name:
                parts[name].append((claim, *claim.totals()))
            continue
        for line in claim.lines:
            if line[_OF_LINE[by]] is not None:
                parts[line[_OF_LINE[by]]].append((claim, line[c.CLAIMED], line[c.REIMBURSED]))
    rows: list[Figures] = [
        {
            "name": name,
            "reimbursed": sum(part[2] for part in found),
            "claimed": sum(part[1] for part in found),
            "claims": len({part[0].number for part in found}),
            "insured": len(_persons(part[0] for part in found)),
        }
        for name, found in parts.items()
    ]
    rows.sort(key=lambda row: (-row["reimbursed"], row["name"]))
    return [{**row, "reimbursed": money(row["reimbursed"]), "claimed": money(row["claimed"])} for row in rows]


def _incident(claim: SampleClaim) -> dt.date | None:
    days = [line[c.INCIDENT] for line in claim.lines if isinstance(line[c.INCIDENT], dt.date)]
    return min(days) if days else None


def _delay(claims: list[SampleClaim]) -> Figures:
    """Days from incident to settlement; the median and the 90th percentile lie between two values where they must."""
    incidents = [(claim, _incident(claim)) for claim in claims]
    days = sorted((claim.settled - incident).days for claim, incident in incidents if incident)
    measured = [one for one in days if one >= 0]
    bands = {key: sum(low <= one <= high for one in measured) for key, low, high in _BANDS}
    bands |= {"negative": len(days) - len(measured), "unknown": len(claims) - len(days)}
    return {"n": len(measured), "median": _quantile(measured, 5), "p90": _quantile(measured, 9), "bands": bands}


def _quantile(ordered: list[int], tenths: int) -> float | None:
    if not ordered:
        return None
    at, rest = divmod((len(ordered) - 1) * tenths, 10)
    above = ordered[min(at + 1, len(ordered) - 1)]
    return round(ordered[at] + (above - ordered[at]) * rest / 10, 2)


def _triangle(claims: list[SampleClaim]) -> Figures:
    """Reimbursed by incident month and months until settlement, cumulated, from the first settlement month on."""
    paid: Counter[tuple[int, int]] = Counter()
    for claim in claims:
        incident = _incident(claim)
        if incident and _month(incident) <= _month(claim.settled):
            paid[_month(incident), _month(claim.settled)] += claim.totals()[1]
    first, last = (month(_month(claim.settled) for claim in claims) for month in (min, max))
    months = range(first, last + 1)
    cumulative = []
    for incident_month in months:
        total, row = 0, []
        for settled_month in range(incident_month, last + 1):
            total += paid[incident_month, settled_month]
            row.append(money(total))
        cumulative.append(row)
    return {"months": [f"{one // 12}-{one % 12 + 1:02d}" for one in months], "cumulative": cumulative}


def _month(day: dt.date) -> int:
    return day.year * 12 + day.month - 1
