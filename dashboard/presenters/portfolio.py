"""The cards of the portfolio and the charts of its series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from dashboard.definitions import INDICATORS, ROLES, Indicator
from dashboard.indicators.portfolio import CONSUMERS, KNOWN
from dashboard.page_links import Place, page_of
from dashboard.presenters import consolidated, texts
from dashboard.presenters.consolidated import Consolidated
from dashboard.presenters.panels import MOST_LINES, Card, Cell, Chart, Group, Head, Panel, Rows, line, name, number

Payload = dict[str, Any]

# The groups of the overview: title → indicators.
GROUPS: tuple[tuple[str | Promise, tuple[str, ...]], ...] = (
    (
        gettext_lazy("Claims and money"),
        ("claims", "lines", "claimed", "reimbursed", "reimbursement_rate", "cost_per_claim", "cost_per_insured"),
    ),
    (gettext_lazy("Insured"), (*CONSUMERS, *KNOWN, "new_insured")),
    (
        gettext_lazy("Clients, providers and operators"),
        (
            "active_clients", "active_policies", "active_partners", "active_operators", "new_clients", "new_partners",
            "clients_without_premium",
        ),
    ),
)  # fmt: skip
# The charts of the series: each has at most four lines in one unit.
SHOWN: dict[str, tuple[str | Promise, tuple[tuple[str, ...], ...]]] = {
    "money": (
        gettext_lazy("Money"),
        (("claimed", "reimbursed"), ("cost_per_claim", "cost_per_insured"), ("reimbursement_rate",)),
    ),
    "claims": (gettext_lazy("Claims"), (("claims", "lines"),)),
    "insured": (
        gettext_lazy("Insured"),
        (("insured_who_consumed", "known_insured", "new_insured"), CONSUMERS[1:], KNOWN[1:]),
    ),
    "business": (
        gettext_lazy("Clients and providers"),
        (
            ("active_clients", "active_policies", "active_partners", "active_operators"),
            ("new_clients", "new_partners"),
        ),
    ),
    "premiums": (
        gettext_lazy("Premiums"),
        (("premium_in_force",), ("loss_ratio",), ("clients_without_premium",)),
    ),
}


MEANS = ("cost_per_claim", "cost_per_insured")


def shown(one: Payload, value: Any, *, in_table: bool = False) -> str:
    """A value of an indicator; in a table without the currency, which the head of its column has."""
    if in_table and one["currency"] and one["unit"] == one["currency"]:
        return (texts.rounded if one["key"] in MEANS else texts.money)(value, one["currency"])
    return texts.in_unit(value, one["unit"], is_mean=one["key"] in MEANS)


def cards(payload: Payload, keys: Sequence[str] = ()) -> list[Card]:
    """A card for each indicator and currency, all of them unless some are named."""
    has_several = len(payload["currencies"]) > 1
    return [_card(one, has_several) for one in payload["indicators"] if not keys or one["key"] in keys]


def groups(payload: Payload) -> list[Group]:
    made = cards(payload)
    return [Group(str(title), [card for key in keys for card in made if card.key == key]) for title, keys in GROUPS]


def _card(one: Payload, has_several: bool) -> Card:
    indicator = INDICATORS[one["key"]]
    # An amount names its currency; a ratio does not.
    of_currency = f" ({texts.currency_name(one['currency'])})" if has_several and one["unit"] == "ratio" else ""
    return Card(
        key=one["key"],
        currency=one["currency"] or "",
        title=f"{indicator.title}{of_currency}",
        value=shown(one, one["value"]),
        change=change(one["evolution"], shown(one, one["previous"])),
        is_good=is_good(indicator, one["evolution"]),
        href=page_of(one["url"]),
        indicator=indicator,
        behind=ngettext("%(claims)s claim behind it", "%(claims)s claims behind it", one["n"])
        % {"claims": texts.count(one["n"])},
    )


def consolidated_block(payload: Payload) -> Consolidated | None:
    """The cards of the reporting currency with their rates; None where there is no such block."""
    block = consolidated.block_of(payload)
    if block is None:
        return None
    title = _("Consolidated in %(currency)s") % {"currency": texts.currency_name(block["currency"])}
    return Consolidated(
        title=title,
        cards=[_card(one, has_several=True) for one in block["indicators"]],
        notes=consolidated.notes(block),
        countries=consolidated.countries(block),
    )


def change(evolution: Payload, before: str) -> str:
    """How a value changed, in words, with the value before."""
    match evolution["type"]:
        case "new":
            return _("new (before: nothing)")
        case "none":
            return _("before: nothing")
        case "same":
            return _("unchanged")
        case "up":
            return _("▲ up %(percent)s (before: %(value)s)") % {"percent": _size(evolution), "value": before}
        case _:
            return _("▼ down %(percent)s (before: %(value)s)") % {"percent": _size(evolution), "value": before}


def short_change(evolution: Payload) -> str:
    """The same in a cell of a table."""
    match evolution["type"]:
        case "new":
            return _("new")
        case "none":
            return texts.NOTHING
        case "same":
            return "="
        case kind:
            return f"{'▲' if kind == 'up' else '▼'} {_size(evolution)}"


def _size(evolution: Payload) -> str:
    return texts.percentage(Decimal(evolution["percent"]))


def is_good(indicator: Indicator, evolution: Payload) -> bool | None:
    """Whether the change is welcome; None where it is neither welcome nor unwelcome."""
    if indicator.good == "neutral" or evolution["type"] not in ("up", "down"):
        return None
    return bool(evolution["type"] == indicator.good)


def portfolio_finding(payload: Payload) -> str:
    """What the overview says: claims and reimbursed amounts of the period."""
    claims = next(one for one in payload["indicators"] if one["key"] == "claims")
    amounts = [texts.in_unit(one["value"], one["unit"]) for one in payload["indicators"] if one["key"] == "reimbursed"]
    return ngettext("%(claims)s claim cost %(amounts)s", "%(claims)s claims cost %(amounts)s", claims["value"]) % {
        "claims": texts.count(claims["value"]),
        "amounts": ", ".join(amounts),
    }


# ------------------------------------------------------------------------------------------------ series


def series_panels(payload: Payload, shown: str, place: Place) -> list[Panel]:
    """The charts of one subject of SHOWN, those of money once for each currency and once in the reporting currency."""
    panels = []
    for keys in SHOWN[shown][1]:
        by_unit: dict[str, list[Payload]] = {}
        for one in payload["series"]:
            if one["key"] in keys:
                # A line for each currency would compare amounts that cannot be compared.
                by_unit.setdefault(one["currency"] or "", []).append(one)
        panels += [_series_panel(payload, currency, found, place) for currency, found in by_unit.items()]
        block = consolidated.block_of(payload)
        in_one = [one for one in block["series"] if one["key"] in keys] if block else []
        if block and in_one:
            panels.append(consolidated.marked(_series_panel(payload, block["currency"], in_one, place), block))
    return panels


def _series_panel(payload: Payload, currency: str, found: list[Payload], place: Place) -> Panel:
    first = found[0]
    unit = first["unit"]
    slots = [texts.slot(slot, payload["unit"]) + (" *" if slot["is_cut"] else "") for slot in payload["slots"]]
    titles = [_line_title(one["key"]) for one in found]
    lines = [
        line(title, one["values"], [shown(one, value) for value in one["values"]])
        for title, one in zip(titles, found, strict=True)
    ]
    finding = _peak(titles[0], first, slots)
    rows = [
        [
            name(slot),
            *(number(shown(one, one["values"][at], in_table=True)) for one in found),
        ]
        for at, slot in enumerate(slots)
    ]
    statistic = texts.subtitle(_statistic(unit, payload["unit"]), texts.period(payload))
    return Panel(
        key=f"{first['key']}-{currency}".strip("-"),
        question=str(INDICATORS[first["key"]].question),
        finding=finding,
        statistic=statistic,
        charts=[
            Chart(
                f"series-{first['key']}-{currency}".strip("-"),
                finding,
                "line",
                slots,
                lines[:MOST_LINES],
                "%" if unit == "ratio" else texts.unit_name(unit) if currency else "",
            )
        ],
        table=Rows(
            finding,
            [
                Head(_UNIT_NAMES[payload["unit"]]()),
                *(Head(title, is_number=True) for title in _with_unit(titles, unit, currency)),
            ],
            rows,
            foot=[
                Cell(_("Rows behind it"), is_head=True),
                *(number(_("list"), page_of(one["url"])) for one in found),
            ],
        ),
        indicator=INDICATORS[first["key"]],
        notes=[_("* The period has only a part of it.")] if any(slot["is_cut"] for slot in payload["slots"]) else [],
        downloads=place.files("series", indicator=",".join(one["key"] for one in found)),
    )


def _with_unit(titles: list[str], unit: str, currency: str) -> list[str]:
    return [f"{title} ({texts.currency_name(currency)})" if unit == currency else title for title in titles]


def _line_title(key: str) -> str:
    """Of an indicator by role, the role alone: the chart is of one indicator."""
    for prefix in (CONSUMERS[0], KNOWN[0]):
        role = key.removeprefix(prefix).lstrip("_")
        if key.startswith(prefix) and role:
            return str(format_lazy("{} ({})", INDICATORS[prefix].title, ROLES[role]))
    return str(INDICATORS[key].title)


def _peak(title: str, one: Payload, slots: Sequence[str]) -> str:
    values = [None if value is None else Decimal(str(value)) for value in one["values"]]
    known = [value for value in values if value is not None]
    if not known or not any(known):
        return _("%(figure)s: nothing in this period") % {"figure": title}
    if min(known) == max(known):
        return _("%(figure)s: always %(value)s") % {
            "figure": title,
            "value": texts.in_unit(str(known[0]), one["unit"], is_mean=True),
        }
    at = values.index(max(known))
    return _("%(figure)s: highest in %(slot)s, with %(value)s") % {
        "figure": title,
        "slot": slots[at],
        "value": texts.in_unit(one["values"][at], one["unit"], is_mean=True),
    }


def _statistic(unit: str, slot: str) -> str:
    return _("%(unit)s by %(slot)s") % {"unit": texts.unit_name(unit), "slot": _SLOT_NAMES[slot]()}


_SLOT_NAMES: dict[str, Callable[[], str]] = {
    "day": lambda: _("day"),
    "week": lambda: _("week"),
    "month": lambda: _("month"),
    "quarter": lambda: _("quarter"),
}
_UNIT_NAMES: dict[str, Callable[[], str]] = {
    "day": lambda: _("Day"),
    "week": lambda: _("Week"),
    "month": lambda: _("Month"),
    "quarter": lambda: _("Quarter"),
}
