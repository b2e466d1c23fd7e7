"""Rate limits of signing in, of requesting a link and of choosing a password: by account and by client address.

Attempts are counted in the database. A user name and the e-mail address of the same account share a counter. Counters
expire, so nobody can lock another person out for good.
"""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, Value
from django.db.models.functions import Lower
from django.http import HttpRequest
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle, UserRateThrottle
from rest_framework.views import APIView

from common.throttling import LoginAddressThrottle, StoredThrottle, hashed
from users.models import User

# Characters of the longest e-mail address, which may stand for the user name.
LONGEST_NAME = 254


def accounts_named(typed: str) -> list[User]:
    """The accounts with this user name or e-mail address, in upper or lower case: seldom more than one."""
    wanted = Lower(Value(typed.strip()))
    return list(
        User.objects.alias(any_case_name=Lower("username"), any_case_email=Lower("email"))
        .filter(Q(any_case_name=wanted) | Q(any_case_email=wanted))
        .select_related("country")
        .order_by("pk")
    )


def account_ident(request: Request) -> str:
    """The part of a counter's key that identifies the account of an attempt, whether or not the account exists."""
    data: Any = request.data
    value = data.get("username", data.get("email", "")) if isinstance(data, dict) else ""
    typed = str(value).strip().casefold()
    # Skip the query for a text that cannot be a user name; some databases reject such texts.
    found = accounts_named(typed) if typed and typed.isprintable() and len(typed) <= LONGEST_NAME else []
    return f"account-{found[0].pk}" if found else hashed(typed)


class LoginAccountThrottle(StoredThrottle):
    """By account, from any client address."""

    scope = "login_account"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        return self.cache_format % {"scope": self.scope, "ident": account_ident(request)}


class LoginPairThrottle(StoredThrottle):
    """By account and client address: stops slow guessing, and only for the client that guesses."""

    scope = "login_pair"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        ident = f"{self.get_ident(request)}-{account_ident(request)}"
        return self.cache_format % {"scope": self.scope, "ident": ident}


SIGN_IN_THROTTLES = (LoginAddressThrottle, LoginAccountThrottle, LoginPairThrottle)


class ResetAddressThrottle(LoginAddressThrottle):
    scope = "reset_address"


class ResetAccountThrottle(LoginAccountThrottle):
    """Prevents that others fill a person's mailbox."""

    scope = "reset_account"


class PasswordThrottle(StoredThrottle, UserRateThrottle):
    """Prevents that a stolen token is used to guess the password."""

    scope = "password"


def is_allowed(request: HttpRequest, throttles: Sequence[type[BaseThrottle]]) -> bool:
    """Whether a request to a page is within the limits. Pages and API share the counters."""
    api_request = Request(request, parsers=[FormParser(), MultiPartParser()])
    # A list, not a generator: every throttle must count this attempt.
    answers = [throttle().allow_request(api_request, APIView()) for throttle in throttles]
    return all(answers)
