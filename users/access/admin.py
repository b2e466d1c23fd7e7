"""Base classes of all admin pages: rows only through `visible_to`, all others refused (DOMAIN §1)."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import models
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import ServiceError
from common.keys import name_key
from common.pagination import LimitedPaginator
from common.parsing import positive_int
from users import audit
from users.access import refusals
from users.access.actor import actor_of
from users.access.viewsets import visible_or_refused
from users.models import AuditAction, AuditEntry, Country

ENTRIES_SHOWN = 50
_FILTER_LOOKUPS = ("exact", "in", "isnull", "gte", "lt")
_HIERARCHY_LOOKUPS = ("year", "month", "day", "gte", "lt")


def visible_row(*, rows: models.QuerySet[Any], object_id: str) -> Any:
    """The row with this id among `rows`, which the caller may see.

    Raises PermissionDenied (403) for a row that exists but is not among them, Http404 for one that does not exist.
    """
    return visible_or_refused(rows=rows, pk=object_id, not_found=Http404, refused=PermissionDenied)


def _country_column(path: str) -> Callable[[models.Model], Any]:
    """A column with the country of a row that is reached by `path`. Django would use the whole path as its title."""

    @admin.display(description=gettext_lazy("country"), ordering=f"{path}__name")
    def country(row: Any) -> Any:
        for part in path.split("__"):
            row = getattr(row, part)
        return row

    return country


class CountryFilter(admin.SimpleListFilter):
    """A filter for accounts that see all countries; for others it has no choices."""

    title = gettext_lazy("country")
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        user = actor_of(request)
        if not user.sees_all_countries():
            return []
        return [(str(country.pk), country.name) for country in Country.objects.visible_to(user)]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        wanted = positive_int(self.value() or "")
        if wanted is None:
            return queryset.none() if self.value() else queryset
        return queryset.filter(**{queryset.model.country_path: wanted})


class ScopedModelAdmin(admin.ModelAdmin):
    """Pages over the rows of one model that the caller may see; read only unless a class below says otherwise.

    `key_search`: field → key function (DOMAIN §4) for the search text. `lookups`: further lookups allowed in the
    address of the list. `related`: foreign keys that the list shows. `audited`: reading one row writes an audit entry.
    `personal`: reading a page of the list writes one, too.
    """

    view_on_site = False
    actions: Any = None
    list_per_page = 50
    list_max_show_all = 200
    show_full_result_count = False
    paginator = LimitedPaginator
    key_search: ClassVar[dict[str, Callable[[str], str]]] = {}
    lookups: ClassVar[tuple[str, ...]] = ()
    related: ClassVar[tuple[str, ...]] = ()
    audited: ClassVar[bool] = False
    personal: ClassVar[bool] = False

    # --- Which rows --------------------------------------------------------------------------------------------------

    def visible_rows(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows: models.QuerySet[Any] = self.model._default_manager.all().visible_to(actor_of(request))
        return rows

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows = self.visible_rows(request)
        ordering = self.get_ordering(request)
        return rows.order_by(*ordering) if ordering else rows

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        return visible_row(rows=self.get_queryset(request), object_id=object_id)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.method == "POST":
            self._refuse_unseen(request, request.POST.getlist(ACTION_CHECKBOX_NAME))
        # Django's own title (“Select %s to change”) cannot be translated for every gender.
        named = {"title": capfirst(str(self.opts.verbose_name_plural))}
        response = super().changelist_view(request, named | (extra_context or {}))
        context = response.context_data if isinstance(response, TemplateResponse) else None
        if self.personal and context and "cl" in context:
            change_list: Any = context["cl"]
            query = {"page": str(change_list.page_num), **request.GET.dict()}
            audit.record_listing(
                actor=actor_of(request), model=self.model, rows=len(change_list.result_list), query=query
            )
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        named = {"title": capfirst(str(self.opts.verbose_name))}
        return super().change_view(request, object_id, form_url, named | (extra_context or {}))

    def _refuse_unseen(self, request: HttpRequest, named: Iterable[str]) -> None:
        """Refuse an action if the caller may not see one of its rows; then it changes no row at all."""
        ids = {positive_int(one) for one in named}
        if None in ids:
            raise Http404
        unseen = ids - set(self.get_queryset(request).filter(pk__in=ids).values_list("pk", flat=True))
        if self.model._base_manager.filter(pk__in=unseen).exists():
            raise PermissionDenied

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["queryset"] = self._choices(db_field, request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _choices(self, db_field: Any, request: HttpRequest) -> models.QuerySet[Any]:
        # A related model without a scope has no `visible_to` and raises here, rather than offer all rows.
        choices: models.QuerySet[Any] = db_field.remote_field.model._default_manager.all().visible_to(actor_of(request))
        return choices

    # --- Permissions -------------------------------------------------------------------------------------------------

    def has_module_permission(self, request: HttpRequest) -> bool:
        # Also called while rendering the login page, for an anonymous user.
        return self.admin_site.has_permission(request) and self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        user = actor_of(request)
        return user.sees_all_countries() or user.working_country_id() is not None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    # --- Lists -------------------------------------------------------------------------------------------------------

    def _country_field(self) -> str:
        return str(getattr(self.model, "country_path", "")).removesuffix("_id")

    def get_list_display(self, request: HttpRequest) -> Any:
        shown: list[Any] = list(super().get_list_display(request))
        path = self._country_field()
        if path and actor_of(request).sees_all_countries():
            shown.append(_country_column(path) if "__" in path else path)
        return shown

    def get_list_select_related(self, request: HttpRequest) -> Any:
        country = self._country_field()
        related = [*self.related, country] if country and actor_of(request).sees_all_countries() else self.related
        # An empty list would make Django follow every reference that it finds.
        return related or False

    def get_list_filter(self, request: HttpRequest) -> Any:
        filters = list(super().get_list_filter(request))
        if self._country_field() and actor_of(request).sees_all_countries():
            filters.insert(0, CountryFilter)
        return filters

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only the lookups of the page's own filters and links: with others, hidden columns could be guessed."""
        if request is None:
            return False
        allowed = set(self.lookups)
        for one in self.get_list_filter(request):
            if isinstance(one, type):
                allowed.add(str(getattr(one, "parameter_name", "")))
            else:
                name = one if isinstance(one, str) else one[0]
                allowed.update(f"{name}__{kind}" for kind in _FILTER_LOOKUPS)
        if self.date_hierarchy:
            allowed.update(f"{self.date_hierarchy}__{kind}" for kind in _HIERARCHY_LOOKUPS)
        return lookup in allowed

    def get_search_fields(self, request: HttpRequest) -> Any:
        return tuple(self.key_search) or super().get_search_fields(request)

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        """Rows with a key that contains the key of the search text; of a person's name every word, in any order."""
        if not self.key_search:
            return super().get_search_results(request, queryset, search_term)
        if not search_term.strip():
            return queryset, False
        wanted = Q(pk__in=[])
        for field, key in self.key_search.items():
            typed = key(search_term)
            parts = typed.split() if key is name_key else [typed]
            if any(parts):
                wanted |= Q(*(Q(**{f"{field}__contains": part}) for part in parts))
        return queryset.filter(wanted), False

    # --- Audit trail -------------------------------------------------------------------------------------------------

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        row = kwargs.get("obj")
        if self.audited and row is not None and request.method == "GET":
            self.record_audit(request, AuditAction.READ, row)
        return super().render_change_form(request, context, *args, **kwargs)

    def record_audit(self, request: HttpRequest, action: AuditAction, row: models.Model, **more: Any) -> None:
        """Append an audit entry for an action of the caller on `row`."""
        audit.record(actor=actor_of(request), action=action, target=row, **more)

    # --- Refusals of services ----------------------------------------------------------------------------------------

    def carry_out(self, request: HttpRequest, change: Callable[[], object], *, about: str = "") -> bool:
        """`users.access.refusals.carry_out`, for admin pages."""
        return refusals.carry_out(request, change, about=about)

    def show_refusal(self, request: HttpRequest, error: Exception, *, about: str = "") -> None:
        """`users.access.refusals.show_refusal`, for admin pages."""
        refusals.show_refusal(request, error, about=about)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except ServiceError as error:
            self.show_refusal(request, error)
            return HttpResponseRedirect(request.get_full_path())

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except ServiceError as error:
            self.show_refusal(request, error)
            return HttpResponseRedirect(request.get_full_path())

    # The audit trail replaces Django's own log, which has no country.
    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return None

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The audit entries of one row."""
        row = self.get_object(request, object_id)
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        entries = AuditEntry.objects.visible_to(actor_of(request)).filter(
            object_type=self.model._meta.label_lower, object_id=row.pk
        )
        context = {
            **self.admin_site.each_context(request),
            "title": _("History: %(name)s") % {"name": row},
            "entries": Paginator(entries, ENTRIES_SHOWN).get_page(request.GET.get("p")),
            "object": row,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/audit_history.html", context)

    # --- Pages beside Django's ---------------------------------------------------------------------------------------

    def page(
        self, request: HttpRequest, template: str, *, title: str, status: int = 200, **context: Any
    ) -> TemplateResponse:
        """A further page of this model, in the layout of the admin."""
        shown = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, **context}
        response = TemplateResponse(request, template, shown, status=status)
        response["Cache-Control"] = "private, no-store"
        return response


class ScopedInline(admin.TabularInline):
    """Rows of another table below the row that they belong to: read only, and only those that the caller may see."""

    extra = 0
    can_delete = False
    related: ClassVar[tuple[str, ...]] = ()

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows: models.QuerySet[Any] = self.model._default_manager.all().visible_to(actor_of(request))
        return rows.select_related(*self.related).order_by(*(self.ordering or ("pk",)))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
