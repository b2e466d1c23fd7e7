"""Filters and orderings of lists that refuse what they do not understand, rather than guess."""

from collections.abc import Iterable
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request
from rest_framework.views import APIView

_LARGEST_ID = 2**63 - 1


class IdFilter(django_filters.NumberFilter):
    """Rows that point at one id. One that the caller may not see gives what an unknown one gives: no rows."""

    field_class = forms.IntegerField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=1, max_value=_LARGEST_ID, **kwargs)


class StableOrdering(OrderingFilter):
    """`?ordering=` by the view's `ordering_fields` alone; ids break ties, so that no row is on two pages or on none."""

    def remove_invalid_fields(
        self, queryset: QuerySet[Any], fields: Iterable[str], view: APIView, request: Request
    ) -> list[str]:
        allowed = {name for name, _label in self.get_valid_fields(queryset, view, {"request": request})}
        asked = list(fields)
        unknown = [field for field in asked if field.removeprefix("-") not in allowed]
        if unknown:
            raise ValidationError(
                {self.ordering_param: [_("Choose from: %(fields)s.") % {"fields": ", ".join(sorted(allowed))}]}
            )
        return asked

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: APIView) -> list[str]:
        chosen = list(super().get_ordering(request, queryset, view) or [])
        return chosen if {"id", "-id", "pk", "-pk"} & set(chosen) else [*chosen, "id"]
