"""The delay of settlement, and the run-off triangle with its projection and its back-test."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.page_links import Place, page_of
from dashboard.presenters import texts
from dashboard.presenters.costs import blocks_of, of_currency
from dashboard.presenters.panels import Cell, Chart, Panel, Rows, heads, indicator_of, line, name, number

Payload = dict[str, Any]
# The triangle shows so many months of incident and as many ages.
MOST_MONTHS = 24
SHADES = 10

BANDS: dict[str, Callable[[], str]] = {
    "0-7": lambda: _("up to 7 days"),
    "8-30": lambda: _("8 to 30 days"),
    "31-90": lambda: _("31 to 90 days"),
    "91+": lambda: _("more than 90 days"),
    "negative": lambda: _("negative"),
    "unknown": lambda: _("unknown"),
}
STATES: dict[str, Callable[[], str]] = {
    "estimated": lambda: _("estimated"),
    "too_young": lambda: _("too young"),
    "left_out": lambda: _("before the data begins"),
}


def delay_panels(payload: Payload, place: Place) -> list[Panel]:
    if not payload["n"] and not any(band["claims"] for band in payload["bands"]):
        return []
    if payload["median"] is None:
        finding = _("No claim has a known delay")
    else:
        finding = _("Half of the claims are settled within %(median)s days, nine of ten within %(p90)s") % {
            "median": texts.days(payload["median"]),
            "p90": texts.days(payload["p90"]),
        }
    labels = [BANDS[band["key"]]() for band in payload["bands"]]
    return [
        Panel(
            key="delay",
            question=str(indicator_of(payload).question),
            finding=finding,
            statistic=texts.subtitle(_("claims by days from incident to settlement"), texts.period(payload)),
            charts=[
                Chart(
                    "delay",
                    finding,
                    "bar",
                    labels,
                    [
                        line(
                            _("Claims"),
                            [band["claims"] for band in payload["bands"]],
                            [texts.count(band["claims"]) for band in payload["bands"]],
                        )
                    ],
                )
            ],
            table=Rows(
                finding,
                heads(_("Delay"), _("Claims"), _("Share"), numbers=2),
                [
                    [
                        name(label),
                        number(texts.count(band["claims"]), page_of(band["url"])),
                        number(texts.percent(band["share"])),
                    ]
                    for label, band in zip(labels, payload["bands"], strict=True)
                ],
            ),
            indicator=indicator_of(payload),
            notes=[_("Shares are of the claims with a delay of 0 days or more.")],
            downloads=place.files("delay"),
        )
    ]


# ------------------------------------------------------------------------------------------------ triangle


def triangle_panels(payload: Payload, place: Place) -> list[Panel]:
    panels: list[Panel] = []
    for block in blocks_of(payload):
        if block["months"]:
            panels += [_projection(payload, block, place), _shaded(payload, block, place)]
        if block["back_test"]:
            panels.append(_back_test(payload, block, place))
    return panels


def _projection(payload: Payload, block: Payload, place: Place) -> Panel:
    currency = block["currency"]
    rows = block["projection"]
    estimated = [row for row in rows if row["outstanding"] is not None]
    if estimated:
        whole = sum((Decimal(row["outstanding"]) for row in estimated), Decimal(0))
        finding = ngettext(
            "%(amount)s is still to come for %(months)s month of incident",
            "%(amount)s is still to come for %(months)s months of incident",
            len(estimated),
        ) % {
            "amount": texts.rounded(str(whole), currency, with_currency=True),
            "months": texts.count(len(estimated)),
        }
    else:
        finding = _("No month is old enough for an estimate")
    latest = [row for row in rows if row["state"] != "left_out"][-MOST_MONTHS:]
    notes = [_left_out(payload)] if any(payload["left_out"].values()) else []
    if any(row["state"] == "too_young" for row in rows):
        notes.append(_("Too young: a month is estimated from an age of 3 months and 30 claims on."))
    return Panel(
        key=f"projection-{currency}",
        question=str(indicator_of(payload).question),
        finding=of_currency(finding, currency, payload),
        statistic=texts.subtitle(
            _("reimbursed so far and expected, %(currency)s") % {"currency": texts.currency_name(currency)},
            texts.period(payload),
        ),
        charts=[
            Chart(
                f"projection-{currency}",
                finding,
                "stacked",
                [texts.short_month(row["month"]) for row in latest],
                [
                    line(
                        _("Reimbursed so far"),
                        [row["paid"] for row in latest],
                        [texts.money(row["paid"], currency, with_currency=True) for row in latest],
                    ),
                    line(
                        _("Still to come"),
                        [row["outstanding"] for row in latest],
                        [texts.rounded(row["outstanding"], currency, with_currency=True) for row in latest],
                    ),
                ],
                texts.currency_name(currency),
            )
        ],
        table=Rows(
            finding,
            heads(
                _("Month of incident"),
                _("State"),
                _("Claims"),
                _("Reimbursed so far"),
                _("Expected in the end"),
                _("Still to come"),
                numbers=4,
            ),
            [
                [
                    name(texts.month(row["month"])),
                    Cell(STATES[row["state"]]()),
                    number(texts.count(row["claims"])),
                    number(texts.money(row["paid"], currency), page_of(row["url"])),
                    number(texts.rounded(row["ultimate"], currency)),
                    number(texts.rounded(row["outstanding"], currency)),
                ]
                for row in rows
            ],
        ),
        indicator=indicator_of(payload),
        notes=notes,
        downloads=place.files("triangle"),
    )


def _left_out(payload: Payload) -> str:
    without = payload["left_out"]
    return _("Left out: %(unknown)s claims without an incident date, %(late)s settled before their incident.") % {
        "unknown": texts.count(without["no_incident_date"]),
        "late": texts.count(without["settled_before_incident"]),
    }


def _shaded(payload: Payload, block: Payload, place: Place) -> Panel:
    currency = block["currency"]
    months, cumulative = block["months"][-MOST_MONTHS:], block["cumulative"][-MOST_MONTHS:]
    ages = min(MOST_MONTHS, max((sum(cell is not None for cell in row) for row in cumulative), default=0))
    early = next((age for age, share in enumerate(block["completion"]) if Decimal(share) >= Decimal("0.95")), None)
    if early is None:
        finding = _("Claims come for longer than the data reaches")
    else:
        finding = ngettext(
            "95 %% is reimbursed %(age)s month after the incident",
            "95 %% is reimbursed %(age)s months after the incident",
            early,
        ) % {"age": texts.count(early)}
    notes = [_("The stronger the colour of a cell, the nearer it is to the latest amount of its month.")]
    if len(months) < len(block["months"]) or ages < len(block["link_ratios"]) + 1:
        notes.append(
            _("The last %(months)s months of incident and ages to %(age)s months; the API has all of them.")
            % {"months": texts.count(len(months)), "age": texts.count(max(ages - 1, 0))}
        )
    foot_links = [number("")] + [number(texts.decimals(link, 3)) for link in block["link_ratios"][: ages - 1]]
    return Panel(
        key=f"triangle-{currency}",
        question=_("How long after the incident is the money paid?"),
        finding=of_currency(finding, currency, payload),
        statistic=texts.subtitle(
            _("reimbursed amount, cumulated by months since the incident, %(currency)s")
            % {"currency": texts.currency_name(currency)},
            texts.period(payload),
        ),
        table=Rows(
            _("Run-off triangle: %(currency)s") % {"currency": texts.currency_name(currency)},
            heads(_("Month of incident"), *(texts.count(age) for age in range(ages)), numbers=ages),
            [
                [name(texts.short_month(month)), *_shades(row[:ages], currency)]
                for month, row in zip(months, cumulative, strict=True)
            ],
            foot=[
                Cell(_("Link ratio from the age before"), is_head=True),
                *(foot_links + [number(texts.NOTHING)] * (ages - len(foot_links)))[:ages],
            ],
            css="triangle",
        ),
        indicator=indicator_of(payload),
        notes=notes,
        downloads=place.files("triangle"),
    )


def _shades(row: list[str | None], currency: str) -> list[Cell]:
    """The cells of a month, each with the step of its share of the latest amount."""
    known = [Decimal(cell) for cell in row if cell is not None]
    latest = known[-1] if known else Decimal(0)
    return [
        number("", css="unknown")
        if cell is None
        else number(texts.rounded(cell, currency), css=f"shade-{shade(Decimal(cell), latest)}")
        for cell in row
    ]


def shade(value: Decimal, whole: Decimal) -> int:
    """The step of a share, from 0 to 9."""
    if whole <= 0:
        return 0
    return min(SHADES - 1, max(0, int(value / whole * (SHADES - 1))))


def _back_test(payload: Payload, block: Payload, place: Place) -> Panel:
    currency, test = block["currency"], block["back_test"]
    expected, came = Decimal(test["expected"]), Decimal(test["came"])
    facts = {
        "expected": texts.rounded(test["expected"], currency, with_currency=True),
        "came": texts.rounded(test["came"], currency, with_currency=True),
        "month": texts.month(test["as_of"]),
    }
    finding = _("At the end of %(month)s the method expected %(expected)s; %(came)s came") % facts
    rows = test["rows"]
    return Panel(
        key=f"back-test-{currency}",
        question=_("How far can the estimate be trusted?"),
        finding=of_currency(finding, currency, payload),
        statistic=texts.subtitle(
            _("still to come by month of incident, %(currency)s") % {"currency": texts.currency_name(currency)},
            texts.period(payload),
        ),
        charts=[
            Chart(
                f"back-test-{currency}",
                finding,
                "bar",
                [texts.short_month(row["month"]) for row in rows],
                [
                    line(
                        label,
                        [row[key] for row in rows],
                        [texts.rounded(row[key], currency, with_currency=True) for row in rows],
                    )
                    for key, label in (("expected", _("Expected")), ("came", _("Came")))
                ],
                texts.currency_name(currency),
            )
        ],
        table=Rows(
            finding,
            heads(_("Month of incident"), _("Expected"), _("Came"), numbers=2),
            [
                [
                    name(texts.month(row["month"])),
                    number(texts.rounded(row["expected"], currency)),
                    number(texts.rounded(row["came"], currency)),
                ]
                for row in rows
            ],
            foot=[
                Cell(_("All"), is_head=True),
                number(texts.rounded(str(expected), currency)),
                number(texts.rounded(str(came), currency)),
            ],
        ),
        indicator=indicator_of(payload),
        downloads=place.files("triangle"),
    )
