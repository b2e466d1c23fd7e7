"""Who costs most? Rankings by reimbursed amount, and how much of it few people take (DOMAIN §8, Rankings)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

import polars as pl

from dashboard.numbers import mean, money, ratio
from dashboard.periods import Evolution, Period, evolution
from dashboard.queries import OF_LINES, Data

By = Literal["client", "policy", "partner", "insured", "family", "operator", "act", "act_category"]
BY: tuple[By, ...] = ("client", "policy", "partner", "insured", "family", "operator", "act", "act_category")
TOP_SHARES = (1, 5, 10)


@dataclass(frozen=True)
class Row:
    """One place of a ranking. Equal amounts share a rank; the next rank then leaves a gap."""

    rank: int
    id: int
    reimbursed: Decimal
    claimed: Decimal
    share: Decimal | None
    cumulative_share: Decimal | None
    claims: int
    insured: int
    cost_per_insured: Decimal | None
    evolution: Evolution
    previous_rank: int | None


@dataclass(frozen=True)
class Total:
    reimbursed: Decimal
    claimed: Decimal
    claims: int
    insured: int
    cost_per_insured: Decimal | None
    evolution: Evolution


@dataclass(frozen=True)
class Ranking:
    """`count`: all places. `total`: all claims of the scope in this currency.

    `without`: number and reimbursed amount of the claims that belong to no row (no client, no act, no operator).
    """

    currency: str
    rows: list[Row]
    count: int
    total: Total
    without: tuple[int, Decimal] = field(default=(0, Decimal("0.00")))


def ranking(
    data: Data, period: Period, previous: Period | None, *, by: By, currency: str, limit: int | None = None
) -> Ranking:
    """Every `by` with a claim in the period and currency, the most reimbursed first, ties by id; the first `limit`."""
    now = _sums(data, period, by=by, currency=currency)
    before = _sums(data, previous, by=by, currency=currency) if previous else now.clear()
    whole = _total(data, period, currency)
    whole_before = _total(data, previous, currency) if previous else None
    reimbursed = whole["reimbursed"]
    ranked = _ranked(now.drop_nulls("id")).with_columns(cumulated=pl.col("reimbursed").cum_sum())
    earlier = _ranked(before.drop_nulls("id")).select("id", previous_rank="rank", previous="reimbursed")
    first = ranked if limit is None else ranked.head(limit)
    rows = [
        Row(
            rank=one["rank"],
            id=one["id"],
            reimbursed=money(one["reimbursed"]),
            claimed=money(one["claimed"]),
            share=ratio(one["reimbursed"], reimbursed),
            cumulative_share=ratio(one["cumulated"], reimbursed),
            claims=one["claims"],
            insured=one["insured"],
            cost_per_insured=mean(one["reimbursed"], one["insured"]),
            evolution=evolution(one["reimbursed"], one["previous"]),
            previous_rank=one["previous_rank"],
        )
        for one in first.join(earlier, on="id", how="left", maintain_order="left").iter_rows(named=True)
    ]
    nameless = now.filter(pl.col("id").is_null())
    return Ranking(
        currency=currency,
        rows=rows,
        count=ranked.height,
        total=Total(
            reimbursed=money(reimbursed),
            claimed=money(whole["claimed"]),
            claims=whole["claims"],
            insured=whole["insured"],
            cost_per_insured=mean(reimbursed, whole["insured"]),
            evolution=evolution(reimbursed, whole_before["reimbursed"] if whole_before else None),
        ),
        without=(int(nameless["claims"].sum()), money(int(nameless["reimbursed"].sum()))),
    )


def _sums(data: Data, period: Period, *, by: By, currency: str) -> pl.DataFrame:
    """id (null: none), claims, insured, claimed, reimbursed (cents) of each `by`."""
    if by in OF_LINES:
        rows = data.lines_in(period, by, "claim", "insured", "claimed", "reimbursed", currency=currency)
        count = pl.col("claim").n_unique()
    else:
        named = "membership" if by == "family" else by
        columns = dict.fromkeys([named, "insured", "claimed", "reimbursed"])
        rows = data.claims_in(period, *columns, currency=currency)
        count = pl.len()
        if by == "family":
            rows = rows.join(data.roles, on="membership", how="left")
    return rows.group_by(id=by).agg(
        count.cast(pl.Int64).alias("claims"),
        pl.col("insured").n_unique().cast(pl.Int64),
        pl.col("claimed", "reimbursed").sum(),
    )


def _ranked(sums: pl.DataFrame) -> pl.DataFrame:
    return sums.sort("reimbursed", "id", descending=[True, False]).with_columns(
        rank=pl.col("reimbursed").rank("min", descending=True).cast(pl.Int64)
    )


def _total(data: Data, period: Period, currency: str) -> dict[str, int]:
    claims = data.claims_in(period, "insured", "claimed", "reimbursed", currency=currency)
    return claims.select(
        pl.len().cast(pl.Int64).alias("claims"),
        pl.col("insured").n_unique().cast(pl.Int64),
        pl.col("claimed", "reimbursed").sum(),
    ).row(0, named=True)


@dataclass(frozen=True)
class Concentration:
    """`shares`: per cent of the insured with a claim → their number, and their share of the reimbursed amount.

    `without_claim`: share of the known insured (persons) that have no claim in the period.
    """

    currency: str
    insured: int
    known: int
    shares: dict[int, tuple[int, Decimal | None]]
    without_claim: Decimal | None


def concentration(data: Data, period: Period, *, currency: str) -> Concentration:
    claims = data.claims_in(period, "insured", "reimbursed", currency=currency)
    amounts = claims.group_by("insured").agg(pl.col("reimbursed").sum())["reimbursed"].sort(descending=True)
    whole = int(amounts.sum())
    shares: dict[int, tuple[int, Decimal | None]] = {}
    for percent in TOP_SHARES:
        count = math.ceil(len(amounts) * percent / 100)
        shares[percent] = (count, ratio(int(amounts.head(count).sum()), whole))
    known = data.memberships.filter(pl.col("first_settled") <= period.end)["insured"].unique()
    active = known.is_in(data.claims_in(period, "insured")["insured"].unique().implode()).sum()
    return Concentration(
        currency=currency,
        insured=len(amounts),
        known=len(known),
        shares=shares,
        without_claim=ratio(len(known) - int(active), len(known)),
    )
