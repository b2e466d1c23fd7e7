"""Amounts, counts and days as people read them, in the active language: for pages, reports, messages and the demo."""

from datetime import date
from decimal import Decimal

from django.utils.formats import date_format, number_format

from common.money import minor_units, to_decimal

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
# The least number of decimals of an amount that is not whole in its currency: 12500.5 XOF is 12,500.50.
_CENT_PLACES = 2
# How people write a currency, where that is not its ISO 4217 code.
_WRITTEN = {"XOF": f"F{NO_BREAK_SPACE}CFA", "XAF": f"F{NO_BREAK_SPACE}CFA"}


def format_amount(value: Decimal, currency: str, *, with_currency: bool = False) -> str:
    """An amount in currency units → its text: 12500.00 XOF → `12,500`, in French `12 500`.

    The decimals are those of the currency (ISO 4217: XOF has none, EUR two; two for an unknown currency). A fraction
    smaller than that is never hidden: 12500.50 XOF → `12,500.50`. `with_currency` appends the currency as people write
    it: `12,500 F CFA`, `99.90 EUR`. All spaces are no-break spaces.
    """
    places = _places(value, currency)
    # Plus zero, because -0.00 is an amount of nothing.
    text = number_format(value + 0, decimal_pos=places, use_l10n=True, force_grouping=True)
    return f"{text}{NO_BREAK_SPACE}{written_currency(currency)}" if with_currency and currency else text


def format_cents(cents: int, currency: str, *, with_currency: bool = False) -> str:
    """`format_amount` of whole hundredths of the currency unit, the unit of the pipeline's frames."""
    return format_amount(to_decimal(cents), currency, with_currency=with_currency)


def written_currency(currency: str) -> str:
    """An ISO 4217 code → the currency as people write it: XOF → `F CFA`, EUR → `EUR`."""
    return _WRITTEN.get(currency.upper(), currency)


def format_count(value: int) -> str:
    """A whole number, grouped: 104212 → `104,212`, in French `104 212`."""
    return number_format(value, use_l10n=True, force_grouping=True)


def format_rate(value: Decimal) -> str:
    """A rate with the decimals that it has, not grouped: 655.957000 → `655.957`, in French `655,957`."""
    return number_format(f"{value.normalize():f}", use_l10n=True)


def format_day(value: date) -> str:
    """A day in figures: `31/12/2023`."""
    return date_format(value, "SHORT_DATE_FORMAT")


def format_period(first: date, last: date) -> str:
    """The days from `first` to `last`, both included: `01/01/2023 – 31/12/2023`."""
    return f"{format_day(first)} – {format_day(last)}"


def _places(value: Decimal, currency: str) -> int:
    """How many decimals to write: those of the currency, or more when the amount has more."""
    usual = minor_units(currency)
    exponent = value.normalize().as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError("an amount must be a finite number")
    needed = max(0, -exponent)
    return usual if needed <= usual else max(needed, _CENT_PLACES)
