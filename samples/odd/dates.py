"""Kinds of odd dates: months in words, days of the week, times of day, short years, serial numbers as text."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable
from random import Random

from samples import columns as c
from samples.claims import ClaimMaker, Row, SampleClaim
from samples.kinds import Way
from samples.odd.kind import CellChange, OddKind, Side
from samples.spelling import Cell, Verbatim, pick, serial

_FRENCH = (
    [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
)
_ENGLISH = (
    [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
)
_UNREADABLE = ("12 jui 2023", "12 ma 2023", "31 avril 2023", "mars 2023", "12 mars", "32 mars 2023", "10 brumaire 2023")
DateText = Callable[[dt.date, Random], str]


def _written(columns: tuple[int, ...], write: DateText) -> CellChange:
    def change(row: Row, cells: list[Cell], rng: Random) -> None:
        for column in columns:
            if isinstance(row[column], dt.date) and rng.random() < 0.7:
                cells[column] = write(row[column], rng)

    return change


def _in_both_files(write: DateText) -> dict[Side, CellChange]:
    return {"stat": _written((c.INCIDENT, c.SETTLED), write), "recap": _written((c.R_SETTLED,), write)}


def _without_accents(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


def _shortened_months() -> list[list[str]]:
    """For each month its shortened names of three letters or more that fit no other month."""
    whole = [(month, name) for names, _ in (_FRENCH, _ENGLISH) for month, name in enumerate(names)]
    shortened: list[list[str]] = [[] for _ in range(12)]
    for month, name in whole:
        for length in range(3, len(name)):
            start = _without_accents(name[:length]).lower()
            if all(other == month or not _without_accents(text).lower().startswith(start) for other, text in whole):
                shortened[month].append(name[:length])
    return shortened


_SHORTENED = _shortened_months()


def _month(month: int, rng: Random) -> str:
    whole = pick((_FRENCH, _ENGLISH), rng)[0][month - 1]
    name = pick((whole, pick(_SHORTENED[month - 1] or [whole], rng)), rng)
    is_shortened = name in _SHORTENED[month - 1]
    if rng.random() < 0.3:
        name = _without_accents(name)
    if is_shortened and rng.random() < 0.4:
        name += "."
    return pick((name, name.upper(), name.capitalize()), rng)


def _month_in_words(day: dt.date, rng: Random) -> str:
    between = pick((" ", "-"), rng)
    year = pick((f"{day.year}", f"{day.year}", f"{day.year % 100:02d}"), rng)
    return between.join((pick((f"{day.day}", f"{day.day:02d}"), rng), _month(day.month, rng), year))


def _weekday_before(day: dt.date, rng: Random) -> str:
    months, weekdays = pick((_FRENCH, _ENGLISH), rng)
    weekday = weekdays[day.weekday()]
    name = pick((weekday, weekday.capitalize()), rng)
    month = pick((months[day.month - 1], _month(day.month, rng)), rng)
    return f"{name} {day.day} {month} {day.year}"


def _date(day: dt.date, rng: Random) -> str:
    return pick(
        (f"{day:%d/%m/%Y}", f"{day:%d-%m-%Y}", f"{day:%Y-%m-%d}", f"{day.day} {_month(day.month, rng)} {day.year}"), rng
    )


def _clock_12(day: dt.date, rng: Random) -> str:
    time = dt.time(rng.randrange(24), rng.randrange(60), rng.randrange(60))
    hour = pick((f"{time.hour % 12 or 12}", f"{time.hour % 12 or 12:02d}"), rng)
    half = "AM" if time.hour < 12 else "PM"
    seconds = pick(("", f":{time:%S}"), rng)
    return f"{_date(day, rng)} {hour}:{time:%M}{seconds}{pick((' ', ''), rng)}{pick((half, half.lower()), rng)}"


def _fraction(day: dt.date, rng: Random) -> str:
    time = f"{rng.randrange(24):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}"
    digits = f"{rng.randrange(1_000_000):06d}"[: pick((1, 3, 6), rng)]
    return (
        f"{day:%Y-%m-%d}{pick(('T', ' '), rng)}{time}.{digits}"
        if rng.random() < 0.6
        else f"{_date(day, rng)} {time}.{digits}"
    )


def _time_zone(day: dt.date, rng: Random) -> str:
    time = f"{rng.randrange(24):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}"
    zone = pick(("Z", "+00:00", "+01:00", "-05:00", "+0100"), rng)
    return f"{day:%Y-%m-%d}T{time}{pick(('', '.250'), rng)}{zone}"


def _two_digit_year(day: dt.date, rng: Random) -> str:
    return f"{day:%d}{(mark := pick(('/', '-', '.'), rng))}{day:%m}{mark}{day:%y}"


def _serial_text(day: dt.date, rng: Random) -> str:
    return str(serial(day))


def _unreadable_in_stat(maker: ClaimMaker, claim: SampleClaim) -> None:
    pick(claim.lines, maker.rng)[c.SETTLED] = Verbatim(pick(_UNREADABLE, maker.rng))


def _unreadable_in_recap(maker: ClaimMaker, claim: SampleClaim) -> None:
    claim.recaps[0][c.R_SETTLED] = Verbatim(pick(_UNREADABLE, maker.rng))


KINDS = (
    OddKind(
        name="date-months",
        description="months in French and English words, whole and shortened",
        cells=_in_both_files(_month_in_words),
    ),
    OddKind(
        name="date-weekdays",
        description="the day of the week before a month in words",
        cells=_in_both_files(_weekday_before),
    ),
    OddKind(name="date-clock-12", description="times of a 12-hour clock", cells=_in_both_files(_clock_12)),
    OddKind(name="date-fractions", description="fractions of a second", cells=_in_both_files(_fraction)),
    OddKind(name="date-time-zones", description="times with a time zone", cells=_in_both_files(_time_zone)),
    OddKind(name="date-short-years", description="years of two digits", cells=_in_both_files(_two_digit_year)),
    OddKind(name="date-serial-texts", description="serial numbers as text", cells=_in_both_files(_serial_text)),
    OddKind(
        name="date-unreadable",
        description="months shortened so that two fit, days that do not exist, dates without a day or a year",
        effect="unreadable",
        claims={
            "stat": (Way("unreadable", 1, _unreadable_in_stat),),
            "recap": (Way("unreadable", 1, _unreadable_in_recap),),
        },
    ),
)
