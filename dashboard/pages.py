"""The pages of figures (`/figures/`): one for each part, with the parameters, the rights and the answers of the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from common.errors import Gone, Invalid
from dashboard import watch
from dashboard.asking import COMMON, Asked, collect, read, single_values
from dashboard.board import Board
from dashboard.figure_view import today
from dashboard.indicators.watch_list import RULES
from dashboard.names import names_of
from dashboard.page_links import Place
from dashboard.page_parts import PARTS, Part, Question
from dashboard.periods import Period, presets
from dashboard.presenters.panels import Card
from dashboard.presenters.portfolio import cards
from dashboard.presenters.shares import ONE_OF
from users.access.pages import PageView, holds
from users.access.viewsets import MayImport
from users.models import User

OVERVIEW = "overview"


class FiguresPage(PageView):
    """One part of the figures. A question that makes no sense gets the page with everything that is wrong, and 400."""

    template_name = "dashboard/figures.html"

    def get(self, request: HttpRequest, part: str = OVERVIEW) -> HttpResponse:
        return self._shown(self._part(part))

    def post(self, request: HttpRequest, part: str = OVERVIEW) -> HttpResponse:
        """Mark a row of the watch list as seen and explained. The parameters are those with which it was read."""
        if part != "watch-list":
            return self.http_method_not_allowed(request)
        if not holds(MayImport, request):
            raise PermissionDenied
        form = {name: request.POST.get(name, "") for name in ("rule", "key", "note")}
        try:
            asked = read(self.user, single_values(request.GET), also=PARTS[part].also)
            if form["rule"] not in RULES:
                raise Gone(_("The watch list has no such row. It may have changed: read the list again."))
            watch.mark_seen(Board(user=self.user, asked=asked, today=today()), **form)
        except Invalid as refused:
            return self._shown(PARTS[part], problems=refused.errors, form=form, status=400)
        except Gone as gone:
            return self._shown(PARTS[part], problems={"__all__": [str(gone)]}, form=form, status=404)
        messages.success(request, _("The row is explained. It returns when its claims or amounts change."))
        return HttpResponseRedirect(request.get_full_path())

    def _part(self, key: str) -> Part:
        part = PARTS.get(key)
        if part is None:
            raise Http404
        if not holds(part.permission, self.request):
            raise PermissionDenied
        return part

    def _shown(
        self,
        part: Part,
        *,
        problems: Mapping[str, list[str]] | None = None,
        form: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> HttpResponse:
        """The page. `problems`: of the note that was sent in `form`."""
        values = {name: str(value).strip() for name, value in self.request.GET.dict().items() if str(value).strip()}
        place = Place(
            part.key,
            {name: values[name] for name in part.common if name in values},
            {name: values[name] for name in part.also if name in values},
        )
        errors = dict(problems or {})
        content: dict[str, Any] = {}
        try:
            question = self._question(part, place)
            content = part.content(question)
        except Invalid as refused:
            errors |= refused.errors
            status = 400
        except Gone as gone:
            errors |= {"__all__": [str(gone)]}
            status = 404
        return self.page(
            status=status,
            part=part,
            place=place,
            errors=errors,
            form=form or {},
            tabs=[
                # A part that knows no client or act refuses their scope, so its tab leaves it out.
                (
                    str(one.title),
                    place.link(one.key, **dict.fromkeys(place.common.keys() - set(one.common), "")),
                    one.key == (part.of or part.key),
                )
                for one in PARTS.values()
                if one.is_tab and holds(one.permission, self.request)
            ],
            presets=_presets(place),
            countries=_countries(self.user),
            chip=self._chip(place),
            hidden=[(name, value) for name, value in (*place.common.items(), *place.own.items()) if name not in _FORM],
            everything=place.link(start="", end=""),
            may_explain=holds(MayImport, self.request),
            **content,
        )

    def _question(self, part: Part, place: Place) -> Question:
        params = single_values(self.request.GET)
        own_params = part.own_params(params)
        found = collect(
            asked=lambda: read(self.user, params, also=part.also, common=part.common),
            own=lambda: part.view().read_own(own_params),
        )
        asked: Asked = found["asked"]
        return Question(
            board=Board(user=self.user, asked=asked, today=today()),
            place=place,
            own_params=own_params,
            request=self.request,
        )

    def _chip(self, place: Place) -> dict[str, str] | None:
        """The scope by its name, and the address without it. A record that the account may not see has no name."""
        for kind, title in ONE_OF.items():
            text = place.common.get(kind, "")
            if text:
                names = names_of(kind, [int(text)], user=self.user) if text.isdecimal() and len(text) < 19 else {}
                return {"kind": title(), "name": next(iter(names.values()), text), "href": place.link(**{kind: ""})}
        return None


_FORM = ("start", "end", "country", "page")


def _presets(place: Place) -> list[tuple[str, str, bool]]:
    """(title, address, whether it is the one that is shown)."""
    titles = {
        "all": _("All data"),
        "this-year": _("This year"),
        "last-year": _("Last year"),
        "last-quarter": _("Last quarter"),
    }
    shown = (place.common.get("start", ""), place.common.get("end", ""))
    found = []
    for key, period in presets(today()).items():
        ends = _ends(period)
        found.append((titles[key], place.link(start=ends[0], end=ends[1], page=""), ends == shown))
    return found


def _ends(period: Period | None) -> tuple[str, str]:
    return ("", "") if period is None else (period.start.isoformat(), period.end.isoformat())


def _countries(user: User) -> list[tuple[str, str]]:
    """(id, name) of the countries that an account may choose from; none for an account with a country of its own."""
    if not user.sees_all_countries():
        return []
    return [(str(one.pk), one.name) for one in user.visible_countries]


def key_figures(user: User, *, preset: str = "all", keys: tuple[str, ...] = ()) -> list[Card]:
    """The cards of the portfolio for the home page: those of `keys`, or all, of a period of `presets`.

    The answer is the one that the overview and the API have. Raises KeyError for an unknown preset.
    """
    start, end = _ends(presets(today())[preset])
    params = {name: value for name, value in (("start", start), ("end", end)) if value}
    asked = read(user, params, common=COMMON)
    board = Board(user=user, asked=asked, today=today())
    return cards(PARTS[OVERVIEW].view().payload(board, params, {}), keys)
