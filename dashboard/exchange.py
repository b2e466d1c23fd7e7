"""The reporting currency and its rates, as the figures need them (DOMAIN §14)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from core.currencies.fixed import fixed_currencies, fixed_rate, fixed_text, rate_text
from core.models import ExchangeRate, ReportingCurrency
from dashboard.indicators.consolidated import Rate, Rates, UsedRate, WithoutRate
from users.models import User


def setting_of(user: User) -> ReportingCurrency | None:
    """The reporting currency; None where there is none, and for accounts that see one country alone."""
    return ReportingCurrency.objects.visible_to(user).first() if user.sees_all_countries() else None


def rates_of(user: User, setting: ReportingCurrency) -> Rates:
    """The fixed rates and the typed ones. A typed rate of a fixed pair has no effect."""
    base = setting.currency
    found: dict[str, list[Rate]] = {
        one: [Rate(one, None, fixed_rate(base, one) or Fraction(1), is_fixed=True)] for one in fixed_currencies(base)
    }
    fixed = set(found)
    rows = ExchangeRate.objects.visible_to(user).filter(base=base).order_by("currency", "start")
    for currency, start, rate in rows.values_list("currency", "start", "rate"):
        if currency not in fixed:
            found.setdefault(currency, []).append(Rate(currency, start, Fraction(rate)))
    return Rates(base, found)


def shown_rates(base: str, used: Iterable[UsedRate]) -> list[dict[str, Any]]:
    """The rates used, as JSON."""
    return [
        {
            "currency": one.rate.currency,
            "from": one.rate.start.isoformat() if one.rate.start else None,
            "rate": _number(one.rate),
            "is_fixed": one.rate.is_fixed,
            "text": _text(base, one.rate),
            "first_settlement": one.first.isoformat(),
            "last_settlement": one.last.isoformat(),
            "claims": one.claims,
        }
        for one in used
    ]


def shown_without(found: Iterable[WithoutRate]) -> list[dict[str, Any]]:
    """The claims without a rate, as JSON."""
    return [
        {
            "currency": one.currency,
            "claims": one.claims,
            "claimed": f"{one.claimed:f}",
            "reimbursed": f"{one.reimbursed:f}",
        }
        for one in found
    ]


def _number(rate: Rate) -> str:
    """Units of the currency for one of the reporting currency; of an inverse, fifteen digits."""
    value = Decimal(rate.units.numerator) / Decimal(rate.units.denominator)
    text = f"{value:.15g}"
    return f"{Decimal(text):f}"


def _text(base: str, rate: Rate) -> str:
    if rate.is_fixed:
        return fixed_text(base, rate.currency)
    return rate_text(base, Decimal(_number(rate)), rate.currency)
