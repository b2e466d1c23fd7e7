"""Frequency and cost by act category, and prices against peers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.page_links import Place, page_of
from dashboard.presenters import texts
from dashboard.presenters.panels import (
    Cell,
    Chart,
    Panel,
    Rows,
    heads,
    indicator_of,
    line,
    name,
    number,
)

Payload = dict[str, Any]
# So many bars can be read; the table has the others.
MOST_BARS = 15


def blocks_of(payload: Payload) -> list[Payload]:
    """The part of each currency."""
    return list(payload.get("blocks", [payload]))


def of_currency(text: str, currency: str, payload: Payload) -> str:
    """With the currency where there are several."""
    return f"{text} ({texts.currency_name(currency)})" if len(blocks_of(payload)) > 1 else text


# ------------------------------------------------------------------------------------------------ categories


def category_panels(payload: Payload, place: Place) -> list[Panel]:
    """For each currency: how often, how dear, and where the change comes from."""
    return [
        panel
        for block in blocks_of(payload)
        if block["rows"]
        for panel in (_category_panel(payload, block, place), _effects_panel(payload, block, place))
    ]


def _category_panel(payload: Payload, block: Payload, place: Place) -> Panel:
    currency, rows = block["currency"], block["rows"]
    whole = sum(Decimal(row["reimbursed"]) for row in rows)
    finding = _dearest(rows, whole)
    first = rows[:MOST_BARS]
    labels = [row["name"] for row in first]
    often = max(rows, key=lambda row: Decimal(row["frequency"] or 0))
    dear = max(rows, key=lambda row: Decimal(row["cost"] or 0))
    charts = [
        Chart(
            f"frequency-{currency}",
            _("Most frequent: %(category)s, %(lines)s lines per known insured")
            % {"category": often["name"], "lines": texts.decimals(often["frequency"], 2)},
            "horizontal",
            labels,
            [
                line(
                    _("Lines per known insured"),
                    [row["frequency"] for row in first],
                    [texts.decimals(row["frequency"], 2) for row in first],
                )
            ],
        ),
        Chart(
            f"cost-{currency}",
            _("Dearest: %(category)s, %(cost)s per line")
            % {"category": dear["name"], "cost": texts.rounded(dear["cost"], currency, with_currency=True)},
            "horizontal",
            labels,
            [
                line(
                    _("Reimbursed per line"),
                    [row["cost"] for row in first],
                    [texts.rounded(row["cost"], currency, with_currency=True) for row in first],
                )
            ],
            texts.currency_name(currency),
        ),
    ]
    table = Rows(
        finding,
        heads(
            _("Act category"),
            _("Lines"),
            _("Lines per known insured"),
            _("Reimbursed per line"),
            _("Reimbursed"),
            _("Share"),
            _("Reimbursed before"),
            numbers=6,
        ),
        [
            [
                name(row["name"], place.within("act_category", row["id"])),
                number(texts.count(row["lines"]), page_of(row["url"])),
                number(texts.decimals(row["frequency"], 2)),
                number(texts.rounded(row["cost"], currency)),
                number(texts.money(row["reimbursed"], currency)),
                number(texts.percent(str(Decimal(row["reimbursed"]) / whole) if whole else None)),
                number(texts.money(row["previous_reimbursed"], currency)),
            ]
            for row in rows
        ],
    )
    return Panel(
        key=f"categories-{currency}",
        question=str(indicator_of(payload).question),
        finding=of_currency(finding, currency, payload),
        statistic=texts.subtitle(
            _("lines per known insured, and %(currency)s per line") % {"currency": texts.currency_name(currency)},
            texts.period(payload),
        ),
        charts=charts,
        table=table,
        indicator=indicator_of(payload),
        notes=[
            _("Known insured at the end of the period: %(insured)s.") % {"insured": texts.count(block["known_insured"])}
        ],
        downloads=place.files("frequency"),
    )


def _dearest(rows: list[Payload], whole: Decimal | int) -> str:
    first = rows[0]
    if not whole:
        return _("Nothing was reimbursed")
    return _("%(category)s makes %(share)s of what was reimbursed") % {
        "category": first["name"],
        "share": texts.percent(str(Decimal(first["reimbursed"]) / whole)),
    }


def _effects_panel(payload: Payload, block: Payload, place: Place) -> Panel:
    currency, effects = block["currency"], block["effects"]
    labels = {"exposure": _("More or fewer insured"), "frequency": _("Acts per insured"), "cost": _("Cost per act")}
    charts = []
    if effects is None:
        finding = _("No comparison: the period before has no known insured")
    else:
        whole = sum(Decimal(value) for value in effects.values())
        largest = max(effects, key=lambda key: abs(Decimal(effects[key])))
        sentence = (
            _("Reimbursed rose by %(amount)s, mostly through: %(cause)s")
            if whole >= 0
            else _("Reimbursed fell by %(amount)s, mostly through: %(cause)s")
        )
        finding = sentence % {
            "amount": texts.rounded(str(abs(whole)), currency, with_currency=True),
            "cause": labels[largest].lower(),
        }
        charts = [
            Chart(
                f"effects-{currency}",
                finding,
                "horizontal",
                [labels[key] for key in effects],
                [
                    line(
                        _("Change of the reimbursed amount"),
                        effects.values(),
                        [texts.rounded(value, currency, with_currency=True) for value in effects.values()],
                    )
                ],
                texts.currency_name(currency),
            )
        ]

    def cells(found: Payload | None) -> list[Cell]:
        return [number(texts.rounded(found[key] if found else None, currency)) for key in labels]

    return Panel(
        key=f"effects-{currency}",
        question=_("What does the change of the reimbursed amount come from?"),
        finding=of_currency(finding, currency, payload),
        statistic=texts.subtitle(
            _("change on the period before, %(currency)s") % {"currency": texts.currency_name(currency)},
            texts.period(payload),
        ),
        charts=charts,
        table=Rows(
            finding,
            heads(_("Act category"), _("Change of the reimbursed amount"), *labels.values(), numbers=4),
            [
                [name(row["name"]), number(texts.money(row["change"], currency)), *cells(row["effects"])]
                for row in block["rows"]
            ],
            foot=[
                Cell(_("All"), is_head=True),
                number(texts.money(str(sum(Decimal(row["change"]) for row in block["rows"])), currency)),
                *cells(effects),
            ],
        ),
        indicator=indicator_of(payload),
        downloads=place.files("frequency"),
    )


# ------------------------------------------------------------------------------------------------ prices


def price_panels(payload: Payload, place: Place) -> list[Panel]:
    return [_price_panel(payload, block, place) for block in blocks_of(payload) if block["rows"]]


def _price_panel(payload: Payload, block: Payload, place: Place) -> Panel:
    currency, rows = block["currency"], block["rows"]
    flagged = sum(row["to_look_at"] for row in rows)
    finding = ngettext(
        "%(flagged)s price to look at among the first %(rows)s comparisons",
        "%(flagged)s prices to look at among the first %(rows)s comparisons",
        flagged,
    ) % {"flagged": texts.count(flagged), "rows": texts.count(len(rows))}
    first = rows[:MOST_BARS]
    chart = Chart(
        f"prices-{currency}",
        _("Most above the peers: %(partner)s for %(act)s, %(amount)s")
        % {
            "partner": rows[0]["partner"]["name"],
            "act": rows[0]["act"]["name"],
            "amount": texts.rounded(rows[0]["potential"], currency, with_currency=True),
        },
        "horizontal",
        [f"{row['act']['name']} – {row['partner']['name']}" for row in first],
        [
            line(
                _("Claimed above the median of the country"),
                [row["potential"] for row in first],
                [texts.rounded(row["potential"], currency, with_currency=True) for row in first],
            )
        ],
        texts.currency_name(currency),
    )
    return Panel(
        key=f"prices-{currency}",
        question=str(indicator_of(payload).question),
        finding=of_currency(finding, currency, payload),
        statistic=texts.subtitle(
            _("median claimed amount per line, %(currency)s") % {"currency": texts.currency_name(currency)},
            texts.period(payload),
        ),
        charts=[chart],
        table=Rows(
            finding,
            heads(
                _("Act"),
                _("Provider"),
                _("Lines"),
                _("Median"),
                _("Median of the country"),
                _("Index"),
                _("Potential"),
                numbers=5,
            ),
            [
                [
                    name(row["act"]["name"], place.within("act", row["act"]["id"])),
                    Cell(row["partner"]["name"], place.within("partner", row["partner"]["id"])),
                    number(texts.count(row["n"]), page_of(row["url"])),
                    number(texts.rounded(row["median"], currency)),
                    number(texts.rounded(row["country_median"], currency)),
                    number(
                        _("%(index)s, to look at") % {"index": texts.decimals(row["index"], 2)}
                        if row["to_look_at"]
                        else texts.decimals(row["index"], 2),
                        css="to-look-at" if row["to_look_at"] else "",
                    ),
                    number(texts.rounded(row["potential"], currency)),
                ]
                for row in rows
            ],
        ),
        indicator=indicator_of(payload),
        notes=[
            _("%(shown)s of %(all)s comparisons, the largest potential first; the files have all of them.")
            % {"shown": texts.count(len(rows)), "all": texts.count(block["count"])},
            _("%(compared)s of %(lines)s lines could be compared: the others belong to acts with fewer lines.")
            % {"compared": texts.count(block["compared_lines"]), "lines": texts.count(block["lines"])},
        ],
        downloads=place.files("prices"),
    )
