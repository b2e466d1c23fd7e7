"""The figures on the page of one record: the answers of the API in the record's scope, as texts and links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.formats import written_currency
from dashboard import answers
from dashboard.answers import Payload
from dashboard.asking import Asked
from dashboard.board import Board
from dashboard.definitions import INDICATORS
from dashboard.figure_view import kept_answer, stamp_of, today
from dashboard.indicators.rankings import By
from dashboard.loss_ratio_answers import loss_ratio
from dashboard.page_links import page_of
from dashboard.presenters import texts
from dashboard.presenters.losses import client_summary
from users.models import User

PLACES_SHOWN = 5
CLAIMS_SHOWN = 10
# So many years are offered as periods.
MOST_YEARS = 4
_PAGES: dict[str, str] = {
    "client": "page-client", "policy": "page-policy", "partner": "page-partner", "insured": "page-insured",
    "family": "page-family", "operator": "page-operator", "act": "page-act", "act_category": "page-act-category",
}  # fmt: skip
_TITLES: dict[str, str | Promise] = {
    "client": gettext_lazy("Clients with the highest cost"),
    "policy": gettext_lazy("Policies with the highest cost"),
    "partner": gettext_lazy("Providers with the highest cost"),
    "insured": gettext_lazy("Members with the highest cost"),
    "act": gettext_lazy("Acts with the highest cost"),
    "act_category": gettext_lazy("Act categories with the highest cost"),
}


@dataclass(frozen=True)
class Figure:
    """`change`: the evolution in words, empty without a period to compare with; `tone`: good, bad or empty."""

    title: str
    definition: str
    value: str
    change: str
    tone: str
    address: str


@dataclass(frozen=True)
class Place:
    """One row of a ranking. `address`: the page of its record, empty for one that has none; `rows`: what was summed."""

    name: str
    address: str
    reimbursed: str
    share: str
    claims: str
    rows: str


@dataclass(frozen=True)
class Top:
    """The first places of a ranking in one currency; `all`: the whole ranking."""

    title: str
    currency: str
    places: Sequence[Place]
    all: str


@dataclass(frozen=True)
class Choice:
    text: str
    address: str
    is_current: bool


@dataclass(frozen=True)
class RecordFigures:
    """`recent`: the ids of the latest settled claims of the scope, whatever the period. `losses`: (title, value,
    address) of the S/P of a client, none without a premium.
    """

    figures: Sequence[Figure]
    tops: Sequence[Top]
    recent: Sequence[int]
    periods: Sequence[Choice]
    start: date
    end: date
    is_compared: bool
    losses: Sequence[tuple[str, str, str]] = ()


def record_figures(
    user: User, asked: Asked, params: Mapping[str, str], *, keys: Sequence[str], rankings: Sequence[By]
) -> RecordFigures:
    """The indicators `keys` of the portfolio and the first places of each ranking. Raises Invalid for the period."""
    board = Board(user=user, asked=asked, today=today())

    def make() -> Payload:
        span = board.span
        latest = board.data.claims.sort("settled", "claim", descending=True).head(CLAIMS_SHOWN)
        return {
            "portfolio": answers.portfolio(board, keys).payload,
            "rankings": {by: answers.rankings(board, by, limit=PLACES_SHOWN).payload for by in rankings},
            "recent": latest["claim"].to_list(),
            "losses": loss_ratio(board, "country", limit=1).payload if asked.scope.kind == "client" else None,
            "years": [] if span is None else [span.start.year, span.end.year],
        }

    scope: dict[str, str] = {asked.scope.kind: str(asked.scope.id)}
    found = kept_answer("record", stamp_of(board, of_sessions=False), {**params, **scope}, make)
    portfolio = found["portfolio"]
    start, end = (date.fromisoformat(portfolio["period"][name]) for name in ("start", "end"))
    # The default period is all data: before it there is nothing to compare with.
    is_compared = asked.start is not None
    return RecordFigures(
        figures=[_figure(one, is_compared) for key in keys for one in portfolio["indicators"] if one["key"] == key],
        tops=[top for by, payload in found["rankings"].items() for top in _tops(by, payload, asked, params)],
        recent=found["recent"],
        periods=_periods(found["years"], start, end, is_all=asked.start is None and asked.end is None),
        start=start,
        end=end,
        is_compared=is_compared,
        losses=client_summary(found["losses"]) if found["losses"] else (),
    )


def _figure(one: Payload, is_compared: bool) -> Figure:
    definition = INDICATORS[one["key"]]
    change = one["evolution"]["type"]
    welcome = {"up": definition.good == "up", "down": definition.good == "down"}
    tone = "" if definition.good == "neutral" or change not in welcome else "good" if welcome[change] else "bad"
    return Figure(
        title=str(definition.title),
        definition=str(definition.definition),
        value=texts.in_unit(one["value"], one["unit"]),
        change=_change(change, one["evolution"]["percent"]) if is_compared else "",
        tone=tone if is_compared else "",
        address=page_of(one["url"]),
    )


def _change(kind: str, percent: str | None) -> str:
    if percent is not None and kind in ("up", "down"):
        text = _("%(percent)s more than before") if kind == "up" else _("%(percent)s less than before")
        return text % {"percent": texts.percentage(Decimal(percent))}
    return {"new": _("nothing before"), "same": _("as before")}.get(kind, "")


def _tops(by: str, payload: Payload, asked: Asked, params: Mapping[str, str]) -> list[Top]:
    blocks = payload.get("blocks", [payload])
    query = {"by": by, asked.scope.kind: asked.scope.id, **params}
    if len(asked.countries) == 1:
        query["country"] = asked.countries[0]
    whole = f"{reverse('page-figures-part', args=['rankings'])}?{urlencode(query)}"
    return [
        Top(
            title=str(_TITLES[by]),
            currency=written_currency(block["currency"]),
            places=[_place(by, row, block["currency"]) for row in block["rows"]],
            all=whole if block["count"] > len(block["rows"]) else "",
        )
        for block in blocks
        if block["rows"]
    ]


def _place(by: str, row: Payload, currency: str) -> Place:
    return Place(
        name=row["name"],
        address=reverse(_PAGES[by], args=[row["id"]]) if by in _PAGES else "",
        reimbursed=texts.money(row["reimbursed"], currency),
        share=texts.percent(row["share"]),
        claims=texts.count(row["claims"]),
        rows=page_of(row["url"]),
    )


def _periods(years: Sequence[int], start: date, end: date, *, is_all: bool) -> list[Choice]:
    """All data, and the latest years that have data, the newest first."""
    choices = [Choice(_("All data"), "?", is_all)]
    if not years:
        return choices
    for year in list(range(years[1], years[0] - 1, -1))[:MOST_YEARS]:
        first, last = date(year, 1, 1), date(year, 12, 31)
        address = f"?{urlencode({'start': first.isoformat(), 'end': last.isoformat()})}"
        choices.append(Choice(str(year), address, not is_all and (start, end) == (first, last)))
    return choices
