"""Pages of lists: by number for the first rows, by cursor through all of them."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import FieldDoesNotExist
from django.core.paginator import Page, Paginator
from django.db import connection
from django.db.models import DateField, DateTimeField, DecimalField, F, Field, IntegerField, Q, QuerySet
from django.utils.functional import cached_property
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
    """`?page=` for the first rows, `?cursor=` for all rows; a page has `?page_size=` rows: 50, and 200 at most.

    The answer has `count` (at most COUNT_LIMIT), `count_is_exact`, `next`, `previous` and `results`. `next` has a
    cursor, which stands for the last row that was read. So a page costs the same however far down it is, and rows that
    are added meanwhile neither repeat a row nor hide one.
    """

    page_size = 50
    max_page_size = 200

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        self.size = self._whole("page_size", self.page_size, self.max_page_size)
        self.number = self._whole("page", 1, _LAST_PAGE)
        self.next: str | None = None
        self.previous: str | None = None
        if not isinstance(queryset, QuerySet):
            return self._part_of(list(queryset))
        order = _order_of(queryset)
        cursor = request.query_params.get("cursor")
        if not cursor:
            places = self._numbered_page(queryset, order)
        elif request.query_params.get("page"):
            raise ValidationError({"cursor": [_("Give a page or a cursor, not both.")]})
        else:
            places = self._page_behind(queryset, order, cursor)
        if len(places) > self.size:
            places = places[: self.size]
            self.next = self._link(cursor=_encoded(_name_of(queryset, order), self.number + 1, places[-1]))
        if self.number > 1 and (self.number - 2) * self.size < COUNT_LIMIT:
            self.previous = self._link(page=self.number - 1)
        return _rows_at(queryset, order, places)

    def _part_of(self, rows: list[Any]) -> list[Any]:
        """The page of a list that is in memory."""
        self.count, self.is_exact = len(rows), True
        first = (self.number - 1) * self.size
        if first and first >= self.count:
            raise NotFound(_("There is no such page."))
        self.next = self._link(page=self.number + 1) if first + self.size < self.count else None
        self.previous = self._link(page=self.number - 1) if first else None
        return rows[first : first + self.size]

    def _numbered_page(self, queryset: QuerySet[Any], order: "_Order") -> list[tuple[Any, ...]]:
        first = (self.number - 1) * self.size
        if first >= COUNT_LIMIT:
            self._refuse_page(queryset)
        places = _places(_ordered(queryset, order), order)[first : first + self.size + 1]
        found = list(places)
        if first and not found:
            raise NotFound(_("There is no such page."))
        if len(found) <= self.size:
            # The list ends here, so no other query has to count it.
            self.count, self.is_exact = min(first + len(found), COUNT_LIMIT), first + len(found) <= COUNT_LIMIT
        else:
            self.count, self.is_exact = limited_count(queryset)
        return found

    def _refuse_page(self, queryset: QuerySet[Any]) -> None:
        _count, is_exact = limited_count(queryset)
        if is_exact:
            raise NotFound(_("There is no such page."))
        reason = _("Pages have numbers up to row %(limit)d. Follow `next` to read further, or narrow the list.")
        raise ValidationError({"page": [reason % {"limit": COUNT_LIMIT}]})

    def _page_behind(self, queryset: QuerySet[Any], order: "_Order", cursor: str) -> list[tuple[Any, ...]]:
        self.number, values = _decoded(cursor, _name_of(queryset, order), order)
        behind = _ordered(queryset, order).filter(_behind(order, values))
        found = list(_places(behind, order)[: self.size + 1])
        self.count, self.is_exact = limited_count(queryset)
        return found

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
                "next": link | {"description": "The page behind this one, by cursor; null on the last page"},
                "previous": link | {"description": "The page before this one, by number; null where it has none"},
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


def limited_count(rows: QuerySet[Any]) -> tuple[int, bool]:
    """The number of rows, up to COUNT_LIMIT, and whether that is all of them."""
    count = rows.order_by()[: COUNT_LIMIT + 1].count()
    return min(count, COUNT_LIMIT), count <= COUNT_LIMIT


class LimitedPaginator(Paginator):  # type: ignore[type-arg]
    """Pages of the admin: rows are counted up to COUNT_LIMIT, and the pages lead as far as rows are counted."""

    object_list: Any

    @cached_property
    def count(self) -> int:
        return self._limited[0]

    @property
    def is_exact(self) -> bool:
        """Whether the list ends where the pages end."""
        return self._limited[1]

    @cached_property
    def _limited(self) -> tuple[int, bool]:
        return limited_count(self.object_list)

    def page(self, number: int | str) -> "Page[Any]":
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        last = min(first + self.per_page, self.count)
        ids = list(self.object_list.prefetch_related(None).values_list("pk", flat=True)[first:last])
        return Page(_rows_of(self.object_list, ids), number, self)


# ------------------------------------------------------------------------------------------------ order


@dataclass(frozen=True)
class _Key:
    """One field of the order of a list."""

    path: str
    field: "Field[Any, Any]"
    is_descending: bool
    may_be_null: bool


_Order = list[_Key]


def _order_of(queryset: QuerySet[Any]) -> _Order:
    """The order of the list. It ends in the id, so that no two rows have the same place."""
    names = list(queryset.query.order_by or (queryset.model._meta.ordering if queryset.query.default_ordering else ()))
    keys = []
    for name in names:
        if not isinstance(name, str):
            raise TypeError("a list is ordered by fields, so that a cursor can stand for a row")
        keys.append(_key(queryset, name.removeprefix("-"), is_descending=name.startswith("-")))
        if keys[-1].path == "pk":
            return keys
    return [*keys, _key(queryset, "pk", is_descending=False)]


def _key(queryset: QuerySet[Any], path: str, *, is_descending: bool) -> _Key:
    """Raises FieldDoesNotExist for a path that is not one of fields."""
    model: Any = queryset.model
    if path in ("pk", model._meta.pk.name):
        return _Key("pk", model._meta.pk, is_descending, may_be_null=False)
    may_be_null = False
    field: Any = None
    for part in path.split("__"):
        if model is None:
            raise FieldDoesNotExist(path)
        field = model._meta.get_field(part)
        may_be_null |= field.null
        model = field.related_model
    return _Key(path, getattr(field, "target_field", field), is_descending, may_be_null)


def _ordered(queryset: QuerySet[Any], order: _Order) -> QuerySet[Any]:
    """In the order in which missing values come last on every database."""
    terms: list[Any] = []
    for key in order:
        if key.may_be_null:
            terms.append(F(key.path).desc(nulls_last=True) if key.is_descending else F(key.path).asc(nulls_last=True))
        else:
            terms.append(f"-{key.path}" if key.is_descending else key.path)
    return queryset.order_by(*terms)


def _places(queryset: QuerySet[Any], order: _Order) -> QuerySet[Any]:
    """The values of the order's fields, of each row."""
    return queryset.prefetch_related(None).values_list(*(key.path for key in order))


