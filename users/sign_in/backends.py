"""Signing in by user name or e-mail address, in upper or lower case."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.http import HttpRequest

from users.models import User
from users.sign_in.throttling import accounts_named


class NameOrEmailBackend(ModelBackend):
    """Django's backend, but the account is found by user name or by e-mail address.

    An unknown name costs a password hash too: response time must not reveal whether an account exists.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        if username is None or password is None or "\x00" in username:
            return None
        # One person's user name may be another person's e-mail address: each signs in by their own password only.
        candidates = accounts_named(username)
        if not candidates:
            User().set_password(password)
            return None
        for user in candidates:
            if user.check_password(password) and self.user_can_authenticate(user):
                return user
        return None

    def get_user(self, user_id: Any) -> User | None:
        # With the country, which every request of a web session needs (`user_can_authenticate`).
        user = User.objects.select_related("country").filter(pk=user_id).first()
        return user if self.user_can_authenticate(user) else None

    def user_can_authenticate(self, user: AbstractBaseUser | AnonymousUser | None) -> bool:
        # Django also calls this for every request of a web session, so a session ends when the country is deactivated.
        return isinstance(user, User) and user.is_active and not user.is_frozen()
