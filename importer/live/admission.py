"""The beginning of a connection to `/live/`: origin, credentials, session, language, and where the client goes on."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import get_language_from_request
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotAuthenticated

from common.api_errors import AccessDenied, BadRequest
from importer.live import origins
from importer.live.access import Watch, visible_session
from importer.live.hub import Watcher
from users.sign_in.credentials import authenticate, cookies

# A browser cannot set the header of a WebSocket, but it can offer subprotocols: "concord" and "token.…".
SUBPROTOCOL, TOKEN_PREFIX = "concord", "token."
# What an event's sequence can be at most.
_LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Opening:
    """The first request of a connection. `headers`: names in lower case."""

    session: str
    headers: dict[str, str]
    query: str
    subprotocols: tuple[str, ...] = ()
    is_socket: bool = False

    def origin(self) -> str:
        return self.headers.get("origin", "")

    def has_foreign_origin(self) -> bool:
        return bool(self.origin()) and not origins.is_own(
            self.origin(),
            public_url=settings.PUBLIC_URL,
            trusted=settings.CSRF_TRUSTED_ORIGINS,
            hosts=settings.ALLOWED_HOSTS,
            tls=settings.BEHIND_TLS,
        )

    def language(self) -> str:
        """The language of the cookie or of `Accept-Language`; empty if the request names none."""
        request = HttpRequest()
        request.META["HTTP_ACCEPT_LANGUAGE"] = self.headers.get("accept-language", "")
        request.COOKIES = cookies(self.headers)
        names_one = request.META["HTTP_ACCEPT_LANGUAGE"] or settings.LANGUAGE_COOKIE_NAME in request.COOKIES
        return get_language_from_request(request) if names_one else ""


def admit(opening: Opening) -> tuple[Watcher, str]:
    """The watcher and its language: of the request, or else of the account.

    Raises the API's errors: 400 for a wrong `last_event_id`, 401, 403 (another origin, or a session that the account
    does not see), 404.
    """
    headers = dict(opening.headers)
    token = next((one for one in opening.subprotocols if one.startswith(TOKEN_PREFIX)), "")
    if opening.is_socket and token:
        headers["authorization"] = f"Token {token.removeprefix(TOKEN_PREFIX)}"
    with translation.override(opening.language() or settings.LANGUAGE_CODE):
        if opening.has_foreign_origin():
            raise AccessDenied()
        if not headers.get("authorization") and not _may_use_cookie(opening):
            raise NotAuthenticated()
        user, credential = authenticate(headers=headers)
    language = opening.language() or user.language
    with translation.override(language):
        session_id = visible_session(user=user, pk=opening.session)
        query = parse_qs(opening.query, keep_blank_values=True)
        last = last_event_id(header=headers.get("last-event-id", ""), query=query.get("last_event_id", [""])[-1])
    return Watcher(watch=Watch(credential, session_id), account_id=user.pk, last=last), language


def last_event_id(*, header: str, query: str) -> int:
    """The sequence of the last event that the client has, 0 without one. Raises BadRequest.

    A browser that connects again sends the header, which is newer than the address.
    """
    given = header.strip() or query.strip()
    if not given:
        return 0
    if not (given.isascii() and given.isdecimal()) or int(given[:20]) > _LARGEST:
        raise BadRequest(_("The last event ID is the number of an event: a whole number, 0 or more."))
    return int(given)


def _may_use_cookie(opening: Opening) -> bool:
    """Whether the page that sent the cookie is known to be ours. A browser sends it along from any page."""
    if opening.origin():
        return True
    # A WebSocket of a browser always has an origin. A stream of the same origin has none, but says that it is one.
    return not opening.is_socket and opening.headers.get("sec-fetch-site", "none") in ("same-origin", "none")
