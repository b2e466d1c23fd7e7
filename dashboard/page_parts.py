"""The parts of the figures: each asks one address of the API, with values for what the reader does not choose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard import api
from dashboard.asking import COMMON, choice
from dashboard.board import Board
from dashboard.definitions import INDICATORS
from dashboard.figure_view import FigureView, stamp_of
from dashboard.page_links import Place
from dashboard.presenters import costs, delays, entry, losses, portfolio, shares, texts, uploads, watched
from dashboard.presenters.panels import Group, Panel
from users.access.pages import holds
from users.access.viewsets import MayReadImports, MayReadRecords

Payload = dict[str, Any]
# Rows of a long table on a page; the files have all of them.
ROWS_SHOWN, MORE_ROWS, MOST_ROWS_SHOWN = 50, 200, api.MOST_ROWS
WATCHED_SHOWN = 20


@dataclass(frozen=True)
class Question:
    """One question of one account, for several addresses. `own_params`: the parameters of the part's own address."""

    board: Board
    place: Place
    own_params: Mapping[str, str]
    request: HttpRequest

    @cached_property
    def stamp(self) -> Payload:
        return stamp_of(self.board)

    def payload(self, view: type[FigureView], params: Mapping[str, str]) -> Payload:
        """The JSON of an address. Raises Invalid and Gone as the address does."""
        address = view()
        named = {**self.place.common, **params}
        return address.payload(self.board, named, address.read_own(named), stamp=lambda: self.stamp)


class Part:
    """A part declares these:

    `key`: in its address; `view`: its address of the API; `also`: its own parameters; `defaults`: their values where
    the reader chooses none; `of`: the tab that it belongs to, if it has none of its own.
    """

    key: ClassVar[str]
    title: ClassVar[str | Promise]
    view: ClassVar[type[FigureView]]
    also: ClassVar[tuple[str, ...]] = ()
    defaults: ClassVar[dict[str, str]] = {}
    permission: ClassVar[Any] = MayReadRecords
    of: ClassVar[str] = ""
    is_tab: ClassVar[bool] = True

    @property
    def common(self) -> tuple[str, ...]:
        return self.view.common or COMMON

    def own_params(self, params: Mapping[str, str]) -> dict[str, str]:
        """The parameters of the address of the API. Raises Invalid."""
        named = {name: params.get(name, "").strip() or self.defaults.get(name, "") for name in self.also}
        return {name: value for name, value in named.items() if value}

    def content(self, question: Question) -> dict[str, Any]:
        """What the templates need: panels, choices."""
        payload = question.payload(self.view, question.own_params)
        content = {"panels": self.panels(payload, question.place), "choices": self.choices(question)}
        return content | ({"more": self.more(question, payload)} if "limit" in self.also else {})

    def panels(self, payload: Payload, place: Place) -> list[Panel]:
        raise NotImplementedError

    def more(self, question: Question, payload: Payload) -> str:
        """The address with more rows; "" where all are shown, or as many as one page shows."""
        limit = int(question.own_params["limit"])
        if limit >= MOST_ROWS_SHOWN or all(one["count"] <= limit for one in payload.get("blocks", [payload])):
            return ""
        return question.place.link(limit=MORE_ROWS if limit < MORE_ROWS else MOST_ROWS_SHOWN)

    def choices(self, question: Question) -> list[tuple[str, str, bool]]:
        """(title, address, whether it is the one that is shown) of what the reader may choose from."""
        return []


def _choices(
    question: Question, name: str, titles: Mapping[str, Callable[[], str]], default: str
) -> list[tuple[str, str, bool]]:
    current = question.place.own.get(name) or default
    return [(title(), question.place.link(**{name: key}), key == current) for key, title in titles.items()]


class Overview(Part):
    key, title = "overview", gettext_lazy("Overview")
    view = api.PortfolioView

    def content(self, question: Question) -> dict[str, Any]:
        payload = question.payload(self.view, {})
        return {
            "groups": [*portfolio.groups(payload), *self._premiums(question)],
            "consolidated": portfolio.consolidated_block(payload),
            "finding": portfolio.portfolio_finding(payload),
            "period": texts.period(payload),
            "indicator": INDICATORS["portfolio"],
            "is_empty": not payload["n"],
            "downloads": question.place.files("portfolio"),
        }

    def _premiums(self, question: Question) -> list[Group]:
        """S/P, where the question is about all or one client and there is a premium."""
        if question.board.asked.scope.kind not in ("", "client"):
            return []
        cards = losses.loss_ratio_cards(question.payload(api.LossRatioView, LossRatio.defaults))
        return [Group(_("Premiums"), cards)] if cards else []


class Trends(Part):
    key, title = "trends", gettext_lazy("Trends")
    view = api.SeriesView
    also = ("show",)
    default = "money"

    def own_params(self, params: Mapping[str, str]) -> dict[str, str]:
        shown = choice(params, "show", list(portfolio.SHOWN), default=self.default)
        return {"indicator": ",".join(key for keys in portfolio.SHOWN[shown][1] for key in keys)}

    def panels(self, payload: Payload, place: Place) -> list[Panel]:
        return portfolio.series_panels(payload, place.own.get("show") or self.default, place) if payload["n"] else []

    def choices(self, question: Question) -> list[tuple[str, str, bool]]:
        titles = {key: _title(title) for key, (title, _keys) in portfolio.SHOWN.items()}
        return _choices(question, "show", titles, self.default)


def _title(title: str | Promise) -> Callable[[], str]:
    return lambda: str(title)


class Categories(Part):
    key, title = "categories", gettext_lazy("Categories")
    view = api.FrequencyView

    def panels(self, payload: Payload, place: Place) -> list[Panel]:
        return costs.category_panels(payload, place) if payload["n"] else []


