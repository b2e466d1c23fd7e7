"""Prices and the watch list once more, in plain loops and fractions (DOMAIN §8). Shares no code with `dashboard`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from tests.support.figures import ZERO, Claim, Line, Portfolio, ratio, within

Found = dict[tuple[Any, ...], dict[str, Any]]
Entered = list[tuple[Claim, Line]]


def percentile(values: Iterable[Fraction], share: Fraction) -> Fraction:
    """Interpolated between the two values that it lies between."""
    ordered = sorted(values)
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def median(values: Iterable[Fraction]) -> Fraction:
    return percentile(values, Fraction(1, 2))


def _cents(amount: Fraction) -> str:
    exact = Decimal(amount.numerator) / Decimal(amount.denominator)
    return f"{exact.quantize(Decimal('0.01'), ROUND_HALF_UP):.2f}"


def prices(portfolio: Portfolio, start: date, end: date, currency: str) -> list[dict[str, Any]]:
    """Each act and partner with at least 10 lines; medians are those of one country."""
    claimed: dict[tuple[int, int, int], list[Fraction]] = defaultdict(list)
    for claim in within(portfolio, start, end):
        if claim.currency == currency:
            for line in claim.lines:
                if line.act is not None:
                    claimed[claim.country, line.act, claim.partner].append(Fraction(line.claimed))
    medians = {key: median(amounts) for key, amounts in claimed.items() if len(amounts) >= 10}
    rows = []
    for (country, act, partner), own in medians.items():
        peers = [one for (where, what, _), one in medians.items() if (where, what) == (country, act)]
        q1, middle, q3 = (percentile(peers, Fraction(part, 4)) for part in (1, 2, 3))
        amounts = claimed[country, act, partner]
        rows.append(
            {
                "act": act,
                "partner": partner,
                "n": len(amounts),
                "median": _cents(own),
                "country_median": _cents(middle),
                "index": ratio(Decimal(own.numerator) / own.denominator, Decimal(middle.numerator) / middle.denominator)
                if middle
                else None,
                "to_look_at": len(peers) >= 8 and own > q3 + Fraction(3, 2) * (q3 - q1),
                "potential": _cents(sum((max(Fraction(0), one - middle) for one in amounts), Fraction(0))),
            }
        )
    return sorted(rows, key=lambda row: (-Decimal(str(row["potential"])), row["act"], row["partner"]))


# ------------------------------------------------------------------------------------------------ watch list


def watch_list(portfolio: Portfolio, start: date, end: date, rule: str) -> Found:
    """What a row is about, and its currency → lines, claims, amount, measure."""
    claims = within(portfolio, start, end)
    return _RULES[rule](claims, [(claim, line) for claim in claims for line in claim.lines])


def _grouped(lines: Entered, key: Callable[[Claim, Line], tuple[Any, ...]]) -> dict[tuple[Any, ...], Entered]:
    """The lines by what they are about and currency; those that lack a part of it are left out."""
    found: dict[tuple[Any, ...], Entered] = defaultdict(list)
    for claim, line in lines:
        if None not in key(claim, line):
            found[(*key(claim, line), claim.currency)].append((claim, line))
    return found


def _row(lines: Entered, measure: Fraction | None = None) -> dict[str, Any]:
    return {
        "lines": len(lines),
        "claims": sorted({claim.id for claim, _line in lines}),
        "amount": f"{sum((line.reimbursed for _claim, line in lines), ZERO):.2f}",
        "measure": measure,
    }


def _same_act_twice(claims: list[Claim], lines: Entered) -> Found:
    groups = _grouped(lines, lambda claim, line: (claim.insured, line.act, claim.partner, line.incident, line.claimed))
    return {key: _row(own) for key, own in groups.items() if len({claim.id for claim, _ in own}) > 1}


def _invoice_of_two_families(claims: list[Claim], lines: Entered) -> Found:
    groups = _grouped(lines, lambda claim, line: (line.invoice,))
    return {key: _row(own) for key, own in groups.items() if len({claim.family for claim, _ in own}) > 1}


def _two_partners_on_one_day(claims: list[Claim], lines: Entered) -> Found:
    groups = _grouped(lines, lambda claim, line: (claim.insured, line.act_category, line.incident))
    return {key: _row(own) for key, own in groups.items() if len({claim.partner for claim, _ in own}) > 1}


def _dear_partner(claims: list[Claim], lines: Entered) -> Found:
    own_lines = _grouped(lines, lambda claim, line: (claim.partner,))
    categories: dict[int, Counter[int]] = defaultdict(Counter)
    for claim, line in lines:
        categories[claim.partner][line.act_category] += 1
    compared = {}
    for (partner, currency), own in own_lines.items():
        insured = {claim.insured for claim, _line in own}
        if len(insured) >= 20:
            claimed = sum((claim.claimed for claim in {c.id: c for c, _line in own}.values()), ZERO)
            counts = categories[partner]
            main = min(one for one in counts if counts[one] == max(counts.values()))
            peers = (own[0][0].country, main, currency)
            compared[partner, currency] = (peers, Fraction(claimed) / len(insured))
    return _above(compared, own_lines, Fraction(95, 100))


def _above_coverage_rate(claims: list[Claim], lines: Entered) -> Found:
    highest: dict[int, Fraction] = {}
    for claim, line in lines:
        if claim.rate is None or line.claimed <= 0:
            continue
        ratio = Fraction(line.reimbursed) / Fraction(line.claimed)
        if ratio > Fraction(claim.rate) + Fraction(1, 100):
            highest[claim.id] = max(ratio, highest.get(claim.id, ratio))
    return {
        (claim.id, claim.currency): _row([(claim, line) for line in claim.lines], highest[claim.id])
        for claim in claims
        if claim.id in highest
    }


def _incident_after_settlement(claims: list[Claim], lines: Entered) -> Found:
    return {
        (claim.id, claim.currency): _row(
            [(claim, line) for line in claim.lines], Fraction((claim.incident - claim.settled).days)
        )
        for claim in claims
        if claim.incident and claim.incident > claim.settled
    }


def _round_amounts(claims: list[Claim], lines: Entered) -> Found:
    own_lines = _grouped(lines, lambda claim, line: (claim.partner,))
    compared = {}
    for (partner, currency), own in own_lines.items():
        if len(own) >= 20:
            even = sum(1 for _claim, line in own if line.claimed > 0 and line.claimed % 5000 == 0)
            compared[partner, currency] = ((own[0][0].country, currency), Fraction(even, len(own)))
    return _above(compared, own_lines, Fraction(95, 100))


def _many_lines(claims: list[Claim], lines: Entered) -> Found:
    def quarter(claim: Claim) -> date:
        return date(claim.settled.year, (claim.settled.month - 1) // 3 * 3 + 1, 1)

    counts: dict[tuple[int, date, int], Entered] = defaultdict(list)
    for claim, line in lines:
        counts[claim.country, quarter(claim), claim.insured].append((claim, line))
    found: Found = {}
    for (country, when, insured), own in counts.items():
        peers = [Fraction(len(many)) for (where, day, _), many in counts.items() if (where, day) == (country, when)]
        if len(own) > percentile(peers, Fraction(99, 100)):
            for currency in {claim.currency for claim, _line in own}:
                of_currency = [(claim, line) for claim, line in own if claim.currency == currency]
                found[insured, when, currency] = _row(of_currency, Fraction(len(own)))
    return found


def _above(
    compared: dict[tuple[int, str], tuple[Any, Fraction]], own_lines: dict[tuple[Any, ...], Entered], share: Fraction
) -> Found:
    """The partners whose value is above the percentile of their peers' values."""
    found: Found = {}
    for key, (peers, value) in compared.items():
        if value > percentile([one for group, one in compared.values() if group == peers], share):
            found[key] = _row(own_lines[key], value)
    return found


_RULES: dict[str, Callable[[list[Claim], Entered], Found]] = {
    "same_act_twice": _same_act_twice,
    "invoice_of_two_families": _invoice_of_two_families,
    "two_partners_on_one_day": _two_partners_on_one_day,
    "dear_partner": _dear_partner,
    "above_coverage_rate": _above_coverage_rate,
    "incident_after_settlement": _incident_after_settlement,
    "round_amounts": _round_amounts,
    "many_lines": _many_lines,
}
RULES = tuple(_RULES)
