"""The renewal sheet of a client: its last premiums and what its claims are made of (DOMAIN §9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

import polars as pl
from django.utils.translation import gettext as _

from core.models import Client
from dashboard import answers, links
from dashboard.answers import Answer, Payload, about, shown
from dashboard.asking import Asked
from dashboard.board import Board
from dashboard.indicators import loss_ratio as ratios
from dashboard.indicators import rankings as ranks
from dashboard.indicators.loss_ratio import ByIncident, Covered, Row
from dashboard.indicators.portfolio import portfolio_series
from dashboard.loss_ratio_answers import COVERED, completion_of, incident_json
from dashboard.numbers import money, ratio
from dashboard.periods import ONE_DAY, Period
from dashboard.premiums import terms_of
from dashboard.queries import Query, Scope
from dashboard.tables import Table, TableColumn
from users.models import User

PREMIUMS_SHOWN = 3
PLACES_SHOWN = 5
LARGE_CLAIMS = 10


@dataclass(frozen=True)
class PremiumFigures:
    """One premium up to the last day of the data. `days`: those of it that the data has; None before its start."""

    id: int
    start: date
    end: date
    amount: int
    headcount: int | None
    currency: str
    days: Period | None
    row: Row | None
    completed: ByIncident | None
    consumers: int
    known: int


def board_of(user: User, client: Client, today: date) -> Board:
    """The question that the sheet answers: everything about one client, whom the account sees."""
    return Board(user=user, asked=Asked((client.country_id,), Scope("client", client.pk), None, None), today=today)


class Sheet:
    """The figures of one sheet. `board`: of `board_of`."""

    def __init__(self, board: Board, client: Client) -> None:
        self.board = board
        self.client = client
        self.country = client.country
        self.terms = terms_of([self.country])

    @cached_property
    def as_of(self) -> date:
        """The last settlement of the data: later claims are not known."""
        return self.board.span.end if self.board.span else self.board.today

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The last premiums, the newest first."""
        premiums = self.board.data.premiums.sort("start", descending=True)
        return premiums.head(PREMIUMS_SHOWN).to_dicts()

    @cached_property
    def begun(self) -> list[dict[str, Any]]:
        return [row for row in self.rows if row["start"] <= self.as_of]

    @cached_property
    def currency(self) -> str:
        row = next(iter([*self.begun, *self.rows]), None)
        return row["currency"] if row else self.country.currency_code

    @cached_property
    def period(self) -> Period:
        """The days of the latest premium that has begun; without one the last twelve months of the data."""
        if not self.begun:
            return Period(_year_before(self.as_of), self.as_of)
        return self._days(self.begun[0])

    @cached_property
    def previous(self) -> Period | None:
        """As many days of the premium before, from its start: a premium that still runs is compared with the same part
        of the one before."""
        if len(self.begun) < 2:
            return self.period.previous()
        before = self.begun[1]
        return Period(before["start"], min(before["end"], before["start"] + timedelta(days=self.period.days - 1)))

    def _days(self, row: dict[str, Any]) -> Period:
        return Period(row["start"], min(row["end"], self.as_of))

    @cached_property
    def premiums(self) -> list[PremiumFigures]:
        return [self._premium(row) for row in self.rows]

    def _premium(self, row: dict[str, Any]) -> PremiumFigures:
        days, figures, completed, consumers, known = None, None, None, 0, 0
        if row["start"] <= self.as_of:
            days = self._days(row)
            claims = Covered(self.board.data, days.end, row["currency"])
            claims.premiums = claims.premiums.filter(pl.col("premium") == row["premium"])
            claims.covered = claims.covered.filter(pl.col("premium") == row["premium"])
            start = self.board.span.start if self.board.span else None
            figures = ratios.loss_ratios(claims, days, self.terms, by="client", data_start=start).total
            # What happened in the time of the premium counts, whenever it was settled.
            by_now = Covered(self.board.data, self.as_of, row["currency"])
            by_now.premiums = claims.premiums
            completed = ratios.by_incident(by_now, days, completion_of(self.board, row["currency"], self.as_of))
            people = portfolio_series(
                self.board.data, [days], keys=("insured_who_consumed", "known_insured"), currencies=[row["currency"]]
            )
            consumers, known = (int(one.values[0] or 0) for one in people)
        return PremiumFigures(
            id=row["premium"],
            start=row["start"],
            end=row["end"],
            amount=row["cents"],
            headcount=row["headcount"],
            currency=row["currency"],
            days=days,
            row=figures,
            completed=completed,
            consumers=consumers,
            known=known,
        )

    @cached_property
    def large_claims(self) -> list[dict[str, Any]]:
        """The dearest claims of the period, without names or numbers: settled, incident, category, cents."""
        data = self.board.data
        claims = data.claims_in(
            self.period, "claim", "settled", "incident", "reimbursed", currency=self.currency
        ).filter(pl.col("reimbursed") > 0)
        first = claims.sort("reimbursed", "claim", descending=[True, False]).head(LARGE_CLAIMS)
        lines = data.lines_in(self.period, "claim", "act_category", "reimbursed", currency=self.currency)
        main = (
            lines.filter(pl.col("claim").is_in(first["claim"].implode()))
            .group_by("claim", "act_category")
            .agg(pl.col("reimbursed").sum())
            .sort("reimbursed", "act_category", descending=[True, False])
            .unique("claim", keep="first", maintain_order=True)
            .drop("reimbursed")
        )
        return first.join(main, on="claim", how="left", maintain_order="left").to_dicts()


