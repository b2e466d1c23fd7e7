"""S/P by client or country, over time, against the target and by incident date, and the renewal sheet."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.definitions import INDICATORS
from dashboard.page_links import Place, page_of
from dashboard.presenters import texts
from dashboard.presenters.costs import MOST_BARS, blocks_of, of_currency
from dashboard.presenters.panels import Card, Cell, Chart, Panel, Rows, heads, indicator_of, line, name, number
from dashboard.presenters.portfolio import change, is_good, short_change

Payload = dict[str, Any]
ONLY = ("start", "end", "country", "client")


def loss_ratio_cards(payload: Payload) -> list[Card]:
    """S/P of each currency that has a premium."""
    indicator = INDICATORS["loss_ratio"]
    return [
        Card(
            key="loss_ratio",
            currency=block["currency"],
            title=of_currency(str(indicator.title), block["currency"], payload),
            value=texts.percent(block["total"]["loss_ratio"]),
            change=change(
                block["total_details"]["evolution"], texts.percent(block["total_details"]["previous_loss_ratio"])
            ),
            is_good=is_good(indicator, block["total_details"]["evolution"]),
            href=page_of(block["total"]["url"]),
            indicator=indicator,
            behind=ngettext("%(claims)s claim behind it", "%(claims)s claims behind it", block["total_details"]["n"])
            % {"claims": texts.count(block["total_details"]["n"])},
        )
        for block in blocks_of(payload)
        if block["rows"]
    ]


def loss_ratio_panels(payload: Payload, place: Place) -> list[Panel]:
    """For each currency that has a premium: rows, twelve months, target, incident date."""
    panels = []
    for block in blocks_of(payload):
        if block["rows"]:
            panels += [
                _rows(payload, block, place),
                _rolling(payload, block, place),
                _against_target(payload, block, place),
                _by_incident(payload, block, place),
            ]
    return panels


def _finding(block: Payload) -> str:
    total, target = block["total"], block["total_details"]["target"]
    facts = {"ratio": texts.percent(total["loss_ratio"]), "target": texts.percent(target)}
    if total["loss_ratio"] is None or target is None:
        return _("No premium is earned in this period")
    if Decimal(total["loss_ratio"]) > Decimal(target):
        return _("S/P is %(ratio)s: above the target of %(target)s") % facts
    return _("S/P is %(ratio)s: within the target of %(target)s") % facts


def _rows(payload: Payload, block: Payload, place: Place) -> Panel:
    currency, by = block["currency"], payload["by"]
    finding = _finding(block)
    first = block["rows"][:MOST_BARS]
    return Panel(
        key=f"loss-ratio-{currency}",
        question=str(indicator_of(payload).question),
        finding=of_currency(finding, currency, payload),
        statistic=texts.subtitle(
            _("reimbursed amount / earned premium, %(currency)s") % {"currency": texts.currency_name(currency)},
            texts.period(payload),
        ),
        charts=[
            Chart(
                f"loss-ratios-{currency}",
                _("S/P of the clients with the highest cost") if by == "client" else _("S/P by country"),
                "horizontal",
                [row["name"] or texts.NOTHING for row in first],
                [
                    line(
                        _("S/P"),
                        [row["loss_ratio"] for row in first],
                        [texts.percent(row["loss_ratio"]) for row in first],
                    )
                ],
                "%",
            )
        ],
        table=Rows(
            finding,
            heads(
                _("Client") if by == "client" else _("Country"),
                _("Earned premium"),
                _("Reimbursed"),
                _("S/P"),
                _("S/P before"),
                _("Evolution"),
                _("Consumed share"),
                _("Time passed"),
                _("S/P, pooled"),
                _("Outside any premium"),
                numbers=9,
            ),
            [
                _cells(row, details, currency, _name(row, by, place))
                for row, details in zip(block["rows"], block["details"], strict=True)
            ],
            foot=_cells(block["total"], block["total_details"], currency, Cell(_("All"), is_head=True)),
        ),
        indicator=indicator_of(payload),
        notes=_notes(block, currency),
        downloads=place.files("loss-ratio", only=ONLY, by=by),
    )


def _name(row: Payload, by: str, place: Place) -> Cell:
    if by == "country":
        return name(row["name"], place.link(country=row["id"], by="client"))
    return name(row["name"] or texts.NOTHING, reverse("page-client", args=[row["id"]]))


def _cells(row: Payload, details: Payload, currency: str, first: Cell) -> list[Cell]:
    return [
        first,
        number(texts.rounded(row["earned_premium"], currency)),
        number(texts.money(row["reimbursed_covered"], currency), page_of(row["url"])),
        number(texts.percent(row["loss_ratio"])),
        number(texts.percent(details["previous_loss_ratio"])),
        number(short_change(details["evolution"])),
        number(texts.percent(row["consumed_share"])),
        number(texts.percent(details["time_passed"])),
        number(texts.percent(details["pooled_loss_ratio"])),
        number(texts.money(row["reimbursed_outside"], currency), page_of(details["outside_url"])),
    ]


def _notes(block: Payload, currency: str) -> list[str]:
    notes = []
    if len(block["rows"]) < block["count"]:
        notes.append(
            _("%(shown)s of %(all)s rows; the files have all of them.")
            % {"shown": texts.count(len(block["rows"])), "all": texts.count(block["count"])}
        )
    without, nameless = block["without_premium"], block["no_client"]
    if without["clients"]:
        notes.append(
            ngettext(
                "%(clients)s client has claims of %(amount)s and no premium in this period.",
                "%(clients)s clients have claims of %(amount)s and no premium in this period.",
                without["clients"],
            )
            % {
                "clients": texts.count(without["clients"]),
                "amount": texts.money(without["reimbursed"], currency, with_currency=True),
            }
        )
    if nameless["claims"]:
        notes.append(
            ngettext(
                "%(claims)s claim of %(amount)s belongs to an individual policy, which has no client.",
                "%(claims)s claims of %(amount)s belong to individual policies, which have no client.",
                nameless["claims"],
            )
            % {
                "claims": texts.count(nameless["claims"]),
                "amount": texts.money(nameless["reimbursed"], currency, with_currency=True),
            }
        )
    before = block["total_details"]["premiums_before_data"]
    if before:
        notes.append(
            ngettext(
                "%(premiums)s premium starts before the first settlement of the data: its consumed share is too low.",
                "%(premiums)s premiums start before the first settlement of the data: their consumed share is too low.",
                before,
            )
            % {"premiums": texts.count(before)}
        )
    return notes


def _rolling(payload: Payload, block: Payload, place: Place) -> Panel:
    currency, points = block["currency"], block["rolling"]
    known = [point for point in points if point["loss_ratio"] is not None]
    finding = (
        _("S/P of the last twelve months: %(ratio)s") % {"ratio": texts.percent(known[-1]["loss_ratio"])}
        if known
        else _("The data has no twelve months with a premium yet")
    )
    labels = [texts.day(point["end"]) for point in points]
    lines = [
        line(
            _("S/P of twelve months"),
            [point["loss_ratio"] for point in points],
            [texts.percent(point["loss_ratio"]) for point in points],
        )
    ]
    target = block["total_details"]["target"]
    if target is not None:
        lines.append(line(_("Target"), [target] * len(points), [texts.percent(target)] * len(points)))
    return Panel(
        key=f"rolling-{currency}",
        question=_("Is it getting better or worse?"),
        finding=of_currency(finding, currency, payload),
        statistic=texts.subtitle(_("S/P of the twelve months that end with each month"), texts.period(payload)),
        charts=[Chart(f"rolling-{currency}", finding, "line", labels, lines, "%")],
        table=Rows(
            finding,
            heads(_("Twelve months up to"), _("Earned premium"), _("Reimbursed"), _("S/P"), numbers=3),
            [
                [
                    name(label),
                    number(texts.rounded(point["earned_premium"], currency)),
                    number(texts.money(point["reimbursed_covered"], currency), page_of(point["url"])),
                    number(texts.percent(point["loss_ratio"])),
                ]
                for label, point in zip(labels, points, strict=True)
            ],
        ),
        indicator=indicator_of(payload),
        notes=[]
        if all(point["is_whole"] for point in points)
        else [_("Twelve months that begin before the data have no S/P: claims are missing there.")],
        downloads=place.files("loss-ratio", only=ONLY, by=payload["by"]),
    )


def _against_target(payload: Payload, block: Payload, place: Place) -> Panel:
    currency, rows = block["currency"], block["ranking"]
    above = [row for row in rows if Decimal(row["excess"]) > 0]
    finding = (
        _("Most above the target: %(name)s, by %(amount)s")
        % {
            "name": rows[0]["name"] or texts.NOTHING,
            "amount": texts.rounded(rows[0]["excess"], currency, with_currency=True),
        }
        if above
        else _("None costs more than its target")
    )
    first = rows[:MOST_BARS]
    return Panel(
        key=f"target-{currency}",
        question=_("With whom should the premium be negotiated first?"),
        finding=of_currency(finding, currency, payload),
        statistic=texts.subtitle(
            _("reimbursed amount − target × earned premium, %(currency)s")
            % {"currency": texts.currency_name(currency)},
            texts.period(payload),
        ),
        charts=[
            Chart(
                f"target-{currency}",
                finding,
                "horizontal",
                [row["name"] or texts.NOTHING for row in first],
                [
                    line(
                        _("Above the target"),
                        [row["excess"] for row in first],
                        [texts.rounded(row["excess"], currency, with_currency=True) for row in first],
                    )
                ],
                texts.currency_name(currency),
            )
        ],
        table=Rows(
            finding,
            heads(
                _("Client") if payload["by"] == "client" else _("Country"),
                _("Rank"),
                _("Above the target"),
                _("S/P"),
                _("Target"),
                numbers=4,
            ),
            [
                [
                    _name(row, payload["by"], place),
                    number(texts.count(row["rank"])),
                    number(texts.rounded(row["excess"], currency), page_of(row["url"])),
                    number(texts.percent(row["loss_ratio"])),
                    number(texts.percent(row["target"])),
                ]
                for row in rows
            ],
        ),
        indicator=indicator_of(payload),
        downloads=place.files("loss-ratio", only=ONLY, by=payload["by"]),
    )


def _by_incident(payload: Payload, block: Payload, place: Place) -> Panel:
    currency, found = block["currency"], block["by_incident"]
    finding = (
        _("By incident date, with what is still to come, S/P is %(ratio)s")
        % {"ratio": texts.percent(found["loss_ratio"])}
        if found["loss_ratio"] is not None
        else _("No month of incident can be estimated yet")
    )
    has_countries = len({row["country"] for row in found["rows"]}) > 1
    names = {row["id"]: row["name"] for row in block["rows"]} if payload["by"] == "country" else {}
    notes = []
    if found["months_left_out"]:
        notes.append(
            ngettext(
                "%(months)s month is too young, has too few claims or is older than the data: it has no number.",
                "%(months)s months are too young, have too few claims or are older than the data: they have no number.",
                found["months_left_out"],
            )
            % {"months": texts.count(found["months_left_out"])}
        )
    if found["claims_left_out"]:
        notes.append(
            ngettext(
                "%(claims)s claim without a usable incident date is left out.",
                "%(claims)s claims without a usable incident date are left out.",
                found["claims_left_out"],
            )
            % {"claims": texts.count(found["claims_left_out"])}
        )

    def label(row: Payload) -> str:
        month = texts.month(row["month"])
        return f"{month} · {names.get(row['country'], row['country'])}" if has_countries else month

    return Panel(
        key=f"incident-{currency}",
        question=_("What will the care that was already given cost in the end?"),
        finding=of_currency(finding, currency, payload),
        statistic=texts.subtitle(
            _("reimbursed amount / share settled by now / earned premium, by month of incident"),
            texts.period(payload),
        ),
        table=Rows(
            finding,
            heads(
                _("Month of incident"),
                _("Reimbursed so far"),
                _("Settled by now"),
                _("Expected in the end"),
                _("Earned premium"),
                numbers=4,
            ),
            [
                [
                    name(label(row)),
                    number(texts.money(row["reimbursed"], currency), page_of(row["url"])),
                    number(texts.percent(row["completion"])),
                    number(texts.rounded(row["completed"], currency)),
                    number(texts.rounded(row["earned_premium"], currency)),
                ]
                for row in found["rows"]
            ],
            foot=[
                Cell(_("Months with a number"), is_head=True),
                number(texts.money(found["reimbursed"], currency)),
                number(""),
                number(texts.rounded(found["completed"], currency)),
                number(texts.rounded(found["earned_premium"], currency)),
            ],
        ),
        indicator=indicator_of(payload),
        notes=notes,
        downloads=place.files("loss-ratio", only=ONLY, by=payload["by"]),
    )


# ------------------------------------------------------------------------------------------------ renewal sheet


def premium_rows(payload: Payload) -> Rows:
    """The last premiums side by side, the newest first: a column for each."""
    premiums = payload["premiums"]

    def row(title: str, *cells: Cell) -> list[Cell]:
        return [name(title), *cells]

    def amounts(title: str, key: str) -> list[Cell]:
        return row(title, *(number(texts.money(one[key], one["currency"])) for one in premiums))

    def shares(title: str, key: str) -> list[Cell]:
        return row(title, *(number(texts.percent(one[key])) for one in premiums))

    def counts(title: str, key: str) -> list[Cell]:
        return row(title, *(number(texts.count(one[key])) for one in premiums))

    caption = _("The last premiums")
    columns = [f"{texts.day(one['start'])} – {texts.day(one['end'])}" for one in premiums]
    return Rows(
        caption,
        heads(_("Premium"), *columns, numbers=len(columns)),
        [
            amounts(_("Amount (%(currency)s)") % {"currency": texts.currency_name(payload["currency"])}, "amount"),
            counts(_("Headcount"), "insured_count"),
            row(
                _("Earned premium"),
                *(number(texts.rounded(one["earned_premium"], one["currency"])) for one in premiums),
            ),
            row(
                _("Reimbursed"),
                *(number(texts.money(one["reimbursed"], one["currency"]), page_of(one["url"])) for one in premiums),
            ),
            shares(_("S/P"), "loss_ratio"),
            shares(_("S/P, pooled"), "pooled_loss_ratio"),
            row(
                _("S/P by incident date, completed"),
                *(number(texts.percent((one["completed"] or {}).get("loss_ratio"))) for one in premiums),
            ),
            shares(_("Consumed share of the premium"), "consumed_share"),
            shares(_("Share of the time passed"), "time_passed"),
            row(
                _("Above the target"),
                *(number(texts.rounded(one["excess"], one["currency"])) for one in premiums),
            ),
            counts(_("Claims"), "claims"),
            counts(_("Insured with a claim"), "insured_who_consumed"),
            counts(_("Known insured"), "known_insured"),
        ],
    )


def renewal_tables(payload: Payload) -> dict[str, Any]:
    """The other tables of the sheet, of type Rows: categories, top_categories, top_partners, large_claims, delay."""
    currency = payload["currency"]
    categories = payload["categories"]

    def effects(found: Payload | None) -> list[Cell]:
        return [number(texts.rounded((found or {}).get(key), currency)) for key in ("exposure", "frequency", "cost")]

    def places(key: str, title: str, head: str) -> Rows:
        return Rows(
            title,
            heads(head, _("Reimbursed"), _("Share"), _("Claims"), _("Evolution"), numbers=4),
            [
                [
                    name(row["name"] or texts.NOTHING),
                    number(texts.money(row["reimbursed"], currency), page_of(row["url"])),
                    number(texts.percent(row["share"])),
                    number(texts.count(row["claims"])),
                    number(short_change(row["evolution"])),
                ]
                for row in payload[key]
            ],
        )

    bands = {
        "0-7": _("up to 7 days"), "8-30": _("8 to 30 days"), "31-90": _("31 to 90 days"), "91+": _("more than 90 days"),
        "negative": _("before the incident"), "unknown": _("incident date unknown"),
    }  # fmt: skip
    shown = categories["rows"][:MOST_CATEGORIES]
    rest = categories["rows"][MOST_CATEGORIES:]
    rows = [
        [
            name(row["name"]),
            number(texts.count(row["lines"])),
            number(texts.decimals(row["frequency"], 2)),
            number(texts.rounded(row["cost"], currency)),
            number(texts.money(row["reimbursed"], currency), page_of(row["url"])),
            number(texts.rounded(row["change"], currency)),
            *effects(row["effects"]),
        ]
        for row in shown
    ]
    if rest:
        rows.append(
            [
                name(_("Others")),
                number(texts.count(sum(row["lines"] for row in rest))),
                number(""),
                number(""),
                number(texts.money(str(sum(Decimal(row["reimbursed"]) for row in rest)), currency)),
                number(texts.rounded(str(sum(Decimal(row["change"]) for row in rest)), currency)),
                *(number(texts.rounded(_sum(rest, key), currency)) for key in ("exposure", "frequency", "cost")),
            ]
        )
    return {
        "categories": Rows(
            _("Frequency and cost by act category"),
            heads(
                _("Act category"),
                _("Lines"),
                _("Lines per insured"),
                _("Cost per line"),
                _("Reimbursed"),
                _("Change of the reimbursed amount"),
                _("by exposure"),
                _("by frequency"),
                _("by cost"),
                numbers=8,
            ),
            rows,
            foot=[
                Cell(_("All"), is_head=True),
                number(texts.count(sum(row["lines"] for row in categories["rows"]))),
                number(""),
                number(""),
                number(texts.money(payload["reimbursed"], currency)),
                number(
                    texts.rounded(
                        str(sum(Decimal(row["change"]) for row in categories["rows"]) or Decimal(0)), currency
                    )
                ),
                *effects(categories["effects"]),
            ],
        ),
        "top_categories": places("top_categories", _("Act categories with the highest cost"), _("Act category")),
        "top_partners": places("top_partners", _("Providers with the highest cost"), _("Provider")),
        "large_claims": Rows(
            _("Large claims"),
            heads(_("Settled"), _("Incident"), _("Act category"), _("Reimbursed"), _("Share"), numbers=2),
            [
                [
                    name(texts.day(row["settled"])),
                    Cell(texts.day(row["incident"])),
                    Cell(row["category"] + (" *" if row["above_threshold"] else "")),
                    number(texts.money(row["reimbursed"], currency)),
                    number(texts.percent(row["share"])),
                ]
                for row in payload["large_claims"]
            ],
        ),
        "delay": Rows(
            _("Delay of settlement"),
            heads(_("Days"), _("Claims"), _("Share"), numbers=2),
            [
                [
                    name(bands[band["key"]]),
                    number(texts.count(band["claims"]), page_of(band["url"])),
                    number(texts.percent(band["share"])),
                ]
                for band in payload["delay"]["bands"]
            ],
        ),
    }


# The sheet is printed on two pages.
MOST_CATEGORIES = 10


def _sum(rows: list[Payload], key: str) -> str | None:
    if any(row["effects"] is None for row in rows):
        return None
    return str(sum(Decimal(row["effects"][key]) for row in rows))


def renewal_facts(payload: Payload) -> list[tuple[str, str]]:
    """(label, text): the terms of the country, the periods that are compared, what their insured are."""
    period, before = payload["period"], payload["previous_period"]
    categories = payload["categories"]
    basis = _("typed headcount") if categories["exposure_basis"] == "headcount" else _("known insured")
    facts = [
        (_("Data up to"), texts.day(payload["as_of"])),
        (_("Claims of"), f"{texts.day(period['start'])} – {texts.day(period['end'])}"),
    ]
    if before:
        facts.append((_("Compared with"), f"{texts.day(before['start'])} – {texts.day(before['end'])}"))
    facts += [
        (_("Target S/P"), texts.percent(payload["target"])),
        (_("Pooling threshold"), texts.money(payload["pooling_threshold"], payload["currency"], with_currency=True)),
        (
            _("Insured persons"),
            f"{texts.count(categories['exposure'])} ({basis}), "
            + _("before: %(value)s") % {"value": texts.count(categories["previous_exposure"])},
        ),
        (
            _("Delay"),
            _("half of the claims within %(median)s days, 90 %% within %(p90)s days")
            % {"median": texts.days(payload["delay"]["median"]), "p90": texts.days(payload["delay"]["p90"])},
        ),
    ]
    return facts


def renewal_downloads(client: int) -> list[tuple[str, str]]:
    """The workbook with all tables."""
    return [("xlsx", f"{reverse('dashboard-renewal')}?{urlencode({'client': client, 'format': 'xlsx'})}")]


def client_summary(payload: Payload) -> list[tuple[str, str, str]]:
    """(title, value, address) for the page of a client: S/P, consumed share, time passed, of each currency."""
    found = []
    for block in blocks_of(payload):
        if block["rows"]:
            row, details = block["total"], block["total_details"]
            values = (
                (_("S/P"), texts.percent(row["loss_ratio"]), page_of(row["url"])),
                (_("Earned premium"), texts.rounded(row["earned_premium"], block["currency"], with_currency=True), ""),
                (_("Consumed share of the premium"), texts.percent(row["consumed_share"]), ""),
                (_("Share of the time passed"), texts.percent(details["time_passed"]), ""),
            )
            found += [(of_currency(title, block["currency"], payload), value, href) for title, value, href in values]
    return found
