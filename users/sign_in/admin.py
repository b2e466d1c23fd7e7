"""Signing in to the admin: which accounts may enter, and the form."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.utils.translation import gettext_lazy as _

from users.models import User
from users.sign_in.forms import SignInForm


def may_enter_admin(user: AbstractBaseUser | AnonymousUser | None) -> bool:
    """Whether the account may use the admin: superusers, global admins, territorial admins of an active country."""
    if not isinstance(user, User) or not user.is_active:
        return False
    return user.sees_all_countries() or (user.is_admin_territorial() and user.working_country_id() is not None)


class AdminSignInForm(SignInForm):
    """The form of the pages, for the accounts that may enter the admin."""

    required_css_class = "required"
    error_messages = {
        **SignInForm.error_messages,
        "invalid_login": _("No account with access to these pages matches this name and password."),
    }

    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        if not may_enter_admin(user):
            raise self.get_invalid_login_error()
