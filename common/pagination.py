"""Pages of lists."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import pagination
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

# No list has more pages, and some databases refuse a larger offset.
_LAST_PAGE = 10**9


class PageNumberPagination(pagination.PageNumberPagination):
    """`?page=` and `?page_size=`: 50 rows by default, 200 at most. Anything but a whole number is refused."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        for name in (self.page_query_param, self.page_size_query_param):
            value = request.query_params.get(name)
            # A form sends an empty value for an input that was not filled in.
            if value and not (value.isascii() and value.isdigit() and 0 < int(value[:20]) <= _LAST_PAGE):
                raise ValidationError({name: [_("Give a whole number, 1 or more.")]})
        return super().paginate_queryset(queryset, request, view)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """The two parameters, with minimum and maximum."""
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            parameter["schema"] |= {"minimum": 1, "maximum": _LAST_PAGE}
        return parameters
