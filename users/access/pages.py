"""Base classes of the pages for signed-in accounts: the same rights and the same rows as the API (DOMAIN §1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode

import django_filters
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views import View
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request

from common.pagination import PageNumberPagination
from common.tables import ListTable
from users import audit
from users.access.actor import actor_of
from users.access.viewsets import MayReadRecords, visible_or_refused
from users.models import User

FILE_TYPES = ("csv", "xlsx", "parquet")
# Parameters of a list that are not filters.
PLACES = ("page", "cursor", "ordering", "page_size")


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


class ListPage(PageView):
    """One page of a list: the filters and the rows of its API list.

    `export`: the name of the API route that makes the same list into a file; its filters are the same.
    `main_filters`: the filters that are always shown; the others stand under "More filters".
    `orderings`: parameter → label, offered in this order; the first is the default.
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
    orderings: ClassVar[dict[str, str | Promise]] = {}
    personal: ClassVar[bool] = False

    def rows(self) -> QuerySet[Any]:
        """The rows that the account may see, with the related rows that the table needs."""
        rows: QuerySet[Any] = self.model._default_manager.all().visible_to(self.user)  # type: ignore[attr-defined]
        return rows

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        filters = self.filterset_class(request.GET, self.rows(), request=request)
        errors = {**self._unknown(filters), **(filters.form.errors if filters.form.is_bound else {})}
        ordering = request.GET.get("ordering") or next(iter(self.orderings), "")
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
        return self.page(
            status=400 if errors else 200,
            title=self.title,
            lead=self.lead,
            filters=filters,
            main=[filters.form[name] for name in self.main_filters if name in filters.form.fields],
            more=[field for field in filters.form if field.name not in self.main_filters],
            more_in_use=any(request.GET.get(name) for name in filters.form.fields if name not in self.main_filters),
            in_use=any(value for name, value in request.GET.items() if name not in PLACES),
            errors=errors,
            answer=answer,
            table=None if answer is None else self.table_class(answer.rows, request=request),
            orderings=self.orderings,
            ordering=ordering,
            downloads=self._downloads(),
            **self.extra(),
        )

    def extra(self) -> dict[str, Any]:
        """Further context of the template."""
        return {}

    def _answer(self, rows: QuerySet[Any], ordering: str) -> ListAnswer:
        if ordering:
            rows = rows.order_by(*ordering.split(","), "id")
        pages = PageNumberPagination()
        found = pages.paginate_queryset(rows, Request(self.request))
        first = (pages.number - 1) * pages.size + 1
        return ListAnswer(found, pages.count, pages.is_exact, first, pages.previous, pages.next)

    def _unknown(self, filters: django_filters.FilterSet) -> dict[str, list[str]]:
        """Errors for parameters that the list does not have: ignored, they would show rows that were not asked for."""
        known = {*PLACES}
        for name, field in filters.form.fields.items():
            widget = field.widget
            suffixes = getattr(widget, "suffixes", None)
            known |= {widget.suffixed(name, suffix) for suffix in suffixes} if suffixes else {name}
        return {name: [_("This list has no such parameter.")] for name in sorted(set(self.request.GET) - known)}

    def _downloads(self) -> list[tuple[str, str]]:
        """(type, address) of the same list as a file."""
        if not self.export:
            return []
        query: QueryDict = self.request.GET.copy()
        for name in ("page", "cursor", "page_size"):
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


class Stub(PageView):
    """Temporary: a page that is not written yet."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return HttpResponse("to come")
