"""Amounts of money: read without a guess, kept as whole hundredths of the currency unit (DOMAIN §4 "Amounts")."""

import re
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from common.keys import clean_text

# Below a million million: no claim comes near it, and sums of such amounts stay within the fifteen digits that SQLite,
# a workbook and JSON readers keep exactly.
_MOST_CENTS = 10**14 - 1
_MOST_DIGITS = 12

_MINUS_SIGNS = str.maketrans(dict.fromkeys("‐‑‒–—−﹣－", "-"))

# ISO 4217 (list one, 2024). Upper case only: in lower case these are words.
_ISO_CODES = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY
COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR
IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR
MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD
SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD
XOF XPF YER ZAR ZMW
"""
# ISO 4217 (list one, 2024): the currencies whose number of decimals is not two.
_MINOR_UNITS = dict.fromkeys(
    ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"], 0
) | dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3)
_CURRENCY = (
    r"(?:(?i:F\.? ?CFA|FRANCS? CFA|CFA|XOF|XAF|GNF|EUROS?|EUR|FRANCS?|FRS?|F)"
    r"|(?:US)?\$|(?:GH)?₵|€|£|₦|" + "|".join(_ISO_CODES.split()) + ")"
)
_LEADING_CURRENCY = re.compile(rf"{_CURRENCY} ?(?=[-+(0-9])")
_TRAILING_CURRENCY = re.compile(rf"(?<=[-0-9)]) ?{_CURRENCY}$")

_PLAIN = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]+))?")
_BARE = re.compile(r"[0-9., ]+")
# Groups of three digits, with a space or a separator of thousands between them.
_GROUPED = re.compile(r"[0-9]{1,3}(?:[ .,][0-9]{3})+")
_LONE_MARK = re.compile(r"[1-9][0-9]{0,2}([.,])[0-9]{3}")


class MarkMeaning(StrEnum):
    """What a `.` or a `,` in an amount is."""

    DECIMAL = "decimal"
    THOUSANDS = "thousands"


def is_currency(code: str) -> bool:
    """Whether ISO 4217 has a currency of this code, in upper case."""
    return code in _ISO_CODES.split()


def minor_units(currency: str) -> int:
    """How many decimals amounts of an ISO 4217 currency have: XOF 0, EUR 2, TND 3; 2 for an unknown one."""
    return _MINOR_UNITS.get(currency.upper(), 2)


def parse_amount(text: str, *, lone_mark: MarkMeaning | None = None) -> int | None:
    """Read an amount as hundredths of the currency unit; None when it cannot be read (DOMAIN §4 "Amounts").

    A half hundredth is rounded away from zero (0.005 → 1, -0.005 → -1). Spaces and thousands separators must part
    groups of three digits: `12 345` is read, `1 2` and `12.05.2023` are not. Exponents, words, error cells and more
    than twelve digits before the decimal sign are unreadable.

    `lone_mark`: the meaning of the one mark in a text such as `12.000` (see `lone_mark_of`); without it, such a text
    is unreadable. A single mark in any other text is the decimal sign.
    """
    plain = _PLAIN.fullmatch(text)
    if plain and not (plain[3] and _LONE_MARK.fullmatch(text, plain.start(2))):
        return _cents(whole=plain[2], decimals=plain[3] or "", negative=bool(plain[1]))
    number, negative = _without_sign(text)
    if _LONE_MARK.fullmatch(number):
        if lone_mark is None:
            return None
        if lone_mark is MarkMeaning.THOUSANDS:
            return _cents(whole=number.replace(",", "").replace(".", ""), decimals="", negative=negative)
    parted = _split_decimals(number)
    if parted is None:
        return None
    return _cents(whole=parted[0], decimals=parted[1], negative=negative)


def lone_mark_of(text: str) -> str | None:
    """The mark of a text in which it could part thousands or decimals (DOMAIN §4 "Amounts"): `.` of `12.000`.

    Such a text has one mark, exactly three digits behind it, and one to three before it, of which the first is not 0.
    """
    if "." not in text and "," not in text:
        return None
    found = _LONE_MARK.fullmatch(_without_sign(text)[0])
    return found[1] if found else None


def mark_evidence(text: str) -> dict[str, MarkMeaning]:
    """What the marks of a readable amount can only be (DOMAIN §4 "Amounts"): `1.234,5` → `.` thousands, `,` decimal.

    Empty where the text has no mark, is unreadable, or could be either.
    """
    commas, points = text.count(","), text.count(".")
    if not commas + points:
        return {}
    number, _ = _without_sign(text)
    commas, points = number.count(","), number.count(".")
    if not commas + points or _LONE_MARK.fullmatch(number) or _split_decimals(number) is None:
        return {}
    if commas and points:
        last, other = (",", ".") if number.rfind(",") > number.rfind(".") else (".", ",")
        return {last: MarkMeaning.DECIMAL, other: MarkMeaning.THOUSANDS}
    mark = "," if commas else "."
    if commas + points > 1:
        return {mark: MarkMeaning.THOUSANDS}
    # Nothing behind the mark (`500,`) decides nothing.
    return {} if number.endswith(mark) else {mark: MarkMeaning.DECIMAL}


def _without_sign(text: str) -> tuple[str, bool]:
    """An amount without its currency and its sign: digits, spaces and marks, where it is one; whether it is negative.

    A sign stands before the number or is a minus behind it, or the number stands in parentheses.
    """
    rest = clean_text(text).translate(_MINUS_SIGNS)
    rest, has_currency = _without_currency(rest)
    negative = False
    if rest.startswith("(") and rest.endswith(")"):
        negative, rest = True, rest[1:-1].strip()
    elif rest[:1] in ("-", "+"):
        negative, rest = rest[0] == "-", rest[1:].strip()
    elif rest.endswith("-"):
        negative, rest = True, rest[:-1].strip()
    if not has_currency:
        rest, _ = _without_currency(rest)
    return rest, negative


def _without_currency(text: str) -> tuple[str, bool]:
    """A number without the one currency word before or behind it, and whether there was one."""
    if _BARE.fullmatch(text):
        return text, False
    rest, found = _LEADING_CURRENCY.subn("", text, count=1) if _LEADING_CURRENCY.match(text) else (text, 0)
    if not found:
        rest, found = _TRAILING_CURRENCY.subn("", text, count=1)
    return rest, bool(found)


def _split_decimals(number: str) -> tuple[str, str] | None:
    """Digits, spaces, `,` and `.` → whole and decimal digits; None when the separators make no number."""
    commas, points = number.count(","), number.count(".")
    decimal = ""
    if commas and points:
        decimal = "," if number.rfind(",") > number.rfind(".") else "."
        if number.count(decimal) > 1:
            return None
    elif commas + points == 1:
        decimal = "," if commas else "."
    whole, _, decimals = number.partition(decimal) if decimal else (number, "", "")
    if not (whole or decimals) or (decimals and not (decimals.isascii() and decimals.isdigit())):
        return None
    if whole and not (whole.isascii() and whole.isdigit()):
        if not _GROUPED.fullmatch(whole):
            return None
        whole = whole.replace(" ", "").replace(",", "").replace(".", "")
    return whole, decimals


def _cents(*, whole: str, decimals: str, negative: bool) -> int | None:
    whole = whole.lstrip("0")
    if len(whole) > _MOST_DIGITS:
        return None
    # The third decimal alone decides half-up rounding, whatever follows it.
    padded = decimals[:3].ljust(3, "0")
    cents = int(whole or "0") * 100 + int(padded[:2]) + (padded[2] >= "5")
    if cents > _MOST_CENTS:
        return None
    return -cents if negative else cents


def to_decimal(cents: int) -> Decimal:
    """Hundredths as a Decimal with two decimals, as the database keeps it: 30400 → Decimal("304.00")."""
    return Decimal(decimal_string(cents))


def cents_of(amount: Decimal) -> int:
    """A Decimal amount as hundredths, half of one rounded away from zero. ValueError when it is no finite number."""
    if not amount.is_finite():
        raise ValueError("an amount must be a finite number")
    return int(amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP).scaleb(2))


def decimal_string(cents: int) -> str:
    """Hundredths as a decimal string, as JSON carries them: -5 → "-0.05"."""
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return f"{sign}{whole}.{rest:02d}"
