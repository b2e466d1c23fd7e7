"""Filters of the lists of sessions, findings and events."""

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from common.filters import IdFilter
from common.keys import claim_number
from file_handling.models import Finding, FindingCategory, ImportSession, SessionEvent, SessionStatus


class SessionFilter(django_filters.FilterSet):
    status = django_filters.MultipleChoiceFilter(choices=SessionStatus.choices)
    created = django_filters.DateFromToRangeFilter(field_name="created_at")
    country = IdFilter(field_name="country_id")
    user = IdFilter(field_name="user_id")
    stat_file = IdFilter(field_name="stat_file_id")
    recap_file = IdFilter(field_name="recap_file_id")

    class Meta:
        model = ImportSession
        fields: list[str] = []


class FindingFilter(django_filters.FilterSet):
    category = django_filters.MultipleChoiceFilter(choices=FindingCategory.choices)
    code = django_filters.CharFilter(max_length=40, label=_("Code"))
    search = django_filters.CharFilter(method="filter_search", label=_("In the claim number or the observation"))

    class Meta:
        model = Finding
        fields: list[str] = []

    def filter_search(self, findings: QuerySet[Finding], name: str, value: str) -> QuerySet[Finding]:
        wanted = Q(observation__icontains=value)
        if number := claim_number(value):
            wanted |= Q(claim_number__icontains=number)
        return findings.filter(wanted)


class EventFilter(django_filters.FilterSet):
    after = django_filters.NumberFilter(
        field_name="sequence",
        lookup_expr="gt",
        min_value=0,
        max_value=2**31 - 1,
        label=_("Only events after this sequence number"),
    )

    class Meta:
        model = SessionEvent
        fields: list[str] = []
