"""Parts that the pages of files and of sessions share."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import django_filters
from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from common.throttling import ExportThrottle
from file_handling.lineage import Origin, record_kinds

# Kind of record → the page that lists it by file and by session.
LISTS = {
    "claims": "page-claims",
    "settled_claims": "page-claims",
    "claim_lines": "page-claim-lines",
    "insured": "page-insured-list",
    "clients": "page-clients",
    "policies": "page-policies",
    "partners": "page-partners",
    "operators": "page-operators",
}


class Created(NamedTuple):
    """A kind of record that a file or a session created. `address`: that of the list of these records, or ""."""

    kind: str
    name: str
    number: int
    address: str


def created_records(origin: Origin, counts: Mapping[str, int], *, with_links: bool = True) -> list[Created]:
    """`counts`: how many of each kind still exist (`file_handling.lineage`). Kinds without any are left out."""
    created = []
    for kind in record_kinds(type(origin)):
        if not counts.get(kind.name):
            continue
        address = ""
        if with_links and kind.name in LISTS:
            address = f"{reverse(LISTS[kind.name])}?{kind.origin_field(type(origin))}={origin.pk}"
        name = _("claims that it settles") if kind.name == "settled_claims" else kind.model._meta.verbose_name_plural
        created.append(Created(kind.name, capfirst(str(name)), counts[kind.name], address))
    return created


def offer_uploaders(filters: django_filters.FilterSet) -> None:
    """Offer the filter `user` as a choice of the people who uploaded a row of the list."""
    rows: Any = filters.queryset
    people = rows.order_by("uploaded_by_name").values_list("user_id", "uploaded_by_name").distinct()
    choices = [(pk, name) for pk, name in people if pk is not None]
    field = filters.form.fields["user"]
    field.label = _("Uploaded by")
    field.widget = forms.Select(choices=[("", _("Everybody")), *choices])


def throttled(request: HttpRequest) -> bool:
    """Whether the account reads files too often. The count is shared with the API."""
    return not ExportThrottle().allow_request(request, None)  # type: ignore[arg-type]
