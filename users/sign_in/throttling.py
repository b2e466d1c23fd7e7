"""How often one may try to sign in, to get a link or to choose a password: by account and by address.

What is counted are attempts, in the database, by the account that is meant, whether it was named by its user name or
its e-mail address. Counters end with their time: nobody can lock somebody else out for good.
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

_LONGEST_NAME = 254


def accounts_called(typed: str) -> list[User]:
    """The accounts whose user name or e-mail address this is, in any case of letters: seldom more than one."""
    wanted = Lower(Value(typed.strip()))
    return list(
        User.objects.alias(any_case_name=Lower("username"), any_case_email=Lower("email"))
        .filter(Q(any_case_name=wanted) | Q(any_case_email=wanted))
        .select_related("country")
        .order_by("pk")
    )


def account_meant(request: Request) -> str:
    """What to count the attempts on one account by, whether or not there is such an account."""
    data: Any = request.data
    given = data.get("username", data.get("email", "")) if isinstance(data, dict) else ""
    typed = str(given).strip().casefold()
    # What no name can be is not looked for: some of it a database refuses.
    found = accounts_called(typed) if typed and typed.isprintable() and len(typed) <= _LONGEST_NAME else []
    return f"account-{found[0].pk}" if found else hashed(typed)


class LoginAccountThrottle(StoredThrottle):
    """By the account tried, whoever tries it."""

    scope = "login_account"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        return self.cache_format % {"scope": self.scope, "ident": account_meant(request)}


class LoginPairThrottle(StoredThrottle):
    """By the account tried and the address that tries: slow guessing ends, and only for who guesses."""

    scope = "login_pair"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        ident = f"{self.get_ident(request)}-{account_meant(request)}"
        return self.cache_format % {"scope": self.scope, "ident": ident}


SIGN_IN_THROTTLES = (LoginAddressThrottle, LoginAccountThrottle, LoginPairThrottle)


class ResetAddressThrottle(LoginAddressThrottle):
    scope = "reset_address"


class ResetAccountThrottle(LoginAccountThrottle):
    """Nobody's mailbox is filled by others."""

    scope = "reset_account"


class PasswordThrottle(StoredThrottle, UserRateThrottle):
    """A stolen token must not serve to find the password behind it."""

    scope = "password"


def may_try(request: HttpRequest, throttles: Sequence[type[BaseThrottle]]) -> bool:
    """The same counters for a page: who was stopped at the API is stopped there, and the other way round."""
    asked = Request(request, parsers=[FormParser(), MultiPartParser()])
    # Each counts this attempt, so all are asked whatever the first says.
    answers = [throttle().allow_request(asked, APIView()) for throttle in throttles]
    return all(answers)
