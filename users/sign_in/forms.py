"""The forms of signing in and of the own password, for pages and admin: throttles and audit entries of the API."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from users import audit
from users.models import LONGEST_PASSWORD, AuditAction, User
from users.sign_in import passwords
from users.sign_in.throttling import LONGEST_NAME, SIGN_IN_THROTTLES, is_allowed


class SignInForm(AuthenticationForm):
    """Django's form, with the same answer and one audit entry for every reason of a refusal."""

    error_messages = {
        "invalid_login": _("No active account matches this name and password."),
        "too_many": _("Too many attempts. Wait a few minutes, then try again."),
    }

    def __init__(self, request: HttpRequest | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.fields["username"].label = _("User name or e-mail address")
        # An e-mail address may be longer than a user name.
        self.fields["username"].max_length = LONGEST_NAME  # type: ignore[attr-defined]
        self.fields["username"].validators = []
        self.fields["username"].widget.attrs["maxlength"] = LONGEST_NAME

    def clean(self) -> dict[str, Any]:
        if self.request is not None and not is_allowed(self.request, SIGN_IN_THROTTLES):
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

    def is_throttled(self) -> bool:
        return self.has_error("__all__", code="too_many")

    def get_invalid_login_error(self) -> ValidationError:
        return ValidationError(self.error_messages["invalid_login"], code="invalid_login")


class OwnPasswordForm(PasswordChangeForm):
    """Changes one's own password with the service of the API: every token and every other session ends."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("new_password1", "new_password2"):
            self.fields[name] = forms.CharField(
                label=self.fields[name].label,
                help_text=self.fields[name].help_text,
                widget=self.fields[name].widget,
                max_length=LONGEST_PASSWORD,
                strip=False,
            )

    def save(self, commit: bool = True) -> Any:
        passwords.change_password(
            account=self.user,
            current_password=self.cleaned_data["old_password"],
            new_password=self.cleaned_data["new_password1"],
        )
        # Django signs the session of this page again, with the new hash.
        self.user.refresh_from_db()
        return self.user
