"""Dates as people and spreadsheets write them, day first (DOMAIN §4 "Dates")."""

import re
from datetime import date, timedelta

from common.keys import clean_text

_LAST_SERIAL = 2958465  # 9999-12-31
# Excel counts a 29 February 1900 that never was: serials up to 59 stand one day nearer to its epoch than later ones.
_EPOCH, _EARLY_EPOCH, _NO_SUCH_DAY = date(1899, 12, 30), date(1899, 12, 31), 60
# A fraction marks a time of day only on a number of five digits or more: `12.5` is not the 12th of January 1900 at
# noon.
_SERIAL = re.compile(r"([1-9][0-9]{0,6})(\.[0-9]+)?")
_LEAST_FRACTIONAL_SERIAL = 10000

_TIME = (
    r"(?:[ T](?:(?:[01]?[0-9]|2[0-3])[:h][0-5][0-9](?::[0-5][0-9](?:[.,][0-9]+)?)?"
    r"|(?:0?[1-9]|1[0-2]):[0-5][0-9](?::[0-5][0-9])? ?[AaPp][Mm])"
    r" ?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_YEAR_FIRST = re.compile(rf"([0-9]{{4}})-([0-9]{{1,2}})-([0-9]{{1,2}}){_TIME}")
_DAY_FIRST = re.compile(rf"([0-9]{{1,2}})([/.-])([0-9]{{1,2}})\2([0-9]{{4}}|[0-9]{{2}}){_TIME}")


def _from_serial(serial: int) -> date | None:
    if serial > _LAST_SERIAL:
        return None
    if serial == _NO_SUCH_DAY:
        return date(1900, 2, 28)
    return (_EPOCH if serial > _NO_SUCH_DAY else _EARLY_EPOCH) + timedelta(days=serial)


def _calendar_day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:  # 31/02: written like a date, yet no day of the calendar
        return None


def parse_date(text: str) -> date | None:
    """Read a date, its time of day dropped; None when it cannot be read (DOMAIN §4 "Dates").

    Digits alone are an Excel serial number (1 = 1900-01-01, 60 = 1900-02-28, 61 = 1900-03-01, up to 2958465), so
    `20230105` is unreadable, and so are digits with a leading zero, which no number cell shows.
    """
    text = clean_text(text)
    written = _YEAR_FIRST.fullmatch(text)
    if written:
        return _calendar_day(int(written[1]), int(written[2]), int(written[3]))
    written = _DAY_FIRST.fullmatch(text)
    if written:
        year = int(written[4])
        if len(written[4]) == 2:
            year += 2000 if year <= 68 else 1900
        return _calendar_day(year, int(written[3]), int(written[1]))
    number = _SERIAL.fullmatch(text)
    if number:
        serial = int(number[1])
        return _from_serial(serial) if not number[2] or serial >= _LEAST_FRACTIONAL_SERIAL else None
    return None
