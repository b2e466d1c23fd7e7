"""The consolidated block of an answer: its cards, panels and the rates that it names (DOMAIN §14)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.presenters import texts
from dashboard.presenters.panels import Card, Panel, Rows, heads, name, number

Payload = dict[str, Any]
# A note with more rates is no longer read; the JSON and the files have all of them.
MOST_RATES = 6


@dataclass(frozen=True)
class Consolidated:
    """The block of the overview. `countries`: None where there is one country alone."""

    title: str
    cards: Sequence[Card]
    notes: Sequence[str]
    countries: Rows | None


def block_of(payload: Payload) -> Payload | None:
    """The block, where it says something that the blocks by currency do not."""
    block = payload.get("consolidated")
    return None if not block or payload["currencies"] == [block["currency"]] else block


def notes(block: Payload) -> list[str]:
    """The rates used, and what was left out because it has none."""
    rates = block["rates"]
    found = []
    if rates:
        named = [_rate(one) for one in rates[:MOST_RATES]]
        if len(rates) > MOST_RATES:
            more = len(rates) - MOST_RATES
            named.append(ngettext("%(count)s more rate", "%(count)s more rates", more) % {"count": texts.count(more)})
        found.append(
            _("Each amount at the rate of its settlement date: %(rates)s. Sums are rounded once, at their end.")
            % {"rates": "; ".join(named)}
        )
    return found + [_left_out(one) for one in block["without_rate"]]


def _left_out(one: Payload) -> str:
    text = ngettext(
        "Left out, because there is no rate of its day: %(claims)s claim, %(amount)s reimbursed.",
        "Left out, because there is no rate of their day: %(claims)s claims, %(amount)s reimbursed.",
        one["claims"],
    )
    amount = texts.money(one["reimbursed"], one["currency"], with_currency=True)
    return text % {"claims": texts.count(one["claims"]), "amount": amount}


def _rate(one: Payload) -> str:
    """`1 EUR = 655.957 XOF, fixed, claims settled 01/01/2024 – 31/12/2024`."""
    facts = {
        "rate": one["text"],
        "day": texts.day(one["from"]),
        "first": texts.day(one["first_settlement"]),
        "last": texts.day(one["last_settlement"]),
    }
    if one["is_fixed"]:
        return _("%(rate)s (fixed; settled %(first)s – %(last)s)") % facts
    return _("%(rate)s (from %(day)s; settled %(first)s – %(last)s)") % facts


def marked(panel: Panel, block: Payload) -> Panel:
    """A panel of the block beside those of the currencies."""
    return replace(
        panel,
        key=f"{panel.key}-consolidated",
        finding=_("Consolidated: %(finding)s") % {"finding": panel.finding},
        charts=[replace(chart, key=f"{chart.key}-consolidated") for chart in panel.charts],
        notes=[*panel.notes, *notes(block)],
    )


def countries(block: Payload) -> Rows | None:
    """The countries in the reporting currency."""
    rows, currency = block["countries"], block["currency"]
    if len(rows) < 2:
        return None
    caption = _("Countries in %(currency)s") % {"currency": texts.currency_name(currency)}
    return Rows(
        caption,
        heads(_("Country"), _("Claims"), _("Claimed"), _("Reimbursed"), _("Share"), numbers=4),
        [
            [
                name(row["name"]),
                number(texts.count(row["claims"])),
                number(texts.money(row["claimed"], currency)),
                number(texts.money(row["reimbursed"], currency)),
                number(texts.percent(row["share"])),
            ]
            for row in rows
        ],
    )
