"""Spellings of one value by people and exports: differences that must not matter (DOMAIN §4).

Every function here keeps the meaning of its argument. `Verbatim` is for a cell that must stay exactly as it is, because
it is unreadable on purpose.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

T = TypeVar("T")
Value = str | int | float | bool | dt.date | dt.datetime | None
MORNING = dt.time(9, 45)
EXCEL_EPOCH = dt.date(1899, 12, 30)
NO_BREAK, NARROW_NO_BREAK, MINUS = "\u00a0", "\u202f", "\u2212"
EMPTIES = ("", "", "", "", "", "-", "-", "--", "N/A", "n/a", "null", "None", "NaN", " ", "NaT")
UNREADABLE_AMOUNTS: tuple[Value, ...] = (
    "douze mille",
    "???",
    "",
    "-",
    "N/A",
    "voir facture",
    "12 000 + 500",
    "#N/A",
    "#VALUE!",
    "inf",
    "NaN",
    "5 000 ou 6 000",
    True,
)
# Never an empty cell: an empty date in the recap has a meaning (not paid yet).
UNREADABLE_DATES: tuple[Value, ...] = (
    "32/13/2023",
    "31/02/2023",
    "à venir",
    "2023-13-45",
    "0",
    "99999999",
    "12/2023",
    "#N/A",
    "mi-mars",
)


@dataclass(frozen=True, slots=True)
class Verbatim:
    """A value that is written exactly as `cell`, and that cannot be read."""

    cell: Value


@dataclass(frozen=True, slots=True)
class Merged:
    """A cell merged down over `height` rows, its own included."""

    cell: Value
    height: int


Cell = Value | Merged


def pick(values: Sequence[T], rng: Random) -> T:
    """One of `values`; several times faster than `Random.choice`, which matters for a million lines."""
    return values[int(rng.random() * len(values))]


def number(cents: int) -> int | float:
    """An amount as a spreadsheet's number cell: whole where it is whole."""
    return cents // 100 if cents % 100 == 0 else cents / 100


# ------------------------------------------------------------------------------------------------ text
def _without_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def _typographic(text: str) -> str:
    return text.replace("'", "\u2019")


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def _reordered(name: str) -> str:
    first, _, rest = name.partition(" ")
    return f"{rest} {first}" if rest else name


def _with_comma(name: str) -> str:
    return name.replace(" ", ", ", 1)


def _double_spaces(text: str) -> str:
    return f" {text.replace(' ', '  ')} "


def _no_break_spaces(text: str) -> str:
    return text.replace(" ", NO_BREAK) + NO_BREAK


LABEL_SPELLINGS: tuple[Callable[[str], str], ...] = (
    str.title,
    str.lower,
    str.capitalize,
    _without_accents,
    _double_spaces,
    _no_break_spaces,
    _typographic,
    _decomposed,
)
NAME_SPELLINGS = (*LABEL_SPELLINGS, _reordered, _reordered, _reordered, _with_comma, str.title)
# The text that is read (DOMAIN §4 "Text") is the same, letter for letter.
TEXT_SPELLINGS = (_double_spaces, _no_break_spaces, _typographic)


def label(text: str, rng: Random) -> str:
    """Another spelling with the same label key."""
    return pick(LABEL_SPELLINGS, rng)(text)


def name(text: str, rng: Random) -> str:
    """Another spelling of a person's name with the same name key; the label key may differ."""
    return pick(NAME_SPELLINGS, rng)(text)


def text(value: str, rng: Random) -> str:
    """Another spelling that reads as exactly the same text."""
    return pick(TEXT_SPELLINGS, rng)(value)


def empty(rng: Random) -> str:
    return pick(EMPTIES, rng)


# ------------------------------------------------------------------------------------------------ numbers of things
def reference(value: str, rng: Random) -> Cell:
    """Another spelling of a policy, invoice or payment number with the same reference key."""
    if value.isdigit() and value[0] != "0":
        return int(value) if rng.random() < 0.7 else f" {value}"
    way = rng.random()
    if way < 0.3:
        return value.lower()
    if way < 0.6:
        return value.replace("/", " / ")
    return f" {value} " if way < 0.8 else value.replace("-", " ")


def claim_number(value: str, rng: Random) -> str:
    """A claim number in another case, or with white space in it."""
    way = rng.random()
    if way < 0.4:
        return f" {value} "
    if way < 0.7:
        return f"{value[:8]} {value[8:]}"
    return value[:8].upper() + NO_BREAK + value[8:] if way < 0.85 else value.swapcase()


# ------------------------------------------------------------------------------------------------ amounts
def _digits(cents: int) -> tuple[str, str]:
    """Whole units in groups of three parted by `_`, and the decimals, empty when there are none."""
    units, rest = divmod(abs(cents), 100)
    return f"{units:_}", f"{rest:02d}" if rest else ""


def amount_text(cents: int, rng: Random) -> str:
    """An amount as people type it. Never `12,345`: its meaning would depend on the other amounts of the column."""
    units, decimals = _digits(cents)
    way = rng.randrange(8)
    if way == 0:
        written = units.replace("_", " ") + "," + (decimals or "00")
    elif way == 1:
        written = units.replace("_", ",") + "." + (decimals or "00")
    elif way == 2:
        written = units.replace("_", ".") + "," + (decimals or "00")
    else:
        space = (" ", NO_BREAK, NARROW_NO_BREAK, "", "")[way - 3]
        written = units.replace("_", space) + (f",{decimals}" if decimals else "")
    if cents < 0:
        return pick((f"({written})", f"-{written}", f"{MINUS}{written}"), rng)
    return pick(
        (written, written, written, f"XOF {written}", f"{written} F CFA", f"{written} FCFA", f" {written} "), rng
    )


# ------------------------------------------------------------------------------------------------ dates
def serial(day: dt.date) -> int:
    return (day - EXCEL_EPOCH).days


DATE_TEXTS = (
    "%d/%m/%Y",
    "%d/%m/%Y",
    "%d-%m-%Y",
    "%d.%m.%Y",
    "%d/%m/%y",
    "%d.%m.%y",
    "%Y-%m-%d",
    "%d/%m/%Y 14:30",
    "%Y-%m-%d 00:00:00",
)


def date_style(rng: Random) -> Callable[[dt.date], Cell] | None:
    """The way in which one row writes its dates; None for real date cells.

    All dates of a row have one style: spreadsheets format a row or a column, and never put a bare serial number beside
    a formatted date.
    """
    way = rng.random()
    if way < 0.74:
        return None
    if way < 0.80:
        return serial
    if way < 0.82:
        return lambda day: str(serial(day))
    if way < 0.85:
        return lambda day: dt.datetime.combine(day, MORNING)
    return date_text(rng)


def date_text(rng: Random) -> Callable[[dt.date], str]:
    pattern = pick(DATE_TEXTS, rng)
    return lambda day: day.strftime(pattern)


# ------------------------------------------------------------------------------------------------ CSV
def csv_text(cell: Cell, date_pattern: str) -> str:
    """The text of a cell in a CSV export."""
    if isinstance(cell, Merged):
        cell = cell.cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, dt.datetime):
        return cell.strftime(f"{date_pattern} %H:%M")
    if isinstance(cell, dt.date):
        return cell.strftime(date_pattern)
    return cell if isinstance(cell, str) else str(cell)


def money(cents: int) -> str:
    """Hundredths as a decimal string with two decimals."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"
