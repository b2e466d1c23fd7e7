"""Exchange rates that are fixed by treaty: both francs CFA to the euro (DOMAIN §14)."""

from decimal import Decimal
from fractions import Fraction

from common.formats import format_rate

# Units of the currency for one euro.
_OF_THE_EURO = Decimal("655.957")
_FOR_ONE_EURO = {"EUR": Fraction(1), "XOF": Fraction(_OF_THE_EURO), "XAF": Fraction(_OF_THE_EURO)}


def fixed_rate(base: str, currency: str) -> Fraction | None:
    """How many units of `currency` one unit of `base` costs, exact; None where the rate is not fixed.

    XOF and XAF are compared through the euro: one costs one of the other.
    """
    if base == currency:
        return Fraction(1)
    if base not in _FOR_ONE_EURO or currency not in _FOR_ONE_EURO:
        return None
    return _FOR_ONE_EURO[currency] / _FOR_ONE_EURO[base]


def fixed_currencies(base: str) -> list[str]:
    """The other currencies whose rate to `base` is fixed."""
    return sorted(one for one in _FOR_ONE_EURO if one != base) if base in _FOR_ONE_EURO else []


def fixed_text(base: str, currency: str) -> str:
    """A fixed rate in the direction in which it is published: `1 EUR = 655.957 XOF`."""
    if fixed_rate(base, currency) == 1:
        return f"1 {base} = 1 {currency}"
    return rate_text("EUR", _OF_THE_EURO, base if currency == "EUR" else currency)


def rate_text(base: str, rate: Decimal, currency: str) -> str:
    """What one unit of the reporting currency costs: `1 EUR = 9300.5 GNF`."""
    return f"1 {base} = {format_rate(rate)} {currency}"
