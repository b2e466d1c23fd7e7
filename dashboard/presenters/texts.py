"""The values of an answer as people read them, in the active language. None is shown as a dash."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from common.formats import NO_BREAK_SPACE, format_amount, format_count, format_day, format_period, written_currency
from common.money import minor_units

NOTHING = "–"


def money(value: str | None, currency: str, *, with_currency: bool = False) -> str:
    """A decimal string in currency units → `12,500`, or `12,500 F CFA`."""
    return NOTHING if value is None else format_amount(Decimal(value), currency, with_currency=with_currency)


def rounded(value: str | None, currency: str, *, with_currency: bool = False) -> str:
    """To the smallest unit of the currency: a mean, a median, an estimate, or an amount in a title."""
    if value is None:
        return NOTHING
    unit = Decimal(1).scaleb(-minor_units(currency))
    return format_amount(Decimal(value).quantize(unit, ROUND_HALF_UP), currency, with_currency=with_currency)


def count(value: int | None) -> str:
    return NOTHING if value is None else format_count(value)


def percent(ratio: str | None, places: int = 1) -> str:
    """A ratio as a decimal string → `83.4 %`."""
    return NOTHING if ratio is None else percentage(Decimal(ratio) * 100, places)


def percentage(value: Decimal, places: int = 1) -> str:
    """A number of percent → `83.4 %`."""
    return f"{decimals(value, places)}{NO_BREAK_SPACE}%"


def decimals(value: str | float | Decimal | None, places: int) -> str:
    if value is None:
        return NOTHING
    # Django's own function cuts the other places off.
    exact = Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return number_format(exact + 0, decimal_pos=places, use_l10n=True, force_grouping=True)


def days(value: float | None) -> str:
    """A number of days, with a decimal where it has one."""
    return NOTHING if value is None else decimals(value, 0 if value == int(value) else 1)


def in_unit(value: str | int | float | None, unit: str, *, is_mean: bool = False) -> str:
    """A value in the unit of its indicator: `count`, `ratio`, `days`, or a currency."""
    if value is None:
        return NOTHING
    match unit:
        case "count":
            return format_count(int(value))
        case "ratio":
            return percent(str(value))
        case "days":
            return days(float(value))
        case _:
            return (rounded if is_mean else money)(str(value), unit, with_currency=True)


def currency_name(currency: str) -> str:
    """A currency as people write it."""
    return written_currency(currency)


def unit_name(unit: str) -> str:
    return {"count": _("number"), "ratio": _("%"), "days": _("days")}.get(unit) or written_currency(unit)


def day(text: str | None) -> str:
    return NOTHING if text is None else format_day(date.fromisoformat(text))


def month(text: str) -> str:
    """`2025-01` → `January 2025`."""
    return date_format(date.fromisoformat(f"{text}-01"), "YEAR_MONTH_FORMAT")


def short_month(text: str) -> str:
    """`2025-01` → `01/2025`."""
    return f"{text[5:]}/{text[:4]}"


def period(payload: Mapping[str, Any]) -> str:
    """The period of an answer with the date by which it counts."""
    found = payload.get("period")
    if not found:
        return ""
    days_ = format_period(date.fromisoformat(found["start"]), date.fromisoformat(found["end"]))
    match payload.get("basis"):
        case "incident_date":
            return _("settled %(period)s, by month of incident") % {"period": days_}
        case "session_date":
            return _("by date of the import session")
        case _:
            return _("settled %(period)s") % {"period": days_}


def slot(found: Mapping[str, Any], unit: str) -> str:
    """A slot of a series: a day, a week, a month or a quarter."""
    start = date.fromisoformat(found["start"])
    match unit:
        case "day":
            return format_day(start)
        case "week":
            return _("week of %(day)s") % {"day": format_day(start)}
        case "month":
            return date_format(start, "YEAR_MONTH_FORMAT")
        case _:
            return _("Q%(quarter)d %(year)d") % {"quarter": (start.month - 1) // 3 + 1, "year": start.year}


def subtitle(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
