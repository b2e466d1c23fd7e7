"""Signing in, and the page of one's own account."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.permissions import IsAuthenticated

from common.error_pages import too_many_requests
from users.access.actor import actor_of
from users.access.pages import PageView, holds
from users.access.viewsets import MayReadImports
from users.accounts.forms import ProfileForm
from users.models import User
from users.sign_in import passwords
from users.sign_in.forms import OwnPasswordForm, SignInForm
from users.sign_in.language import begin_session, follow_account
from users.sign_in.throttling import PasswordThrottle


class SignInPage(LoginView):
    """For every role, by user name or e-mail address. `?next=`: the page to open then, of this server only."""

    template_name = "users/pages/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:
        address: str = super().get_redirect_url()
        # Back to this page would be a loop.
        return "" if address.startswith(reverse("sign-in")) else address

    def form_valid(self, form: SignInForm) -> HttpResponse:  # type: ignore[override]
        response = super().form_valid(form)
        begin_session(self.request, response, actor_of(self.request))
        return response

    def form_invalid(self, form: SignInForm) -> HttpResponse:  # type: ignore[override]
        response = super().form_invalid(form)
        response.status_code = 429 if form.is_throttled() else 400
        return response


class OwnAccountPage(PageView):
    """One's own account. Accounts without a country have it, too."""

    permission = IsAuthenticated
    template_name = "users/pages/own_account.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self._shown(self._form())

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = self._form(request.POST)
        saved = form.saved()
        if saved is None:
            return self._shown(form, status=400)
        if "language" in form.changed_data:
            follow_account(request, saved)
        messages.success(request, _("Your account was changed."))
        return redirect("own-account")

    def _form(self, data: Any = None) -> ProfileForm:
        return ProfileForm(data, account=self.user, reads_imports=holds(MayReadImports, self.request))

    def _shown(self, form: ProfileForm, *, status: int = 200) -> HttpResponse:
        tokens = self.user.auth_token_set.filter(expiry__gt=timezone.now()).count()  # type: ignore[attr-defined]
        return self.page(form=form, tokens=tokens, status=status)


class OwnPasswordPage(PageView):
    """Change one's own password: all tokens and all other sessions end."""

    permission = IsAuthenticated

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        return _PasswordForm.as_view()(request)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        # The counter is that of the API: nobody may guess the password from an open session.
        if not PasswordThrottle().allow_request(request, None):  # type: ignore[arg-type]
            return too_many_requests(request)
        return _PasswordForm.as_view()(request)


class _PasswordForm(PasswordChangeView):
    template_name = "users/pages/own_password.html"
    form_class = OwnPasswordForm
    success_url = reverse_lazy("own-account")

    def form_valid(self, form: OwnPasswordForm) -> HttpResponse:  # type: ignore[override]
        response = super().form_valid(form)
        messages.success(self.request, _("Your password was changed. All your other sessions and tokens have ended."))
        return response

    def form_invalid(self, form: OwnPasswordForm) -> HttpResponse:  # type: ignore[override]
        response = super().form_invalid(form)
        response.status_code = 400
        return response


class SignOutEverywherePage(PageView):
    """End all sessions and tokens of one's own account, those of this browser too."""

    permission = IsAuthenticated
    http_method_names = ["post"]

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        account: User = self.user
        passwords.sign_out_everywhere(account=account)
        logout(request)
        messages.success(request, _("All your sessions and tokens have ended."))
        return redirect("sign-in")