def renewal(board: Board, client: Client) -> Answer:
    """The sheet: JSON, its premiums as a table, all of its tables as the sheets of a workbook."""
    sheet = Sheet(board, client)
    part = board.narrowed(board.asked.countries, sheet.period.start, sheet.period.end)
    part.previous = sheet.previous
    part.currencies = [sheet.currency]
    terms = sheet.terms[client.country_id]
    frequency = answers.frequency(part)
    tops = {by: _top(sheet, part, by) for by in ("act_category", "partner")}
    delay = answers.delay(part)
    whole = _whole(sheet)
    large = _large(sheet, whole, terms.threshold)
    payload = about(part, "renewal", n=part.data.claims_in(part.period, "claim", currency=sheet.currency).height) | {
        "client": {"id": client.pk, "name": client.name},
        "country": {"id": client.country_id, "name": client.country.name},
        "currency": sheet.currency,
        "as_of": sheet.as_of.isoformat(),
        "target": shown(ratios.half_up(terms.target, 4)),
        "pooling_threshold": None if terms.threshold is None else shown(money(terms.threshold)),
        "premiums": [_premium(part.query, one) for one in sheet.premiums],
        "reimbursed": shown(money(whole)),
        "categories": {
            name: frequency.payload[name]
            for name in (
                "rows", "effects", "exposure", "previous_exposure", "exposure_basis", "known_insured",
                "previous_known_insured",
            )
        },
        "top_categories": tops["act_category"],
        "top_partners": tops["partner"],
        "large_claims": large,
        "delay": {name: delay.payload[name] for name in ("n", "median", "p90", "bands")},
    }  # fmt: skip
    return Answer(payload, lambda: premium_table(payload), lambda: sheets(payload))


def _whole(sheet: Sheet) -> int:
    claims = sheet.board.data.claims_in(sheet.period, "reimbursed", currency=sheet.currency)
    return int(claims["reimbursed"].sum())


def _premium(query: Query, one: PremiumFigures) -> Payload:
    row, completed = one.row, one.completed
    asked = replace(query, period=one.days) if one.days else query
    return {
        "premium": one.id,
        "start": one.start.isoformat(),
        "end": one.end.isoformat(),
        "currency": one.currency,
        "amount": shown(money(one.amount)),
        "insured_count": one.headcount,
        "earned_premium": shown(row.earned if row else Decimal("0.00")),
        "reimbursed": shown(row.covered if row else Decimal("0.00")),
        "loss_ratio": shown(row.loss_ratio if row else None),
        "consumed_share": shown(row.consumed_share if row else None),
        "time_passed": shown(row.time_passed if row else None),
        "pooled": shown(row.pooled if row else None),
        "pooled_loss_ratio": shown(row.pooled_loss_ratio if row else None),
        "excess": shown(row.excess if row else None),
        "completed": incident_json(asked, one.currency, completed) if completed else None,
        "insured_who_consumed": one.consumers,
        "known_insured": one.known,
        "claims": row.claims if row else 0,
        "is_whole": bool(row and not row.premiums_before_data),
        "url": links.claims(asked, currency=one.currency, premium=COVERED) if one.days else None,
    }


