"""Does the premium carry the claims? Earned premium and loss ratio S/P (DOMAIN §9).

A premium is earned day by day, start and end included. The earned amount is an exact fraction of cents until the end:
S/P divides by that fraction, and only the amount that is shown is rounded, half up to the cent. So the total of several
clients may differ by a cent from the sum of their rounded amounts.

S/P of a period counts the claims of a client that were settled on a day of the period which one of its premiums covers.
The other claims of clients that have a premium with a day in the period are `outside`. Clients without such a premium
are counted apart. A claim counts with the premiums of its own currency.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from typing import Literal

import polars as pl

from dashboard.numbers import money
from dashboard.periods import ONE_DAY, Period, add_months, slot_end
from dashboard.premiums import Terms
from dashboard.queries import Data

By = Literal["client", "country"]
BY: tuple[By, ...] = ("client", "country")
# So many months of the rolling series are shown, the last ones of the period.
MOST_POINTS = 36
WINDOW = 12
_MONTH = pl.col("incident").dt.truncate("1mo")


@dataclass(frozen=True)
class Row:
    """One client or country, or all of them (`id` None). Amounts in currency units, ratios with 4 decimals.

    `consumed_share`: S since the start of the premiums / their whole amount; `time_passed`: the part of that amount
    that is earned by the end of the period. Both are of the premiums with a day in the period. `pooled`: None where no
    country has a threshold. `excess`: S − target × earned premium. `premiums_before_data`: premiums that start before
    the month of the first settlement of the data, whose consumed share is therefore too low.
    """

    id: int | None
    country: int | None
    covered: Decimal
    earned: Decimal
    loss_ratio: Decimal | None
    consumed_share: Decimal | None
    time_passed: Decimal | None
    outside: Decimal
    pooled: Decimal | None
    pooled_loss_ratio: Decimal | None
    excess: Decimal
    target: Decimal | None
    clients: int
    premiums: int
    claims: int
    premiums_before_data: int


@dataclass(frozen=True)
class LossRatios:
    """`rows`: the highest S first. `without`, `no_client`: (clients or claims, S) that belong to no row."""

    currency: str
    rows: list[Row]
    total: Row
    without: tuple[int, Decimal]
    no_client: tuple[int, Decimal]


@dataclass
class _Sums:
    """Cents of one client, or of several. `target`: Σ target × earned."""

    country: int | None = None
    covered: int = 0
    outside: int = 0
    consumed: int = 0
    whole: int = 0
    pooled: int = 0
    is_pooled: bool = False
    earned: Fraction = Fraction(0)
    passed: Fraction = Fraction(0)
    target: Fraction = Fraction(0)
    clients: int = 0
    premiums: int = 0
    claims: int = 0
    before_data: int = 0

    def add(self, other: _Sums) -> None:
        for name in (
            "covered", "outside", "consumed", "whole", "pooled", "earned", "passed", "target", "clients", "premiums",
            "claims", "before_data",
        ):  # fmt: skip
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.is_pooled = self.is_pooled or other.is_pooled

    def row(self, id_: int | None) -> Row:
        return Row(
            id=id_,
            country=self.country,
            covered=money(self.covered),
            earned=cents(self.earned),
            loss_ratio=ratio(self.covered, self.earned),
            consumed_share=ratio(self.consumed, self.whole),
            time_passed=ratio(self.passed, self.whole),
            outside=money(self.outside),
            pooled=money(self.pooled) if self.is_pooled else None,
            pooled_loss_ratio=ratio(self.pooled, self.earned) if self.is_pooled else None,
            excess=cents(self.covered - self.target),
            target=ratio(self.target, self.earned),
            clients=self.clients,
            premiums=self.premiums,
            claims=self.claims,
            premiums_before_data=self.before_data,
        )


# ------------------------------------------------------------------------------------------------ exact numbers


def half_up(value: Fraction, places: int) -> Decimal:
    """Rounded half up, away from 0, as amounts are (DOMAIN §4)."""
    scaled = abs(value) * 10**places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole if value >= 0 else -whole).scaleb(-places)


def cents(value: Fraction | int) -> Decimal:
    """Cents, or a fraction of them, as currency units."""
    return half_up(Fraction(value), 0).scaleb(-2)


def ratio(part: Fraction | int, whole: Fraction | int) -> Decimal | None:
    """With 4 decimals; None where the whole is 0."""
    return None if whole == 0 else half_up(Fraction(part) / Fraction(whole), 4)


def earned_share(start: date, end: date, period: Period) -> Fraction:
    """The part of a premium that the days of the period earn: days of the overlap / days of the premium."""
    days = (min(end, period.end) - max(start, period.start)).days + 1
    return Fraction(max(days, 0), (end - start).days + 1)


# ------------------------------------------------------------------------------------------------ S and premiums


def of_currency(data: Data, currency: str) -> pl.DataFrame:
    """The premiums of the scope in one currency."""
    return data.premiums.filter(pl.col("currency") == currency)


def overlapping(premiums: pl.DataFrame, period: Period) -> pl.DataFrame:
    """The premiums with a day in the period."""
    return premiums.filter(pl.col("start") <= period.end, pl.col("end") >= period.start)


def with_premium(claims: pl.DataFrame, premiums: pl.DataFrame, by: str = "settled") -> pl.DataFrame:
    """The claims whose day `by` one of the premiums of their client covers, with `premium`, `start` and `end` of it."""
    dated = claims.filter(pl.col("client").is_not_null(), pl.col(by).is_not_null())
    if premiums.is_empty() or dated.is_empty():
        return dated.clear().with_columns(
            premium=pl.lit(None, pl.Int64), start=pl.lit(None, pl.Date), end=pl.lit(None, pl.Date)
        )
    of_clients = dated.filter(pl.col("client").is_in(premiums["client"].unique().implode()))
    # Premiums of one client never overlap, so the last one that has started is the only one that can cover the day.
    return (
        of_clients.sort(by)
        .join_asof(
            premiums.select("client", "premium", "start", "end").sort("start"),
            left_on=by,
            right_on="start",
            by="client",
            strategy="backward",
            check_sortedness=False,
            coalesce=False,
        )
        .filter(pl.col(by) <= pl.col("end"))
    )


class Covered:
    """The claims of one currency up to the last day of the period, with the premium that covers their settlement."""

    def __init__(self, data: Data, until: date, currency: str) -> None:
        self.data = data
        self.until = until
        self.currency = currency
        self.premiums = of_currency(data, currency)
        self.claims = data.claims_in(Period(date.min, until), *_CLAIM_COLUMNS, currency=currency)
        self.covered = with_premium(self.claims, self.premiums)


_CLAIM_COLUMNS = ("settled", "incident", "client", "insured", "country", "reimbursed")


def loss_ratios(
    found: Covered, period: Period, terms: Mapping[int, Terms], *, by: By, data_start: date | None = None
) -> LossRatios:
    """S/P of each client or country that has a premium in the period. `found` must reach to the end of the period.

    `data_start`: the first settlement of the data.
    """
    clients = _by_client(found, period, terms, data_start)
    total, countries = _Sums(), defaultdict[int, _Sums](_Sums)
    for one in clients.values():
        total.add(one)
        if one.country is not None:
            countries[one.country].country = one.country
            countries[one.country].add(one)
    groups: Mapping[int, _Sums] = clients if by == "client" else countries
    rows = [sums.row(id_) for id_, sums in groups.items()]
    rows.sort(key=lambda row: (-row.covered, row.id))
    inside = found.claims.filter(pl.col("settled").is_between(period.start, period.end))
    nameless = inside.filter(pl.col("client").is_null())
    rest = inside.filter(
        pl.col("client").is_not_null(), ~pl.col("client").is_in(pl.Series(list(clients), dtype=pl.Int64).implode())
    )
    return LossRatios(
        currency=found.currency,
        rows=rows,
        total=total.row(None),
        without=(rest["client"].n_unique(), money(int(rest["reimbursed"].sum()))),
        no_client=(nameless.height, money(int(nameless["reimbursed"].sum()))),
    )


def _by_client(found: Covered, period: Period, terms: Mapping[int, Terms], data_start: date | None) -> dict[int, _Sums]:
    premiums = overlapping(found.premiums, period)
    clients: dict[int, _Sums] = {}
    until = Period(date.min, period.end)
    rows = premiums.select("client", "country", "cents", "start", "end").iter_rows()
    for client, country, amount, start, end in rows:
        one = clients.setdefault(client, _Sums(country=country, clients=1))
        one.premiums += 1
        one.whole += amount
        one.earned += amount * earned_share(start, end, period)
        one.passed += amount * earned_share(start, end, until)
        one.before_data += data_start is not None and start < data_start.replace(day=1)
    for one in clients.values():
        country_terms = terms[one.country or 0]
        one.target = country_terms.target * one.earned
        one.is_pooled = country_terms.threshold is not None
    inside = pl.col("settled").is_between(period.start, period.end)
    consumed = found.covered.filter(
        pl.col("settled") <= period.end, pl.col("premium").is_in(premiums["premium"].implode())
    )
    for client, amount in consumed.group_by("client").agg(pl.col("reimbursed").sum()).iter_rows():
        clients[client].consumed = amount
    covered = consumed.filter(inside)
    sums = covered.group_by("client").agg(pl.col("reimbursed").sum(), pl.len())
    for client, amount, count in sums.iter_rows():
        clients[client].covered, clients[client].claims = amount, count
    for client, amount in found.claims.filter(inside).group_by("client").agg(pl.col("reimbursed").sum()).iter_rows():
        if client in clients:
            clients[client].outside = amount - clients[client].covered
    for client, amount in _pooled(covered, terms):
        clients[client].pooled = amount
    return clients


def _pooled(covered: pl.DataFrame, terms: Mapping[int, Terms]) -> Iterable[tuple[int, int]]:
    """(client, cents): what an insured took in a year of the premium counts up to the threshold of the country."""
    thresholds = pl.DataFrame(
        [(id_, one.threshold) for id_, one in terms.items()],
        schema={"country": pl.Int64, "threshold": pl.Int64},
        orient="row",
    )
    day = pl.col("settled").dt.month().cast(pl.Int32) * 100 + pl.col("settled").dt.day()
    first = pl.col("start").dt.month().cast(pl.Int32) * 100 + pl.col("start").dt.day()
    year = pl.col("settled").dt.year() - pl.col("start").dt.year() - (day < first).cast(pl.Int32)
    return (
        covered.group_by("client", "country", "insured", "premium", year=year)
        .agg(pl.col("reimbursed").sum())
        .join(thresholds, on="country", how="left")
        .with_columns(pl.min_horizontal("reimbursed", pl.coalesce("threshold", "reimbursed")))
        .group_by("client")
        .agg(pl.col("reimbursed").sum())
        .iter_rows()
    )


def ranked(rows: Sequence[Row]) -> list[Row]:
    """The rows by S − target × earned premium, the highest first."""
    return sorted(rows, key=lambda row: (-row.excess, row.id or 0))


# ------------------------------------------------------------------------------------------------ over time


@dataclass(frozen=True)
class Point:
    """S/P of some days. `is_whole`: the data has all of them; None as `loss_ratio` otherwise, or without a premium."""

    start: date
    end: date
    covered: Decimal
    earned: Decimal
    loss_ratio: Decimal | None
    is_whole: bool


def rolling(found: Covered, period: Period, data_start: date | None) -> list[Point]:
    """S/P of the twelve months that end with each month of the period, the last one with the period.

    A point whose twelve months begin before the first month of the data has no ratio: its S would be too low.
    """
    windows: list[tuple[date, date]] = []
    end = period.end
    while end >= period.start and len(windows) < MOST_POINTS:
        windows.append((_year_before(end), end))
        first = end.replace(day=1)
        if first == date.min:
            break
        end = first - ONE_DAY
    return points(found, windows[::-1], data_start)


def points(found: Covered, windows: Sequence[tuple[date, date]], data_start: date | None = None) -> list[Point]:
    """S/P of each of the windows (first day, last day)."""
    by_day = found.covered.group_by("settled").agg(pl.col("reimbursed").sum()).sort("settled")
    days, sums = by_day["settled"], [0, *by_day["reimbursed"].cum_sum().to_list()]
    earned = _earner(found.premiums)
    made = []
    for start, end in windows:
        first, last = days.search_sorted(start, side="left"), days.search_sorted(end, side="right")
        covered = sums[int(last)] - sums[int(first)]
        whole = earned(Period(start, end))
        is_whole = data_start is None or start >= data_start.replace(day=1)
        made.append(
            Point(start, end, money(covered), cents(whole), ratio(covered, whole) if is_whole else None, is_whole)
        )
    return made


def _earner(premiums: pl.DataFrame) -> Callable[[Period], Fraction]:
    """Period → earned premium of all, exact.

    What premiums of one length have earned by a day is Σ amount × days since the start of those that have started, less
    Σ amount × days since the end of those that have ended. Sums over sorted days tell both for any day.
    """
    by_length: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for start, end, amount in premiums.select("start", "end", "cents").iter_rows():
        by_length[(end - start).days + 1].append((start.toordinal(), amount))
    sums = {length: _DaySums(rows) for length, rows in by_length.items()}

    def earned(period: Period) -> Fraction:
        first, last = period.start.toordinal() - 1, period.end.toordinal()
        total = Fraction(0)
        for length, one in sums.items():
            part = one.until(last) - one.until(last - length) - one.until(first) + one.until(first - length)
            total += Fraction(part, length)
        return total

    return earned


class _DaySums:
    """Σ amount × days from the start to a day, both included, of what has started by then."""

    def __init__(self, rows: list[tuple[int, int]]) -> None:
        rows = sorted(rows)
        self._days = [day for day, _amount in rows]
        self._amounts = [0, *accumulate(amount for _day, amount in rows)]
        self._products = [0, *accumulate(day * amount for day, amount in rows)]

    def until(self, day: int) -> int:
        at = bisect_right(self._days, day)
        return self._amounts[at] * (day + 1) - self._products[at]


def _year_before(end: date) -> date:
    """The first day of the twelve months that end with `end`."""
    try:
        after = end + timedelta(days=1)
        return after.replace(year=after.year - 1)
    except ValueError:
        # 29 February, or the first year of the calendar.
        return date.min if end.year <= 1 else date(end.year - 1, 2, 28) + ONE_DAY
    except OverflowError:
        return date(end.year, 1, 1)


def in_force(premiums: pl.DataFrame, day: date) -> int:
    """Cents of the premiums that cover the day: a stock."""
    return int(premiums.filter(pl.col("start") <= day, pl.col("end") >= day)["cents"].sum())


# ------------------------------------------------------------------------------------------------ by incident


@dataclass(frozen=True)
class IncidentMonth:
    """One month of incident of one country, as far as it is in the period. `days`: those of the period.

    `completion`: the share of it that is settled by now; `completed`: what it comes to in the end. Both are None where
    the month gets no number: too young, too few claims, or before the data.
    """

    country: int
    days: Period
    reimbursed: Decimal
    completion: Decimal | None
    completed: Decimal | None
    earned: Decimal


@dataclass(frozen=True)
class ByIncident:
    """S/P by incident date, S completed by what is still to come (DOMAIN §9).

    Only the months that have a number count, in S and in the earned premium. `claims_left_out`: claims of the period
    without an incident date, or settled before their month of incident.
    """

    reimbursed: Decimal
    completed: Decimal
    earned: Decimal
    loss_ratio: Decimal | None
    months: list[IncidentMonth]
    claims_left_out: int

    @property
    def months_left_out(self) -> int:
        return sum(1 for month in self.months if month.completed is None)


def by_incident(found: Covered, period: Period, completion: Mapping[int, Mapping[date, float | None]]) -> ByIncident:
    """S of each month of incident / completion(k) of the country, over the premium that the month earns.

    `completion`: country → first day of a month of incident → the share of it that is settled by now, or None
    (`Triangle.settled_share`). A month that it does not have gets no number either.
    """
    inside = with_premium(
        found.claims.filter(pl.col("incident").is_between(period.start, period.end)), found.premiums, by="incident"
    )
    usable = inside.filter(pl.col("settled").dt.truncate("1mo") >= _MONTH)
    sums = {
        (country, month): amount
        for country, month, amount in usable.group_by("country", month=_MONTH).agg(pl.col("reimbursed").sum()).rows()
    }
    paid, completed, earned = 0, Fraction(0), Fraction(0)
    months = []
    for country in found.premiums["country"].unique().sort().to_list():
        earns = _earner(found.premiums.filter(pl.col("country") == country))
        shares = completion.get(country, {})
        for days in months_of(period):
            month = days.start.replace(day=1)
            premium = earns(days)
            if not premium:
                continue
            share, amount, whole = shares.get(month), sums.get((country, month), 0), None
            if share:
                whole = Fraction(amount) / Fraction(share)
                paid, completed, earned = paid + amount, completed + whole, earned + premium
            months.append(
                IncidentMonth(
                    country=country,
                    days=days,
                    reimbursed=money(amount),
                    completion=half_up(Fraction(share), 4) if share else None,
                    completed=None if whole is None else cents(whole),
                    earned=cents(premium),
                )
            )
    settled = found.covered.filter(pl.col("settled").is_between(period.start, period.end))
    unusable = settled.filter(pl.col("incident").is_null() | (pl.col("settled").dt.truncate("1mo") < _MONTH))
    return ByIncident(
        reimbursed=money(paid),
        completed=cents(completed),
        earned=cents(earned),
        loss_ratio=ratio(completed, earned),
        months=months,
        claims_left_out=unusable.height,
    )


def months_of(period: Period) -> list[Period]:
    """The months of the period; the first and the last may be cut. Of a long period the last 240."""
    months: list[Period] = []
    first = period.end.replace(day=1)
    while len(months) < 240:
        months.append(Period(max(first, period.start), min(slot_end(first, "month"), period.end)))
        if first <= period.start or (first.year == 1 and first.month == 1):
            break
        first = add_months(first, -1)
    return months[::-1]


# ------------------------------------------------------------------------------------------------ headcount


def headcount(data: Data, period: Period) -> int | None:
    """The typed number of insured in the period: of each client that of its last premium with a day in it (DOMAIN §9).

    None where the scope is neither all nor a client, or where claims of the period belong to no client or to one whose
    premium names no number: lines of all clients divided by the insured of some would be no frequency.
    """
    if data.scope.kind not in ("", "client"):
        return None
    premiums = overlapping(data.premiums, period)
    last = premiums.sort("start").group_by("client").agg(pl.col("headcount").last())
    typed = last.drop_nulls()
    clients = data.claims_in(period, "client")["client"].unique()
    if typed.is_empty() or clients.null_count() or not clients.is_in(typed["client"].implode()).all():
        return None
    return int(typed["headcount"].sum())
