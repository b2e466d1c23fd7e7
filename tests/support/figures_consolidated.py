"""Amounts in the reporting currency once more, claim by claim in plain Python, to compare with (DOMAIN §14).

Shares no code with the figures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from fractions import Fraction

from core import models as core
from tests.support.figures import Claim

EURO = {"EUR": Fraction(1), "XOF": Fraction(655957, 1000), "XAF": Fraction(655957, 1000)}


def rate_on(base: str, currency: str, day: date) -> Fraction | None:
    """Units of the currency for one of the base on that day: fixed, or the last typed one that has begun."""
    if currency == base:
        return Fraction(1)
    if base in EURO and currency in EURO:
        return EURO[currency] / EURO[base]
    begun = [one for one in core.ExchangeRate.objects.filter(base=base, currency=currency) if one.start <= day]
    return Fraction(max(begun, key=lambda one: one.start).rate) if begun else None


def cents(amount: Fraction) -> str:
    """Rounded half up, away from zero."""
    hundredths = abs(amount) * 100
    whole = int(hundredths) + (hundredths - int(hundredths) >= Fraction(1, 2))
    text = f"{Decimal(whole).scaleb(-2):.2f}"
    return f"-{text}" if amount < 0 and whole else text


def summed(
    base: str, claims: Iterable[Claim], key: Callable[[Claim], object]
) -> tuple[dict[object, tuple[str, str, int]], dict[str, tuple[int, Decimal]]]:
    """Key → claimed, reimbursed, claims; and currency → claims and reimbursed amount without a rate."""
    exact: dict[object, list[Fraction]] = defaultdict(lambda: [Fraction(0), Fraction(0), Fraction(0)])
    without: dict[str, tuple[int, Decimal]] = {}
    for one in claims:
        rate = rate_on(base, one.currency, one.settled)
        if rate is None:
            count, amount = without.get(one.currency, (0, Decimal(0)))
            without[one.currency] = (count + 1, amount + one.reimbursed)
            continue
        found = exact[key(one)]
        found[0] += Fraction(one.claimed) / rate
        found[1] += Fraction(one.reimbursed) / rate
        found[2] += 1
    return {name: (cents(a), cents(b), int(n)) for name, (a, b, n) in exact.items()}, without
