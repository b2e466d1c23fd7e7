"""The run-off triangle once more, in plain loops (DOMAIN §8, Triangle). Shares no code with `dashboard`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import prod
from typing import Any

from tests.support.figures import ZERO, Claim, Portfolio, within

Cells = Sequence[Sequence[Fraction | None]]


@dataclass(frozen=True)
class Ladder:
    """`outstanding`: still to come of each origin; None as link ratio: no origin tells it, and it counts as 1."""

    link_ratios: list[Fraction | None]
    completion: list[Fraction]
    outstanding: list[Fraction]


def chain_ladder(cumulative: Cells, *, window: int | None = None) -> Ladder:
    """`cumulative`: a row for each origin, the oldest first, None where not known yet."""
    ages = len(cumulative[0])
    links: list[Fraction | None] = []
    for age in range(ages - 1):
        both = [row for row in cumulative if row[age] is not None and row[age + 1] is not None]
        both = both if window is None else both[-window:]
        before = sum((row[age] for row in both), Fraction(0))  # type: ignore[misc]
        links.append(sum((row[age + 1] for row in both), Fraction(0)) / before if before else None)  # type: ignore[misc]
    completion = [1 / prod((link or Fraction(1) for link in links[age:]), start=Fraction(1)) for age in range(ages)]
    outstanding = []
    for row in cumulative:
        known = [cell for cell in row if cell is not None]
        outstanding.append(known[-1] * (1 / completion[len(known) - 1] - 1))
    return Ladder(links, completion, outstanding)


def month_of(day: date) -> int:
    """A number for each month, without gaps."""
    return day.year * 12 + day.month - 1


def word(month: int) -> str:
    return f"{month // 12}-{month % 12 + 1:02d}"


def triangle(whole: Portfolio, scope: Portfolio, start: date, end: date, currency: str) -> dict[str, Any]:
    """The answer of the API: decimals for its strings, fractions for what is estimated.

    The months are those of `whole`, all that the account sees, in the period.
    """
    days = [claim.settled for claim in within(whole, start, end) if claim.currency == currency]
    claims = [claim for claim in within(scope, start, end) if claim.currency == currency]
    dated = [claim for claim in claims if claim.incident]
    usable = [claim for claim in dated if claim.incident and month_of(claim.incident) <= month_of(claim.settled)]
    found: dict[str, Any] = {
        "currency": currency, "months": [], "cumulative": [], "link_ratios": [], "completion": [], "projection": [],
        "back_test": None, "n": len(usable),
        "left_out": {
            "no_incident_date": len(claims) - len(dated), "settled_before_incident": len(dated) - len(usable)
        },
    }  # fmt: skip
    if not usable:
        return found
    first, last = month_of(min(days)), month_of(max(days))
    months = range(first, last + 1)
    cells = [[_paid(usable, month, month + age) for age in range(last - month + 1)] for month in months]
    padded = [[*map(Fraction, row), *[None] * (len(months) - len(row))] for row in cells]
    ladder = chain_ladder(padded, window=12)
    earlier = sorted({_incident(claim) for claim in usable} - set(months))
    projection: list[tuple[str, int, Decimal, Fraction | None, str]] = [
        (word(month), _count(usable, month, last), _paid(usable, month, last), None, "left_out") for month in earlier
    ]
    for month, outstanding in zip(months, ladder.outstanding, strict=True):
        claims_then = _count(usable, month, last)
        is_estimated = last - month >= 3 and claims_then >= 30
        projection.append(
            (
                word(month),
                claims_then,
                _paid(usable, month, last),
                outstanding if is_estimated else None,
                "estimated" if is_estimated else "too_young",
            )
        )
    return found | {
        "months": [word(month) for month in months],
        "cumulative": [[*row, *[None] * (len(months) - len(row))] for row in cells],
        "link_ratios": ladder.link_ratios,
        "completion": ladder.completion,
        "projection": projection,
        "back_test": _back_test(usable, first, last),
    }


def _back_test(usable: list[Claim], first: int, last: int) -> dict[str, Any] | None:
    """What the method said 6 months ago for the months that it estimated then, and what came of them since."""
    then = last - 6
    months = range(first, then + 1)
    cells = [
        [
            *(Fraction(_paid(usable, month, month + age)) for age in range(then - month + 1)),
            *[None] * (month - first),
        ]
        for month in months
    ]
    if not cells:
        return None
    links = chain_ladder(cells, window=12).link_ratios
    rows = []
    for month in months:
        age = then - month
        if age >= 3 and _count(usable, month, then) >= 30:
            growth = prod((link or Fraction(1) for link in links[age : age + 6]), start=Fraction(1))
            paid = _paid(usable, month, then)
            rows.append((word(month), Fraction(paid) * (growth - 1), _paid(usable, month, last) - paid))
    return {"as_of": word(then), "rows": rows} if rows else None


def _incident(claim: Claim) -> int:
    assert claim.incident is not None
    return month_of(claim.incident)


def _paid(usable: list[Claim], month: int, until: int) -> Decimal:
    return sum((c.reimbursed for c in usable if _incident(c) == month and month_of(c.settled) <= until), ZERO)


def _count(usable: list[Claim], month: int, until: int) -> int:
    return sum(1 for c in usable if _incident(c) == month and month_of(c.settled) <= until)
