"""Base classes of the pages for signed-in accounts: the same rights and the same rows as the API (DOMAIN §1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import urlencode

import django_filters
from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views import View
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request

from common.filter_form import PLACES, chips, inputs, is_for_people
from common.filters import parameters_of
from common.pagination import PageNumberPagination
from common.tables import ListTable
from users import audit
from users.access.actor import actor_of
from users.access.viewsets import MayReadRecords, visible_or_refused
from users.models import Country, User

FILE_TYPES = ("csv", "xlsx", "parquet")
# Parameters of a list that are not filters.
PLACE_PARAMETERS = (*PLACES, "ordering", "page_size")
# Asks for the sums of a long list.
TOTALS = "totals"


def holds(permission: Any, request: HttpRequest) -> bool:
    """Whether the account of the request has a right, one of the permission classes that the API uses."""
    return bool(permission().has_permission(request, None))


class PageView(View):
    """A page for signed-in accounts that have `permission`. Others get the sign-in page, or 403."""

    permission: ClassVar[Any] = MayReadRecords
    template_name: ClassVar[str] = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect(f"{reverse('sign-in')}?{urlencode({'next': request.get_full_path()})}")
        if not holds(self.permission, request):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @property
    def user(self) -> User:
        return actor_of(self.request)

    def page(self, template: str = "", *, status: int = 200, **context: Any) -> HttpResponse:
        return render(self.request, template or self.template_name, context, status=status)

    def row(self, rows: QuerySet[Any], pk: int) -> Any:
        """The row `pk` among `rows`, which the account may see: 404 for none, 403 for one that it may not see."""
        return visible_or_refused(rows=rows, pk=str(pk), not_found=Http404, refused=PermissionDenied)


@dataclass(frozen=True)
class ListAnswer:
    """What a list page shows: its rows, how many there are, and the links to its other pages."""

    rows: list[Any]
    count: int
    is_exact: bool
    first: int
    previous: str | None
    next: str | None


@dataclass(frozen=True)
class Totals:
    """The sums of all rows of the list, (label, amount) of each, in one currency: money is never added across."""

    currency: str
    sums: list[tuple[str | Promise, Decimal]]


class ListPage(PageView):
    """One page of a list: the filters and the rows of its API list.

    `export`: the name of the API route that makes the same list into a file; its filters are the same.
    `main_filters`: the filters that are always shown. `more_filters` stand under "More filters": unless they are named,
    all others that people can fill in. Every other filter of the address, such as an id in a link from a figure, is in
    force too: it is shown as a chip, which can be removed, and the form keeps it.
    `orderings`: parameter → label, offered in this order; the first is the default.
    `sums`: field of the rows → label of its sum; `sums_by`: the path to the currency of a row.
    `personal`: the rows concern persons, so that reading a page writes an audit entry.
    """

    template_name = "generic/list.html"
    model: ClassVar[type[Model]]
    table_class: ClassVar[type[ListTable]]
    filterset_class: ClassVar[type[django_filters.FilterSet]]
    title: ClassVar[str | Promise] = ""
    lead: ClassVar[str | Promise] = ""
    export: ClassVar[str] = ""
    main_filters: ClassVar[Sequence[str]] = ("search",)
    more_filters: ClassVar[Sequence[str] | None] = None
    orderings: ClassVar[Mapping[str, str | Promise]] = {}
    sums: ClassVar[Mapping[str, str | Promise]] = {}
    sums_by: ClassVar[str] = "currency"
    personal: ClassVar[bool] = False

    def rows(self) -> QuerySet[Any]:
        """The rows that the account may see, with the related rows that the table needs."""
        rows: QuerySet[Any] = self.model._default_manager.all().visible_to(self.user)  # type: ignore[attr-defined]
        return rows

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        filters = self.filterset_class(request.GET, self.rows(), request=request)
        errors = {**self._unknown(filters), **(filters.form.errors if filters.form.is_bound else {})}
        ordering = request.GET.get("ordering") or self.default_ordering()
        if ordering and ordering not in self.orderings:
            errors["ordering"] = [_("This list cannot be sorted in this way.")]
        answer = None
        if not errors:
            try:
                answer = self._answer(filters.qs, ordering)
            except (ValidationError, NotFound) as refused:
                errors["page"] = [str(_first(refused.detail))]
        if answer is not None and self.personal:
            audit.record_listing(
                actor=self.user, model=self.model, rows=len(answer.rows), query=dict(request.GET.items())
            )
        main, more = self._shown(filters)
        more_in_use = any(request.GET.get(one) for name in more for one in parameters_of(filters.form)[name])
        return self.page(
            status=400 if errors else 200,
            title=self.title,
            lead=self.lead,
            filters=filters,
            main=inputs(filters, main),
            more=inputs(filters, more),
            more_in_use=more_in_use,
            chips=chips(filters, request.GET, shown=[*main, *more], user=self.user),
            in_use=any(value for name, value in request.GET.items() if name not in (*PLACE_PARAMETERS, TOTALS)),
            errors=self._with_labels(errors, filters),
            answer=answer,
            table=None if answer is None else self.table(answer.rows),
            totals=self._totals(filters.qs, answer),
            totals_link=self._totals_link(answer),
            orderings=self.orderings,
            ordering=ordering,
            downloads=self._downloads(),
            **self.extra(),
        )

    def default_ordering(self) -> str:
        return next(iter(self.orderings), "")

    def table(self, rows: list[Any]) -> ListTable:
        """The table of one page. A page that hides columns overrides this."""
        # Without the request: with it, the table would cut the rows of the page into pages of its own.
        table = self.table_class(rows)
        table.label = self.title
        return table

    def extra(self) -> dict[str, Any]:
        """Further context of the template."""
        return {}

    def _shown(self, filters: django_filters.FilterSet) -> tuple[list[str], list[str]]:
        """The names of the filters that have inputs: always, and under "More filters".

        The country is a choice for the accounts that see several.
        """
        fields = filters.form.fields
        main = [name for name in self.main_filters if name in fields]
        chosen = self.more_filters
        if chosen is None:
            chosen = [name for name in fields if is_for_people(filters.filters[name])]
        more = [name for name in chosen if name in fields and name not in main]
        for names in (main, more):
            if "country" in names and not self._offer_countries(fields["country"]):
                names.remove("country")
        return main, more

    def _offer_countries(self, field: Any) -> bool:
        if not self.user.sees_all_countries():
            return False
        countries = Country.objects.visible_to(self.user).order_by("name").values_list("pk", "name")
        field.widget = forms.Select(choices=[("", ""), *countries])
        return True

    def _answer(self, rows: QuerySet[Any], ordering: str) -> ListAnswer:
        if ordering:
            rows = rows.order_by(*ordering.split(","), "id")
        pages = PageNumberPagination()
        found = pages.paginate_queryset(rows, Request(self.request))
        first = (pages.number - 1) * pages.size + 1
        return ListAnswer(found, pages.count, pages.is_exact, first, pages.previous, pages.next)

    def _totals(self, rows: QuerySet[Any], answer: ListAnswer | None) -> list[Totals]:
        """The sums of the rows of all pages. Of a longer list than is counted, only when the reader asks for them."""
        if answer is None or not self.sums or not answer.rows:
            return []
        if not (answer.is_exact or self.request.GET.get(TOTALS)):
            return []
        sums = {f"sum_{name}": Sum(name) for name in self.sums}
        # SQLite adds in floats, which are exact to the hundredth.
        cents = Decimal("0.01")
        found = rows.order_by().values(self.sums_by).annotate(**sums).order_by(self.sums_by)
        return [
            Totals(
                row[self.sums_by], [(label, row[f"sum_{name}"].quantize(cents)) for name, label in self.sums.items()]
            )
            for row in found
        ]

    def _totals_link(self, answer: ListAnswer | None) -> str:
        if answer is None or not self.sums or answer.is_exact or self.request.GET.get(TOTALS):
            return ""
        query = self.request.GET.copy()
        query[TOTALS] = "yes"
        return f"?{query.urlencode()}"

    def _unknown(self, filters: django_filters.FilterSet) -> dict[str, list[str]]:
        """Errors for parameters that the list does not have: ignored, they would show rows that were not asked for."""
        known = {*PLACE_PARAMETERS, *([TOTALS] if self.sums else [])}
        known |= {parameter for names in parameters_of(filters.form).values() for parameter in names}
        return {name: [_("This list has no such parameter.")] for name in sorted(set(self.request.GET) - known)}

    @staticmethod
    def _with_labels(errors: dict[str, Any], filters: django_filters.FilterSet) -> dict[str, Any]:
        """The errors under the labels that the reader sees, as far as there are any."""
        fields = filters.form.fields
        return {str(fields[name].label) if name in fields else name: reasons for name, reasons in errors.items()}

    def _downloads(self) -> list[tuple[str, str]]:
        """(type, address) of the same list as a file."""
        if not self.export:
            return []
        query: QueryDict = self.request.GET.copy()
        for name in (*PLACES, "page_size", TOTALS):
            query.pop(name, None)
        downloads = []
        for kind in FILE_TYPES:
            query["format"] = kind
            downloads.append((kind, f"{reverse(self.export)}?{query.urlencode()}"))
        return downloads


def _first(detail: Any) -> Any:
    """The first message of an error of the REST framework, whose details may be lists of lists."""
    while isinstance(detail, dict | list):
        detail = next(iter(detail.values() if isinstance(detail, dict) else detail))
    return detail
