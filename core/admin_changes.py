"""Changes of the act catalogue and of records in the admin, read only: the pages undo them (DOMAIN §11, §12)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core.catalogue.texts import sentence_of
from core.families.texts import facts_of, summary_of
from core.models import RECORD_KINDS, Change, ChangeKind
from users.access.actor import actor_of
from users.access.admin import ScopedModelAdmin


class KindFilter(admin.SimpleListFilter):
    """The kinds of changes that the account may read: those of the catalogue concern all countries."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        kinds = ChangeKind if actor_of(request).sees_all_countries() else RECORD_KINDS
        return [(kind.value, kind.label) for kind in kinds]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class UndoneFilter(admin.SimpleListFilter):
    title = _("undone")
    parameter_name = "undone"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("yes")), ("no", _("no"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case None:
                return queryset
            case "yes" | "no" as answer:
                return queryset.filter(undone_at__isnull=answer == "no")
        return queryset.none()


class ChangeAdmin(ScopedModelAdmin):
    """A country's changes; those of the catalogue have no country and are for the accounts that see all countries."""

    audited = True
    personal = True
    list_display = ("at", "actor_label", "kind", "what", "undone_at")
    list_filter = (KindFilter, UndoneFilter)
    search_fields = ("actor_label", "data__name")
    date_hierarchy = "at"
    ordering = ("-pk",)
    related = ("undone_by",)
    fields = ("at", "actor_label", "kind", "what", "facts", "undone_at", "undone_by_name", "country")
    readonly_fields = ("what", "facts", "undone_by_name")

    @admin.display(description=_("change"))
    def what(self, change: Change) -> str:
        return sentence_of(change) if change.country_id is None else summary_of(change)

    @admin.display(description=_("details"))
    def facts(self, change: Change) -> str | SafeString:
        facts = [] if change.country_id is None else facts_of(change)
        return format_html_join("", "<div><strong>{}</strong> {}</div>", facts) or "-"

    @admin.display(description=_("undone by"))
    def undone_by_name(self, change: Change) -> str:
        return change.undone_by.display_name() if change.undone_by else "-"
