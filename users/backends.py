"""Signing in by username or e-mail address, in any case of letters."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db.models import Q, Value
from django.db.models.functions import Lower
from django.http import HttpRequest

from users.models import User


class NameOrEmailBackend(ModelBackend):
    """Django's own backend, except for how it finds the account.

    A name that is no account costs a password hash all the same, so that the time of an answer tells nothing.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        if username is None or password is None or "\x00" in username:
            return None
        wanted = Lower(Value(username.strip()))
        # One person's username may be another's e-mail address: each is let in by their own password only.
        candidates = list(
            User.objects.alias(any_case_name=Lower("username"), any_case_email=Lower("email"))
            .filter(Q(any_case_name=wanted) | Q(any_case_email=wanted))
            .select_related("country")
            .order_by("pk")
        )
        if not candidates:
            User().set_password(password)
            return None
        for user in candidates:
            if user.check_password(password) and self.user_can_authenticate(user):
                return user
        return None
