"""The token or web session behind a connection that stays open, and whether it is still valid."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from knox.models import AuthToken
from rest_framework.exceptions import NotAuthenticated

from users.models import User
from users.sign_in.authentication import TokenAuthentication


@dataclass(frozen=True, slots=True)
class Credential:
    """Either the digest of a token or the key of a web session."""

    token: str = ""
    session: str = ""


def authenticate(*, headers: dict[str, str]) -> tuple[User, Credential]:
    """The account that these request headers (names in lower case) sign in, by token or else by session cookie.

    Raises NotAuthenticated, AuthenticationFailed or PermissionDenied, as a request of the API would.
    """
    request = HttpRequest()
    request.META["HTTP_AUTHORIZATION"] = headers.get("authorization", "")
    found = TokenAuthentication().authenticate(request)
    if found is not None:
        user, token = found
        return user, Credential(token=token.digest)
    key = cookies(headers).get(settings.SESSION_COOKIE_NAME, "")
    request.session = SessionStore(session_key=key or None)
    user = get_user(request)
    if not key or not isinstance(user, User):
        raise NotAuthenticated()
    return user, Credential(session=key)


def cookies(headers: dict[str, str]) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(headers.get("cookie", "")).items()}
    except CookieError:
        return {}


def current_accounts(credentials: Collection[Credential]) -> dict[Credential, User]:
    """Those of `credentials` that still sign in, each with its account as it is now.

    At most three statements, whatever the number: sign-out, an expired token, a new password, role or country, and a
    deactivated account or country all end a credential.
    """
    found: dict[Credential, User] = {}
    digests = [one.token for one in credentials if one.token]
    if digests:
        tokens = AuthToken.objects.filter(digest__in=digests).select_related("user__country")
        for token in tokens:
            if token.expiry is None or token.expiry > timezone.now():
                found[Credential(token=token.digest)] = token.user
    keys = [one.session for one in credentials if one.session]
    if keys:
        found |= _session_accounts(keys)
    return {one: user for one, user in found.items() if user.is_active and not user.is_frozen()}


def _session_accounts(keys: list[str]) -> dict[Credential, User]:
    rows = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    contents = {row.session_key: row.get_decoded() for row in rows}
    ids = {content[SESSION_KEY] for content in contents.values() if SESSION_KEY in content}
    users = {str(user.pk): user for user in User.objects.filter(pk__in=ids).select_related("country")}
    found = {}
    for key, content in contents.items():
        user = users.get(content.get(SESSION_KEY, ""))
        if user is not None and _has_hash_of(user, content.get(HASH_SESSION_KEY, "")):
            found[Credential(session=key)] = user
    return found


def _has_hash_of(user: User, stored: str) -> bool:
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(stored, each) for each in hashes)
