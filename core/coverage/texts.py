"""Rates and subscribers as people read them: rates in whole per cent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from common.errors import Invalid
from common.formats import NO_BREAK_SPACE, format_count
from common.keys import clean_text
from core.models import Plan, Policy, RateSource, SubscriberSource

NOTHING = "–"
_PERCENT = re.compile(r"([0-9]{1,3}) ?%?")


@dataclass(frozen=True)
class ShownRate:
    """The rate in force with its source, and the typed and observed ones. `differs`: the two are not the same."""

    rate: str
    source: str
    typed: str
    observed: str
    differs: bool
    percent: str


def format_rate(rate: Decimal | None) -> str:
    """0.80 → `80 %`; a dash for none."""
    return NOTHING if rate is None else f"{format_count(int(rate * 100))}{NO_BREAK_SPACE}%"


def shown_rate(record: Policy | Plan) -> ShownRate:
    source = record.rate_source
    typed, observed = record.typed_rate, record.observed_rate
    return ShownRate(
        rate=format_rate(record.rate),
        source=str(RateSource(source).label) if source else "",
        typed=format_rate(typed),
        observed=format_rate(observed),
        differs=typed is not None and observed is not None and typed != observed,
        percent="" if typed is None else str(int(typed * 100)),
    )


def source_of_subscriber(policy: Policy) -> str:
    source = policy.subscriber_source
    return str(SubscriberSource(source).label) if source else ""


def read_percent(typed: str) -> Decimal:
    """`80` or `80 %` → 0.80. Raises Invalid for everything but a whole percentage from 1 to 100."""
    found = _PERCENT.fullmatch(clean_text(typed))
    if found is None or not 1 <= int(found[1]) <= 100:
        raise Invalid({"rate": [_("Type the rate as a whole percentage from 1 to 100, such as 80.")]})
    return Decimal(int(found[1])).scaleb(-2)


def missing(policy: Policy) -> list[str]:
    """What is to complete on a policy."""
    wrong = []
    if not policy.subscriber:
        wrong.append(_("no subscriber"))
    if policy.rate is None:
        wrong.append(_("no coverage rate"))
    if shown_rate(policy).differs:
        wrong.append(_("typed rate differs"))
    return wrong
