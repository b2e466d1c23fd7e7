"""The links at the top of every page for signed-in accounts. `config` is the only place that knows all pages."""

from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from users.sign_in.admin import may_enter_admin


class Link(NamedTuple):
    text: str
    address: str
    is_current: bool


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `navigation`, a function that returns the links that the account of the request may open.

    A function, because most pages do not show the links.
    """
    return {"navigation": lambda: _links(request)}


def _links(request: HttpRequest) -> list[Link]:
    pages = []
    if may_enter_admin(getattr(request, "user", None)):
        pages.append((_("Administration"), reverse("admin:index")))
    pages.append((_("API documentation"), reverse("docs")))
    return [Link(text, address, request.path.startswith(address)) for text, address in pages]
