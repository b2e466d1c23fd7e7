"""Pages of lists: by number for the first rows, by cursor through all of them."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateField, DateTimeField, DecimalField, F, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework import pagination
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

# Counting a million rows takes longer than reading a page of them: beyond this, a list is "more than 10,000" long.
COUNT_LIMIT = 10_000
# No list has more pages, and some databases refuse a larger offset.
_LAST_PAGE = 10**9


class PageNumberPagination(pagination.BasePagination):
    """`?page=` and `?page_size=`: 50 rows by default, 200 at most, as far as rows are counted; `?cursor=` beyond.

    The answer has `count` (at most COUNT_LIMIT), `count_is_exact`, `next`, `previous` and `results`. Following `next`
    reads the whole list: the last numbered page leads on by cursor. A cursor stands for the last row that was read, so
    its page costs the same however far down it is.
    """

    page_size = 50
    max_page_size = 200

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        self.size = self._whole("page_size", self.page_size, self.max_page_size)
        self.number = self._whole("page", 1, _LAST_PAGE)
        cursor = request.query_params.get("cursor")
        self.count, self.is_exact = _limited_count(queryset)
        if cursor:
            return self._after(queryset, cursor)
        first = (self.number - 1) * self.size
        if first and first >= self.count:
            self._refuse_page(first)
        if isinstance(queryset, QuerySet):
            queryset = _ordered(queryset, _order_of(queryset))
        rows = list(queryset[first : first + self.size + 1])
        self._lead_on(queryset, rows, numbered=first + 2 * self.size <= COUNT_LIMIT)
        self.previous = self._link(page=self.number - 1) if self.number > 1 else None
        return rows[: self.size]

    def _refuse_page(self, first: int) -> None:
        if self.is_exact:
            raise NotFound(_("There is no such page."))
        raise ValidationError(
            {
                "page": [
                    _("Pages have numbers up to row %(limit)d. Follow `next` to read further, or narrow the list.")
                    % {"limit": COUNT_LIMIT}
                ]
            }
        )

    def _after(self, queryset: QuerySet[Any], cursor: str) -> list[Any]:
        order = _order_of(queryset)
        values = _decoded(cursor, queryset, order)
        rows = list(
            _ordered(queryset, order).filter(_behind(order, values, lambda name: _may_be_null(queryset, name)))[
                : self.size + 1
            ]
        )
        self._lead_on(queryset, rows, numbered=False)
        self.previous = None
        return rows[: self.size]

    def _lead_on(self, queryset: QuerySet[Any], rows: list[Any], *, numbered: bool) -> None:
        """Where the rows behind these are: the next number, or a cursor."""
        self.next = None
        if len(rows) > self.size:
            order = _order_of(queryset) if isinstance(queryset, QuerySet) else []
            if numbered or not order:
                self.next = self._link(page=self.number + 1)
            else:
                self.next = self._link(cursor=_encoded(rows[self.size - 1], order))

    def _link(self, **place: object) -> str:
        params = self.request.query_params.copy()
        for name in ("page", "cursor"):
            params.pop(name, None)
        pairs = [(key, value) for key, values in params.lists() for value in values]
        return self.request.build_absolute_uri(f"{self.request.path}?{urlencode([*pairs, *place.items()])}")

    def _whole(self, name: str, default: int, most: int) -> int:
        value = self.request.query_params.get(name)
        # A form sends an empty value for an input that was not filled in.
        if not value:
            return default
        if not (value.isascii() and value.isdigit() and 0 < int(value[:20]) <= _LAST_PAGE):
            raise ValidationError({name: [_("Give a whole number, 1 or more.")]})
        return min(int(value), most)

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "count": self.count,
                "count_is_exact": self.is_exact,
                "next": self.next,
                "previous": self.previous,
                "results": data,
            }
        )

    def get_paginated_response_schema(self, schema: Any) -> dict[str, Any]:
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["count", "count_is_exact", "results"],
            "properties": {
                "count": {"type": "integer", "maximum": COUNT_LIMIT, "description": "Rows, counted up to 10,000"},
                "count_is_exact": {"type": "boolean", "description": "False: the list has more than 10,000 rows"},
                "next": link | {"description": "The page behind this one, by number or by cursor"},
                "previous": link,
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """The three parameters, with minimum and maximum."""
        number = {"type": "integer", "minimum": 1, "maximum": _LAST_PAGE}
        return [
            {
                "name": "page",
                "in": "query",
                "required": False,
                "description": str(_("A page by its number, up to row 10,000.")),
                "schema": number,
            },
            {
                "name": "page_size",
                "in": "query",
                "required": False,
                "description": str(_("Rows of a page; 200 at most.")),
                "schema": number,
            },
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": str(_("The rows behind one that was read: part of `next`.")),
                "schema": {"type": "string"},
            },
        ]


def _limited_count(rows: Any) -> tuple[int, bool]:
    """How many rows there are, up to COUNT_LIMIT, and whether that is all of them."""
    if not isinstance(rows, QuerySet):
        return len(rows), True
    count = rows.order_by()[: COUNT_LIMIT + 1].count()
    return min(count, COUNT_LIMIT), count <= COUNT_LIMIT


# ------------------------------------------------------------------------------------------------ cursors

Order = list[tuple[str, bool]]


def _order_of(queryset: QuerySet[Any]) -> Order:
    """(field, descending) of the list's order, which ends in the id (`common.filters.StableOrdering`)."""
    names = [name for name in queryset.query.order_by if isinstance(name, str)]
    order = [("pk" if name.lstrip("-") == "id" else name.lstrip("-"), name.startswith("-")) for name in names]
    return order if any(name == "pk" for name, _descending in order) else [*order, ("pk", False)]


