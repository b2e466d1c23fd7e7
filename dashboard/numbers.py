"""Sums of cents → amounts, means and ratios (DOMAIN §8: amounts are exact, ratios keep 4 decimals)."""

from decimal import ROUND_HALF_UP, Decimal


def money(cents: int) -> Decimal:
    """Cents as currency units, exact, with two decimals."""
    return Decimal(cents).scaleb(-2)


def mean(cents: int, count: int) -> Decimal | None:
    """The mean amount in currency units, to the cent; None of nothing."""
    return None if count == 0 else (Decimal(cents) / count / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)


def ratio(part: int | Decimal, whole: int | Decimal) -> Decimal | None:
    """With 4 decimals; None where the whole is 0."""
    return None if whole == 0 else (Decimal(part) / Decimal(whole)).quantize(Decimal("0.0001"), ROUND_HALF_UP)
