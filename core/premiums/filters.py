"""Filters of the lists of premiums and of their changes."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from common.filters import IdFilter, SearchFilter, has_all
from common.keys import label_key
from core.models import Client, Premium, PremiumRevision
from users.models import Country, User


def _clients(typed: str) -> Q | None:
    return has_all(field="client__key", typed=typed, key=label_key)


class PremiumFilter(django_filters.FilterSet):
    search = SearchFilter(label=_("Client"), condition=_clients, help_text=_("Words of the client's name"))
    start = django_filters.DateFromToRangeFilter(label=_("Start"), help_text=_("Starts in these days"))
    end = django_filters.DateFromToRangeFilter(label=_("End"), help_text=_("Ends in these days"))
    covers = django_filters.DateFilter(
        method="on_day", label=_("Covers the day"), help_text=_("Premiums whose time has this day, both ends included")
    )
    currency = django_filters.CharFilter(lookup_expr="iexact", max_length=3, label=_("Currency"))
    country = IdFilter(field_name="country_id", of=Country, label=_("Country"))
    client = IdFilter(field_name="client_id", of=Client, label=_("Client"))
    author = IdFilter(field_name="author_id", of=User, named="username", label=_("Entered by"))

    def on_day(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return queryset.filter(start__lte=value, end__gte=value)

    class Meta:
        model = Premium
        fields: list[str] = []


class PremiumRevisionFilter(django_filters.FilterSet):
    premium = IdFilter(field_name="premium_id", label=_("Number of the premium"))
    client = IdFilter(field_name="client_id", of=Client, label=_("Client"))
    country = IdFilter(field_name="country_id", of=Country, label=_("Country"))

    class Meta:
        model = PremiumRevision
        fields: list[str] = []
