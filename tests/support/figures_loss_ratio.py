"""Premiums and S/P once more, day by day in plain loops (DOMAIN §9). Shares no code with `dashboard`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from core import models as core
from tests.support.figures import Claim, Portfolio, within
from tests.support.figures_triangle import triangle
from users.models import Country

Premiums = Sequence[core.Premium]
ONE = timedelta(days=1)


def money(value: Fraction | Decimal) -> str:
    exact = Fraction(value)
    rounded = (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    # Without the sign of a zero.
    return f"{rounded + 0:.2f}"


def ratio(part: Fraction | Decimal, whole: Fraction | Decimal) -> str | None:
    if not whole:
        return None
    exact = Fraction(part) / Fraction(whole)
    return str((Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(Decimal("0.0001"), ROUND_HALF_UP))


def days_of(start: date, end: date) -> list[date]:
    return [start + timedelta(days=at) for at in range((end - start).days + 1)]


def earned(premium: core.Premium, start: date, end: date) -> Fraction:
    """Amount × days of the overlap / days of the premium, its days counted one by one."""
    return Fraction(premium.amount) * _share(premium.start, premium.end, start, end)


@lru_cache(maxsize=10_000)
def _share(first: date, last: date, start: date, end: date) -> Fraction:
    days = days_of(first, last)
    return Fraction(sum(1 for day in days if start <= day <= end), len(days))


def covering(premiums: Premiums, claim: Claim, day: date | None = None) -> core.Premium | None:
    """The premium of the client in the currency of the claim that covers its settlement, or the day."""
    for premium in premiums:
        is_own = premium.client_id == claim.client and premium.currency == claim.currency
        if is_own and premium.start <= (day or claim.settled) <= premium.end:
            return premium
    return None


def _year(premium: core.Premium, day: date) -> int:
    """The year of the premium in which the day lies: it changes on the day and month of the start."""
    years = day.year - premium.start.year
    return years - 1 if (day.month, day.day) < (premium.start.month, premium.start.day) else years


def loss_ratios(portfolio: Portfolio, start: date, end: date, currency: str, *, by: str = "client") -> dict[str, Any]:
    """Rows, total, what belongs to no row: strings as the API has them."""
    own = [one for one in portfolio.premiums if one.currency == currency]
    inside = [one for one in own if one.start <= end and one.end >= start]
    countries = {one.pk: one for one in Country.objects.all()}
    claims = [claim for claim in portfolio.claims if claim.currency == currency]
    now = [claim for claim in claims if start <= claim.settled <= end]
    insured = {one.client_id for one in inside}
    groups: dict[int, set[int]] = defaultdict(set)
    for one in inside:
        groups[one.client_id if by == "client" else one.country_id].add(one.client_id)
    rows = [_row(id_, clients, inside, claims, start, end, countries) for id_, clients in groups.items()]
    rows.sort(key=lambda row: (-Decimal(row["reimbursed_covered"]), row["id"]))
    rest = [claim for claim in now if claim.client is not None and claim.client not in insured]
    nameless = [claim for claim in now if claim.client is None]
    return {
        "rows": rows,
        "total": _row(None, insured, inside, claims, start, end, countries),
        "without_premium": {"clients": len({one.client for one in rest}), "reimbursed": money(_sum(rest))},
        "no_client": {"claims": len(nameless), "reimbursed": money(_sum(nameless))},
        "ranking": [row["id"] for row in sorted(rows, key=lambda row: (-Decimal(row["excess"]), row["id"]))],
    }


def _sum(claims: Iterable[Claim]) -> Decimal:
    return sum((claim.reimbursed for claim in claims), Decimal("0.00"))


def _row(
    id_: int | None,
    clients: set[int],
    premiums: Premiums,
    claims: list[Claim],
    start: date,
    end: date,
    countries: dict[int, Country],
) -> dict[str, Any]:
    own = [one for one in premiums if one.client_id in clients]
    mine = [claim for claim in claims if claim.client in clients and claim.settled <= end]
    consumed = [claim for claim in mine if covering(own, claim)]
    now = [claim for claim in mine if claim.settled >= start]
    covered = [claim for claim in now if covering(own, claim)]
    whole = sum((one.amount for one in own), Decimal(0))
    earns = sum((earned(one, start, end) for one in own), Fraction(0))
    target = sum(
        (Fraction(countries[one.country_id].target_loss_ratio) * earned(one, start, end) for one in own), Fraction(0)
    )
    thresholds = {countries[one.country_id].pooling_threshold for one in own}
    pooled = None if thresholds <= {None} else _pooled(own, covered, countries)
    return {
        "id": id_,
        "reimbursed_covered": money(_sum(covered)),
        "earned_premium": money(earns),
        "loss_ratio": ratio(_sum(covered), earns),
        "consumed_share": ratio(_sum(consumed), whole),
        "reimbursed_outside": money(_sum(now) - _sum(covered)),
        "time_passed": ratio(sum((earned(one, date(1, 1, 1), end) for one in own), Fraction(0)), whole),
        "pooled": None if pooled is None else money(pooled),
        "pooled_loss_ratio": None if pooled is None else ratio(pooled, earns),
        "excess": money(Fraction(_sum(covered)) - target),
        "n": len(covered),
        "premiums": len(own),
    }


def _pooled(premiums: Premiums, covered: list[Claim], countries: dict[int, Country]) -> Decimal:
    sums: dict[tuple[int, int, int], Decimal] = defaultdict(lambda: Decimal(0))
    for claim in covered:
        premium = covering(premiums, claim)
        assert premium is not None
        sums[premium.pk, _year(premium, claim.settled), claim.insured] += claim.reimbursed
    country_of = {one.pk: one.country_id for one in premiums}
    total = Decimal(0)
    for (premium_id, _year_of_it, _insured), amount in sums.items():
        threshold = countries[country_of[premium_id]].pooling_threshold
        total += amount if threshold is None else min(amount, threshold)
    return total


def window_ratio(portfolio: Portfolio, start: date, end: date, currency: str) -> tuple[str, str, str | None]:
    """S inside premiums, earned premium and S/P of some days."""
    own = [one for one in portfolio.premiums if one.currency == currency]
    covered = [claim for claim in within(portfolio, start, end) if claim.currency == currency and covering(own, claim)]
    earns = sum((earned(one, start, end) for one in own), Fraction(0))
    return money(_sum(covered)), money(earns), ratio(_sum(covered), earns)


def in_force(portfolio: Portfolio, day: date, currency: str) -> str:
    return money(
        sum(
            (one.amount for one in portfolio.premiums if one.currency == currency and one.start <= day <= one.end),
            Decimal(0),
        )
    )


def by_incident(
    whole: Portfolio, scope: Portfolio, first: date, start: date, end: date, currency: str
) -> dict[tuple[int, str], tuple[str, Fraction | None, Fraction | None, str]]:
    """(country, month of incident) → S, completion, S / completion, earned premium.

    `first`: the first settlement of the data. The completion is that of the triangle of the country.
    """
    own = [one for one in scope.premiums if one.currency == currency]
    found: dict[tuple[int, str], tuple[str, Fraction | None, Fraction | None, str]] = {}
    for country in sorted({one.country_id for one in own}):
        part = Portfolio(tuple(claim for claim in whole.claims if claim.country == country), ())
        run_off = triangle(part, part, first, end, currency) if first <= end else {"months": [], "projection": []}
        ages = {month: len(run_off["months"]) - 1 - at for at, month in enumerate(run_off["months"])}
        shares = {
            month: run_off["completion"][ages[month]]
            for month, _claims, _paid, _outstanding, state in run_off["projection"]
            if state == "estimated"
        }
        months: dict[str, list[date]] = defaultdict(list)
        for day in days_of(start, end):
            months[f"{day:%Y-%m}"].append(day)
        for month, days in months.items():
            earns = sum((earned(one, days[0], days[-1]) for one in own if one.country_id == country), Fraction(0))
            if not earns:
                continue
            amount = _sum(
                claim
                for claim in scope.claims
                if claim.country == country and claim.currency == currency and claim.settled <= end
                if claim.incident and days[0] <= claim.incident <= days[-1]
                if (claim.settled.year, claim.settled.month) >= (claim.incident.year, claim.incident.month)
                if covering(own, claim, claim.incident)
            )
            share = shares.get(month) or None
            completed = None if share is None else Fraction(amount) / share
            found[country, month] = (money(amount), share, completed, money(earns))
    return found
