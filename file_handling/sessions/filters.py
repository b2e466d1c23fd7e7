"""Filters of the lists of sessions, findings and events."""

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from common.filters import IdFilter
from common.keys import claim_number
from file_handling.models import File, Finding, FindingCategory, ImportSession, SessionEvent, SessionStatus
from users.models import Country, User


class SessionFilter(django_filters.FilterSet):
    status = django_filters.MultipleChoiceFilter(choices=SessionStatus.choices, label=_("Status"))
    created = django_filters.DateFromToRangeFilter(field_name="created_at", label=_("Created at"))
    country = IdFilter(field_name="country_id", of=Country, label=_("Country"))
    user = IdFilter(field_name="user_id", of=User, named="username", label=_("Account"))
    stat_file = IdFilter(field_name="stat_file_id", of=File, label=_("Stat file"))
    recap_file = IdFilter(field_name="recap_file_id", of=File, label=_("Recap file"))

    class Meta:
        model = ImportSession
        fields: list[str] = []


class FindingFilter(django_filters.FilterSet):
    category = django_filters.MultipleChoiceFilter(choices=FindingCategory.choices, label=_("Category"))
    search = django_filters.CharFilter(
        method="filter_search", label=_("Search"), help_text=_("In the claim number or the observation")
    )

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
