"""The guide: a page for each topic, one template for each language, with the definitions of all indicators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth.password_validation import MinimumLengthValidator, get_default_password_validators
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import IsAuthenticated

from dashboard.definitions import INDICATORS, Indicator
from file_handling.models import FindingCategory
from users.access.pages import PageView, holds
from users.access.viewsets import MayImport
from users.accounts import sheet
from users.models import LONGEST_PASSWORD, Language, Role

MEGABYTE = 1024 * 1024
TOPICS: dict[str, str | Promise] = {
    "start": _("First steps, by role"),
    "imports": _("How an import works"),
    "findings": _("Claims left out: what each reason means"),
    "figures": _("Reading the figures"),
    "premiums": _("Premiums"),
    "accounts": _("Accounts, countries and passwords"),
    "limits": _("Files, formats and limits"),
}
BASES: dict[str, str | Promise] = {
    "settlement_date": _("by settlement date"),
    "incident_date": _("by incident date"),
    "session_date": _("by date of the import"),
    "upload_date": _("by date of upload"),
}


class Topic(NamedTuple):
    key: str
    title: str
    address: str
    is_current: bool


class HelpPage(PageView):
    """One topic of the guide, the first steps without one. Open to every account."""

    permission = IsAuthenticated
    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, topic: str = "start", **kwargs: Any) -> HttpResponse:
        if topic not in TOPICS:
            raise Http404
        return self.page(
            f"dashboard/help/{language()}/{topic}.html",
            title=TOPICS[topic],
            topics=list(_topics(topic)),
            limits=_limits(),
            categories=dict(FindingCategory.choices),
            indicators=_definitions() if topic == "figures" else [],
            role=self.user.role,
            may_import=holds(MayImport, request),
            roles={role.name: role.label for role in Role},
        )


def language() -> str:
    """The language of the templates: the active one, which may have a region, or English."""
    active = (get_language() or "")[:2]
    return active if active in Language.values else Language.ENGLISH.value


def _topics(current: str) -> Iterator[Topic]:
    for key, title in TOPICS.items():
        address = reverse("page-help") if key == "start" else reverse("page-help-topic", args=[key])
        yield Topic(key, str(title), address, key == current)


def _definitions() -> list[tuple[Indicator, str]]:
    """Every indicator with the words for its date. The rules of the watch list come last, as they are declared."""
    return [(one, str(BASES[one.basis])) for one in INDICATORS.values()]


def _shortest_password() -> int:
    validators = get_default_password_validators()
    return next(one.min_length for one in validators if isinstance(one, MinimumLengthValidator))


def _limits() -> dict[str, int]:
    limits = settings.CONCORD
    return {
        "file": limits["MAX_FILE_BYTES"] // MEGABYTE,
        "request": limits["MAX_POST_BYTES"] // MEGABYTE,
        "pages": limits["MAX_PAGES"],
        "columns": limits["MAX_COLUMNS"],
        "export": limits["EXPORT_MAX_ROWS"],
        "sheet": sheet.MAX_BYTES // MEGABYTE,
        "sheet_rows": sheet.MAX_ROWS,
        "link_hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
        "session_hours": settings.SESSION_COOKIE_AGE // 3600,
        "shortest_password": _shortest_password(),
        "longest_password": LONGEST_PASSWORD,
    }
