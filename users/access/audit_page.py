"""The page of the audit trail: the entries, filters and files of the API."""

from __future__ import annotations

from typing import Any, ClassVar

import django_tables2 as tables
from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.tables import NOTHING, ListTable
from users.access.audit_api import AuditFilter
from users.access.pages import ListPage
from users.access.viewsets import MayManageAccounts
from users.models import AuditEntry

# The names of the details that entries have most often. Further ones are codes, as in the API.
DETAILS: dict[str, str | Promise] = {
    "rows": gettext_lazy("rows"),
    "filters": gettext_lazy("filters"),
    "page": gettext_lazy("page"),
    "part": gettext_lazy("part"),
    "format": gettext_lazy("format"),
    "fields": gettext_lazy("fields"),
    "role": gettext_lazy("role"),
    "role_before": gettext_lazy("role before"),
    "purpose": gettext_lazy("purpose"),
    "by_link": gettext_lazy("by link"),
    "everywhere": gettext_lazy("everywhere"),
    "joined": gettext_lazy("joined the country"),
    "pages": gettext_lazy("pages"),
    "sessions": gettext_lazy("sessions"),
    "lines": gettext_lazy("lines"),
    "status": gettext_lazy("status"),
    "act": gettext_lazy("act of the import"),
    "type": gettext_lazy("type"),
    "import_session": gettext_lazy("import"),
    "rule": gettext_lazy("rule"),
}


class AuditTable(ListTable):
    at = tables.Column(gettext_lazy("Time (UTC)"), attrs={"td": {"class": "day"}})
    actor_label = tables.Column(gettext_lazy("Who"), empty_values=())
    action = tables.Column(gettext_lazy("Action"), accessor="get_action_display")
    kind = tables.Column(gettext_lazy("Kind of object"), accessor="object_kind")
    object_label = tables.Column(gettext_lazy("Object"), empty_values=())
    country = tables.Column(gettext_lazy("Country"), accessor="country__name")
    success = tables.Column(gettext_lazy("Successful"))
    data = tables.Column(gettext_lazy("Details"))

    class Meta(ListTable.Meta):
        pass

    def render_at(self, value: Any) -> str:
        return date_format(localtime(value), "SHORT_DATETIME_FORMAT")

    def render_actor_label(self, record: AuditEntry) -> str:
        if record.actor_id is None:
            return record.actor_label or NOTHING
        return format_html('<a href="?{}">{}</a>', urlencode({"actor": record.actor_id}), record.actor_label)

    def render_object_label(self, record: AuditEntry) -> str:
        if record.object_id is None:
            return _("several")
        query = urlencode({"object_type": record.object_type, "object_id": str(record.object_id)})
        return format_html('<a href="?{}">{}</a>', query, record.object_label or record.object_id)

    def render_success(self, value: bool) -> str:
        return _("yes") if value else _("no")

    def render_data(self, value: dict[str, Any]) -> str:
        return details(value)


def details(data: dict[str, Any]) -> str:
    """The facts of an entry as one line: `rows: 50, filters: client search`. They are ids, counts and codes."""
    words = [
        _("%(name)s: %(value)s") % {"name": DETAILS.get(name, name), "value": _written(value)}
        # PostgreSQL keeps no order of its own.
        for name, value in sorted(data.items())
        if value not in ("", None, [], {})
    ]
    return ", ".join(words) or NOTHING


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return " ".join(str(one) for one in value) if isinstance(value, list) else str(value)


class AuditPage(ListPage):
    permission = MayManageAccounts
    model = AuditEntry
    table_class = AuditTable
    filterset_class = AuditFilter
    title = gettext_lazy("Audit trail")
    lead = gettext_lazy(
        "Who did or read what, and when. Entries are never changed or deleted. A click on a name or an object shows"
        " its entries alone."
    )
    export = "audit-export"
    main_filters = ("at", "action", "country", "success")
    orderings: ClassVar[dict[str, Any]] = {"-id": gettext_lazy("Newest first"), "id": gettext_lazy("Oldest first")}

    def rows(self) -> QuerySet[Any]:
        return super().rows().select_related("country")
