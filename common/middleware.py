"""Middleware: requests that are too large are refused; responses are not cached; a failing storage has a page."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language_from_request, override
from django.utils.translation import gettext as _

from common import error_pages
from common.errors import StorageFailure

CHUNK_BYTES = 256 * 1024


class PostSizeMiddleware:
    """413 for a request whose Content-Length is above CONCORD["MAX_POST_BYTES"].

    Without a Content-Length, Django reads no body at all.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        limit: int = settings.CONCORD["MAX_POST_BYTES"]
        declared = str(request.META.get("CONTENT_LENGTH") or "0")
        # The server refuses a length that is not a number.
        if not declared.isdecimal() or int(declared) <= limit:
            return self.get_response(request)
        self._discard_body(request, min(int(declared), 2 * limit))
        with override(get_language_from_request(request)):
            detail = _("The request is too large: at most %(megabytes)d MB in one request.") % {
                "megabytes": limit // (1024 * 1024)
            }
        response = JsonResponse({"detail": detail}, status=413)
        response["Connection"] = "close"
        return response

    @staticmethod
    def _discard_body(request: HttpRequest, size: int) -> None:
        # A client that is still sending when the connection closes gets a broken pipe instead of the response.
        while size > 0:
            chunk = request.read(min(size, CHUNK_BYTES))
            if not chunk:
                return
            size -= len(chunk)


class PrivateAnswersMiddleware:
    """Forbids caching: responses depend on the account, and several people may share a browser or a proxy.

    A Cache-Control header that a view has set stays.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        patch_vary_headers(response, ["Authorization", "Cookie"])
        return response


class StorageFailureMiddleware:
    """503 with the reason where a page needs the storage of files and that fails. The API answers by itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        return error_pages.storage_failure(request, exception) if isinstance(exception, StorageFailure) else None