class Rankings(Part):
    key, title = "rankings", gettext_lazy("Rankings")
    view = api.RankingsView
    also = ("by", "limit")
    defaults = {"by": "client", "limit": str(ROWS_SHOWN)}

    def panels(self, payload: Payload, place: Place) -> list[Panel]:
        return shares.ranking_panels(payload, place)

    def choices(self, question: Question) -> list[tuple[str, str, bool]]:
        return _choices(question, "by", shares.KINDS, self.defaults["by"])


class Concentration(Part):
    key, title = "concentration", gettext_lazy("Concentration")
    view = api.ConcentrationView

    def panels(self, payload: Payload, place: Place) -> list[Panel]:
        return shares.concentration_panels(payload, place)


class Delay(Part):
    key, title = "delay", gettext_lazy("Delay")
    view = api.DelayView

    def panels(self, payload: Payload, place: Place) -> list[Panel]:
        return delays.delay_panels(payload, place)


class Triangle(Part):
    key, title = "triangle", gettext_lazy("Still to come")
    view = api.TriangleView

    def panels(self, payload: Payload, place: Place) -> list[Panel]:
        return delays.triangle_panels(payload, place)


class LossRatio(Part):
    key, title = "loss-ratio", gettext_lazy("S/P")
    view = api.LossRatioView
    also = ("by", "limit")
    defaults = {"by": "client", "limit": str(ROWS_SHOWN)}

    def content(self, question: Question) -> dict[str, Any]:
        payload = question.payload(self.view, question.own_params)
        return super().content(question) | {"cards": losses.loss_ratio_cards(payload)}

    def panels(self, payload: Payload, place: Place) -> list[Panel]:
        return losses.loss_ratio_panels(payload, place)

    def choices(self, question: Question) -> list[tuple[str, str, bool]]:
        titles = {"client": shares.KINDS["client"], "country": _title(gettext_lazy("Countries"))}
        return _choices(question, "by", titles, self.defaults["by"])


class Prices(Part):
    key, title = "prices", gettext_lazy("Prices")
    view = api.PricesView
    also = ("limit",)
    defaults = {"limit": str(ROWS_SHOWN)}

    def panels(self, payload: Payload, place: Place) -> list[Panel]:
        return costs.price_panels(payload, place)


class LeftOut(Part):
    key, title = "left-out", gettext_lazy("Left out")
    view = api.LeftOutView

    def panels(self, payload: Payload, place: Place) -> list[Panel]:
        return entry.left_out_panels(payload, place)


class LeftOutClaims(Part):
    key, title, of = "left-out-claims", gettext_lazy("Claims left out"), "left-out"
    view = api.LeftOutClaimsView
    also = view.also
    is_tab = False

    def content(self, question: Question) -> dict[str, Any]:
        payload = question.payload(self.view, question.own_params)
        place, page = question.place, payload["page"]
        panel = entry.left_out_claims_panel(payload, place, may_open_sessions=holds(MayReadImports, question.request))
        return {
            "panels": [panel] if payload["rows"] else [],
            "answer": {
                "previous": place.link(page=page - 1) if page > 1 else None,
                "next": place.link(page=page + 1) if page < payload["pages"] else None,
            },
        }


class Quality(Part):
    key, title = "quality", gettext_lazy("Quality")
    view = api.QualityView
    also = ("by",)
    defaults = {"by": "operator"}

    def panels(self, payload: Payload, place: Place) -> list[Panel]:
        return entry.quality_panels(payload, place)

    def choices(self, question: Question) -> list[tuple[str, str, bool]]:
        return _choices(question, "by", entry.ENTERED_BY, self.defaults["by"])


class WatchList(Part):
    key, title = "watch-list", gettext_lazy("Watch list")
    view = api.WatchListView
    also = view.also
    defaults = {"limit": str(WATCHED_SHOWN)}

    def content(self, question: Question) -> dict[str, Any]:
        place, own = question.place, dict(question.own_params)
        summary = question.payload(self.view, {})
        # The rule with the most to look at, if the reader has not chosen one.
        rule = own.get("rule") or max(summary["rules"], key=lambda one: one["count"])["rule"]
        rows = question.payload(self.view, own | {"rule": rule})
        shown = watched.rules(summary, rule, place)
        return {
            "rules": shown,
            "rule": next(one for one in shown if one.is_current),
            "rows": watched.watched(rows),
            "rows_shown_of": rows["explained"] if own.get("explained") == "true" else rows["count"],
            "explained": own.get("explained") == "true",
            "more": self.more(question, rows),
            "open_rows": place.link(rule=rule, explained=""),
            "explained_rows": place.link(rule=rule, explained="true"),
            "indicator": INDICATORS["watch_list"],
            "period": texts.period(summary),
            "finding": watched.finding(summary),
            "downloads": place.files("watch-list", rule=rule),
        }


class Files(Part):
    key, title = "files", gettext_lazy("Files")
    view = api.FilesView
    permission = MayReadImports

    def panels(self, payload: Payload, place: Place) -> list[Panel]:
        return uploads.file_panels(payload, place)


class ImportSessions(Part):
    key, title = "imports", gettext_lazy("Imports")
    view = api.SessionsView
    permission = MayReadImports

    def panels(self, payload: Payload, place: Place) -> list[Panel]:
        return uploads.session_panels(payload, place)


_ALL: Sequence[Part] = (
    Overview(), Trends(), Categories(), Rankings(), Concentration(), Delay(), Triangle(), LossRatio(), Prices(),
    LeftOut(), LeftOutClaims(), Quality(), WatchList(), Files(), ImportSessions(),
)  # fmt: skip
PARTS: dict[str, Part] = {part.key: part for part in _ALL}
