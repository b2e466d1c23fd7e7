"""Filters of the lists of sessions, findings and events."""

import django_filters
from django.db import models
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from common.filters import IdFilter, SearchFilter, has_words
from common.keys import claim_number, name_key
from file_handling.models import File, Finding, FindingCategory, FindingCode, ImportSession, SessionEvent, SessionStatus
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


def _has_code(code: str) -> Q:
    """Findings with the code; `code` has several, separated by commas."""
    return Q(code=code) | Q(code__startswith=f"{code},") | Q(code__endswith=f",{code}") | Q(code__contains=f",{code},")


def _named(choices: type[models.TextChoices], typed: str) -> list[str]:
    """The values that have every word typed in their own words or in those of their label, in the active language."""
    wanted = set(name_key(typed).split())
    return [value for value, label in choices.choices if wanted and wanted <= set(name_key(f"{value} {label}").split())]


def search_findings(typed: str) -> Q:
    """Findings of the claim number, person, card or provider typed, or of the category or code that the words name."""
    wanted = Q(category__in=_named(FindingCategory, typed))
    for code in _named(FindingCode, typed):
        wanted |= _has_code(code)
    if words := has_words(field="search_key", typed=typed):
        wanted |= words
    if number := claim_number(typed):
        wanted |= Q(claim_number__icontains=number)
    return wanted


class FindingFilter(django_filters.FilterSet):
    category = django_filters.MultipleChoiceFilter(choices=FindingCategory.choices, label=_("Category"))
    code = django_filters.MultipleChoiceFilter(
        choices=FindingCode.choices, method="filter_code", label=_("How the category holds")
    )
    search = SearchFilter(
        condition=search_findings,
        label=_("Search"),
        help_text=_(
            "Part of a claim number; or words, in any order, with or without accents: of the beneficiary, the insured"
            " or the provider (their beginnings are enough), of a card number, of the name of a category or code"
        ),
    )

    class Meta:
        model = Finding
        fields: list[str] = []

    def filter_code(self, findings: QuerySet[Finding], name: str, values: list[str]) -> QuerySet[Finding]:
        wanted = Q()
        for code in values:
            wanted |= _has_code(code)
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
