"""Handlers of Django's own 400, 403, 404 and 500: JSON for addresses of the API, pages elsewhere."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.translation import gettext as _
from django.views import defaults

_API = "/api/"


def _answer(
    request: HttpRequest, status: int, detail: str, page: Callable[..., HttpResponseBase], *reasons: Any
) -> HttpResponseBase:
    if request.path.startswith(_API):
        return JsonResponse({"detail": detail}, status=status)
    return page(request, *reasons)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return _answer(request, 400, _("Bad request"), defaults.bad_request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return _answer(request, 403, _("Access denied"), defaults.permission_denied, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return _answer(request, 404, _("Not found."), defaults.page_not_found, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    return _answer(request, 500, _("Internal error. Details are in the server log."), _server_error_page)


def _server_error_page(request: HttpRequest) -> HttpResponse:
    return defaults.server_error(request)
