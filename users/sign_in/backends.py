"""Signing in by username or e-mail address, in any case of letters."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.http import HttpRequest

from users.models import User
from users.sign_in.throttling import accounts_called


class NameOrEmailBackend(ModelBackend):
    """Django's own backend, except for how it finds the account.

    A name that is no account costs a password hash all the same, so that the time of an answer tells nothing.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        if username is None or password is None or "\x00" in username:
            return None
        # One person's username may be another's e-mail address: each is let in by their own password only.
        candidates = accounts_called(username)
        if not candidates:
            User().set_password(password)
            return None
        for user in candidates:
            if user.check_password(password) and self.user_can_authenticate(user):
                return user
        return None

    def user_can_authenticate(self, user: AbstractBaseUser | AnonymousUser | None) -> bool:
        # Asked at every request of a session too: a closed country ends what its people do in the web pages.
        return isinstance(user, User) and user.is_active and not user.is_frozen()
