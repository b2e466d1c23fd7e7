"""Pages without an account: choosing a password by a link, and requesting such a link."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from common.error_pages import too_many_requests
from common.errors import Invalid, NotAllowed
from common.throttling import LoginAddressThrottle
from users.models import LONGEST_PASSWORD
from users.sign_in import passwords
from users.sign_in.mails import queue_reset_mail
from users.sign_in.throttling import ResetAccountThrottle, ResetAddressThrottle, is_allowed


class ChoiceForm(forms.Form):
    """The new password, twice. The link names the account."""

    new_password = forms.CharField(
        label=gettext_lazy("New password"),
        strip=False,
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "autofocus": True}),
    )
    again = forms.CharField(
        label=gettext_lazy("The same password again"),
        strip=False,
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if {"new_password", "again"} <= values.keys() and values["new_password"] != values["again"]:
            self.add_error("again", _("The two passwords are different."))
        return values


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
def choose_password_page(request: HttpRequest) -> HttpResponseBase:
    """Choose a password by a one-time link. A GET does not use the link: mail programs open links, too."""
    values = request.POST if request.method == "POST" else request.GET
    link = {"uid": values.get("uid", ""), "token": values.get("token", "")}
    if request.method == "POST" and not is_allowed(request, [LoginAddressThrottle]):
        return too_many_requests(request)
    account = passwords.link_account(**link)
    if account is None:
        return _page(request, "link_invalid", status=400)
    form = ChoiceForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            passwords.choose_password(**link, new_password=form.cleaned_data["new_password"])
            return _page(request, "password_chosen", username=account.username)
        except NotAllowed:
            # The link was used meanwhile.
            return _page(request, "link_invalid", status=400)
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
def forgotten_password_page(request: HttpRequest) -> HttpResponseBase:
    """Request a link. The next page is the same whether or not the account exists."""
    form = AddressForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and not is_allowed(request, [ResetAddressThrottle, ResetAccountThrottle]):
        return too_many_requests(request)
    if form.is_valid():
        queue_reset_mail(address=form.cleaned_data["email"])
        return _page(request, "link_requested")
    return _page(request, "forgotten_password", status=400 if form.is_bound else 200, form=form)


def _page(request: HttpRequest, name: str, *, status: int = 200, **context: Any) -> HttpResponse:
    response = render(request, f"users/pages/{name}.html", context, status=status)
    # The address contains a secret.
    response["Referrer-Policy"] = "no-referrer"
    return response
