"""How large is it in one currency? Amounts of several currencies in the reporting currency (DOMAIN §8, §14).

Each claim counts at the rate of its settlement date. Cents of one key, currency and rate are added up first and divided
by the rate exactly; a figure is rounded half up to the cent once, at its end. So the figures of parts may differ from
the figure of the whole by some cents. Claims without a rate of that day are left out and counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import lcm

import polars as pl

from dashboard.indicators.rankings import By, Ranking, Row, Total
from dashboard.numbers import mean, money, ratio
from dashboard.periods import Evolution, Period, Slot, evolution
from dashboard.queries import OF_LINES, Data

# The indicators of the portfolio that are of a currency.
KEYS = ("claimed", "reimbursed", "reimbursement_rate", "cost_per_claim", "cost_per_insured")
Value = Decimal | None


@dataclass(frozen=True)
class Rate:
    """From `start` on (None: ever since), one unit of the reporting currency costs `units` of `currency`."""

    currency: str
    start: date | None
    units: Fraction
    is_fixed: bool = False


@dataclass(frozen=True)
class Rates:
    """`by_currency`: the rates of each currency, the earliest first. `base`, the reporting currency, needs none."""

    base: str
    by_currency: Mapping[str, Sequence[Rate]]


@dataclass(frozen=True)
class UsedRate:
    """A rate, the first and last settlement date of the claims that it converts, and their number."""

    rate: Rate
    first: date
    last: date
    claims: int


@dataclass(frozen=True)
class WithoutRate:
    """Claims of one currency that have no rate on their settlement date, in that currency."""

    currency: str
    claims: int
    claimed: Decimal
    reimbursed: Decimal


@dataclass(frozen=True)
class Sums:
    """Sums of the claims that have a rate, in cents of the reporting currency; `insured`: distinct persons."""

    claims: int = 0
    insured: int = 0
    claimed: int = 0
    reimbursed: int = 0

    def value(self, key: str) -> Value:
        """An indicator of KEYS: an amount, a mean, or a ratio."""
        match key:
            case "claimed":
                return money(self.claimed)
            case "reimbursed":
                return money(self.reimbursed)
            case "reimbursement_rate":
                return ratio(self.reimbursed, self.claimed)
            case "cost_per_claim":
                return mean(self.reimbursed, self.claims)
            case "cost_per_insured":
                return mean(self.reimbursed, self.insured)
        raise KeyError(key)


@dataclass(frozen=True)
class Country:
    """One country in the reporting currency; `share`: of the reimbursed amounts of all that have a rate."""

    id: int
    claims: int
    claimed: Decimal
    reimbursed: Decimal
    share: Decimal | None


class Converter:
    """Adds the amounts of frames up in the reporting currency. Amounts are cents (columns claimed, reimbursed)."""

    def __init__(self, rates: Rates) -> None:
        self.rates = rates
        own = Rate(rates.base, None, Fraction(1), is_fixed=True)
        self._rates = [own, *(one for found in rates.by_currency.values() for one in found)]
        # Whole numbers over one denominator: sums of fractions would take most of the time of a ranking.
        inverse = [1 / one.units for one in self._rates]
        self._denominator = lcm(*(one.denominator for one in inverse))
        self._factors = [int(one * self._denominator) for one in inverse]

    def with_rate(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with a column `rate`: the number of the rate of currency and settlement date; null: there is none.

        Columns used: currency, settled.
        """
        number = pl.lit(None, dtype=pl.Int32)
        first = 1
        starts: dict[str, tuple[int, list[date]]] = {self.rates.base: (0, [date.min])}
        for currency, found in self.rates.by_currency.items():
            starts.setdefault(currency, (first, [one.start or date.min for one in found]))
            first += len(found)
        named = frame["currency"].cast(pl.String)
        for currency in named.unique().to_list():
            if currency not in starts:
                continue
            begin, days = starts[currency]
            at = pl.Series(days, dtype=pl.Date).search_sorted(frame["settled"], side="right").cast(pl.Int32) - 1
            at = pl.select(pl.when(at >= 0).then(at + begin)).to_series()
            number = pl.when(named == currency).then(at).otherwise(number)
        return frame.with_columns(rate=number)

    def sums(self, rated: pl.DataFrame, keys: Sequence[str] = ()) -> dict[tuple[object, ...], tuple[int, int]]:
        """Values of `keys` → claimed and reimbursed cents of the rows that have a rate (`with_rate`)."""
        groups = rated.drop_nulls("rate").group_by(*keys, "rate").agg(pl.col("claimed", "reimbursed").sum())
        exact: dict[tuple[object, ...], list[int]] = {}
        for *key, number, claimed, reimbursed in groups.select(*keys, "rate", "claimed", "reimbursed").iter_rows():
            factor = self._factors[number]
            found = exact.setdefault(tuple(key), [0, 0])
            found[0] += claimed * factor
            found[1] += reimbursed * factor
        return {key: (self._cents(claimed), self._cents(reimbursed)) for key, (claimed, reimbursed) in exact.items()}

    def _cents(self, exact: int) -> int:
        """Rounded half up, away from zero."""
        whole = (2 * abs(exact) + self._denominator) // (2 * self._denominator)
        return -whole if exact < 0 else whole

    def used(self, rated: pl.DataFrame) -> list[UsedRate]:
        """The rates of the claims, by currency and day; the reporting currency itself is none."""
        groups = (
            rated.filter(pl.col("rate") > 0)
            .group_by("rate")
            .agg(
                pl.col("settled").min().alias("first"), pl.col("settled").max().alias("last"), pl.len().alias("claims")
            )
            .sort("rate")
        )
        return [
            UsedRate(self._rates[number], first, last, claims) for number, first, last, claims in groups.iter_rows()
        ]


