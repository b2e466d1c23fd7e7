"""The two pages that open to who is not signed in: to choose a password by a link, and to ask for such a link."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from common.errors import Invalid, NotAllowed
from common.throttling import LoginAddressThrottle
from users.sign_in import passwords
from users.sign_in.mails import queue_reset_mail
from users.sign_in.throttling import ResetAccountThrottle, ResetAddressThrottle, may_try

_LONGEST_PASSWORD = 4096


class ChoiceForm(forms.Form):
    """A password twice; whose it is to be stands in the link."""

    new_password = forms.CharField(
        label=gettext_lazy("New password"),
        strip=False,
        max_length=_LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "autofocus": True}),
    )
    again = forms.CharField(
        label=gettext_lazy("The same password again"),
        strip=False,
        max_length=_LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if {"new_password", "again"} <= given.keys() and given["new_password"] != given["again"]:
            self.add_error("again", _("These are two different passwords."))
        return given


class AddressForm(forms.Form):
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True}),
    )


@sensitive_post_parameters()
@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def choose_password_page(request: HttpRequest) -> HttpResponse:
    """Choose a password by a one-time link. Looking at the page does not use the link up: mail programs look, too."""
    given = request.POST if request.method == "POST" else request.GET
    link = {"uid": given.get("uid", ""), "token": given.get("token", "")}
    if request.method == "POST" and not may_try(request, [LoginAddressThrottle]):
        return _page(request, "too_many", status=429)
    account = passwords.link_account(**link)
    if account is None:
        return _page(request, "link_gone", status=400)
    form = ChoiceForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            passwords.choose_password(**link, new_password=form.cleaned_data["new_password"])
            return _page(request, "password_chosen", enters_admin=account.is_staff, username=account.username)
        except NotAllowed:
            # Used meanwhile.
            return _page(request, "link_gone", status=400)
        except Invalid as refused:
            for reason in refused.errors["new_password"]:
                form.add_error("new_password", reason)
    return _page(
        request,
        "choose_password",
        status=400 if form.is_bound else 200,
        form=form,
        link=link,
        username=account.username,
        rules=password_validators_help_texts(),
    )


@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def forgotten_password_page(request: HttpRequest) -> HttpResponse:
    """Ask for a link; the page that follows is the same whether or not there is such an account."""
    form = AddressForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and not may_try(request, [ResetAddressThrottle, ResetAccountThrottle]):
        return _page(request, "too_many", status=429)
    if form.is_valid():
        queue_reset_mail(address=form.cleaned_data["email"])
        return _page(request, "link_asked")
    return _page(request, "forgotten_password", status=400 if form.is_bound else 200, form=form)


def _page(request: HttpRequest, name: str, *, status: int = 200, **context: Any) -> HttpResponse:
    response = render(request, f"users/pages/{name}.html", context, status=status)
    # The address bears a secret.
    response["Referrer-Policy"] = "no-referrer"
    return response
