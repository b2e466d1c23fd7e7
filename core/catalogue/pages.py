"""Pages of the act catalogue (DOMAIN §11): changing an act or a category, the candidates for merging, the history.

A form first shows what it would do; the page that shows it has the button that does it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import django_tables2 as tables
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.request import Request

from common.errors import Conflict, Gone, Invalid
from common.pagination import PageNumberPagination
from common.parsing import positive_int
from common.tables import ListTable
from core import filters
from core.catalogue import candidates, services
from core.catalogue.api import CatalogueChangeFilter
from core.catalogue.kinds import ACTS, CATEGORIES, Kind
from core.catalogue.texts import sentence_of
from core.models import ActCategory, Change, ChangeKind
from users.access.pages import ListPage, PageView
from users.access.refusals import carry_out
from users.access.viewsets import MayEditCatalogue

FOUND_AT_MOST = 50
# The pages of a row of each kind.
_PAGE = {ACTS.name: "page-act", CATEGORIES.name: "page-act-category"}
_EDIT = {ACTS.name: "page-act-catalogue", CATEGORIES.name: "page-act-category-catalogue"}
_LIST = {ACTS.name: "page-acts", CATEGORIES.name: "page-act-categories"}
_CANDIDATES = {ACTS.name: "page-act-candidates", CATEGORIES.name: "page-act-category-candidates"}


class EditPage(PageView):
    """The forms of one act or category: rename, alias, category, and the search for others to merge.

    POST has `do`: rename, alias, unalias, category or merge, with the values of its form. Without `confirmed` the
    answer is a preview.
    """

    permission = MayEditCatalogue
    template_name = "core/catalogue/edit.html"
    kind: ClassVar[Kind] = ACTS

    def entry(self, pk: int) -> Any:
        rows: Any = self.kind.rows()
        return self.row(rows.visible_to(self.user), pk)

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.shown(self.entry(pk))

    def shown(self, row: Any, errors: Mapping[str, list[str]] | None = None) -> HttpResponse:
        searched = self.request.GET.get("q", "").strip()
        return self.page(
            status=400 if errors else 200,
            row=row,
            is_act=self.kind is ACTS,
            page=_PAGE[self.kind.name],
            list_page=_LIST[self.kind.name],
            aliases=list(self.kind.aliases([row.pk]).order_by("name", "pk")),
            categories=ActCategory.objects.order_by("name") if self.kind is ACTS else [],
            searched=searched,
            found=self._found(row, searched) if searched else [],
            reasons=[reason for reasons in (errors or {}).values() for reason in reasons],
        )

    def _found(self, row: Any, searched: str) -> list[Any]:
        filterset = filters.ActFilter if self.kind is ACTS else filters.ActCategoryFilter
        rows = filterset({"search": searched}, self.kind.rows(), request=self.request).qs
        return list(rows.exclude(pk=row.pk).order_by("name", "pk")[:FOUND_AT_MOST])

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.entry(pk)
        is_confirmed = request.POST.get("confirmed") == "yes"
        try:
            outcome = self._carry_out(row, dry_run=not is_confirmed)
        except Invalid as refused:
            return self.shown(row, refused.errors)
        except Gone as gone:
            raise Http404 from gone
        if outcome.change is None:
            given = [(name, value) for name in request.POST for value in request.POST.getlist(name)]
            return self.page(
                "core/catalogue/confirm.html",
                row=row,
                page=_PAGE[self.kind.name],
                list_page=_LIST[self.kind.name],
                edit=reverse(_EDIT[self.kind.name], args=[row.pk]),
                what=self._what(row),
                moved=outcome.moved,
                given=[(name, value) for name, value in given if name != "csrfmiddlewaretoken"],
            )
        messages.success(request, sentence_of(outcome.change))
        return redirect(_PAGE[self.kind.name], pk=row.pk)

    def _carry_out(self, row: Any, *, dry_run: bool) -> services.Outcome:
        """Raises Invalid, Gone, and Http404 for a form that the page does not have."""
        form = self.request.POST
        common: dict[str, Any] = {"actor": self.user, "dry_run": dry_run}
        match form.get("do"):
            case "rename":
                return services.rename(row=row, name=form.get("name", ""), **common)
            case "alias":
                return services.add_alias(row=row, name=form.get("name", ""), **common)
            case "unalias":
                alias = self.kind.aliases([row.pk]).filter(pk=positive_int(form.get("alias", ""))).first()
                if alias is None:
                    raise Gone
                return services.remove_alias(alias=alias, **common)
            case "category" if self.kind is ACTS:
                category = ActCategory.objects.filter(pk=positive_int(form.get("category", "")) or 0).first()
                if category is None:
                    raise Invalid({"category": [_("Choose a category.")]})
                return services.set_category(act=row, category=category, **common)
            case "merge":
                ids = [positive_int(one) or 0 for one in form.getlist("other")]
                return services.merge(kept=row, absorbed=ids, **common)
        raise Invalid({"do": [_("Choose one of the forms.")]})

    def _what(self, row: Any) -> str:
        """What the form would do, as a sentence."""
        form = self.request.POST
        match form.get("do"):
            case "rename":
                data: dict[str, Any] = {"before": row.name, "after": form.get("name", "").strip()}
                change = Change(kind=self.kind.rename, data=data)
            case "alias":
                data = {"alias": form.get("name", "").strip(), "name": row.name}
                change = Change(kind=self.kind.alias_add, data=data)
            case "unalias":
                alias = self.kind.aliases([row.pk]).get(pk=int(form["alias"]))
                change = Change(kind=self.kind.alias_remove, data={"alias": alias.name, "name": row.name})
            case "category":
                after = ActCategory.objects.get(pk=int(form["category"]))
                data = {"name": row.name, "before": {"name": row.category.name}, "after": {"name": after.name}}
                change = Change(kind=ChangeKind.ACT_CATEGORY, data=data)
            case _:
                others = self.kind.rows().filter(pk__in=[int(one) for one in form.getlist("other")]).order_by("pk")
                data = {"name": row.name, "absorbed": [{"name": one.name} for one in others]}
                change = Change(kind=self.kind.merge, data=data)
        return sentence_of(change)


class CategoryEditPage(EditPage):
    kind = CATEGORIES


class CandidatesPage(PageView):
    """Nearly identical names, each pair with the answers *merge* and *different*."""

    permission = MayEditCatalogue
    template_name = "core/catalogue/candidates.html"
    kind: ClassVar[Kind] = ACTS

    def get(self, request: HttpRequest) -> HttpResponse:
        pages = PageNumberPagination()
        pairs = pages.paginate_queryset(candidates.pairs_of(self.kind), Request(request))
        return self.page(
            found=candidates.candidates_of(self.kind, pairs),
            count=pages.count,
            answer=pages,
            is_act=self.kind is ACTS,
            page=_PAGE[self.kind.name],
            edit=_EDIT[self.kind.name],
            list_page=_LIST[self.kind.name],
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        ids = [positive_int(one) or 0 for one in request.POST.getlist("pair")]

        def different() -> None:
            candidates.decide_different(actor=self.user, kind=self.kind, ids=ids)

        if carry_out(request, different):
            messages.success(request, _("The two are different; they are offered no more."))
        return redirect(_CANDIDATES[self.kind.name])


class CategoryCandidatesPage(CandidatesPage):
    kind = CATEGORIES


# ------------------------------------------------------------------------------------------------ history


class ChangeTable(ListTable):
    at = tables.DateTimeColumn(verbose_name=gettext_lazy("Time (UTC)"), format="d/m/Y H:i")
    actor_label = tables.Column(gettext_lazy("Account"))
    what = tables.Column(gettext_lazy("What changed"), empty_values=(), accessor="pk")
    lines = tables.Column(gettext_lazy("Lines"), empty_values=(), accessor="data")
    state = tables.Column(gettext_lazy("State"), empty_values=(), accessor="undone_at")

    class Meta(ListTable.Meta):
        pass

    def render_what(self, record: Change) -> str:
        return sentence_of(record)

    def render_lines(self, record: Change) -> str:
        return str(record.data.get("moved", {}).get("lines", 0))

    def render_state(self, record: Change) -> str:
        if record.undone_at is not None:
            return format_html('<span class="badge">{}</span>', _("undone"))
        address = reverse("page-catalogue-undo", args=[record.pk])
        label = _("Undo change %(number)d") % {"number": record.pk}
        return format_html('<a href="{}" aria-label="{}">{}</a>', address, label, _("Undo"))


class ChangesPage(ListPage):
    permission = MayEditCatalogue
    template_name = "core/catalogue/changes.html"
    model = Change
    table_class = ChangeTable
    filterset_class = CatalogueChangeFilter
    title = gettext_lazy("Changes of the act catalogue")
    lead = gettext_lazy("All countries share the catalogue. A change can be undone while no later one depends on it.")
    export = "catalogue-change-export"
    main_filters = ("kind", "undone")
    orderings: ClassVar[dict[str, Any]] = {"-id": gettext_lazy("Newest first"), "id": gettext_lazy("Oldest first")}

    def rows(self) -> QuerySet[Any]:
        rows: Any = super().rows()
        found: QuerySet[Any] = rows.of_catalogue()
        return found


class UndoPage(PageView):
    """Asks before a change is undone."""

    permission = MayEditCatalogue
    template_name = "core/catalogue/undo.html"

    def change(self, pk: int) -> Change:
        change = Change.objects.of_catalogue().filter(pk=pk).first()
        if change is None:
            raise Http404
        return change

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        change, objection = self.change(pk), ""
        try:
            services.undo(actor=self.user, change=change, dry_run=True)
        except Conflict as conflict:
            objection = str(conflict)
        return self.page(change=change, what=sentence_of(change), moved=change.data["moved"], objection=objection)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        change = self.change(pk)
        if carry_out(request, lambda: services.undo(actor=self.user, change=change)):
            messages.success(request, _("Change %(number)d was undone.") % {"number": change.pk})
        return redirect("page-catalogue-changes")


def changes_shown(changes: QuerySet[Change], most: int = 20) -> list[tuple[Change, str]]:
    """The newest changes with their sentences, for the page of an act or a category."""
    return [(change, sentence_of(change)) for change in changes[:most]]