def without_rate(rated: pl.DataFrame) -> list[WithoutRate]:
    """The claims without a rate, by currency."""
    groups = (
        rated.filter(pl.col("rate").is_null())
        .group_by(pl.col("currency").cast(pl.String))
        .agg(pl.len().alias("claims"), pl.col("claimed", "reimbursed").sum())
        .sort("currency")
    )
    return [
        WithoutRate(currency, claims, money(claimed), money(reimbursed))
        for currency, claims, claimed, reimbursed in groups.iter_rows()
    ]


_COLUMNS = ("settled", "currency", "insured", "country", "claimed", "reimbursed")


@dataclass(frozen=True)
class Consolidated:
    """The sums of each slot, with the rates used and the claims left out. `countries`: of the whole."""

    currency: str
    sums: list[Sums]
    used: list[UsedRate] = field(default_factory=list)
    without: list[WithoutRate] = field(default_factory=list)
    countries: list[Country] = field(default_factory=list)


def consolidated(data: Data, slots: Sequence[Slot | Period], rates: Rates) -> Consolidated:
    """The claims of each slot in the reporting currency; slots follow each other without a gap."""
    converter = Converter(rates)
    whole = Period(slots[0].start, slots[-1].end)
    rated = converter.with_rate(data.claims_in(whole, *_COLUMNS))
    starts = pl.Series([slot.start for slot in slots], dtype=pl.Date)
    at = starts.search_sorted(rated["settled"], side="right").cast(pl.Int64) - 1
    rated = rated.with_columns(slot=at)
    counts = {
        slot: (claims, insured)
        for slot, claims, insured in rated.drop_nulls("rate")
        .group_by("slot")
        .agg(pl.len().cast(pl.Int64).alias("claims"), pl.col("insured").n_unique().cast(pl.Int64))
        .iter_rows()
    }
    amounts = converter.sums(rated, ["slot"])
    return Consolidated(
        currency=rates.base,
        sums=[Sums(*counts.get(slot, (0, 0)), *amounts.get((slot,), (0, 0))) for slot in range(len(slots))],
        used=converter.used(rated),
        without=without_rate(rated),
        countries=_countries(converter, rated),
    )


def _countries(converter: Converter, rated: pl.DataFrame) -> list[Country]:
    """The countries by reimbursed amount, the largest first."""
    claims = dict(rated.drop_nulls("rate").group_by("country").len().iter_rows())
    amounts = converter.sums(rated, ["country"])
    whole = converter.sums(rated).get((), (0, 0))[1]
    found = [
        Country(int(str(id_)), claims[id_], money(claimed), money(reimbursed), ratio(reimbursed, whole))
        for (id_,), (claimed, reimbursed) in amounts.items()
    ]
    return sorted(found, key=lambda one: (-one.reimbursed, one.id))


@dataclass(frozen=True)
class ConsolidatedRanking:
    """A ranking over all currencies, with the rates used in the period and the claims left out of it."""

    ranking: Ranking
    used: list[UsedRate]
    without: list[WithoutRate]


