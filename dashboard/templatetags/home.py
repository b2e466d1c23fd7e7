"""`{% load home %}`: the values of figures, which are texts in an answer, for the filters of templates."""

from decimal import Decimal

from django import template

from common import formats
from dashboard import home

register = template.Library()


@register.filter
def decimal(value: str | None) -> Decimal | None:
    """The decimal of an answer: "12500.00" → Decimal."""
    return None if value is None else Decimal(value)


@register.filter
def percent(ratio: str | None) -> str:
    """`{{ row.share_left_out|percent }}` → `12.5 %`."""
    return "–" if ratio is None else home.percent(ratio)


@register.filter
def written_currency(currency: str) -> str:
    """`XOF` → `F CFA`."""
    return formats.written_currency(currency)
