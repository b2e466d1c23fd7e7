"""The pages behind figures: the address of a list in the API → the page that shows the same rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from django.urls import reverse

from dashboard.asking import COMMON
from dashboard.links import API

FILE_TYPES = ("csv", "xlsx", "parquet")
_LISTS = {
    "claims": "page-claims",
    "claim-lines": "page-claim-lines",
    "insured": "page-insured-list",
    "memberships": "page-memberships",
    "clients": "page-clients",
    "policies": "page-policies",
    "partners": "page-partners",
    "operators": "page-operators",
    "acts": "page-acts",
    "act-categories": "page-act-categories",
    "import-sessions": "page-imports",
    "files": "page-files",
}
_DETAILS = {"claims": "page-claim", "files": "page-file", "import-sessions": "page-import"}
# Addresses of the dashboard whose rows a part of the pages shows.
_PARTS = {
    "dashboard/rankings": "rankings",
    "dashboard/loss-ratio": "loss-ratio",
    "dashboard/watch-list": "watch-list",
    "dashboard/left-out/claims": "left-out-claims",
}
_DETAIL = re.compile(r"([a-z-]+)/([0-9]+)(/findings)?")


def page_of(url: str | None) -> str:
    """The page with the rows of a list of the API, with the same parameters; "" for None.

    Raises KeyError for a list that has no page.
    """
    if not url:
        return ""
    address, _mark, query = url.partition("?")
    name = address.removeprefix(f"{API}/").strip("/")
    if name in _PARTS:
        page = reverse("page-figures-part", args=[_PARTS[name]])
    elif detail := _DETAIL.fullmatch(name):
        kind, id_, findings = detail.groups()
        page = reverse("page-findings" if findings else _DETAILS[kind], args=[int(id_)])
    else:
        page = reverse(_LISTS[name])
    return f"{page}?{query}" if query else page


@dataclass(frozen=True)
class Place:
    """Where a reader is: the part of the figures, and the question in its address.

    `common`: country, period and scope; `own`: the parameters of the part. Neither has empty values.
    """

    part: str
    common: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, str] = field(default_factory=dict)

    def link(self, part: str = "", **changes: object) -> str:
        """The same question in another part, or with other values; "" removes a parameter.

        The parameters of the part itself stay in the part alone.
        """
        named = {**self.common, **(self.own if part in ("", self.part) else {}), **changes}
        part = part or self.part
        address = reverse("page-figures") if part == "overview" else reverse("page-figures-part", args=[part])
        query = urlencode({name: value for name, value in named.items() if value != ""})
        return f"{address}?{query}" if query else address

    def within(self, kind: str, id_: int) -> str:
        """The overview of one client, policy, provider …, in the same period."""
        rest = {name: value for name, value in self.common.items() if name in ("start", "end", "country")}
        return replace(self, common=rest).link("overview", **{kind: id_})

    def files(self, name: str, *, only: Sequence[str] = COMMON, **own: object) -> list[tuple[str, str]]:
        """(type, address) of the files of an address of the API that answers the same question."""
        named = {key: value for key, value in self.common.items() if key in only} | own
        return [(kind, f"{reverse(f'dashboard-{name}')}?{urlencode({**named, 'format': kind})}") for kind in FILE_TYPES]
