"""Tables of list pages: columns for amounts, counts, days and links. The list sorts and pages, not the table."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext as _

from common.formats import format_amount, format_count, format_day

NOTHING = "–"


class ListTable(tables.Table):
    """A table of rows that are already sorted and cut into pages. `label`: its name for screen readers."""

    label: str | Promise = ""

    class Meta:
        template_name = "generic/table.html"
        orderable = False
        attrs = {"class": "list"}
        default = NOTHING


def _on_the_right(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {"attrs": {"th": {"class": "number"}, "td": {"class": "number"}}, "default": NOTHING, **kwargs}


class AmountColumn(tables.Column):
    """A decimal amount; `currency` is the accessor of its ISO 4217 code on the row."""

    def __init__(self, *args: Any, currency: str = "currency", **kwargs: Any) -> None:
        super().__init__(*args, **_on_the_right(kwargs))
        self.currency = tables.A(currency)

    def render(self, value: Any, record: Any) -> str:
        return format_amount(value, str(self.currency.resolve(record, quiet=True) or ""))


class CountColumn(tables.Column):
    """A whole number."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **_on_the_right(kwargs))

    def render(self, value: Any) -> str:
        return format_count(value)


class DayColumn(tables.Column):
    """A date."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"attrs": {"td": {"class": "day"}}, "default": NOTHING, **kwargs})

    def render(self, value: Any) -> str:
        return format_day(value)


class StateColumn(tables.Column):
    """A choice field as a badge: the class is the stored value, the text is its label."""

    def render(self, value: Any, record: Any, bound_column: Any) -> str:
        stored = bound_column.accessor.resolve(record, quiet=True)
        return format_html('<span class="badge {}">{}</span>', f"is-{str(stored).lower()}", value or _("none"))
