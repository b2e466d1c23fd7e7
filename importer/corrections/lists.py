"""Filters and export columns of the list of corrections."""

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from common.exports import Column
from common.filters import IdFilter, KeyFilter, YesNoFilter
from common.keys import claim_number
from file_handling.files.exports import COUNTRY, ID
from file_handling.models import Correction, CorrectionOrigin, File, ImportSession
from reading.columns import KINDS, columns_of
from users.models import Country, User

_FIELDS = sorted({column.field for kind in KINDS for column in columns_of(kind)})


class CorrectionFilter(django_filters.FilterSet):
    session = IdFilter(field_name="session_id", of=ImportSession, named="pk", label=_("Import session"))
    file = IdFilter(method="filter_file", of=File, label=_("File"), help_text=_("And files of the same content"))
    author = IdFilter(field_name="author_id", of=User, named="username", label=_("Author"))
    country = IdFilter(field_name="country_id", of=Country, label=_("Country"))
    field = django_filters.ChoiceFilter(choices=[(name, name) for name in _FIELDS], label=_("Field"))
    removes_row = YesNoFilter(method="filter_removes_row", label=_("Leaves the row out"))
    claim_number = KeyFilter(field_name="claim_number", key=claim_number, label=_("Claim number"))
    origin = django_filters.ChoiceFilter(choices=CorrectionOrigin.choices, label=_("Origin"))
    withdrawn = YesNoFilter(method="filter_withdrawn", label=_("Withdrawn"))
    made = django_filters.DateFromToRangeFilter(field_name="made_at", label=_("Made on"))

    class Meta:
        model = Correction
        fields: list[str] = []

    def filter_file(self, rows: QuerySet[Correction], name: str, value: int) -> QuerySet[Correction]:
        # A file that the caller may not see gives no rows, like an unknown one.
        files = File.objects.visible_to(self.request.user).filter(pk=value)
        return rows.filter(sha256__in=files.values("sha256"))

    def filter_removes_row(self, rows: QuerySet[Correction], name: str, value: bool) -> QuerySet[Correction]:
        return rows.filter(field="") if value else rows.exclude(field="")

    def filter_withdrawn(self, rows: QuerySet[Correction], name: str, value: bool) -> QuerySet[Correction]:
        return rows.filter(withdrawn_at__isnull=not value)


CORRECTIONS = (
    ID,
    COUNTRY,
    Column(_("Import session"), "session_id", "integer"),
    Column(_("File"), "file_name"),
    Column(_("Sheet"), "sheet"),
    Column(_("Row"), "row", "integer"),
    Column(_("Claim"), "claim_number"),
    Column(_("Field"), "field"),
    Column(_("Text as read"), "was"),
    Column(_("Corrected text"), "value"),
    Column(_("Origin"), "origin", "choice", CorrectionOrigin.choices),
    Column(_("Author"), "author_name"),
    Column(_("Made on"), "made_at", "moment"),
    Column(_("Withdrawn on"), "withdrawn_at", "moment"),
)
