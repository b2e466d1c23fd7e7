"""The language of a page: the account's, the one chosen by the switch, the browser's, else French."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from users.accounts import services
from users.models import Language, User

_SESSION_KEY = "language"
_API = "/api/"


class LanguageMiddleware(LocaleMiddleware):
    """Django's middleware (cookie, then `Accept-Language`), with the language of the session before them.

    A page whose browser names no language is French. The API keeps Django's default, English.
    """

    def process_request(self, request: HttpRequest) -> None:
        chosen = _session_language(request)
        if not chosen and not _names_a_language(request) and not request.path_info.startswith(_API):
            chosen = Language.FRENCH.value
        if not chosen:
            super().process_request(request)
            return
        translation.activate(chosen)
        request.LANGUAGE_CODE = translation.get_language()


def begin_session(request: HttpRequest, response: HttpResponseBase, account: User) -> None:
    """After signing in: the session has the account's language, or the one that the visitor chose before by the switch.

    The visitor's choice then ends, so that the next person at this browser does not inherit it.
    """
    visitor = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    request.session[_SESSION_KEY] = visitor if visitor in Language.values else account.language
    if visitor:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)


def follow_account(request: HttpRequest, account: User) -> None:
    """The session has the account's language from the next page on."""
    request.session[_SESSION_KEY] = account.language


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """The language switch: a visitor's choice is kept in the cookie, an account's in the account and the session."""
    response: HttpResponse = set_language(request)
    language = request.POST.get("language", "")
    if isinstance(request.user, User) and language in Language.values:
        follow_account(request, services.update_own_profile(account=request.user, language=language))
        response.cookies.pop(settings.LANGUAGE_COOKIE_NAME, None)
        if settings.LANGUAGE_COOKIE_NAME in request.COOKIES:
            response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
    return response


def _session_language(request: HttpRequest) -> str:
    # Without the cookie there is no session to read, and the answer does not depend on one.
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return ""
    language = request.session.get(_SESSION_KEY, "")
    return language if language in Language.values else ""


def _names_a_language(request: HttpRequest) -> bool:
    return bool(request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME) or request.headers.get("Accept-Language"))
