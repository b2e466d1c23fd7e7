"""The filters of a list page: the inputs that are shown, and the filters of the address that have none, as chips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import django_filters
from django import forms
from django.db.models import CharField, QuerySet, Value
from django.db.models.functions import Cast
from django.http import QueryDict
from django.utils.formats import number_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from common.filters import IdFilter, parameters_of
from common.formats import format_day, format_period
from common.parsing import positive_int

# The parameters of a list that stand for a place in it. A link that changes the rows drops them.
PLACES = ("page", "cursor")


@dataclass(frozen=True)
class Part:
    """One input with its label. The label of a single input is that of the filter."""

    id: str
    label: str
    html: SafeString


@dataclass(frozen=True)
class FilterInput:
    """A filter with its inputs: two for a range, of which `label` is the legend."""

    name: str
    label: str
    parts: Sequence[Part]

    @property
    def is_range(self) -> bool:
        return len(self.parts) > 1


@dataclass(frozen=True)
class Chip:
    """A filter that is in force and has no input. `without`: the query of the address that no longer has it.

    `parameters`: (name, value) of its parameters, which the form keeps.
    """

    label: str
    text: str
    without: str
    parameters: Sequence[tuple[str, str]] = field(default_factory=list)


def is_for_people(filter_: Any) -> bool:
    """Whether people can fill it in. Nobody knows ids: figures and pages link to lists with them."""
    return not isinstance(filter_, IdFilter)


def inputs(filters: django_filters.FilterSet, names: Sequence[str]) -> list[FilterInput]:
    """The inputs of the named filters, in this order, with what was typed."""
    return [_input(filters.form, name) for name in names if name in filters.form.fields]


def _input(form: forms.BaseForm, name: str) -> FilterInput:
    bound = form[name]
    widget: Any = bound.field.widget
    if isinstance(widget, forms.Select) and not isinstance(widget, forms.SelectMultiple):
        widget.choices = [(value, label if value else _("All")) for value, label in widget.choices]
    if not isinstance(widget, forms.MultiWidget):
        return FilterInput(name, str(bound.label), [Part(bound.id_for_label, str(bound.label), SafeString(bound))])
    is_of_days = isinstance(bound.field, django_filters.fields.DateRangeField)
    parts_of: Sequence[Any] = widget.widgets
    for part in parts_of:
        part.input_type = "date" if is_of_days else "text"
        if not is_of_days:
            part.attrs["inputmode"] = "decimal"
    context = widget.get_context(bound.html_name, bound.value(), {"id": bound.auto_id})
    parts = [
        Part(
            id=one["attrs"]["id"],
            label=label,
            html=mark_safe(form.renderer.render(one["template_name"], {"widget": one})),  # noqa: S308 a template of Django
        )
        for label, one in zip((_("From"), _("To")), context["widget"]["subwidgets"], strict=True)
    ]
    return FilterInput(name, str(bound.label), parts)


def chips(filters: django_filters.FilterSet, query: QueryDict, *, shown: Sequence[str], user: Any) -> list[Chip]:
    """The filters of the address that are not among the `shown` inputs. Ids have the name that the user may see."""
    parameters = parameters_of(filters.form)
    found = {
        name: [(one, value) for one in parameters[name] for value in query.getlist(one) if value.strip()]
        for name in parameters
        if name not in shown
    }
    found = {name: values for name, values in found.items() if values}
    names = _names({name: values[0][1] for name, values in found.items()}, filters.filters, user)
    return [
        Chip(
            label=str(filters.form.fields[name].label),
            text=names.get(name) or _text(filters.form.fields[name], dict(values), [value for _one, value in values]),
            without=_without(query, parameters[name]),
            parameters=values,
        )
        for name, values in found.items()
    ]


def _without(query: QueryDict, names: Sequence[str]) -> str:
    rest = query.copy()
    for name in (*names, *PLACES):
        rest.pop(name, None)
    return rest.urlencode()


def _names(values: Mapping[str, str], filters: Mapping[str, Any], user: Any) -> dict[str, str]:
    """Filter → the name of the row whose id is its value, in one statement for all of them."""
    queries: list[QuerySet[Any]] = []
    for name, value in values.items():
        filter_, pk = filters.get(name), positive_int(value)
        if not isinstance(filter_, IdFilter) or filter_.of is None or pk is None:
            continue
        rows: Any = filter_.of._default_manager.all()
        queries.append(
            rows.visible_to(user)
            .filter(pk=pk)
            .order_by()
            .annotate(of_filter=Value(name, CharField()), row_name=Cast(filter_.named, CharField()))
            .values_list("of_filter", "row_name")
        )
    if not queries:
        return {}
    return {str(name): str(text) for name, text in queries[0].union(*queries[1:], all=True)}


def _text(form_field: forms.Field, values: Mapping[str, str], typed: Sequence[str]) -> str:
    if isinstance(form_field, forms.ChoiceField):
        labels = {str(value): str(label) for value, label in form_field.choices}  # type: ignore[union-attr, misc]
        return ", ".join(labels.get(one, one) for one in typed)
    if not isinstance(form_field.widget, forms.MultiWidget):
        return ", ".join(typed)
    first, last = (next((value for name, value in values.items() if name.endswith(end)), "") for end in _ENDS)
    if first and last:
        days = _day(first), _day(last)
        return format_period(*days) if days[0] and days[1] else f"{_number(first)} – {_number(last)}"  # type: ignore[arg-type]
    bound = first or last
    day = _day(bound)
    shown = format_day(day) if day else _number(bound)
    return (_("from %(first)s") % {"first": shown}) if first else (_("up to %(last)s") % {"last": shown})


_ENDS = (("_after", "_min"), ("_before", "_max"))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _number(text: str) -> str:
    try:
        return number_format(Decimal(text), use_l10n=True, force_grouping=True)
    except (InvalidOperation, ValueError):
        return text
