"""Who charges more than others for the same act? (DOMAIN §8, Prices)"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import polars as pl

from dashboard.numbers import ratio
from dashboard.periods import Period
from dashboard.queries import Data, pairs

LEAST_LINES = 10
LEAST_PARTNERS = 8


@dataclass(frozen=True)
class Row:
    """One partner for one act. `median`, `country_median`: claimed per line; `index` = median / country median.

    `potential`: what the partner's lines claim above the country median, summed. Currency units.
    """

    act: int
    partner: int
    n: int
    median: Decimal
    country_median: Decimal
    index: Decimal | None
    to_look_at: bool
    potential: Decimal


@dataclass(frozen=True)
class Prices:
    """`lines`: all lines that have an act; `compared`: those of partners with enough lines."""

    currency: str
    rows: list[Row]
    count: int
    lines: int
    compared: int


def prices(data: Data, period: Period, *, currency: str, limit: int | None = None) -> Prices:
    """Each act and partner with at least 10 lines, the largest potential first; the first `limit`.

    Partners are compared with those of their country. *To look at*: a median above Q3 + 1.5 (Q3 − Q1) of the act's
    partner medians, where at least 8 partners have the act.
    """
    lines = data.lines_in(period, "act", "partner", "claimed", currency=currency).drop_nulls("act")
    lines = lines.with_columns(pair=pairs(lines["act"], lines["partner"]))
    partners = (
        lines.group_by("pair")
        .agg(pl.col("act", "partner").first(), n=pl.len(), median=pl.col("claimed").median())
        .filter(pl.col("n") >= LEAST_LINES)
    )
    partners = data.with_country(partners, "partner")
    acts = partners.group_by("act", "country").agg(
        country_median=pl.col("median").median(),
        q1=pl.col("median").quantile(0.25, interpolation="linear"),
        q3=pl.col("median").quantile(0.75, interpolation="linear"),
        partners=pl.len(),
    )
    compared = partners.join(acts, on=["act", "country"])
    table = (
        compared.with_columns(
            to_look_at=(pl.col("partners") >= LEAST_PARTNERS)
            & (pl.col("median") > pl.col("q3") + 1.5 * (pl.col("q3") - pl.col("q1")))
        )
        .join(_potential(lines, compared), on="pair", how="left")
        .with_columns(pl.col("potential").fill_null(0.0))
        .sort("potential", "act", "partner", descending=[True, False, False])
    )
    rows = [
        Row(
            act=one["act"],
            partner=one["partner"],
            n=one["n"],
            median=_amount(one["median"]),
            country_median=_amount(one["country_median"]),
            index=ratio(Decimal(one["median"]), Decimal(one["country_median"])),
            to_look_at=one["to_look_at"],
            potential=_amount(one["potential"]),
        )
        for one in (table if limit is None else table.head(limit)).iter_rows(named=True)
    ]
    return Prices(currency, rows, table.height, lines.height, int(partners["n"].sum()))


def _potential(lines: pl.DataFrame, compared: pl.DataFrame) -> pl.DataFrame:
    """pair, potential: what its lines claim above the country median, where they claim anything above it."""
    above = pl.col("claimed") - pl.col("country_median")
    return (
        lines.join(compared.select("pair", "country_median"), on="pair")
        .filter(above > 0)
        .group_by("pair")
        .agg(potential=above.sum())
    )


def _amount(cents: float) -> Decimal:
    return (Decimal(cents) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