def _rows_at(queryset: QuerySet[Any], order: _Order, places: Sequence[tuple[Any, ...]]) -> list[Any]:
    at = next(n for n, key in enumerate(order) if key.path == "pk")
    return _rows_of(queryset, [place[at] for place in places])


def _rows_of(queryset: QuerySet[Any], ids: Sequence[Any]) -> list[Any]:
    """The rows with these ids, in this order. One that was deleted since its id was read is absent.

    The related tables are joined to the rows of the page only: joined to all rows that the database has to sort or
    skip, they take most of the time.
    """
    if not ids:
        return []
    found = {row.pk: row for row in queryset.order_by().filter(pk__in=ids)}
    return [found[pk] for pk in ids if pk in found]


# ------------------------------------------------------------------------------------------------ cursors


def _behind(order: _Order, values: Sequence[Any]) -> Q:
    """The rows that come after the one with these values."""
    condition = Q(pk__in=[])
    same = Q()
    for key, value in zip(order, values, strict=True):
        if value is None:
            same &= Q(**{f"{key.path}__isnull": True})
            continue
        behind = Q(**{f"{key.path}__{'lt' if key.is_descending else 'gt'}": value})
        if key.may_be_null:
            behind |= Q(**{f"{key.path}__isnull": True})
        condition |= same & behind
        same &= Q(**{key.path: value})
    # The database then starts its index where the page starts, which an OR alone does not tell it.
    first = order[0]
    if values[0] is not None and not first.may_be_null:
        condition &= Q(**{f"{first.path}__{'lte' if first.is_descending else 'gte'}": values[0]})
    return condition


def _name_of(queryset: QuerySet[Any], order: _Order) -> str:
    """The list and the order that a cursor belongs to."""
    fields = ",".join(f"{'-' if key.is_descending else ''}{key.path}" for key in order)
    return f"{queryset.model._meta.label_lower} {fields}"


def _encoded(name: str, number: int, place: Sequence[Any]) -> str:
    """`number`: the number of the page that the cursor leads to."""
    values = [value if isinstance(value, int | None) else str(value) for value in place]
    text = json.dumps([name, number, *values])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decoded(cursor: str, name: str, order: _Order) -> tuple[int, list[Any]]:
    """The number of the page, and the values of the row before it.

    Raises ValidationError for a text that is no cursor of this list in this order.
    """
    try:
        read = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        if not isinstance(read, list) or len(read) != len(order) + 2 or read[0] != name:
            raise ValueError
        number = read[1]
        if type(number) is not int or not 1 < number <= _LAST_PAGE:
            raise ValueError
        return number, [_typed(key, value) for key, value in zip(order, read[2:], strict=True)]
    except (ValueError, TypeError, OverflowError, InvalidOperation, RecursionError):
        reason = _("This cursor is not one of this list in this order. Start again from the first page.")
        raise ValidationError({"cursor": [reason]}) from None


def _typed(key: _Key, value: Any) -> Any:
    """The value as the column has it. Raises ValueError or an error of the type for one that it cannot have."""
    field = key.field
    if value is None:
        if not key.may_be_null:
            raise ValueError
        return None
    if isinstance(field, IntegerField) or key.path == "pk":
        low, high = connection.ops.integer_field_range(field.get_internal_type())
        if type(value) is not int or not (low or -(2**63)) <= value <= (high or 2**63 - 1):
            raise ValueError
        return value
    if type(value) is not str or "\0" in value:
        raise ValueError
    value.encode()
    if isinstance(field, DateTimeField):
        # Without a time zone it is no value of this column.
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC)
    if isinstance(field, DateField):
        return date.fromisoformat(value)
    if isinstance(field, DecimalField):
        number = Decimal(value)
        exponent = number.as_tuple().exponent
        if type(exponent) is not int or not -field.decimal_places <= exponent <= 0:
            raise ValueError
        if number.adjusted() >= field.max_digits - field.decimal_places:
            raise ValueError
        return number
    return value
