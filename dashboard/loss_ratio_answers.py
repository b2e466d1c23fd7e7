"""The answer of `dashboard/loss-ratio/`: S/P by client or country, over time and by incident date (DOMAIN §9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl
from django.utils.translation import gettext as _

from common.errors import Invalid
from dashboard import links
from dashboard.answers import Answer, Payload, about, evolution_of, in_currencies, shown
from dashboard.asking import PERIOD
from dashboard.board import Board
from dashboard.columns import Columns
from dashboard.indicators import loss_ratio as ratios
from dashboard.indicators.loss_ratio import By, ByIncident, Covered, LossRatios, Point, Row
from dashboard.indicators.triangle import triangle
from dashboard.periods import Period, evolution
from dashboard.premiums import terms_of
from dashboard.queries import Data, Query, Scope
from dashboard.tables import Table, TableColumn

# What the list of claims calls a claim on a day that a premium covers, one on another day, and one of a client without.
COVERED, OUTSIDE, NONE = "covered", "outside", "none"


@dataclass(frozen=True)
class Found:
    """The figures of one currency. `before`: those of the period before."""

    claims: Covered
    now: LossRatios
    before: LossRatios | None
    rolling: list[Point]
    by_incident: ByIncident


def loss_ratio(board: Board, by: By, *, limit: int) -> Answer:
    """The first `limit` rows of each currency; the table has all of them.

    Raises Invalid for a scope other than a client: only clients have premiums.
    """
    kind = board.asked.scope.kind
    if kind not in ("", "client"):
        names = ", ".join(("client", "country", *PERIOD))
        raise Invalid({kind: [_("This address has no such parameter. Choose from: %(names)s.") % {"names": names}]})
    found = [_found(board, currency, by) for currency in currencies_of(board)]
    by_id = _names(board, by, (row.id for one in found for row in one.now.rows))
    blocks = [_block(board, by, one, by_id, limit) for one in found]
    first = found[0].now
    payload = (
        about(
            board,
            "loss_ratio",
            n=first.total.claims,
            without={
                "no_client": first.no_client[0],
                "clients_without_premium": first.without[0],
                "premiums_before_data": first.total.premiums_before_data,
            },
        )
        | {"by": by}
        | in_currencies(board, blocks)
    )
    return Answer(payload, lambda: _table(found, by_id))


def currencies_of(board: Board) -> list[str]:
    """Those of the claims, then those of premiums alone, which are earned without a claim too."""
    found = [one for one in board.currencies if one]
    premiums = ratios.overlapping(board.data.premiums, board.period)["currency"].unique().sort().to_list()
    return [*found, *(one for one in premiums if one not in found)] or [""]


def _found(board: Board, currency: str, by: By) -> Found:
    terms = terms_of(board.countries)
    start = board.span.start if board.span else None
    claims = Covered(board.data, board.period.end, currency)
    return Found(
        claims=claims,
        now=ratios.loss_ratios(claims, board.period, terms, by=by, data_start=start),
        before=ratios.loss_ratios(claims, board.previous, terms, by=by) if board.previous else None,
        rolling=ratios.rolling(claims, board.period, start),
        by_incident=ratios.by_incident(claims, board.period, completion_of(board, currency, board.period.end)),
    )


def completion_of(board: Board, currency: str, until: date) -> Mapping[int, Mapping[date, float | None]]:
    """Country → month of incident → the share that is settled by `until`, by the triangle of all claims of the country.

    A client has too few claims for a triangle of its own, and its claims are settled as fast as those of the others.
    """
    if board.span is None or until < board.span.start:
        return {}
    period = Period(board.span.start, until)
    found = {}
    for country in board.asked.countries:
        columns = _of_country(board.columns, country) if len(board.asked.countries) > 1 else board.columns
        found[country] = triangle(Data(columns, Scope()), period, currency=currency).settled_share()
    return found


def _of_country(columns: Columns, country: int) -> Columns:
    """With the claims of one country; a triangle needs nothing else."""
    return replace(columns, claims=columns.claims.filter(pl.col("country") == country))


def _names(board: Board, by: By, ids: Any) -> dict[int, str]:
    if by == "country":
        return {one.pk: one.name for one in board.countries}
    return board.names("client", ids)


# ------------------------------------------------------------------------------------------------ JSON


def _block(board: Board, by: By, found: Found, names: Mapping[int, str], limit: int) -> Payload:
    now, currency = found.now, found.now.currency
    before = {row.id: row for row in found.before.rows} if found.before else {}
    rows = now.rows[:limit]
    return {
        "currency": currency,
        "rows": [_row(board, by, currency, row, names) for row in rows],
        "count": len(now.rows),
        "total": _row(board, by, currency, now.total, names),
        "without_premium": {"clients": now.without[0], "reimbursed": shown(now.without[1])},
        "without_premium_url": links.claims(board.query, currency=currency, premium=NONE),
        "no_client": {"claims": now.no_client[0], "reimbursed": shown(now.no_client[1])},
        "details": [_details(board, by, currency, row, before.get(row.id)) for row in rows],
        "total_details": _details(board, by, currency, now.total, found.before.total if found.before else None),
        "ranking": [
            {
                "rank": rank,
                "id": row.id,
                "name": names.get(row.id or 0, ""),
                "excess": shown(row.excess),
                "target": shown(row.target),
                "loss_ratio": shown(row.loss_ratio),
                "url": _claims(board, by, currency, row, COVERED),
            }
            for rank, row in enumerate(ratios.ranked(now.rows)[:limit], 1)
        ],
        "rolling": [
            {
                "start": point.start.isoformat(),
                "end": point.end.isoformat(),
                "reimbursed_covered": shown(point.covered),
                "earned_premium": shown(point.earned),
                "loss_ratio": shown(point.loss_ratio),
                "is_whole": point.is_whole,
                "url": links.claims(
                    replace(board.query, period=Period(point.start, point.end)), currency=currency, premium=COVERED
                ),
            }
            for point in found.rolling
        ],
        "by_incident": incident_json(board.query, currency, found.by_incident),
    }


def _row(board: Board, by: By, currency: str, row: Row, names: Mapping[int, str]) -> Payload:
    return {
        "id": row.id,
        "name": names.get(row.id or 0, ""),
        "currency": currency,
        "reimbursed_covered": shown(row.covered),
        "earned_premium": shown(row.earned),
        "loss_ratio": shown(row.loss_ratio),
        "consumed_share": shown(row.consumed_share),
        "reimbursed_outside": shown(row.outside),
        "url": _claims(board, by, currency, row, COVERED),
    }


def _details(board: Board, by: By, currency: str, row: Row, before: Row | None) -> Payload:
    return {
        "id": row.id,
        "target": shown(row.target),
        "excess": shown(row.excess),
        "time_passed": shown(row.time_passed),
        "pooled": shown(row.pooled),
        "pooled_loss_ratio": shown(row.pooled_loss_ratio),
        "previous_loss_ratio": shown(before.loss_ratio if before else None),
        "evolution": evolution_of(evolution(row.loss_ratio, before.loss_ratio if before else None)),
        "clients": row.clients,
        "premiums": row.premiums,
        "premiums_before_data": row.premiums_before_data,
        "n": row.claims,
        "outside_url": _claims(board, by, currency, row, OUTSIDE),
    }


def _claims(board: Board, by: By, currency: str, row: Row, premium: str) -> str:
    query, filters = board.query, {"currency": currency, "premium": premium}
    if row.id is not None and by == "client":
        return links.claims(query, client=row.id, **filters)
    if row.id is not None:
        query = replace(query, countries=(row.id,))
    return links.claims(query, **filters)


def incident_json(query: Query, currency: str, found: ByIncident) -> Payload:
    return {
        "reimbursed": shown(found.reimbursed),
        "completed": shown(found.completed),
        "earned_premium": shown(found.earned),
        "loss_ratio": shown(found.loss_ratio),
        "months_left_out": found.months_left_out,
        "claims_left_out": found.claims_left_out,
        "rows": [
            {
                "country": month.country,
                "month": f"{month.days.start:%Y-%m}",
                "reimbursed": shown(month.reimbursed),
                "completion": shown(month.completion),
                "completed": shown(month.completed),
                "earned_premium": shown(month.earned),
                "url": links.covered_incidents(
                    replace(query, countries=(month.country,)), month.days, currency=currency
                ),
            }
            for month in found.months
        ],
    }


# ------------------------------------------------------------------------------------------------ table


def _table(found: Sequence[Found], names: Mapping[int, str]) -> Table:
    columns = [
        TableColumn("currency", _("Currency")),
        TableColumn("id", _("Id"), "integer"),
        TableColumn("name", _("Name")),
        TableColumn("reimbursed_covered", _("Reimbursed in the premiums' time"), "money"),
        TableColumn("earned_premium", _("Earned premium"), "money"),
        TableColumn("loss_ratio", _("S/P"), "ratio"),
        TableColumn("consumed_share", _("Consumed share of the premium"), "ratio"),
        TableColumn("time_passed", _("Share of the time passed"), "ratio"),
        TableColumn("reimbursed_outside", _("Reimbursed outside any premium"), "money"),
        TableColumn("pooled", _("Reimbursed, pooled"), "money"),
        TableColumn("pooled_loss_ratio", _("S/P, pooled"), "ratio"),
        TableColumn("target", _("Target S/P"), "ratio"),
        TableColumn("excess", _("Above the target"), "money"),
        TableColumn("claims", _("Claims"), "integer"),
    ]
    rows = [
        (
            one.now.currency, row.id, names.get(row.id or 0, ""), row.covered, row.earned, row.loss_ratio,
            row.consumed_share, row.time_passed, row.outside, row.pooled, row.pooled_loss_ratio, row.target,
            row.excess, row.claims,
        )
        for one in found
        for row in one.now.rows
    ]  # fmt: skip
    return Table(_("S/P"), columns, rows)