def _top(sheet: Sheet, part: Board, by: Any) -> list[Payload]:
    found = ranks.ranking(part.data, part.period, part.previous, by=by, currency=sheet.currency, limit=PLACES_SHOWN)
    names = part.names(by, (row.id for row in found.rows))
    filters = {"act_category": (links.lines, "category"), "partner": (links.claims, "partner")}
    address, name = filters[by]
    return [
        {
            "rank": row.rank,
            "id": row.id,
            "name": names.get(row.id, ""),
            "reimbursed": shown(row.reimbursed),
            "share": shown(row.share),
            "claims": row.claims,
            "evolution": answers.evolution_of(row.evolution),
            "url": address(part.query, currency=sheet.currency, **{name: row.id}),
        }
        for row in found.rows
    ]


def _large(sheet: Sheet, whole: int, threshold: int | None) -> list[Payload]:
    rows = sheet.large_claims
    names = sheet.board.names("act_category", {row["act_category"] for row in rows if row["act_category"] is not None})
    return [
        {
            "settled": row["settled"].isoformat(),
            "incident": row["incident"].isoformat() if row["incident"] else None,
            "category": names.get(row["act_category"], ""),
            "reimbursed": shown(money(row["reimbursed"])),
            "share": shown(ratio(row["reimbursed"], whole)),
            "above_threshold": threshold is not None and row["reimbursed"] > threshold,
        }
        for row in rows
    ]


def _year_before(end: date) -> date:
    after = end + ONE_DAY
    try:
        return after.replace(year=after.year - 1)
    except ValueError:
        return date(after.year - 1, 2, 28)


# ------------------------------------------------------------------------------------------------ tables


def premium_table(payload: Payload) -> Table:
    """The last premiums. A client without a premium has a row with its name alone."""
    name = payload["client"]["name"]
    columns = [
        TableColumn("client", _("Client")),
        TableColumn("start", _("From"), "date"),
        TableColumn("end", _("To"), "date"),
        TableColumn("currency", _("Currency")),
        TableColumn("amount", _("Premium"), "money"),
        TableColumn("insured_count", _("Headcount"), "integer"),
        TableColumn("earned_premium", _("Earned premium"), "money"),
        TableColumn("reimbursed", _("Reimbursed"), "money"),
        TableColumn("loss_ratio", _("S/P"), "ratio"),
        TableColumn("consumed_share", _("Consumed share of the premium"), "ratio"),
        TableColumn("time_passed", _("Share of the time passed"), "ratio"),
        TableColumn("pooled_loss_ratio", _("S/P, pooled"), "ratio"),
        TableColumn("completed_loss_ratio", _("S/P by incident date, completed"), "ratio"),
        TableColumn("insured_who_consumed", _("Insured with a claim"), "integer"),
        TableColumn("known_insured", _("Known insured"), "integer"),
        TableColumn("claims", _("Claims"), "integer"),
    ]
    rows = [
        (
            name, date.fromisoformat(one["start"]), date.fromisoformat(one["end"]), one["currency"],
            _decimal(one["amount"]), one["insured_count"], _decimal(one["earned_premium"]), _decimal(one["reimbursed"]),
            _decimal(one["loss_ratio"]), _decimal(one["consumed_share"]), _decimal(one["time_passed"]),
            _decimal(one["pooled_loss_ratio"]), _decimal((one["completed"] or {}).get("loss_ratio")),
            one["insured_who_consumed"], one["known_insured"], one["claims"],
        )
        for one in payload["premiums"]
    ]  # fmt: skip
    return Table(_("Premiums"), columns, rows or [(name, *[None] * (len(columns) - 1))])


