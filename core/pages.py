"""Pages of records: lists, details, lineage."""

from typing import Any

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from common.tables import ListTable
from core import filters
from core.models import Client
from users.access.pages import ListPage


class ClientTable(ListTable):
    name = tables.Column(_("Name"), linkify=("page-client", {"pk": tables.A("pk")}))
    country = tables.Column(_("Country"), accessor="country__name")

    class Meta(ListTable.Meta):
        pass


class ClientsPage(ListPage):
    model = Client
    table_class = ClientTable
    filterset_class = filters.ClientFilter
    title = _("Clients")
    lead = _("Employers that have policies for their employees.")
    export = "client-export"
    orderings = {"name": _("Name"), "-id": _("Newest first")}

    def rows(self) -> Any:
        return super().rows().select_related("country")
