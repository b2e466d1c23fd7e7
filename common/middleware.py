"""Requests that are refused before anything reads them; answers that no cache may keep."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language_from_request, override
from django.utils.translation import gettext as _

CHUNK_BYTES = 256 * 1024


class PostSizeMiddleware:
    """413 for a body larger than CONCORD["MAX_POST_BYTES"], by the length that it announces.

    A body without an announced length reaches no view: Django reads only as much as was announced.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        most: int = settings.CONCORD["MAX_POST_BYTES"]
        announced = str(request.META.get("CONTENT_LENGTH") or "0")
        # A length that is no number is the server's to refuse.
        if not announced.isdecimal() or int(announced) <= most:
            return self.get_response(request)
        self._swallow(request, min(int(announced), 2 * most))
        with override(get_language_from_request(request)):
            detail = _("The request is too large: at most %(megabytes)d MB in one request.") % {
                "megabytes": most // (1024 * 1024)
            }
        response = JsonResponse({"detail": detail}, status=413)
        response["Connection"] = "close"
        return response

    @staticmethod
    def _swallow(request: HttpRequest, size: int) -> None:
        # A client that is still sending when the connection closes sees a broken pipe, and never our answer.
        while size > 0:
            chunk = request.read(min(size, CHUNK_BYTES))
            if not chunk:
                return
            size -= len(chunk)


class PrivateAnswersMiddleware:
    """What is answered depends on who asks, and two people may use one browser or proxy: no cache keeps it.

    What a view says of caching itself stays as it is.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        patch_vary_headers(response, ["Authorization", "Cookie"])
        return response