def sheets(payload: Payload) -> Sequence[Table]:
    """The workbook: what it is about, premiums, categories, places, large claims, delay."""
    return [
        _facts(payload), premium_table(payload), _categories(payload), _places(payload), _claims(payload),
        _delays(payload),
    ]  # fmt: skip


def _decimal(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _facts(payload: Payload) -> Table:
    period, before = payload["period"], payload["previous_period"] or {}
    effects = payload["categories"]["effects"] or {}
    rows = [
        (_("Client"), payload["client"]["name"]),
        (_("Country"), payload["country"]["name"]),
        (_("Currency"), payload["currency"]),
        (_("Data up to"), payload["as_of"]),
        (_("Period"), f"{period['start']} – {period['end']}"),
        (_("Compared with"), f"{before['start']} – {before['end']}" if before else "–"),
        (_("Target S/P"), payload["target"]),
        (_("Pooling threshold"), payload["pooling_threshold"] or "–"),
        (_("Change by exposure"), effects.get("exposure", "–")),
        (_("Change by frequency"), effects.get("frequency", "–")),
        (_("Change by cost"), effects.get("cost", "–")),
    ]
    return Table(_("Renewal sheet"), [TableColumn("name", _("Name")), TableColumn("value", _("Value"))], rows)


def _categories(payload: Payload) -> Table:
    columns = [
        TableColumn("category", _("Act category")),
        TableColumn("lines", _("Lines"), "integer"),
        TableColumn("frequency", _("Frequency"), "ratio"),
        TableColumn("cost", _("Cost"), "money"),
        TableColumn("reimbursed", _("Reimbursed"), "money"),
        TableColumn("previous_reimbursed", _("Reimbursed before"), "money"),
        TableColumn("exposure_effect", _("Change by exposure"), "money"),
        TableColumn("frequency_effect", _("Change by frequency"), "money"),
        TableColumn("cost_effect", _("Change by cost"), "money"),
    ]
    rows = [
        (
            row["name"], row["lines"], _decimal(row["frequency"]), _decimal(row["cost"]), _decimal(row["reimbursed"]),
            _decimal(row["previous_reimbursed"]),
            *(_decimal((row["effects"] or {}).get(name)) for name in ("exposure", "frequency", "cost")),
        )
        for row in payload["categories"]["rows"]
    ]  # fmt: skip
    return Table(_("Act categories"), columns, rows)


def _places(payload: Payload) -> Table:
    columns = [
        TableColumn("kind", _("Kind")),
        TableColumn("rank", _("Rank"), "integer"),
        TableColumn("name", _("Name")),
        TableColumn("reimbursed", _("Reimbursed"), "money"),
        TableColumn("share", _("Share"), "ratio"),
        TableColumn("claims", _("Claims"), "integer"),
    ]
    kinds = {"top_categories": _("Act category"), "top_partners": _("Provider")}
    rows = [
        (title, row["rank"], row["name"], _decimal(row["reimbursed"]), _decimal(row["share"]), row["claims"])
        for key, title in kinds.items()
        for row in payload[key]
    ]
    return Table(_("Highest cost"), columns, rows)


def _claims(payload: Payload) -> Table:
    columns = [
        TableColumn("settled", _("Settlement date"), "date"),
        TableColumn("incident", _("Incident date"), "date"),
        TableColumn("category", _("Act category")),
        TableColumn("reimbursed", _("Reimbursed"), "money"),
        TableColumn("share", _("Share"), "ratio"),
    ]
    rows = [
        (
            date.fromisoformat(row["settled"]), date.fromisoformat(row["incident"]) if row["incident"] else None,
            row["category"], _decimal(row["reimbursed"]), _decimal(row["share"]),
        )
        for row in payload["large_claims"]
    ]  # fmt: skip
    return Table(_("Large claims"), columns, rows)


def _delays(payload: Payload) -> Table:
    columns = [
        TableColumn("days", _("Days")),
        TableColumn("claims", _("Claims"), "integer"),
        TableColumn("share", _("Share"), "ratio"),
    ]
    rows = [(band["key"], band["claims"], _decimal(band["share"])) for band in payload["delay"]["bands"]]
    return Table(_("Delay"), columns, rows)
