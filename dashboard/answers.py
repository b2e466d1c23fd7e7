"""The answers of the dashboard, one function for each address: figures → the JSON of the API and its table.

API and pages call the same functions. Amounts and ratios are decimal strings, counts numbers, dates ISO (DOMAIN §8).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from dashboard import links
from dashboard.board import Board
from dashboard.definitions import INDICATORS, Indicator
from dashboard.exchange import shown_rates, shown_without
from dashboard.indicators import consolidated as totals
from dashboard.indicators import delay as delays
from dashboard.indicators import frequency as frequencies
from dashboard.indicators import left_out as omissions
from dashboard.indicators import portfolio as portfolios
from dashboard.indicators import prices as price_rows
from dashboard.indicators import rankings as ranks
from dashboard.indicators import triangle as triangles
from dashboard.names import keys_of
from dashboard.periods import Evolution, Period, Slot, evolution, slots_of, unit_of
from dashboard.tables import Table, TableColumn
from file_handling.models import FindingCategory

Payload = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """`payload`: the JSON. `table`: makes the table, which may hold more rows than the JSON shows.

    `sheets`: makes the sheets of a workbook, for an answer that has more than one table.
    """

    payload: Payload
    table: Callable[[], Table]
    sheets: Callable[[], Sequence[Table]] | None = None


# ------------------------------------------------------------------------------------------------ shared


def shown(value: Decimal | float | None) -> str | int | float | None:
    """A value as JSON: decimals as strings, counts and days as numbers."""
    return f"{value:f}" if isinstance(value, Decimal) else value


def _period(period: Period | None) -> dict[str, str] | None:
    return None if period is None else {"start": period.start.isoformat(), "end": period.end.isoformat()}


def evolution_of(change: Evolution) -> dict[str, str | None]:
    """A change as JSON."""
    return {"type": change.type, "percent": None if change.percent is None else f"{change.percent:f}"}


def about(board: Board, indicator: str, *, n: int, without: dict[str, Any] | None = None) -> Payload:
    """What every answer says of itself."""
    definition = INDICATORS.get(indicator)
    return {
        "definition": indicator,
        "basis": definition.basis if definition else "settlement_date",
        "period": _period(board.period),
        "previous_period": _period(board.previous),
        "countries": list(board.query.countries),
        "scope": {board.query.scope.kind: board.query.scope.id} if board.query.scope.kind else {},
        "currencies": board.currencies,
        "n": n,
        "left_out": without or {},
    }


def in_currencies(board: Board, blocks: Sequence[Payload]) -> Payload:
    """The block of the first currency, and all of them where there are several: money is never added across."""
    return blocks[0] | ({"blocks": list(blocks)} if len(blocks) > 1 else {})


def _consolidated(board: Board, used: Payload) -> Payload:
    """The consolidated block of an answer: absent for accounts of one country, null without a reporting currency.

    `used`: made only where there is one.
    """
    if not board.user.sees_all_countries():
        return {}
    return {"consolidated": used or None}


def _rates_used(base: str, used: Sequence[totals.UsedRate], without: Sequence[totals.WithoutRate]) -> Payload:
    return {"currency": base, "rates": shown_rates(base, used), "without_rate": shown_without(without)}


def _n(board: Board) -> int:
    return int(board.data.claims_in(board.period, "claim").height)


def _unit(indicator: Indicator, currency: str) -> str:
    return currency if indicator.unit == "money" else indicator.unit


# ------------------------------------------------------------------------------------------------ period, definitions


def period(board: Board) -> Answer:
    """The default period: from the first to the last settlement date of the data."""
    span = board.span
    payload = {"period": _period(span), "today": board.today.isoformat(), "countries": list(board.asked.countries)}
    columns = [TableColumn("start", _("From"), "date"), TableColumn("end", _("To"), "date")]
    return Answer(payload, lambda: Table(_("Period"), columns, [(span.start, span.end)] if span else []))


def portfolio(board: Board, keys: Sequence[str] = portfolios.KEYS) -> Answer:
    """The indicators `keys` against the period before."""
    now = portfolios.portfolio_series(board.data, [board.period], keys=keys, currencies=board.currencies)
    before: dict[tuple[str, str], Any] = {}
    if board.previous:
        earlier = portfolios.portfolio_series(board.data, [board.previous], keys=keys, currencies=board.currencies)
        before = {(one.key, one.currency): one.values[0] for one in earlier}
    indicators: list[Payload] = []
    for one in now:
        definition = INDICATORS[one.key]
        value, previous = one.values[0], before.get((one.key, one.currency))
        indicators.append(
            {
                "key": one.key,
                "unit": _unit(definition, one.currency),
                "currency": one.currency or None,
                "value": shown(value),
                "previous": shown(previous),
                "evolution": evolution_of(evolution(value, previous)),
                "n": one.n[0],
                "basis": definition.basis,
                "url": _portfolio_link(board, one.key, one.currency),
            }
        )
    whole = _consolidated_portfolio(board)
    payload = about(board, "portfolio", n=_n(board)) | {"indicators": indicators} | _consolidated(board, whole)
    columns = [
        TableColumn("indicator", _("Indicator")),
        TableColumn("unit", _("Unit")),
        TableColumn("value", _("Value"), "number"),
        TableColumn("previous", _("Period before"), "number"),
        TableColumn("evolution", _("Evolution")),
        TableColumn("percent", _("Change in %"), "number"),
        TableColumn("n", _("Claims behind it"), "integer"),
    ]
    rows = [
        (
            title,
            one["unit"],
            _decimal(one["value"]),
            _decimal(one["previous"]),
            one["evolution"]["type"],
            _decimal(one["evolution"]["percent"]),
            one["n"],
        )
        for title, one in _titled(indicators, whole)
    ]
    return Answer(payload, lambda: Table(_("Portfolio"), columns, [*rows, *_rate_rows(whole)]))


def _titled(indicators: Sequence[Payload], whole: Payload) -> Iterable[tuple[str, Payload]]:
    """The indicators with their titles, then those of the consolidated block."""
    for one in indicators:
        yield str(INDICATORS[one["key"]].title), one
    for one in whole.get("indicators", []):
        yield _("%(figure)s, consolidated") % {"figure": INDICATORS[one["key"]].title}, one


def _rate_rows(whole: Payload) -> Iterable[tuple[Any, ...]]:
    """The rates behind the consolidated block, and what it leaves out, as rows of the table of the portfolio."""
    for one in whole.get("rates", []):
        unit = _("%(currency)s for 1 %(base)s") % {"currency": one["currency"], "base": whole["currency"]}
        title = _("Rate from %(day)s") % {"day": one["from"]} if one["from"] else _("Fixed rate")
        yield title, unit, Decimal(one["rate"]), None, "", None, one["claims"]
    for one in whole.get("without_rate", []):
        yield (
            _("Reimbursed, without a rate"),
            one["currency"],
            Decimal(one["reimbursed"]),
            None,
            "",
            None,
            one["claims"],
        )


def _consolidated_portfolio(board: Board) -> Payload:
    """Claimed, reimbursed and their means in the reporting currency, and the countries by reimbursed amount."""
    rates = board.rates
    if rates is None:
        return {}
    found = totals.consolidated(board.data, [board.period], rates)
    before = totals.consolidated(board.data, [board.previous], rates) if board.previous else None
    (now,), earlier = found.sums, before.sums[0] if before else None
    names = {one.pk: one.name for one in board.countries}
    indicators = []
    for key in totals.KEYS:
        value, previous = now.value(key), earlier.value(key) if earlier else None
        definition = INDICATORS[key]
        indicators.append(
            {
                "key": key,
                "unit": _unit(definition, rates.base),
                "currency": rates.base,
                "value": shown(value),
                "previous": shown(previous),
                "evolution": evolution_of(evolution(value, previous)),
                "n": now.claims,
                "basis": definition.basis,
                "url": _portfolio_link(board, key, ""),
            }
        )
    return _rates_used(rates.base, found.used, found.without) | {
        "indicators": indicators,
        "countries": [
            {
                "id": one.id,
                "name": names.get(one.id, ""),
                "claims": one.claims,
                "claimed": shown(one.claimed),
                "reimbursed": shown(one.reimbursed),
                "share": shown(one.share),
            }
            for one in found.countries
        ],
        "previous_rates": shown_rates(rates.base, before.used) if before else [],
        "previous_without_rate": shown_without(before.without) if before else [],
    }


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _portfolio_link(board: Board, key: str, currency: str) -> str:
    query = board.query
    if key == "lines":
        return links.lines(query)
    if key in portfolios.CONSUMERS:
        role = key.removeprefix("insured_who_consumed").lstrip("_")
        return links.having_claims("insured", query, role=role)
    if key in portfolios.KNOWN:
        return links.known(query, role=key.removeprefix("known_insured").lstrip("_"))
    if key in portfolios.ACTIVE:
        return links.having_claims(_LISTS[portfolios.ACTIVE[key]], query)
    if key == "clients_without_premium":
        return links.without_premium(query)
    if key == "loss_ratio":
        return links.claims(query, currency=currency, premium="covered")
    if key == "premium_in_force":
        return links.loss_ratio(query)
    if key in portfolios.NEW:
        return links.having_claims(_LISTS[portfolios.NEW[key]], query, first=True)
    if key == "claims":
        return links.claims(query)
    return links.amounts(query, **({"currency": currency} if currency else {}))


_LISTS = {
    "client": "clients", "policy": "policies", "partner": "partners", "operator": "operators", "insured": "insured",
}  # fmt: skip


def series(board: Board, keys: Sequence[str]) -> Answer:
    """Values over the slots of the period; an empty slot of a flow is 0, of a ratio null."""
    slots = slots_of(board.period)
    found = portfolios.portfolio_series(board.data, slots, keys=keys, currencies=board.currencies)
    payload = about(board, keys[0], n=_n(board)) | {
        "unit": unit_of(board.period),
        "slots": [
            {"start": slot.start.isoformat(), "end": slot.end.isoformat(), "is_cut": slot.is_cut} for slot in slots
        ],
        "series": [
            {
                "key": one.key,
                "unit": _unit(INDICATORS[one.key], one.currency),
                "currency": one.currency or None,
                "values": [shown(value) for value in one.values],
                "url": _portfolio_link(board, one.key, one.currency),
            }
            for one in found
        ],
    }
    whole = _consolidated_series(board, slots, keys)
    payload |= _consolidated(board, whole)
    columns = [TableColumn("start", _("From"), "date"), TableColumn("end", _("To"), "date")]
    columns += [
        TableColumn(
            f"{one.key}_{one.currency}".rstrip("_"),
            f"{INDICATORS[one.key].title} ({one.currency})" if one.currency else str(INDICATORS[one.key].title),
            "number",
        )
        for one in found
    ]
    columns += [
        TableColumn(
            f"{one['key']}_consolidated",
            _("%(figure)s (%(currency)s, consolidated)")
            % {"figure": INDICATORS[one["key"]].title, "currency": one["currency"]},
            "number",
        )
        for one in whole.get("series", [])
    ]
    rows = [
        (
            slot.start,
            slot.end,
            *(one.values[at] for one in found),
            *(_decimal(one["values"][at]) for one in whole.get("series", [])),
        )
        for at, slot in enumerate(slots)
    ]
    return Answer(payload, lambda: Table(_("Series"), columns, rows))


def _consolidated_series(board: Board, slots: Sequence[Slot], keys: Sequence[str]) -> Payload:
    """The indicators of money among `keys` in the reporting currency; none where there is no such key."""
    rates, wanted = board.rates, [key for key in keys if key in totals.KEYS]
    if rates is None or not wanted:
        return {}
    found = totals.consolidated(board.data, slots, rates)
    return _rates_used(rates.base, found.used, found.without) | {
        "series": [
            {
                "key": key,
                "unit": _unit(INDICATORS[key], rates.base),
                "currency": rates.base,
                "values": [shown(one.value(key)) for one in found.sums],
                "url": _portfolio_link(board, key, ""),
            }
            for key in wanted
        ],
    }


# ------------------------------------------------------------------------------------------------ rankings


def rankings(board: Board, by: ranks.By, *, limit: int) -> Answer:
    """The first `limit` places of each currency; the table has all of them."""

    def rank(limit: int | None) -> list[ranks.Ranking]:
        return [
            ranks.ranking(board.data, board.period, board.previous, by=by, currency=currency, limit=limit)
            for currency in board.currencies
        ]

    def rank_all(limit: int | None) -> totals.ConsolidatedRanking | None:
        rates = board.rates
        if rates is None:
            return None
        return totals.consolidated_ranking(board.data, board.period, board.previous, by=by, rates=rates, limit=limit)

    found, whole = rank(limit), rank_all(limit)
    every_row = [row for one in (*found, *([whole.ranking] if whole else [])) for row in one.rows]
    names = board.names(by, (row.id for row in every_row))
    blocks = [_ranking_block(board, by, one, names, currency=one.currency) for one in found]
    payload = about(board, "rankings", n=_n(board)) | {"by": by} | in_currencies(board, blocks)
    block: Payload = {}
    if whole:
        block = _ranking_block(board, by, whole.ranking, names) | _rates_used(
            whole.ranking.currency, whole.used, whole.without
        )
    payload |= _consolidated(board, block)
    columns = [
        TableColumn("currency", _("Currency")),
        TableColumn("rank", _("Rank"), "integer"),
        TableColumn("id", _("Id"), "integer"),
        TableColumn("name", _("Name")),
        TableColumn("reimbursed", _("Reimbursed"), "money"),
        TableColumn("claimed", _("Claimed"), "money"),
        TableColumn("share", _("Share"), "ratio"),
        TableColumn("cumulative_share", _("Cumulative share"), "ratio"),
        TableColumn("claims", _("Claims"), "integer"),
        TableColumn("insured", _("Insured"), "integer"),
        TableColumn("cost_per_insured", _("Cost per insured"), "money"),
        TableColumn("evolution", _("Evolution")),
        TableColumn("percent", _("Change in %"), "number"),
        TableColumn("previous_rank", _("Rank before"), "integer"),
    ]
    # A reader of the file must not add these rows to the others.
    if whole:
        columns.insert(0, TableColumn("block", _("Block")))

    def table() -> Table:
        every, in_one = rank(None), rank_all(None)
        blocks = [(_("by currency"), one) for one in every]
        blocks += [(_("consolidated"), in_one.ranking)] if in_one else []
        all_names = board.names(by, (row.id for _block, one in blocks for row in one.rows))
        rows = [
            (
                *([block] if in_one else []),
                one.currency, row.rank, row.id, all_names.get(row.id, ""), row.reimbursed, row.claimed, row.share,
                row.cumulative_share, row.claims, row.insured, row.cost_per_insured, row.evolution.type,
                row.evolution.percent, row.previous_rank,
            )
            for block, one in blocks
            for row in one.rows
        ]  # fmt: skip
        return Table(_("Ranking"), columns, rows)

    return Answer(payload, table)


def _ranking_block(
    board: Board, by: ranks.By, one: ranks.Ranking, names: dict[int, str], *, currency: str = ""
) -> Payload:
    """`currency`: of the rows behind the amounts; empty for those of all currencies."""
    return {
        "currency": one.currency,
        "rows": [_ranking_row(board, by, currency, row, names) for row in one.rows],
        "count": one.count,
        "total": {
            "reimbursed": shown(one.total.reimbursed),
            "claimed": shown(one.total.claimed),
            "share": None if one.total.reimbursed == 0 else "1.0000",
            "claims": one.total.claims,
            "insured": one.total.insured,
            "cost_per_insured": shown(one.total.cost_per_insured),
            "evolution": evolution_of(one.total.evolution),
            "url": links.amounts(board.query, **({"currency": currency} if currency else {})),
        },
        "left_out": {"claims": one.without[0], "reimbursed": shown(one.without[1])},
    }


def _ranking_row(board: Board, by: ranks.By, currency: str, row: ranks.Row, names: dict[int, str]) -> Payload:
    filters: dict[str, object] = {"category" if by == "act_category" else by: row.id}
    filters |= {"currency": currency} if currency else {}
    of_lines = by in ("operator", "act", "act_category")
    return {
        "rank": row.rank,
        "id": row.id,
        "name": names.get(row.id, ""),
        "reimbursed": shown(row.reimbursed),
        "claimed": shown(row.claimed),
        "share": shown(row.share),
        "cumulative_share": shown(row.cumulative_share),
        "claims": row.claims,
        "insured": row.insured,
        "cost_per_insured": shown(row.cost_per_insured),
        "evolution": evolution_of(row.evolution),
        "previous_rank": row.previous_rank,
        "url": (links.lines if of_lines else links.amounts)(board.query, **filters),
    }


def concentration(board: Board) -> Answer:
    found = [ranks.concentration(board.data, board.period, currency=currency) for currency in board.currencies]
    blocks = [
        {
            "currency": one.currency,
            "insured": one.insured,
            "known_insured": one.known,
            "shares": [
                {"percent": percent, "insured": count, "share": shown(share)}
                for percent, (count, share) in one.shares.items()
            ],
            "share_without_claim": shown(one.without_claim),
            "url": f"{links.API}/dashboard/rankings/?by=insured&{links.asked(board.query)}",
        }
        for one in found
    ]
    payload = about(board, "concentration", n=_n(board)) | in_currencies(board, blocks)
    columns = [
        TableColumn("currency", _("Currency")),
        TableColumn("percent", _("Highest % of the insured"), "integer"),
        TableColumn("insured", _("Insured"), "integer"),
        TableColumn("share", _("Share of the reimbursed amount"), "ratio"),
    ]
    rows = [(one.currency, percent, count, share) for one in found for percent, (count, share) in one.shares.items()]
    return Answer(payload, lambda: Table(_("Concentration"), columns, rows))


def frequency(board: Board) -> Answer:
    found = [
        frequencies.frequency(board.data, board.period, board.previous, currency=currency)
        for currency in board.currencies
    ]
    names = board.names("act_category", (row.category for one in found for row in one.rows))

    def effects(value: frequencies.Effects | None) -> Payload | None:
        if value is None:
            return None
        return {
            "exposure": shown(value.exposure), "frequency": shown(value.frequency), "cost": shown(value.cost),
        }  # fmt: skip

    blocks = [
        {
            "currency": one.currency,
            "known_insured": one.known,
            "previous_known_insured": one.previous_known,
            "exposure": one.exposure,
            "previous_exposure": one.previous_exposure,
            "exposure_basis": one.basis,
            "rows": [
                {
                    "id": row.category,
                    "name": names.get(row.category, ""),
                    "lines": row.lines,
                    "reimbursed": shown(row.reimbursed),
                    "frequency": shown(row.frequency),
                    "cost": shown(row.cost),
                    "previous_lines": row.previous_lines,
                    "previous_reimbursed": shown(row.previous_reimbursed),
                    "change": shown(row.reimbursed - row.previous_reimbursed),
                    "effects": effects(row.effects),
                    "url": links.lines(board.query, category=row.category, currency=one.currency),
                }
                for row in one.rows
            ],
            "effects": effects(one.effects),
        }
        for one in found
    ]
    payload = about(board, "frequency", n=_n(board)) | in_currencies(board, blocks)
    columns = [
        TableColumn("currency", _("Currency")),
        TableColumn("category", _("Act category")),
        TableColumn("lines", _("Lines"), "integer"),
        TableColumn("reimbursed", _("Reimbursed"), "money"),
        TableColumn("frequency", _("Frequency"), "ratio"),
        TableColumn("cost", _("Cost"), "money"),
        TableColumn("previous_reimbursed", _("Reimbursed before"), "money"),
        TableColumn("exposure_effect", _("Change by exposure"), "money"),
        TableColumn("frequency_effect", _("Change by frequency"), "money"),
        TableColumn("cost_effect", _("Change by cost"), "money"),
    ]
    rows = [
        (
            one.currency, names.get(row.category, ""), row.lines, row.reimbursed, row.frequency, row.cost,
            row.previous_reimbursed,
            *((row.effects.exposure, row.effects.frequency, row.effects.cost) if row.effects else (None, None, None)),
        )
        for one in found
        for row in one.rows
    ]  # fmt: skip
    return Answer(payload, lambda: Table(_("Frequency"), columns, rows))


def delay(board: Board) -> Answer:
    found = delays.delay(board.data, board.period)
    filters: dict[str, dict[str, object]] = {
        delays.NEGATIVE: {"delay_max": -1},
        delays.UNKNOWN: {"incident_unknown": "true"},
    }
    for key, first, last in delays.BANDS:
        filters[key] = {"delay_min": first} if last is None else {"delay_min": first, "delay_max": last}
    apart = {band.key: band.claims for band in found.bands if band.key in (delays.NEGATIVE, delays.UNKNOWN)}
    payload = about(board, "delay", n=found.n, without=apart) | {
        "median": found.median,
        "p90": found.p90,
        "bands": [
            {
                "key": band.key,
                "claims": band.claims,
                "share": shown(band.share),
                "url": links.claims(board.query, **filters[band.key]),
            }
            for band in found.bands
        ],
    }
    columns = [
        TableColumn("days", _("Days")),
        TableColumn("claims", _("Claims"), "integer"),
        TableColumn("share", _("Share"), "ratio"),
    ]
    return Answer(
        payload, lambda: Table(_("Delay"), columns, [(band.key, band.claims, band.share) for band in found.bands])
    )


# ------------------------------------------------------------------------------------------------ triangle, prices


def triangle(board: Board) -> Answer:
    found = [triangles.triangle(board.data, board.period, currency=currency) for currency in board.currencies]
    blocks = [_triangle(board, one) for one in found]
    payload = about(board, "triangle", n=found[0].n, without=found[0].left_out) | in_currencies(board, blocks)
    columns = [
        TableColumn("currency", _("Currency")),
        TableColumn("month", _("Month of incident"), "date"),
        TableColumn("claims", _("Claims"), "integer"),
        TableColumn("paid", _("Reimbursed so far"), "money"),
        TableColumn("ultimate", _("Expected in the end"), "money"),
        TableColumn("outstanding", _("Still to come"), "money"),
        TableColumn("state", _("State")),
    ]
    rows = [
        (one.currency, row.month, row.claims, row.paid, row.ultimate, row.outstanding, row.state)
        for one in found
        for row in one.projection
    ]
    return Answer(payload, lambda: Table(_("Triangle"), columns, rows))


def _triangle(board: Board, one: triangles.Triangle) -> Payload:
    test = one.back_test
    return {
        "currency": one.currency,
        "months": [_month(month) for month in one.months],
        "cumulative": [[shown(cell) for cell in row] for row in one.cumulative],
        "link_ratios": [shown(link) for link in one.link_ratios],
        "completion": [shown(share) for share in one.completion],
        "projection": [
            {
                "month": _month(row.month),
                "claims": row.claims,
                "paid": shown(row.paid),
                "ultimate": shown(row.ultimate),
                "outstanding": shown(row.outstanding),
                "state": row.state,
                "url": links.incidents(board.query, row.month, currency=one.currency),
            }
            for row in one.projection
        ],
        "back_test": None
        if test is None
        else {
            "as_of": _month(test.as_of),
            "rows": [
                {"month": _month(month), "expected": shown(expected), "came": shown(came)}
                for month, expected, came in test.months
            ],
            "expected": shown(test.expected),
            "came": shown(test.came),
        },
    }


def _month(day: date) -> str:
    return f"{day:%Y-%m}"


def prices(board: Board, *, limit: int) -> Answer:
    """The first `limit` rows of each currency; the table has all of them."""

    def compare(limit: int | None) -> list[price_rows.Prices]:
        return [
            price_rows.prices(board.data, board.period, currency=currency, limit=limit) for currency in board.currencies
        ]

    found = compare(limit)
    acts, partners = (board.names(kind, (getattr(row, kind) for one in found for row in one.rows)) for kind in _PRICED)
    blocks = [
        {
            "currency": one.currency,
            "count": one.count,
            "lines": one.lines,
            "compared_lines": one.compared,
            "rows": [
                {
                    "act": {"id": row.act, "name": acts.get(row.act, "")},
                    "partner": {"id": row.partner, "name": partners.get(row.partner, "")},
                    "n": row.n,
                    "median": shown(row.median),
                    "country_median": shown(row.country_median),
                    "index": shown(row.index),
                    "to_look_at": row.to_look_at,
                    "potential": shown(row.potential),
                    "url": links.lines(board.query, act=row.act, partner=row.partner, currency=one.currency),
                }
                for row in one.rows
            ],
        }
        for one in found
    ]
    without = {"lines_of_few": found[0].lines - found[0].compared}
    payload = about(board, "prices", n=found[0].compared, without=without) | in_currencies(board, blocks)
    columns = [
        TableColumn("currency", _("Currency")),
        TableColumn("act", _("Act")),
        TableColumn("partner", _("Provider")),
        TableColumn("n", _("Lines"), "integer"),
        TableColumn("median", _("Median"), "money"),
        TableColumn("country_median", _("Median of the country"), "money"),
        TableColumn("index", _("Index"), "ratio"),
        TableColumn("to_look_at", _("To look at")),
        TableColumn("potential", _("Potential"), "money"),
    ]

    def table() -> Table:
        every = compare(None)
        names = {kind: board.names(kind, (getattr(row, kind) for one in every for row in one.rows)) for kind in _PRICED}
        rows = [
            (
                one.currency, names["act"].get(row.act, ""), names["partner"].get(row.partner, ""), row.n, row.median,
                row.country_median, row.index, _("yes") if row.to_look_at else _("no"), row.potential,
            )
            for one in every
            for row in one.rows
        ]  # fmt: skip
        return Table(_("Prices"), columns, rows)

    return Answer(payload, table)


_PRICED = ("act", "partner")


# ------------------------------------------------------------------------------------------------ left out, quality


def left_out_by_age(board: Board) -> Answer:
    missing, _lines = board.left_out
    currencies = board.currencies + sorted(set(missing["currency"].unique()) - set(board.currencies))
    labels = dict(FindingCategory.choices)
    blocks = []
    rows: list[tuple[Any, ...]] = []
    for currency in currencies:
        aged = omissions.by_age(missing, today=board.today, currency=currency)
        months = omissions.by_month(board.data, missing, board.period, currency=currency)
        blocks.append(
            {
                "currency": currency,
                "rows": [
                    {
                        "category": one.category,
                        "age": one.age,
                        "claims": one.claims,
                        "amount": shown(one.amount),
                        "url": links.left_out(board.query, category=one.category, age=one.age, currency=currency),
                    }
                    for one in aged
                ],
                "reconciliation": [
                    {
                        "month": _month(one.month),
                        "imported": one.imported,
                        "left_out": one.left_out,
                        "imported_amount": shown(one.imported_amount),
                        "left_out_amount": shown(one.left_out_amount),
                        "rate_claims": shown(one.rate_claims),
                        "rate_amount": shown(one.rate_amount),
                        "url": links.month(board.query, one.month, currency=currency),
                    }
                    for one in months
                ],
            }
        )
        rows += [
            (currency, str(labels.get(one.category, one.category)), one.age, one.claims, one.amount) for one in aged
        ]
    payload = (
        about(board, "left_out", n=missing.height, without={"undated": int(missing["settled"].null_count())})
        | {"as_of": board.today.isoformat()}
        | in_currencies(board, blocks)
    )
    columns = [
        TableColumn("currency", _("Currency")),
        TableColumn("category", _("Category")),
        TableColumn("age", _("Age in days")),
        TableColumn("claims", _("Claims"), "integer"),
        TableColumn("amount", _("Amount"), "money"),
    ]
    return Answer(payload, lambda: Table(_("Claims left out"), columns, rows))


def quality(board: Board, by: omissions.By) -> Answer:
    missing, lines = board.left_out
    known = {} if by == "month" else keys_of(by, user=board.user, countries=board.query.countries)
    names = dict(known.values())
    found = omissions.quality(
        board.data, missing, lines, board.period, by=by, keys={pk: key for pk, (key, _name) in known.items()}
    )
    payload = about(board, "quality", n=sum(one.lines for one in found)) | {
        "by": by,
        "rows": [
            {
                "id": one.id,
                "name": names.get((one.country, one.key), one.key),
                "lines": one.lines,
                "claims": one.claims,
                "lines_left_out": one.lines_left_out,
                "claims_left_out": one.claims_left_out,
                "share_left_out": shown(one.share_left_out),
                "by_category": one.by_category,
                "url": _quality_link(board, by, one),
            }
            for one in found
        ],
    }
    columns = [
        TableColumn("name", _("Month") if by == "month" else _("Name")),
        TableColumn("lines", _("Lines"), "integer"),
        TableColumn("claims", _("Claims"), "integer"),
        TableColumn("lines_left_out", _("Lines left out"), "integer"),
        TableColumn("claims_left_out", _("Claims left out"), "integer"),
        TableColumn("share_left_out", _("Share left out"), "ratio"),
    ]
    rows = [
        (
            names.get((one.country, one.key), one.key),
            one.lines,
            one.claims,
            one.lines_left_out,
            one.claims_left_out,
            one.share_left_out,
        )
        for one in found
    ]
    return Answer(payload, lambda: Table(_("Quality of entry"), columns, rows))


def _quality_link(board: Board, by: omissions.By, one: omissions.Entered) -> str | None:
    """The lines that were imported; None for a name that only claims left out have."""
    if by == "month":
        return links.month(board.query, date.fromisoformat(f"{one.key}-01"), of_lines=True)
    return None if one.id is None else links.lines(board.query, **{by: one.id})


def definitions(texts: Iterable[Payload]) -> Answer:
    rows = list(texts)
    names = ("key", "title", "question", "why", "definition", "unit", "good", "basis")
    columns = [TableColumn(name, name) for name in names]
    return Answer(
        {"count": len(rows), "indicators": rows},
        lambda: Table(_("Definitions"), columns, [tuple(row[name] for name in names) for row in rows]),
    )