def _ordered(queryset: QuerySet[Any], order: Order) -> QuerySet[Any]:
    """In an order in which missing values come last on every database."""
    keys = [
        (F(name).desc(nulls_last=True) if descending else F(name).asc(nulls_last=True))
        if _may_be_null(queryset, name)
        else f"{'-' if descending else ''}{name}"
        for name, descending in order
    ]
    return queryset.order_by(*keys)


def _may_be_null(queryset: QuerySet[Any], name: str) -> bool:
    if name == "pk":
        return False
    try:
        return bool(queryset.model._meta.get_field(name).null)
    except FieldDoesNotExist:
        return False


def _behind(order: Order, values: Sequence[Any], nullable: Callable[[str], bool]) -> Q:
    """The rows that come after the one with these values."""
    condition = Q(pk__in=[])
    same = Q()
    for (name, descending), value in zip(order, values, strict=True):
        if value is not None:
            behind = Q(**{f"{name}__{'lt' if descending else 'gt'}": value})
            if nullable(name):
                behind |= Q(**{f"{name}__isnull": True})
            condition |= same & behind
            same &= Q(**{name: value})
        else:
            same &= Q(**{f"{name}__isnull": True})
    # The database then starts its index where the page starts, which an OR alone does not tell it.
    first, descending = order[0]
    if values[0] is not None and not nullable(first):
        condition &= Q(**{f"{first}__{'lte' if descending else 'gte'}": values[0]})
    return condition


def _encoded(row: Any, order: Order) -> str:
    return encoded_cursor([getattr(row, name) for name, _descending in order])


def encoded_cursor(values: Sequence[Any]) -> str:
    """The cursor behind the row that has these values of the list's order."""
    text = json.dumps([value if isinstance(value, int | None) else str(value) for value in values])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decoded(cursor: str, queryset: QuerySet[Any], order: Order) -> list[Any]:
    """Raises ValidationError for what is no cursor of this list and order."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(values, list) or len(values) != len(order):
            raise ValueError
        return [_typed(queryset, name, value) for (name, _descending), value in zip(order, values, strict=True)]
    except (ValueError, TypeError, InvalidOperation, binascii.Error, UnicodeDecodeError):
        raise ValidationError(
            {"cursor": [_("This is no cursor of this list. Start again from its first page.")]}
        ) from None


def _typed(queryset: QuerySet[Any], name: str, value: Any) -> Any:
    if name == "pk":
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**63:
            raise ValueError
        return value
    if value is None:
        return None
    field = queryset.model._meta.get_field(name)
    if isinstance(field, DateTimeField):
        return datetime.fromisoformat(value)
    if isinstance(field, DateField):
        return date.fromisoformat(value)
    if isinstance(field, DecimalField):
        number = Decimal(value)
        if not number.is_finite() or abs(number) >= Decimal(10) ** (field.max_digits - field.decimal_places):
            raise ValueError
        return number
    if isinstance(value, str) and "\0" in value:
        raise ValueError
    return value
