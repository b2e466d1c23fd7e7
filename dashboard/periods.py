"""Periods, the slots of a series, and evolutions (DOMAIN §8, "Rules for all"). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

Unit = Literal["day", "week", "month", "quarter"]
Change = Literal["up", "down", "same", "new", "none"]

MOST_DAYS_BY_DAY = 31
MOST_DAYS_BY_WEEK = 120
MOST_YEARS_BY_MONTH = 3
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """From `start` to `end`, both included. Raises ValueError when it ends before it starts."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError("a period ends on or after its start")

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1

    def previous(self) -> Period | None:
        """The period of equal length just before; None where the calendar has no such days."""
        try:
            return Period(self.start - timedelta(days=self.days), self.start - ONE_DAY)
        except OverflowError:
            return None


@dataclass(frozen=True)
class Slot:
    """A day, week, month or quarter of a series. `is_cut`: the period covers only a part of it."""

    start: date
    end: date
    is_cut: bool


@dataclass(frozen=True)
class Evolution:
    """`percent`: the size of the change against the value before, without sign; None for `new` and `none`."""

    type: Change
    percent: Decimal | None


def unit_of(period: Period) -> Unit:
    """Day up to 31 days, week up to 120, month up to 3 years, quarter beyond."""
    if period.days <= MOST_DAYS_BY_DAY:
        return "day"
    if period.days <= MOST_DAYS_BY_WEEK:
        return "week"
    return "month" if period.end < _years_later(period.start, MOST_YEARS_BY_MONTH) else "quarter"


def slots_of(period: Period) -> list[Slot]:
    """The slots of the period's unit, aligned to the calendar; the first and the last may be cut."""
    unit = unit_of(period)
    slots = []
    first = slot_start(period.start, unit)
    while first <= period.end:
        last = slot_end(first, unit)
        start, end = max(first, period.start), min(last, period.end)
        slots.append(Slot(start, end, is_cut=start != first or end != last))
        if last == date.max:
            break
        first = last + ONE_DAY
    return slots


def slot_start(day: date, unit: Unit) -> date:
    """The first day of the day's slot; weeks start on Monday."""
    match unit:
        case "day":
            return day
        case "week":
            # The calendar begins on a Monday.
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)


def slot_end(start: date, unit: Unit) -> date:
    """The last day of the slot that starts on `start`; the calendar's last day where the slot goes beyond it."""
    try:
        match unit:
            case "day":
                return start
            case "week":
                return start + timedelta(days=6)
            case "month":
                return add_months(start, 1) - ONE_DAY
            case "quarter":
                return add_months(start, 3) - ONE_DAY
    except (ValueError, OverflowError):
        return date.max


def add_months(first: date, months: int) -> date:
    """The first day of the month `months` after (before, when negative) the month of `first`."""
    count = first.year * 12 + first.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def months_between(first: date, last: date) -> int:
    """How many months the month of `last` comes after the month of `first`."""
    return (last.year - first.year) * 12 + last.month - first.month


def evolution(value: Decimal | int | None, previous: Decimal | int | None) -> Evolution:
    """How a value moved against the period before. A missing value counts as nothing."""
    now, before = Decimal(value or 0), Decimal(previous or 0)
    if before == 0:
        return Evolution("none" if now == 0 else "new", None)
    change = (now - before) / abs(before) * 100
    percent = abs(change).quantize(Decimal("0.01"), ROUND_HALF_UP)
    if now == before:
        return Evolution("same", Decimal("0.00"))
    return Evolution("up" if now > before else "down", percent)


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        # 29 February in a year without one, or a year beyond the calendar.
        return date.max if day.year + years > date.max.year else date(day.year + years, 3, 1)


def presets(today: date) -> dict[str, Period | None]:
    """The periods that a reader chooses by name: all data (None), this year so far, last year, last whole quarter."""
    quarter = slot_start(today, "quarter")
    return {
        "all": None,
        "this-year": Period(date(today.year, 1, 1), today),
        "last-year": Period(date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)),
        "last-quarter": Period(add_months(quarter, -3), quarter - ONE_DAY),
    }
