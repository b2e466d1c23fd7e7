"""A change that one confirms with one's own password, once more (DOMAIN §12). Sessions and tokens stay as they are."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.views import APIView

from common.errors import Invalid
from common.throttling import StoredThrottle
from users.models import LONGEST_PASSWORD, User


class ConfirmationThrottle(StoredThrottle):
    """By account, at the rate of sign-in: nobody may guess the password from an open session or a stolen token.

    Only wrong passwords are counted, so that a person may make many corrections one after the other.
    """

    scope = "login_account"

    def get_cache_key(self, request: Request, view: APIView | None) -> str | None:
        account: Any = request.user
        # A preview has no password.
        is_preview = request.GET.get("dry_run") == "true"
        return None if is_preview or not account.is_authenticated else self._key(account)

    def throttle_success(self) -> bool:
        return True

    def count(self, account: User) -> None:
        """One more wrong password."""
        key = self._key(account)
        self.cache.set(key, [self.timer(), *self.cache.get(key, [])], self.duration)  # type: ignore[attr-defined]

    def _key(self, account: User) -> str:
        return self.cache_format % {"scope": self.scope, "ident": f"confirmation-{account.pk}"}


def confirm(*, actor: User, password: str) -> None:
    """Raises Invalid with `password` when it is not the account's own."""
    if not password:
        raise Invalid({"password": [_("Confirm this change with your own password.")]})
    if len(password) > LONGEST_PASSWORD or not actor.check_password(password):
        ConfirmationThrottle().count(actor)
        raise Invalid({"password": [_("This is not your password. Nothing was changed.")]})
