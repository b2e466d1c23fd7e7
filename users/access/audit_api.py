"""The audit trail over the API: read only, and only the entries that the caller may see."""

from typing import Any

import django_filters
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers

from common.exports import Column
from common.filters import IdFilter, StableOrdering, StrictFilterBackend, YesNoFilter
from users.access.exporting import ExportMixin
from users.access.viewsets import MayManageAccounts, ScopedViewSet
from users.models import AuditAction, AuditEntry, Country, User


class AuditEntrySerializer(serializers.ModelSerializer[AuditEntry]):
    """`data` has ids and counts; for a list or an export, the number of rows and the names of the filters."""

    data = serializers.DictField(read_only=True)  # type: ignore[assignment]

    class Meta:
        model = AuditEntry
        fields = [
            "id",
            "at",
            "actor",
            "actor_label",
            "country",
            "action",
            "object_type",
            "object_id",
            "object_label",
            "success",
            "data",
        ]
        read_only_fields = fields


class AuditFilter(django_filters.FilterSet):
    at = django_filters.DateFromToRangeFilter(label=_("When"), help_text=_("On these days (UTC), both included"))
    actor = IdFilter(field_name="actor_id", of=User, named="username", label=_("Account"))
    country = IdFilter(field_name="country_id", of=Country, label=_("Country"))
    action = django_filters.ChoiceFilter(choices=AuditAction.choices, label=_("Action"))
    object_type = django_filters.CharFilter(
        max_length=50, label=_("Kind of object"), help_text=_("Such as file_handling.file or core.claim")
    )
    object_id = IdFilter(label=_("Object"))
    success = YesNoFilter(label=_("Success"))

    class Meta:
        model = AuditEntry
        fields: list[str] = []


@extend_schema(tags=["audit"])
class AuditViewSet(ExportMixin, mixins.ListModelMixin, ScopedViewSet):
    """The audit trail, newest first: of all countries for global roles, of the own country for its administrator."""

    model = AuditEntry
    serializer_class = AuditEntrySerializer
    permission_classes: Any = [MayManageAccounts]
    filter_backends = [StrictFilterBackend, StableOrdering]
    filterset_class = AuditFilter
    ordering_fields = ["id", "at"]
    ordering = ["-id"]
    export_columns = (
        Column(_("Id"), "id", "integer"),
        Column(_("At"), "at", "moment"),
        Column(_("Account"), "actor_label"),
        Column(_("Country"), "country__code"),
        Column(_("Action"), "action", "choice", AuditAction.choices),
        Column(_("Kind of object"), "object_type"),
        Column(_("Object"), "object_id", "integer"),
        Column(_("Name"), "object_label"),
        Column(_("Success"), "success", "yes_no"),
    )
