"""`{% load formats %}`: the filters of templates for amounts and days (`common.formats`). None is shown as a dash."""

from datetime import date
from decimal import Decimal

from django import template
from django.utils.formats import number_format

from common.formats import NO_BREAK_SPACE, format_amount, format_count, format_day

NOTHING = "–"
register = template.Library()


@register.filter
def amount(value: Decimal | None, currency: str = "") -> str:
    """`{{ claim.claimed_amount|amount:claim.currency }}` → `12,500`."""
    return NOTHING if value is None else format_amount(value, currency)


@register.filter
def money(value: Decimal | None, currency: str = "") -> str:
    """`{{ claim.claimed_amount|money:claim.currency }}` → `12,500 F CFA`."""
    return NOTHING if value is None else format_amount(value, currency, with_currency=True)


@register.filter
def count(value: int | None) -> str:
    """`{{ session.claims_created_count|count }}` → `104,212`."""
    return NOTHING if value is None else format_count(value)


@register.filter
def day(value: date | None) -> str:
    """`{{ claim.settlement_date|day }}` → `31/12/2023`."""
    return NOTHING if value is None else format_day(value)


@register.filter
def percent(value: Decimal | None) -> str:
    """`{{ country.target_loss_ratio|percent }}` → `80 %`, with as many decimals as it has."""
    if value is None:
        return NOTHING
    places = max(0, -int((value * 100).normalize().as_tuple().exponent))
    number = number_format(value * 100, decimal_pos=places, use_l10n=True)
    return f"{number}{NO_BREAK_SPACE}%"