def consolidated_ranking(
    data: Data, period: Period, previous: Period | None, *, by: By, rates: Rates, limit: int | None = None
) -> ConsolidatedRanking:
    """As `rankings.ranking`, with every amount in the reporting currency and claims without a rate left out."""
    converter = Converter(rates)
    now = _by_id(converter, data, period, by)
    before = _by_id(converter, data, previous, by) if previous else {}
    whole, rated = _whole(converter, data, period)
    whole_before = _whole(converter, data, previous)[0] if previous else None
    ranked = sorted(((id_, one) for id_, one in now.items() if id_ is not None), key=_place)
    places = _places(ranked)
    earlier = _places(sorted(((id_, one) for id_, one in before.items() if id_ is not None), key=_place))
    cumulated, rows = 0, []
    for id_, one in ranked if limit is None else ranked[:limit]:
        cumulated += one.reimbursed
        rows.append(
            Row(
                rank=places[id_],
                id=id_,
                reimbursed=money(one.reimbursed),
                claimed=money(one.claimed),
                share=ratio(one.reimbursed, whole.reimbursed),
                cumulative_share=ratio(cumulated, whole.reimbursed),
                claims=one.claims,
                insured=one.insured,
                cost_per_insured=mean(one.reimbursed, one.insured),
                evolution=evolution(one.reimbursed, before[id_].reimbursed if id_ in before else None),
                previous_rank=earlier.get(id_),
            )
        )
    nameless = now.get(None, Sums())
    return ConsolidatedRanking(
        ranking=Ranking(
            currency=rates.base,
            rows=rows,
            count=len(ranked),
            total=Total(
                reimbursed=money(whole.reimbursed),
                claimed=money(whole.claimed),
                claims=whole.claims,
                insured=whole.insured,
                cost_per_insured=mean(whole.reimbursed, whole.insured),
                evolution=_evolution(whole, whole_before),
            ),
            without=(nameless.claims, money(nameless.reimbursed)),
        ),
        used=converter.used(rated),
        without=without_rate(rated),
    )


def _evolution(now: Sums, before: Sums | None) -> Evolution:
    return evolution(now.reimbursed, before.reimbursed if before else None)


def _place(entry: tuple[int, Sums]) -> tuple[int, int]:
    return (-entry[1].reimbursed, entry[0])


def _places(ranked: Sequence[tuple[int, Sums]]) -> dict[int, int]:
    """Id → rank; equal amounts share one, and the next rank then leaves a gap."""
    found: dict[int, int] = {}
    rank, last = 0, None
    for at, (id_, one) in enumerate(ranked, 1):
        if one.reimbursed != last:
            rank, last = at, one.reimbursed
        found[id_] = rank
    return found


def _by_id(converter: Converter, data: Data, period: Period, by: By) -> dict[int | None, Sums]:
    """Id of each `by` (None: claims that belong to none) → its sums."""
    if by in OF_LINES:
        rows = data.lines_in(period, by, "claim", "insured", "settled", "currency", "claimed", "reimbursed")
        count = pl.col("claim").n_unique()
    else:
        named = "membership" if by == "family" else by
        columns = dict.fromkeys([named, "insured", "settled", "currency", "claimed", "reimbursed"])
        rows = data.claims_in(period, *columns)
        count = pl.len()
        if by == "family":
            rows = rows.join(data.roles, on="membership", how="left")
    rated = converter.with_rate(rows).drop_nulls("rate").with_columns(id=pl.col(by))
    counts = rated.group_by("id").agg(
        count.cast(pl.Int64).alias("claims"), pl.col("insured").n_unique().cast(pl.Int64).alias("persons")
    )
    amounts = converter.sums(rated, ["id"])
    return {id_: Sums(claims, insured, *amounts[id_,]) for id_, claims, insured in counts.iter_rows()}


def _whole(converter: Converter, data: Data, period: Period) -> tuple[Sums, pl.DataFrame]:
    """The sums of all claims of the period, and the claims with their rates."""
    rated = converter.with_rate(data.claims_in(period, "settled", "currency", "insured", "claimed", "reimbursed"))
    known = rated.drop_nulls("rate")
    return Sums(known.height, known["insured"].n_unique(), *converter.sums(rated).get((), (0, 0))), rated
