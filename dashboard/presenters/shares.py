"""Rankings with their Pareto curve, and concentration."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.page_links import Place, page_of
from dashboard.presenters import consolidated, texts
from dashboard.presenters.costs import MOST_BARS, blocks_of, of_currency
from dashboard.presenters.panels import Cell, Chart, Panel, Rows, heads, indicator_of, line, name, number
from dashboard.presenters.portfolio import short_change

Payload = dict[str, Any]
PARETO = Decimal("0.8")

KINDS: dict[str, Callable[[], str]] = {
    "client": lambda: _("Clients"),
    "policy": lambda: _("Policies"),
    "partner": lambda: _("Providers"),
    "insured": lambda: _("Insured"),
    "family": lambda: _("Families"),
    "operator": lambda: _("Operators"),
    "act": lambda: _("Acts"),
    "act_category": lambda: _("Act categories"),
}
ONE_OF: dict[str, Callable[[], str]] = {
    "client": lambda: _("Client"),
    "policy": lambda: _("Policy"),
    "partner": lambda: _("Provider"),
    "insured": lambda: _("Insured person"),
    "family": lambda: _("Family"),
    "operator": lambda: _("Operator"),
    "act": lambda: _("Act"),
    "act_category": lambda: _("Act category"),
}


def ranking_panels(payload: Payload, place: Place) -> list[Panel]:
    panels = [_ranking_panel(payload, block, place) for block in blocks_of(payload) if block["rows"]]
    block = consolidated.block_of(payload)
    if block and block["rows"]:
        panels.append(consolidated.marked(_ranking_panel(payload, block, place), block))
    return panels


def _ranking_panel(payload: Payload, block: Payload, place: Place) -> Panel:
    currency, rows, by = block["currency"], block["rows"], payload["by"]
    finding = pareto(block, KINDS[by]().lower())
    first = rows[:MOST_BARS]
    labels = [row["name"] or texts.NOTHING for row in first]
    charts = [
        Chart(
            f"shares-{currency}",
            _("First: %(name)s, with %(share)s of what was reimbursed")
            % {"name": labels[0], "share": texts.percent(rows[0]["share"])},
            "horizontal",
            labels,
            [line(_("Share"), [row["share"] for row in first], [texts.percent(row["share"]) for row in first])],
            "%",
        ),
        Chart(
            f"pareto-{currency}",
            finding,
            "line",
            [texts.count(at) for at in range(1, len(rows) + 1)],
            [
                line(
                    _("Cumulative share"),
                    [row["cumulative_share"] for row in rows],
                    [texts.percent(row["cumulative_share"]) for row in rows],
                )
            ],
            "%",
        ),
    ]
    total = block["total"]
    notes = []
    if len(rows) < block["count"]:
        notes.append(
            _("%(shown)s of %(all)s places; the files have all of them.")
            % {"shown": texts.count(len(rows)), "all": texts.count(block["count"])}
        )
    without = block["left_out"]
    if without["claims"]:
        notes.append(
            ngettext(
                "%(claims)s claim of %(amount)s belongs to no place of this ranking.",
                "%(claims)s claims of %(amount)s belong to no place of this ranking.",
                without["claims"],
            )
            % {
                "claims": texts.count(without["claims"]),
                "amount": texts.money(without["reimbursed"], currency, with_currency=True),
            }
        )
    return Panel(
        key=f"rankings-{currency}",
        question=str(indicator_of(payload).question),
        finding=of_currency(finding, currency, payload),
        statistic=texts.subtitle(
            _("reimbursed amount, %(currency)s") % {"currency": texts.currency_name(currency)}, texts.period(payload)
        ),
        charts=charts,
        table=Rows(
            finding,
            heads(
                ONE_OF[by](),
                _("Rank"),
                _("Rank before"),
                _("Reimbursed"),
                _("Share"),
                _("Cumulative share"),
                _("Evolution"),
                _("Claims"),
                _("Insured"),
                _("Cost per insured"),
                numbers=9,
            ),
            [_ranking_row(row, by, currency, place) for row in rows],
            foot=[
                Cell(_("All"), is_head=True),
                number(""),
                number(""),
                number(texts.money(total["reimbursed"], currency), page_of(total["url"])),
                number(texts.percent(total["share"])),
                number(""),
                number(short_change(total["evolution"])),
                number(texts.count(total["claims"])),
                number(texts.count(total["insured"])),
                number(texts.rounded(total["cost_per_insured"], currency)),
            ],
        ),
        indicator=indicator_of(payload),
        notes=notes,
        downloads=place.files("rankings", by=by),
    )


def _ranking_row(row: Payload, by: str, currency: str, place: Place) -> list[Cell]:
    return [
        name(row["name"] or texts.NOTHING, place.within(by, row["id"])),
        number(texts.count(row["rank"])),
        number(texts.count(row["previous_rank"])),
        number(texts.money(row["reimbursed"], currency), page_of(row["url"])),
        number(texts.percent(row["share"])),
        number(texts.percent(row["cumulative_share"])),
        number(short_change(row["evolution"])),
        number(texts.count(row["claims"])),
        number(texts.count(row["insured"])),
        number(texts.rounded(row["cost_per_insured"], currency)),
    ]


def pareto(block: Payload, kind: str) -> str:
    """How few make 80 % of the reimbursed amount, or what the places that are shown make."""
    rows, count = block["rows"], block["count"]
    shares = [Decimal(row["cumulative_share"]) for row in rows if row["cumulative_share"] is not None]
    if not shares:
        return _("Nothing was reimbursed")
    few = next((at for at, share in enumerate(shares, 1) if share >= PARETO), None)
    facts = {"all": texts.count(count), "kind": kind}
    if few is None:
        return _("The first %(few)s of %(all)s %(kind)s make %(share)s of what was reimbursed") % {
            "few": texts.count(len(rows)),
            "share": texts.percent(str(shares[-1])),
            **facts,
        }
    return ngettext(
        "%(few)s of %(all)s %(kind)s makes 80 %% of what was reimbursed",
        "%(few)s of %(all)s %(kind)s make 80 %% of what was reimbursed",
        few,
    ) % {"few": texts.count(few), **facts}


# ------------------------------------------------------------------------------------------------ concentration


def concentration_panels(payload: Payload, place: Place) -> list[Panel]:
    return [_concentration_panel(payload, block, place) for block in blocks_of(payload) if block["insured"]]


def _concentration_panel(payload: Payload, block: Payload, place: Place) -> Panel:
    currency, shares = block["currency"], block["shares"]
    last = shares[-1]
    finding = _("%(percent)d %% of the insured with a claim account for %(share)s of the cost") % {
        "percent": last["percent"],
        "share": texts.percent(last["share"]),
    }
    labels = [_("Highest %(percent)d %%") % {"percent": one["percent"]} for one in shares]
    return Panel(
        key=f"concentration-{currency}",
        question=str(indicator_of(payload).question),
        finding=of_currency(finding, currency, payload),
        statistic=texts.subtitle(_("share of the reimbursed amount, %"), texts.period(payload)),
        charts=[
            Chart(
                f"concentration-{currency}",
                finding,
                "bar",
                labels,
                [line(_("Share"), [one["share"] for one in shares], [texts.percent(one["share"]) for one in shares])],
                "%",
            )
        ],
        table=Rows(
            finding,
            heads(_("Of the insured with a claim"), _("Insured"), _("Share of the reimbursed amount"), numbers=2),
            [
                [
                    name(label),
                    number(texts.count(one["insured"]), page_of(block["url"])),
                    number(texts.percent(one["share"])),
                ]
                for label, one in zip(labels, shares, strict=True)
            ],
        ),
        indicator=indicator_of(payload),
        notes=[
            _("%(insured)s insured had a claim, of %(known)s known insured; %(share)s of these had none.")
            % {
                "insured": texts.count(block["insured"]),
                "known": texts.count(block["known_insured"]),
                "share": texts.percent(block["share_without_claim"]),
            }
        ],
        downloads=place.files("concentration"),
    )
