"""Filters and orderings of lists. An unknown parameter or value is refused, never ignored."""

from collections.abc import Callable, Iterable
from typing import Any

import django_filters
from django import forms
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters.rest_framework import DjangoFilterBackend
from django_filters.utils import translate_validation
from django_filters.widgets import SuffixedMultiWidget
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request
from rest_framework.views import APIView

from common.keys import name_key
from common.parsing import LARGEST_ID

# Longer than any stored name. A longer pattern could exceed a limit of the database, which then raises an error.
_LONGEST_TEXT = 255


@extend_schema_field({"type": "integer", "minimum": 1})
class IdFilter(django_filters.NumberFilter):
    """Rows that reference one id. An id that the caller may not see gives no rows, like an unknown one.

    `of`, `named`: the model whose id it is, and the field that names one of its rows, for pages that show the filter.
    """

    field_class = forms.IntegerField

    def __init__(self, *args: Any, of: type[Model] | None = None, named: str = "name", **kwargs: Any) -> None:
        super().__init__(*args, min_value=1, max_value=LARGEST_ID, **kwargs)
        self.of = of
        self.named = named


class _YesNoField(forms.TypedChoiceField):
    """In a form nothing is chosen at first; the choices themselves are yes and no."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.widget.choices = [("", gettext_lazy("all")), *kwargs["choices"]]


class YesNoFilter(django_filters.TypedChoiceFilter):
    """`true` or `false`. Any other word is refused; Django's own filter would ignore it."""

    field_class = _YesNoField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        choices = [("true", gettext_lazy("yes")), ("false", gettext_lazy("no"))]
        super().__init__(*args, choices=choices, coerce=lambda word: word == "true", **kwargs)


class KeyFilter(django_filters.CharFilter):
    """Rows whose key contains (with lookup_expr="exact": equals) the key of the value; no rows for an empty key."""

    def __init__(
        self, *, field_name: str, key: Callable[[str], str], lookup_expr: str = "contains", **kwargs: Any
    ) -> None:
        super().__init__(field_name=field_name, lookup_expr=lookup_expr, max_length=_LONGEST_TEXT, **kwargs)
        self.key = key

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if not value:
            return qs
        key = self.key(str(value))
        return qs.filter(**{f"{self.field_name}__{self.lookup_expr}": key}) if key else qs.none()


class SearchFilter(django_filters.CharFilter):
    """`?search=`: `condition` turns the value into a Q, or None for a value that no row can match."""

    def __init__(self, *, condition: Callable[[str], Q | None] | None = None, **kwargs: Any) -> None:
        super().__init__(max_length=_LONGEST_TEXT, **kwargs)
        self.condition = condition

    def wanted(self, typed: str) -> Q | None:
        """The rows that match. A class that needs more than the text overrides this."""
        return None if self.condition is None else self.condition(typed)

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if not value:
            return qs
        wanted = self.wanted(str(value))
        return qs.none() if wanted is None else qs.filter(wanted)


def has_words(*, field: str, typed: str) -> Q | None:
    """Rows whose name key has, for each word typed, a word that begins with it, in any order (DOMAIN §4, name key).

    None if no letter or digit was typed.
    """
    wanted = Q()
    # A word is at the start of the key or follows a space.
    for word in dict.fromkeys(name_key(typed).split()):
        wanted &= Q(**{f"{field}__startswith": word}) | Q(**{f"{field}__contains": f" {word}"})
    return wanted or None


def has_all(*, field: str, typed: str, key: Callable[[str], str]) -> Q | None:
    """Rows whose key contains the key of each word typed, in any order."""
    wanted = Q()
    for word in dict.fromkeys(key(typed).split()):
        wanted &= Q(**{f"{field}__contains": word})
    return wanted or None


def parameters_of(form: forms.BaseForm) -> dict[str, list[str]]:
    """Filter → the parameters of the address that it reads: two for a range, one for any other filter."""
    found = {}
    for name, field in form.fields.items():
        widget = field.widget
        is_range = isinstance(widget, SuffixedMultiWidget)
        found[name] = [widget.suffixed(name, suffix) for suffix in widget.suffixes] if is_range else [name]
    return found


class StrictFilterBackend(DjangoFilterBackend):
    """django-filter's backend, but a parameter that the list does not have (`?clientt=3`) is refused, not ignored."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        # Made once: its form has a copy of every field.
        filterset = self.get_filterset(request, queryset, view)
        known = {"page", "page_size", "cursor", "ordering", "format"}
        if filterset is not None:
            known |= {parameter for names in parameters_of(filterset.form).values() for parameter in names}
        unknown = sorted(set(request.query_params) - known)
        if unknown:
            reason = _("This list has no such parameter. Choose from: %(names)s.") % {"names": ", ".join(sorted(known))}
            raise ValidationError({name: [reason] for name in unknown})
        if filterset is None:
            return queryset
        if not filterset.is_valid():
            raise translate_validation(filterset.errors)
        filtered: QuerySet[Any] = filterset.qs
        return filtered


class StableOrdering(OrderingFilter):
    """`?ordering=` by the view's `ordering_fields` only. Ids break ties, so that no row is on two pages or on none."""

    def remove_invalid_fields(
        self, queryset: QuerySet[Any], fields: Iterable[str], view: APIView, request: Request
    ) -> list[str]:
        allowed = {name for name, _label in self.get_valid_fields(queryset, view, {"request": request})}
        requested = list(fields)
        unknown = [field for field in requested if field.removeprefix("-") not in allowed]
        if unknown:
            raise ValidationError(
                {self.ordering_param: [_("Choose from: %(fields)s.") % {"fields": ", ".join(sorted(allowed))}]}
            )
        return requested

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: APIView) -> list[str]:
        chosen = list(super().get_ordering(request, queryset, view) or [])
        return chosen if {"id", "-id", "pk", "-pk"} & set(chosen) else [*chosen, "id"]

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """One parameter with a pattern of its fields."""
        fields = "|".join(view.ordering_fields)
        return [
            {
                "name": self.ordering_param,
                "in": "query",
                "required": False,
                "description": str(_("Fields separated by commas, each with `-` before it for descending order.")),
                "schema": {"type": "string", "pattern": f"^-?({fields})(,-?({fields}))*$"},
            }
        ]
