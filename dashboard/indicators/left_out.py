"""What was not imported, since when, and whose entries it comes from (DOMAIN §8, Left out by age)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

import polars as pl

from dashboard.numbers import money, ratio
from dashboard.periods import Period
from dashboard.queries import Data

AGES: tuple[tuple[str, int, int | None], ...] = (
    ("0-30", 0, 30),
    ("31-60", 31, 60),
    ("61-90", 61, 90),
    ("91+", 91, None),
)
By = Literal["operator", "partner", "month"]
# Id of the country, and label key.
Key = tuple[int, str]


@dataclass(frozen=True)
class Aged:
    category: str
    age: str
    claims: int
    amount: Decimal


@dataclass(frozen=True)
class Month:
    """`imported`, `left_out`: claims settled in the month. Rates: imported / (imported + left out)."""

    month: date
    imported: int
    left_out: int
    imported_amount: Decimal
    left_out_amount: Decimal
    rate_claims: Decimal | None
    rate_amount: Decimal | None


def by_age(left_out: pl.DataFrame, *, today: date, currency: str) -> list[Aged]:
    """Every category and age that occurs, ages counted in days since the date of the session."""
    rows = aged(left_out, today=today).filter(pl.col("currency") == currency)
    table = rows.group_by("category", "age").agg(pl.len(), pl.col("amount").sum()).sort("category", "age")
    return [Aged(category, age, int(count), money(cents)) for category, age, count, cents in table.iter_rows()]


def aged(left_out: pl.DataFrame, *, today: date) -> pl.DataFrame:
    """The claims left out (`dashboard.findings`) with `age`, a key of AGES."""
    days = (pl.lit(today) - pl.col("as_of")).dt.total_days()
    age = pl.lit(AGES[-1][0])
    for key, _first, last in reversed(AGES[:-1]):
        age = pl.when(days <= last).then(pl.lit(key)).otherwise(age)
    return left_out.with_columns(age=age)


def by_month(data: Data, left_out: pl.DataFrame, period: Period, *, currency: str) -> list[Month]:
    """The reconciliation rate of each month of settlement in the period; undated claims left out are in none."""
    month = pl.col("settled").dt.truncate("1mo")
    inside = pl.col("settled").is_between(period.start, period.end) & (pl.col("currency") == currency)
    imported = data.claims.filter(inside).group_by(month=month).agg(pl.len(), pl.col("reimbursed").sum())
    missing = left_out.filter(inside).group_by(month=month).agg(left=pl.len(), amount=pl.col("amount").sum())
    table = imported.join(missing, on="month", how="full", coalesce=True).fill_null(0).sort("month")
    return [
        Month(
            month=first,
            imported=int(count),
            left_out=int(left),
            imported_amount=money(cents),
            left_out_amount=money(amount),
            rate_claims=ratio(count, count + left),
            rate_amount=ratio(cents, cents + amount),
        )
        for first, count, cents, left, amount in table.select(
            "month", "len", "reimbursed", "left", "amount"
        ).iter_rows()
    ]


@dataclass(frozen=True)
class Entered:
    """Lines that an operator entered, that a partner brought, or of a month.

    `country`: its id, 0 of a month; `key`: a label key of the country, or a month.
    `by_category`: lines of claims left out, for each category.
    """

    country: int
    key: str
    id: int | None
    lines: int
    claims: int
    lines_left_out: int
    claims_left_out: int
    share_left_out: Decimal | None
    by_category: dict[str, int]


def quality(
    data: Data,
    left_out: pl.DataFrame,
    left_out_lines: pl.DataFrame,
    period: Period,
    *,
    by: By,
    keys: Mapping[int, Key],
) -> list[Entered]:
    """Share of lines in claims left out, of those imported and left out together; most lines left out first.

    `keys`: id → country and label key of every operator or partner. Claims left out count by their settlement date.
    """
    imported = _imported(data, period, by, keys)
    missing = left_out.filter(pl.col("settled").is_between(period.start, period.end)).select(
        "finding", "category", "country", month=pl.col("settled").dt.strftime("%Y-%m")
    )
    country = pl.lit(0, dtype=pl.Int64).alias("country") if by == "month" else pl.col("country")
    lines = left_out_lines.join(missing, on="finding").select("finding", "category", country, key=by).drop_nulls("key")
    table = lines.group_by("country", "key", "category").agg(lines=pl.len())
    counted = lines.group_by("country", "key").agg(pl.col("finding").n_unique())
    claims = {(country_id, key): int(count) for country_id, key, count in counted.iter_rows()}
    categories: dict[Key, dict[str, int]] = {}
    for country_id, key, category, count in table.sort("country", "key", "category").iter_rows():
        categories.setdefault((country_id, key), {})[category] = int(count)
    ids = {key: id_ for id_, key in keys.items()}
    rows = []
    for key in {*imported, *categories}:
        line_count, claim_count = imported.get(key, (0, 0))
        by_category = categories.get(key, {})
        left = sum(by_category.values())
        rows.append(
            Entered(
                country=key[0],
                key=key[1],
                id=ids.get(key),
                lines=line_count + left,
                claims=claim_count + claims.get(key, 0),
                lines_left_out=left,
                claims_left_out=claims.get(key, 0),
                share_left_out=ratio(left, line_count + left),
                by_category=by_category,
            )
        )
    if by == "month":
        return sorted(rows, key=lambda row: row.key)
    return sorted(rows, key=lambda row: (-row.lines_left_out, -row.lines, row.key))


def _imported(data: Data, period: Period, by: By, keys: Mapping[int, Key]) -> dict[Key, tuple[int, int]]:
    """Key → (lines, claims)."""
    if by == "month":
        claims = data.claims_in(period, "settled", "lines")
        months = claims.group_by(month=pl.col("settled").dt.truncate("1mo")).agg(pl.col("lines").sum(), pl.len())
        return {(0, f"{month:%Y-%m}"): (int(lines), int(count)) for month, lines, count in months.iter_rows()}
    table = data.lines_in(period, by, "claim").drop_nulls().group_by(by).agg(pl.len(), pl.col("claim").n_unique())
    return {keys[id_]: (int(count), int(claims)) for id_, count, claims in table.iter_rows() if id_ in keys}
