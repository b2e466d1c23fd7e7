"""The links at the top of every page for signed-in accounts. `config` is the only place that knows all pages."""

from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from users.access.pages import holds
from users.access.viewsets import (
    MayImport,
    MayManageAccounts,
    MayManageRates,
    MayManageWebhooks,
    MayReadImports,
    MayReadRecords,
    MayReadReview,
)
from users.sign_in.admin import may_enter_admin


class Link(NamedTuple):
    text: str
    address: str
    is_current: bool


class Navigation(NamedTuple):
    links: list[Link]
    may_search: bool
    may_import: bool


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `navigation`, the pages that the account of the request may open.

    Made when a template reads it, because some pages do not show the links.
    """
    return {"navigation": SimpleLazyObject(lambda: _navigation(request))}


def _navigation(request: HttpRequest) -> Navigation:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return Navigation([], may_search=False, may_import=False)
    reads, imports, sessions, reviews, accounts, webhooks = (
        holds(right, request)
        for right in (MayReadRecords, MayImport, MayReadImports, MayReadReview, MayManageAccounts, MayManageWebhooks)
    )
    pages = [
        (True, _("Home"), "start"),
        (imports, _("New import"), "page-import-new"),
        (sessions, _("Imports"), "page-imports"),
        (sessions, _("Corrections"), "page-corrections"),
        (sessions, _("Files"), "page-files"),
        (reviews, _("Review"), "page-review"),
        (reads, _("Figures"), "page-figures"),
        (reads, _("Claims"), "page-claims"),
        (reads, pgettext("several", "Insured"), "page-insured-list"),
        (reads, _("Families"), "page-families"),
        (reads, _("Clients"), "page-clients"),
        (reads, _("Premiums"), "page-premiums"),
        (reads, _("Policies"), "page-policies"),
        (reads, _("Providers"), "page-partners"),
        (reads, _("Operators"), "page-operators"),
        (reads, _("Acts"), "page-acts"),
        (accounts, _("Accounts"), "page-accounts"),
        (accounts, _("Countries"), "page-countries"),
        (holds(MayManageRates, request), _("Currencies"), "page-currencies"),
        (accounts, _("Audit trail"), "page-audit"),
        (webhooks, _("Webhooks"), "page-webhooks"),
        (True, _("Help"), "page-help"),
        (may_enter_admin(user), _("Administration"), "admin:index"),
    ]
    links = [(text, reverse(name)) for is_open, text, name in pages if is_open]
    # The longest address that the page lies under: "New import" lies under "Imports", and everything under "Home".
    current = max((at for _text, at in links if request.path.startswith(at)), key=len, default="")
    if current == reverse("start") and request.path != current:
        current = ""
    return Navigation([Link(text, at, at == current) for text, at in links], may_search=reads, may_import=imports)
