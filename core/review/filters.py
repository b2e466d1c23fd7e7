"""The filters of the review list."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from common.filters import IdFilter, SearchFilter, has_all
from common.keys import label_key, name_key
from core.models import ReviewKind, ReviewPair, ReviewState
from users.models import Country


def _names(typed: str) -> Q | None:
    """Pairs of which one name has every word typed."""
    found = Q()
    for field in ("one_key", "other_key"):
        for key in (label_key, name_key):
            condition = has_all(field=field, typed=typed, key=key)
            if condition is not None:
                found |= condition
    return found or None


class ReviewPairFilter(django_filters.FilterSet):
    """`rows` have `state` (`ReviewPairQuerySet.with_state`)."""

    search = SearchFilter(label=_("Search"), condition=_names, help_text=_("Words of one of the two names"))
    kind = django_filters.ChoiceFilter(choices=ReviewKind.choices, label=_("Kind"))
    state = django_filters.ChoiceFilter(choices=ReviewState.choices, label=_("State"), method="of_state")
    country = IdFilter(field_name="country_id", of=Country, label=_("Country"))
    import_session = IdFilter(field_name="import_session_id", label=_("Import session"))

    class Meta:
        model = ReviewPair
        fields: list[str] = []

    def of_state(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(state=value)
