"""Error pages: 400, 403, 404, 429, 500, 503 and a form without its token. JSON for addresses of the API."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template import loader
from django.utils.translation import gettext as _

from common.errors import StorageFailure

_API = "/api/"


def _answer(request: HttpRequest, status: int, detail: str, template: str) -> HttpResponseBase:
    if request.path.startswith(_API):
        return JsonResponse({"detail": detail}, status=status)
    return HttpResponse(loader.render_to_string(template, request=request), status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return _answer_without_account(request, 400, _("Bad request"), "400.html")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return _answer(request, 403, _("Access denied"), "403.html")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return _answer(request, 404, _("Not found."), "404.html")


def too_many_requests(request: HttpRequest) -> HttpResponseBase:
    return _answer(request, 429, _("Too many attempts. Wait a few minutes, then try again."), "429.html")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """A form without a valid token: the page was open before the sign-in, or the browser keeps no cookies."""
    detail = _("This form has expired. Open the page again, then send it once more.")
    return _answer(request, 403, detail, "403_csrf.html")


def storage_failure(request: HttpRequest, failure: StorageFailure) -> HttpResponseBase:
    """503: the cloud that has the files does not answer, or refuses this installation."""
    return HttpResponse(loader.render_to_string("503.html", {"reason": str(failure)}, request=request), status=503)


def server_error(request: HttpRequest) -> HttpResponseBase:
    return _answer_without_account(request, 500, _("Internal error. Details are in the server log."), "500.html")


def _answer_without_account(request: HttpRequest, status: int, detail: str, template: str) -> HttpResponseBase:
    """A page that reads neither session nor account: those may be what failed."""
    if request.path.startswith(_API):
        return JsonResponse({"detail": detail}, status=status)
    return HttpResponse(loader.render_to_string(template), status=status)
