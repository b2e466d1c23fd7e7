"""How long until a claim is settled? Days from incident to settlement (DOMAIN §8, Delay)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from dashboard.numbers import ratio
from dashboard.periods import Period
from dashboard.queries import Data

# (key, first day, last day) of each band, both included.
BANDS: tuple[tuple[str, int, int | None], ...] = (("0-7", 0, 7), ("8-30", 8, 30), ("31-90", 31, 90), ("91+", 91, None))
NEGATIVE, UNKNOWN = "negative", "unknown"


@dataclass(frozen=True)
class Band:
    """`share` of the claims with a delay; None for the negative and unknown ones, which are counted apart."""

    key: str
    claims: int
    share: Decimal | None


@dataclass(frozen=True)
class Delay:
    """`n`: claims with a delay of 0 days or more, which median and 90th percentile (days, interpolated) are of."""

    n: int
    median: float | None
    p90: float | None
    bands: list[Band]


def delay(data: Data, period: Period) -> Delay:
    days = data.claims_in(period, "settled", "incident").select(
        days=(pl.col("settled") - pl.col("incident")).dt.total_days()
    )["days"]
    known = days.drop_nulls()
    measured = known.filter(known >= 0)
    n = len(measured)
    bands = []
    for key, first, last in BANDS:
        inside = measured >= first if last is None else measured.is_between(first, last)
        bands.append(Band(key, int(inside.sum()), ratio(int(inside.sum()), n)))
    bands += [Band(NEGATIVE, len(known) - n, None), Band(UNKNOWN, days.null_count(), None)]
    return Delay(n, _quantile(measured, 0.5), _quantile(measured, 0.9), bands)


def _quantile(days: pl.Series, share: float) -> float | None:
    value = days.quantile(share, interpolation="linear")
    return None if value is None else round(value, 2)
