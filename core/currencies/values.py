"""Checks and reads the values of an exchange rate (DOMAIN §14)."""

import re
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from django.utils.translation import gettext as _

from common.keys import clean_text
from common.money import is_currency
from core.currencies.fixed import fixed_rate, fixed_text

DECIMALS = 12
# SQLite keeps as many exactly.
MOST_DIGITS = 15
_FIRST_DAY, _LAST_DAY = date(1990, 1, 1), date(2199, 12, 31)
_STEP = Decimal(1).scaleb(-DECIMALS)
# A number cell of a workbook is written by Python: 1.52e-05.
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:e-[0-9]{1,2})?")
_LARGEST = Decimal(10**9)


def code_of(text: str) -> str:
    return clean_text(text).upper()


def currency_problems(code: str) -> list[str]:
    """Why `code` is no currency; empty for an ISO 4217 code."""
    return [] if is_currency(code) else [_("Give the ISO 4217 code: three letters, such as XOF.")]


def day_problems(day: date | None) -> list[str]:
    if day is None or not _FIRST_DAY <= day <= _LAST_DAY:
        return [_("Give a day from 1990 on.")]
    return []


def parse_rate(text: str) -> Decimal | None:
    """Read a rate; None where it is no number above zero.

    A single point or comma is the decimal sign, however many digits are behind it, because no rate is typed with
    thousands alone; with both, the last is the decimal sign. More decimals than DECIMALS are rounded half up.
    """
    number = clean_text(text).replace(" ", "").replace("\u202f", "").lower()
    if "," in number and "." in number:
        other = "," if number.rfind(".") > number.rfind(",") else "."
        number = number.replace(other, "")
    number = number.replace(",", ".")
    if not _NUMBER.fullmatch(number):
        return None
    return Decimal(number).quantize(_STEP, ROUND_HALF_UP) if len(number) <= 40 else None


def rate_problems(base: str, currency: str, rate: Decimal | None) -> list[str]:
    """Why `rate` (units of `currency` for one of `base`) cannot be stored."""
    if rate is None or not rate.is_finite() or rate <= 0:
        return [_("Give a number above zero.")]
    if rate >= _LARGEST:
        return [_("Give a number below 1,000,000,000.")]
    if rate != rate.quantize(_STEP, ROUND_HALF_UP):
        return [_("At most %(limit)d decimals.") % {"limit": DECIMALS}]
    if len(rate.normalize().as_tuple().digits) > MOST_DIGITS:
        return [_("At most %(limit)d digits.") % {"limit": MOST_DIGITS}]
    if base == currency:
        return [_("This is the reporting currency itself.")]
    fixed = fixed_rate(base, currency)
    if fixed is not None and not _is_same(rate, fixed):
        return [_("This rate is fixed and cannot be another: %(rate)s.") % {"rate": fixed_text(base, currency)}]
    return []


def _is_same(rate: Decimal, fixed: Fraction) -> bool:
    """Equal to the decimals that the rate has, three at least: 655.957, or 0.0015244902 for its inverse."""
    if fixed == 1:
        return rate == 1
    exponent = rate.normalize().as_tuple().exponent
    places = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    near = (Decimal(fixed.numerator) / Decimal(fixed.denominator)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return places >= 3 and rate == near
