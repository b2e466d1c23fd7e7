"""Lists come in pages."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import pagination
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

# Beyond it no list has a page, and some databases refuse the offset.
_LAST_PAGE = 10**9


class PageNumberPagination(pagination.PageNumberPagination):
    """`?page=` and `?page_size=`: 50 rows unless asked otherwise, 200 at most, and whole numbers or a refusal."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        for name in (self.page_query_param, self.page_size_query_param):
            asked = request.query_params.get(name)
            # An empty one is what a form sends that was not filled in.
            if asked and not (asked.isascii() and asked.isdigit() and 0 < int(asked[:20]) <= _LAST_PAGE):
                raise ValidationError({name: [_("Give a whole number from 1 on.")]})
        return super().paginate_queryset(queryset, request, view)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """The two parameters, with their bounds."""
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            parameter["schema"] |= {"minimum": 1, "maximum": _LAST_PAGE}
        return parameters
