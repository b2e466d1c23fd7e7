"""How much is still to come for what has happened? The run-off triangle and its chain ladder (DOMAIN §8, Triangle).

`chain_ladder` works on any triangle; `triangle` makes one of claims by month of incident and of settlement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

import numpy as np
import pandas as pd
import polars as pl

from dashboard.numbers import money
from dashboard.periods import Period, add_months, months_between
from dashboard.queries import Data

WINDOW = 12
LEAST_AGE = 3
LEAST_CLAIMS = 30
# A single wrong date must not make a triangle of thousands of months.
MOST_MONTHS = 240
BACK_TEST_MONTHS = 6

State = Literal["estimated", "too_young", "left_out"]


@dataclass(frozen=True)
class ChainLadder:
    """`link_ratios[k]`: from age k to k + 1, None where nothing tells it; `completion[k]`: the share paid at age k.

    `ultimate`, `outstanding`: per origin, in the unit of the triangle.
    """

    link_ratios: list[float | None]
    completion: list[float]
    ultimate: pd.Series
    outstanding: pd.Series


def chain_ladder(cumulative: pd.DataFrame, *, window: int | None = None) -> ChainLadder:
    """The volume-weighted chain ladder of a cumulative triangle.

    `cumulative`: one row for each origin, oldest first; one column for each age; missing where not known yet.
    `window`: of how many of the latest origins that have both ages a link ratio is made; of all when None.
    A link ratio that nothing tells counts as 1.
    """
    ages = cumulative.shape[1]
    amounts = cumulative.to_numpy(dtype="float64")
    link_ratios: list[float | None] = []
    for age in range(ages - 1):
        both = amounts[~np.isnan(amounts[:, age]) & ~np.isnan(amounts[:, age + 1])][:, age : age + 2]
        before, after = (both if window is None else both[-window:]).sum(axis=0)
        link_ratios.append(float(after / before) if before else None)
    completion = [1.0]
    for link in reversed(link_ratios):
        completion.append(completion[-1] / (link or 1.0))
    completion = completion[::-1][:ages] if ages else []
    latest = cumulative.ffill(axis=1).iloc[:, -1].fillna(0.0) if ages else pd.Series(0.0, index=cumulative.index)
    shares = [completion[age] if age >= 0 else 1.0 for age in cumulative.notna().sum(axis=1) - 1]
    ultimate = latest / pd.Series(shares, index=cumulative.index, dtype="float64")
    return ChainLadder(link_ratios, completion, ultimate, ultimate - latest)


@dataclass(frozen=True)
class Projection:
    """One month of incident. `ultimate` and `outstanding` only where `state` is `estimated`. Currency units."""

    month: date
    claims: int
    paid: Decimal
    ultimate: Decimal | None
    outstanding: Decimal | None
    state: State


@dataclass(frozen=True)
class BackTest:
    """What the method expected `BACK_TEST_MONTHS` ago for the time since, and what came; months estimated then."""

    as_of: date
    months: list[tuple[date, Decimal, Decimal]]
    expected: Decimal
    came: Decimal


@dataclass(frozen=True)
class Triangle:
    """`cumulative[i][k]`: reimbursed of incident month i settled up to k months later; None where not known yet.

    `left_out`: claims without an incident date, and those settled before their incident.
    """

    currency: str
    months: list[date]
    cumulative: list[list[Decimal | None]]
    link_ratios: list[Decimal | None]
    completion: list[Decimal]
    projection: list[Projection]
    back_test: BackTest | None
    n: int
    left_out: dict[str, int]
    # `completion` before it was rounded.
    shares: Sequence[float] = ()

    def settled_share(self) -> dict[date, float | None]:
        """Month of incident → the share of it that is settled by now; None where the month gets no number."""
        ages = {month: len(self.months) - 1 - at for at, month in enumerate(self.months)}
        return {
            row.month: self.shares[ages[row.month]] if row.state == "estimated" else None for row in self.projection
        }


def triangle(data: Data, period: Period, *, currency: str) -> Triangle:
    """The triangle of the claims settled in the period, from the month of its first settlement to that of its last.

    These are the first and last settlement of all data in the period, also where the scope has no claim then: a client
    without a claim in the last months had none, and what was settled before the data starts is unknown of every client.
    """
    claims = data.claims_in(period, "settled", "incident", "reimbursed", currency=currency)
    dated = claims.filter(pl.col("incident").is_not_null())
    usable = dated.filter(pl.col("incident").dt.truncate("1mo") <= pl.col("settled").dt.truncate("1mo"))
    left_out = {
        "no_incident_date": claims.height - dated.height,
        "settled_before_incident": dated.height - usable.height,
    }
    cells = (
        usable.group_by(month=pl.col("incident").dt.truncate("1mo"), paid_in=pl.col("settled").dt.truncate("1mo"))
        .agg(pl.col("reimbursed").sum(), claims=pl.len())
        .sort("month", "paid_in")
    )
    span = data.settled_span(period, currency)
    if span is None or cells.is_empty():
        return Triangle(currency, [], [], [], [], [], None, 0, left_out)
    last = span.end.replace(day=1)
    first = max(span.start.replace(day=1), add_months(last, 1 - MOST_MONTHS))
    cents, counts = _cumulative(cells, first, last)
    ladder = chain_ladder(cents, window=WINDOW)
    months = list(cents.index)
    projection = [*_before(cells, first), *_projection(cents, counts, ladder)]
    return Triangle(
        currency=currency,
        months=months,
        cumulative=[[None if pd.isna(cell) else money(int(cell)) for cell in row] for row in cents.to_numpy()],
        link_ratios=[None if link is None else _decimal(link) for link in ladder.link_ratios],
        completion=[_decimal(share) for share in ladder.completion],
        projection=projection,
        back_test=_back_test(cells, first, last, cents),
        n=usable.height,
        left_out=left_out,
        shares=ladder.completion,
    )


def _cumulative(cells: pl.DataFrame, first: date, last: date) -> tuple[pd.DataFrame, pd.Series]:
    """Cumulative cents by incident month and age, and claims by incident month; settlements up to `last`."""
    months = [add_months(first, at) for at in range(months_between(first, last) + 1)]
    sums = {(month, paid): cents for month, paid, cents, _ in cells.iter_rows() if paid <= last}
    amounts = np.full((len(months), len(months)), np.nan)
    for at, month in enumerate(months):
        total = 0
        for age in range(len(months) - at):
            total += sums.get((month, months[at + age]), 0)
            amounts[at, age] = total
    table = pd.DataFrame(amounts, index=months)
    counts = dict.fromkeys(months, 0)
    for month, paid, _, claims in cells.iter_rows():
        if month in counts and paid <= last:
            counts[month] += claims
    return table, pd.Series(counts)


def _is_estimated(cents: pd.DataFrame, counts: pd.Series, month: date) -> bool:
    age = int(cents.loc[month].notna().sum()) - 1
    return age >= LEAST_AGE and int(counts[month]) >= LEAST_CLAIMS


def _projection(cents: pd.DataFrame, counts: pd.Series, ladder: ChainLadder) -> list[Projection]:
    rows = []
    for month in cents.index:
        paid = money(int(cents.loc[month].dropna().iloc[-1]))
        if _is_estimated(cents, counts, month):
            ultimate = _cents(ladder.ultimate[month])
            rows.append(Projection(month, int(counts[month]), paid, ultimate, ultimate - paid, "estimated"))
        else:
            rows.append(Projection(month, int(counts[month]), paid, None, None, "too_young"))
    return rows


def _before(cells: pl.DataFrame, first: date) -> list[Projection]:
    """Months of incident before the first settlement: what was paid of them earlier is not in the data."""
    older = cells.filter(pl.col("month") < first).group_by("month").agg(pl.col("reimbursed", "claims").sum())
    return [
        Projection(month, int(claims), money(cents), None, None, "left_out")
        for month, cents, claims in older.sort("month").select("month", "reimbursed", "claims").iter_rows()
    ]


def _back_test(cells: pl.DataFrame, first: date, last: date, cents: pd.DataFrame) -> BackTest | None:
    then = add_months(last, -BACK_TEST_MONTHS)
    if months_between(first, then) < LEAST_AGE:
        return None
    earlier, counts = _cumulative(cells, first, then)
    links = chain_ladder(earlier, window=WINDOW).link_ratios
    months = []
    for month in earlier.index:
        if not _is_estimated(earlier, counts, month):
            continue
        paid = earlier.loc[month].dropna()
        growth = 1.0
        for link in links[len(paid) - 1 : len(paid) - 1 + BACK_TEST_MONTHS]:
            growth *= link or 1.0
        came = money(int(cents.loc[month].dropna().iloc[-1] - paid.iloc[-1]))
        months.append((month, _cents(paid.iloc[-1] * (growth - 1)), came))
    if not months:
        return None
    return BackTest(then, months, sum((m[1] for m in months), Decimal(0)), sum((m[2] for m in months), Decimal(0)))


def _decimal(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def _cents(value: float) -> Decimal:
    return (Decimal(repr(float(value))) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
