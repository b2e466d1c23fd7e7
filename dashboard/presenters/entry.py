"""Claims left out, reconciliation rates and quality of entry."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.definitions import INDICATORS
from dashboard.findings import CATEGORIES
from dashboard.indicators.left_out import AGES
from dashboard.page_links import Place, page_of
from dashboard.presenters import texts
from dashboard.presenters.costs import MOST_BARS, blocks_of, of_currency
from dashboard.presenters.panels import Cell, Chart, Panel, Rows, heads, indicator_of, line, name, number
from file_handling.models import FindingCategory

Payload = dict[str, Any]

AGE_NAMES: dict[str, Callable[[], str]] = {
    "0-30": lambda: _("up to 30 days"),
    "31-60": lambda: _("31 to 60 days"),
    "61-90": lambda: _("61 to 90 days"),
    "91+": lambda: _("more than 90 days"),
}
ENTERED_BY: dict[str, Callable[[], str]] = {
    "operator": lambda: _("Operator"),
    "partner": lambda: _("Provider"),
    "month": lambda: _("Month"),
}


def category_name(category: str) -> str:
    return str(dict(FindingCategory.choices).get(category, category))


def left_out_panels(payload: Payload, place: Place) -> list[Panel]:
    panels = []
    for block in blocks_of(payload):
        if block["rows"]:
            panels.append(_aged(payload, block, place))
        if any(row["imported"] or row["left_out"] for row in block["reconciliation"]):
            panels.append(_reconciliation(payload, block, place))
    return panels


def _aged(payload: Payload, block: Payload, place: Place) -> Panel:
    currency, rows = block["currency"], block["rows"]
    claims = sum(row["claims"] for row in rows)
    amount = sum((Decimal(row["amount"]) for row in rows), Decimal(0))
    finding = ngettext(
        "%(claims)s claim of %(amount)s is left out", "%(claims)s claims of %(amount)s are left out", claims
    ) % {"claims": texts.count(claims), "amount": texts.rounded(str(amount), currency, with_currency=True)}
    found = {(row["category"], row["age"]): row for row in rows}
    categories = [category for category in CATEGORIES if any(key == category for key, _age in found)]

    def claims_of(category: str, age: str) -> int:
        row = found.get((category, age))
        return 0 if row is None else int(row["claims"])

    ages = [key for key, _first, _last in AGES]
    return Panel(
        key=f"left-out-{currency}",
        question=str(indicator_of(payload).question),
        finding=of_currency(finding, currency, payload),
        statistic=texts.subtitle(
            _("claims by reason and by age of the import session"),
            _("on %(day)s, whatever the period") % {"day": texts.day(payload["as_of"])},
        ),
        charts=[
            Chart(
                f"left-out-{currency}",
                finding,
                "stacked",
                [category_name(category) for category in categories],
                [
                    line(
                        AGE_NAMES[age](),
                        [claims_of(category, age) for category in categories],
                        [texts.count(claims_of(category, age)) for category in categories],
                    )
                    for age in ages
                ],
            )
        ],
        table=Rows(
            finding,
            heads(_("Reason"), _("Age"), _("Claims"), _("Amount"), numbers=2),
            [
                [
                    name(category_name(row["category"])),
                    Cell(AGE_NAMES[row["age"]]()),
                    number(texts.count(row["claims"]), page_of(row["url"])),
                    number(texts.money(row["amount"], currency)),
                ]
                for row in rows
            ],
            foot=[
                Cell(_("All"), is_head=True),
                Cell(""),
                number(texts.count(claims)),
                number(texts.money(str(amount), currency)),
            ],
        ),
        indicator=indicator_of(payload),
        downloads=place.files("left-out"),
    )


def _reconciliation(payload: Payload, block: Payload, place: Place) -> Panel:
    currency, rows = block["currency"], block["reconciliation"]
    imported = sum(row["imported"] for row in rows)
    whole = imported + sum(row["left_out"] for row in rows)
    finding = _("%(share)s of the claims of the period could be imported") % {
        "share": texts.percent(str(Decimal(imported) / whole) if whole else None)
    }
    indicator = INDICATORS["reconciliation_rate"]
    return Panel(
        key=f"reconciliation-{currency}",
        question=str(indicator.question),
        finding=of_currency(finding, currency, payload),
        statistic=texts.subtitle(_("imported of all, %, by month of settlement"), texts.period(payload | _SETTLED)),
        charts=[
            Chart(
                f"reconciliation-{currency}",
                finding,
                "line",
                [texts.month(row["month"]) for row in rows],
                [
                    line(title, [row[key] for row in rows], [texts.percent(row[key]) for row in rows])
                    for key, title in (("rate_claims", _("Of the claims")), ("rate_amount", _("Of the amount")))
                ],
                "%",
            )
        ],
        table=Rows(
            finding,
            heads(
                _("Month"),
                _("Imported"),
                _("Left out"),
                _("Rate of claims"),
                _("Amount imported"),
                _("Amount left out"),
                _("Rate of amounts"),
                numbers=6,
            ),
            [
                [
                    name(texts.month(row["month"])),
                    number(texts.count(row["imported"]), page_of(row["url"])),
                    number(texts.count(row["left_out"])),
                    number(texts.percent(row["rate_claims"])),
                    number(texts.money(row["imported_amount"], currency)),
                    number(texts.money(row["left_out_amount"], currency)),
                    number(texts.percent(row["rate_amount"])),
                ]
                for row in rows
            ],
        ),
        indicator=indicator,
        downloads=place.files("quality", by="month"),
    )


_SETTLED = {"basis": "settlement_date"}


def left_out_claims_panel(payload: Payload, place: Place, *, may_open_sessions: bool) -> Panel:
    """One page of the claims left out. Only accounts that read sessions get links to the findings."""
    amounts = ", ".join(
        texts.money(amount, currency, with_currency=True) for currency, amount in payload["amounts"].items()
    )
    finding = ngettext("%(claims)s claim left out", "%(claims)s claims left out", payload["count"]) % {
        "claims": texts.count(payload["count"])
    }
    return Panel(
        key="left-out-claims",
        question=str(indicator_of(payload).question),
        finding=f"{finding}: {amounts}" if amounts else finding,
        statistic=texts.subtitle(
            _("the oldest session first"), _("on %(day)s, whatever the period") % {"day": texts.day(payload["as_of"])}
        ),
        table=Rows(
            finding,
            heads(
                _("Claim"),
                _("Reason"),
                _("Age"),
                _("Settlement date"),
                _("Observation"),
                _("Currency"),
                _("Amount"),
                numbers=1,
            ),
            [
                [
                    name(row["claim_number"], page_of(row["url"]) if may_open_sessions else ""),
                    Cell(category_name(row["category"])),
                    Cell(AGE_NAMES[row["age"]]()),
                    Cell(texts.day(row["settlement_date"])),
                    Cell(row["observation"]),
                    Cell(row["currency"]),
                    number(texts.money(row["amount"], row["currency"])),
                ]
                for row in payload["rows"]
            ],
        ),
        indicator=indicator_of(payload),
        downloads=place.files("left-out-claims", **{k: v for k, v in place.own.items() if k != "page"}),
    )


def quality_panels(payload: Payload, place: Place) -> list[Panel]:
    rows, by = payload["rows"], payload["by"]
    if not rows:
        return []
    lines = sum(row["lines"] for row in rows)
    left = sum(row["lines_left_out"] for row in rows)
    share = texts.percent(str(Decimal(left) / lines) if lines else None)
    most = max(rows, key=lambda row: row["lines_left_out"])

    def label(row: Payload) -> str:
        return texts.month(row["name"]) if by == "month" else row["name"] or texts.NOTHING

    finding = _("%(share)s of the lines entered are in claims left out, most of them: %(name)s") % {
        "share": share,
        "name": label(most),
    }
    first = rows if by == "month" else rows[:MOST_BARS]
    categories = [one for one in CATEGORIES if any(one in row["by_category"] for row in rows)]
    names = [label(row) for row in first]
    return [
        Panel(
            key="quality",
            question=str(indicator_of(payload).question),
            finding=finding,
            statistic=texts.subtitle(_("share of the lines entered, %"), texts.period(payload)),
            charts=[
                Chart(
                    "quality",
                    finding,
                    "line" if by == "month" else "horizontal",
                    names,
                    [
                        line(
                            _("Share left out"),
                            [row["share_left_out"] for row in first],
                            [texts.percent(row["share_left_out"]) for row in first],
                        )
                    ],
                    "%",
                )
            ],
            table=Rows(
                finding,
                heads(
                    ENTERED_BY[by](),
                    _("Lines"),
                    _("Lines left out"),
                    _("Share left out"),
                    _("Claims"),
                    _("Claims left out"),
                    *(category_name(one) for one in categories),
                    numbers=5 + len(categories),
                ),
                [
                    [
                        name(label(row), place.within(by, row["id"]) if row["id"] else ""),
                        number(texts.count(row["lines"]), page_of(row["url"])),
                        number(texts.count(row["lines_left_out"])),
                        number(texts.percent(row["share_left_out"])),
                        number(texts.count(row["claims"])),
                        number(texts.count(row["claims_left_out"])),
                        *(number(texts.count(row["by_category"].get(one, 0))) for one in categories),
                    ]
                    for row in rows
                ],
            ),
            indicator=indicator_of(payload),
            notes=[_("By reason: lines in claims left out.")] if categories else [],
            downloads=place.files("quality", by=by),
        )
    ]
