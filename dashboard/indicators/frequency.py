"""More claims or dearer claims? Frequency × cost by act category, and what changed the cost (DOMAIN §8)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import polars as pl

from dashboard.indicators.loss_ratio import headcount
from dashboard.numbers import mean, money, ratio
from dashboard.periods import Period
from dashboard.queries import Data

Basis = Literal["headcount", "known_insured"]


@dataclass(frozen=True)
class Effects:
    """What a change of the reimbursed amount comes from; the three add up to it. Currency units, to the cent."""

    exposure: Decimal
    frequency: Decimal
    cost: Decimal


@dataclass(frozen=True)
class Row:
    """One act category. `frequency`: lines per insured, 4 decimals; `cost`: reimbursed per line."""

    category: int
    lines: int
    reimbursed: Decimal
    frequency: Decimal | None
    cost: Decimal | None
    previous_lines: int
    previous_reimbursed: Decimal
    effects: Effects | None


@dataclass(frozen=True)
class Frequency:
    """`exposure`, `previous_exposure`: the insured of each period. `basis`: whether they are those whose number was
    typed with the premiums, or the known insured on the last day.
    """

    currency: str
    exposure: int
    previous_exposure: int
    basis: Basis
    known: int
    previous_known: int
    rows: list[Row]
    effects: Effects | None


def frequency(data: Data, period: Period, previous: Period | None, *, currency: str) -> Frequency:
    """Each act category with lines in either period, the most reimbursed first.

    Insured are the typed headcount of the premiums where both periods have it, else the known insured (DOMAIN §8). The
    effects are missing where a period has no insured: nothing can be divided by them.
    """
    now = _by_category(data, period, currency)
    before = _by_category(data, previous, currency) if previous else {}
    known_now, known_before = known(data, period), known(data, previous) if previous else 0
    exposure, earlier, basis = _exposures(data, period, previous, known_now, known_before)
    rows = []
    parts: list[tuple[Fraction, Fraction, Fraction]] = []
    for category in sorted({*now, *before}, key=lambda one: (-now.get(one, (0, 0))[1], one)):
        lines, reimbursed = now.get(category, (0, 0))
        lines_before, reimbursed_before = before.get(category, (0, 0))
        effects = None
        if exposure and earlier:
            effects = _effects(
                exposure, earlier, lines, lines_before, reimbursed=reimbursed, reimbursed_before=reimbursed_before
            )
            parts.append(effects)
        rows.append(
            Row(
                category=category,
                lines=lines,
                reimbursed=money(reimbursed),
                frequency=ratio(lines, exposure),
                cost=mean(reimbursed, lines),
                previous_lines=lines_before,
                previous_reimbursed=money(reimbursed_before),
                effects=None if effects is None else _rounded(effects),
            )
        )
    whole = tuple(sum(column, Fraction(0)) for column in zip(*parts, strict=True)) if parts else None
    return Frequency(
        currency=currency,
        exposure=exposure,
        previous_exposure=earlier,
        basis=basis,
        known=known_now,
        previous_known=known_before,
        rows=rows,
        effects=None if whole is None else _rounded(whole),  # type: ignore[arg-type]
    )


def known(data: Data, period: Period) -> int:
    """Memberships known on the last day of the period."""
    return int((data.memberships["first_settled"] <= period.end).sum())


def _exposures(
    data: Data, period: Period, previous: Period | None, known_now: int, known_before: int
) -> tuple[int, int, Basis]:
    """E of both periods and what it is: two periods are compared on one basis, so both need the typed number.

    Before a period without any known insured there is nothing to compare with.
    """
    typed = headcount(data, period)
    if typed is not None:
        before = headcount(data, previous) if previous else None
        if before is not None or not known_before:
            return typed, before or 0, "headcount"
    return known_now, known_before, "known_insured"


def _by_category(data: Data, period: Period, currency: str) -> dict[int, tuple[int, int]]:
    table = (
        data.lines_in(period, "act_category", "reimbursed", currency=currency)
        .group_by("act_category")
        .agg(pl.len(), pl.col("reimbursed").sum())
    )
    return {category: (int(lines), int(cents)) for category, lines, cents in table.iter_rows()}


def _effects(
    exposure: int, earlier: int, lines: int, lines_before: int, *, reimbursed: int, reimbursed_before: int
) -> tuple[Fraction, Fraction, Fraction]:
    """Exposure (E₁−E₀)·f₀·c₀, frequency E₁·(f₁−f₀)·c₀ and cost E₁·f₁·(c₁−c₀), in cents.

    A category without lines before has no cost before: its whole amount then is frequency, at today's cost. One without
    lines now keeps the cost of before, so that nothing is left for the cost.
    """
    frequency_now, frequency_before = Fraction(lines, exposure), Fraction(lines_before, earlier)
    cost_now = Fraction(reimbursed, lines) if lines else None
    cost_before = Fraction(reimbursed_before, lines_before) if lines_before else None
    now = cost_now if cost_now is not None else cost_before or Fraction(0)
    before = cost_before if cost_before is not None else now
    return (
        (exposure - earlier) * frequency_before * before,
        exposure * (frequency_now - frequency_before) * before,
        exposure * frequency_now * (now - before),
    )


def _rounded(effects: tuple[Fraction, Fraction, Fraction]) -> Effects:
    """To the cent; what rounding leaves goes to the largest, so that the three still add up."""
    whole = round(sum(effects, Fraction(0)))
    cents = [round(one) for one in effects]
    largest = max(range(3), key=lambda at: abs(effects[at]))
    cents[largest] += whole - sum(cents)
    return Effects(*map(money, cents))
