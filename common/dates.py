"""Dates as people and spreadsheets write them, day first (DOMAIN §4 "Dates")."""

import re
import unicodedata
from datetime import date, timedelta

from common.keys import clean_text, label_key

_LAST_SERIAL = 2958465  # 9999-12-31
# Excel counts a 29 February 1900, which did not exist: serials up to 59 are one day nearer to its epoch.
_EPOCH, _EARLY_EPOCH, _29_FEBRUARY_1900 = date(1899, 12, 30), date(1899, 12, 31), 60
# A fraction is a time of day only in a number of five digits or more: `12.5` is not the 12th of January 1900 at noon.
_SERIAL = re.compile(r"([1-9][0-9]{0,6})(\.[0-9]+)?")
_LEAST_FRACTIONAL_SERIAL = 10000

_TIME = (
    r"(?:[ T](?:(?:[01]?[0-9]|2[0-3])[:h][0-5][0-9](?::[0-5][0-9](?:[.,][0-9]+)?)?"
    r"|(?:0?[1-9]|1[0-2])(?::[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]+)?)?)? ?[AaPp]\.?[Mm]\.?)"
    r"(?: ?(?:Z|UTC|GMT|(?:UTC|GMT)?[-+][0-9]{1,2}(?::?[0-9]{2})?))?)?"
)
_YEAR_FIRST = re.compile(rf"([0-9]{{4}})-([0-9]{{1,2}})-([0-9]{{1,2}}){_TIME}")
_DAY_FIRST = re.compile(rf"([0-9]{{1,2}})([/.-])([0-9]{{1,2}})\2([0-9]{{4}}|[0-9]{{2}}){_TIME}")
_WORD, _BETWEEN = r"([^\W\d_]{3,9})\.?", r"(?: ?- ?| )"
_IN_WORDS = re.compile(
    rf"(?:{_WORD}{_BETWEEN})?([0-9]{{1,2}}){_BETWEEN}{_WORD}{_BETWEEN}([0-9]{{4}}|[0-9]{{2}}){_TIME}"
)

# Without accents, which `label_key` drops. French and English.
_MONTHS = (
    ("JANVIER", "JANUARY"), ("FEVRIER", "FEBRUARY"), ("MARS", "MARCH"), ("AVRIL", "APRIL"), ("MAI", "MAY"),
    ("JUIN", "JUNE"), ("JUILLET", "JULY"), ("AOUT", "AUGUST"), ("SEPTEMBRE", "SEPTEMBER"), ("OCTOBRE", "OCTOBER"),
    ("NOVEMBRE", "NOVEMBER"), ("DECEMBRE", "DECEMBER"),
)  # fmt: skip
_WEEKDAYS = (
    "LUNDI", "MARDI", "MERCREDI", "JEUDI", "VENDREDI", "SAMEDI", "DIMANCHE",
    "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY",
)  # fmt: skip
_SHORTEST_WORD = 3


def _shortened(word: str) -> list[str]:
    """The word and its beginnings of three letters or more."""
    return [word[:length] for length in range(_SHORTEST_WORD, len(word) + 1)]


def _months_by_word() -> dict[str, int]:
    """The number of each month by its names, whole or shortened; `JUI` is no month, as it fits two of them."""
    fitting: dict[str, set[int]] = {}
    for month, names in enumerate(_MONTHS, start=1):
        for name in names:
            for word in _shortened(name):
                fitting.setdefault(word, set()).add(month)
    return {word: min(months) for word, months in fitting.items() if len(months) == 1}


_MONTH_OF = _months_by_word()
_WEEKDAY_WORDS = frozenset(word for weekday in _WEEKDAYS for word in _shortened(weekday))


def _from_serial(serial: int) -> date | None:
    if serial > _LAST_SERIAL:
        return None
    if serial == _29_FEBRUARY_1900:
        return date(1900, 2, 28)
    return (_EPOCH if serial > _29_FEBRUARY_1900 else _EARLY_EPOCH) + timedelta(days=serial)


def _calendar_day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:  # 31/02: no day of the calendar
        return None


def parse_date(text: str) -> date | None:
    """Read a date, its time of day dropped; None when it cannot be read (DOMAIN §4 "Dates").

    Digits alone are an Excel serial number (1 = 1900-01-01, 60 = 1900-02-28, 61 = 1900-03-01, up to 2958465), so
    `20230105` is unreadable, and so are digits with a leading zero, which no number cell shows. A day of the week
    before the date is not compared with it.
    """
    text = clean_text(text)
    if written := _YEAR_FIRST.fullmatch(text):
        return _calendar_day(int(written[1]), int(written[2]), int(written[3]))
    if written := _DAY_FIRST.fullmatch(text):
        return _calendar_day(_full_year(written[4]), int(written[3]), int(written[1]))
    if number := _SERIAL.fullmatch(text):
        serial = int(number[1])
        return _from_serial(serial) if not number[2] or serial >= _LEAST_FRACTIONAL_SERIAL else None
    if written := _IN_WORDS.fullmatch(unicodedata.normalize("NFC", text)):
        weekday, month = label_key(written[1] or ""), _MONTH_OF.get(label_key(written[3]))
        if month and (not weekday or weekday in _WEEKDAY_WORDS):
            return _calendar_day(_full_year(written[4]), month, int(written[2]))
    return None


def _full_year(digits: str) -> int:
    """A year of four digits or two: 00–68 → 20xx, 69–99 → 19xx."""
    year = int(digits)
    if len(digits) == 4:
        return year
    return year + (2000 if year <= 68 else 1900)
