"""Signing in to the admin: by name or e-mail address, held back and written down as signing in to the API is."""

from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.views import APIView

from users import audit
from users.models import AuditAction, User
from users.sign_in import passwords
from users.sign_in.throttling import SIGN_IN_THROTTLES


def may_enter(user: AbstractBaseUser | AnonymousUser | None) -> bool:
    """Superusers, global admins, and territorial admins of an active country."""
    if not isinstance(user, User) or not user.is_active:
        return False
    return user.sees_all_countries() or (user.is_admin_territorial() and user.working_country_id() is not None)


def _may_try(request: HttpRequest) -> bool:
    # The very counters of the API: who was stopped at one door is stopped at the other.
    asked = Request(request, parsers=[FormParser(), MultiPartParser()])
    # Each counts this attempt, so all are asked whatever the first says.
    answers = [each().allow_request(asked, APIView()) for each in SIGN_IN_THROTTLES]
    return all(answers)


class SignInForm(AdminAuthenticationForm):
    """Django's own form, with one answer and one audit entry for every reason to refuse."""

    error_messages = {
        "invalid_login": _("No account that may enter here matches this name and password."),
        "too_many": _("Too many attempts. Wait a few minutes, then try again."),
    }

    def __init__(self, request: HttpRequest | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.fields["username"].label = _("User name or e-mail address")
        # The longest e-mail address is longer than the longest user name.
        self.fields["username"].max_length = 254  # type: ignore[attr-defined]
        self.fields["username"].validators = []
        self.fields["username"].widget.attrs["maxlength"] = 254

    def clean(self) -> dict[str, Any]:
        if self.request is not None and not _may_try(self.request):
            raise ValidationError(self.error_messages["too_many"], code="too_many")
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            audit.record(actor=None, action=AuditAction.LOGIN, target=User(), success=False)
            raise
        user = self.get_user()
        if isinstance(user, User):
            audit.record(actor=user, action=AuditAction.LOGIN, target=user)
        return cleaned

    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        if not may_enter(user):
            raise self.get_invalid_login_error()

    def get_invalid_login_error(self) -> ValidationError:
        return ValidationError(self.error_messages["invalid_login"], code="invalid_login")


class OwnPasswordForm(PasswordChangeForm):
    """Changing one's own password, by the function of the API: every token and every other session ends."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("new_password1", "new_password2"):
            self.fields[name] = forms.CharField(
                label=self.fields[name].label,
                help_text=self.fields[name].help_text,
                widget=self.fields[name].widget,
                max_length=passwords.LONGEST_PASSWORD,
                strip=False,
            )

    def save(self, commit: bool = True) -> Any:
        passwords.change_password(
            account=self.user,
            current_password=self.cleaned_data["old_password"],
            new_password=self.cleaned_data["new_password1"],
        )
        # The session of this page is signed anew with what has changed.
        self.user.refresh_from_db()
        return self.user
