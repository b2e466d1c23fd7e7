"""The page of the search over all records."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from common.keys import reference_key
from core.models import Claim
from core.search import SHORTEST, search
from users import audit
from users.access.pages import PageView
from users.models import AuditAction

LONGEST = 255


class SearchPage(PageView):
    template_name = "core/search.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        # A longer text is longer than any name or number that is stored.
        text = request.GET.get("q", "").strip()[:LONGEST]
        groups = search(text, request=request, user=self.user)
        is_long_enough = len(reference_key(text)) >= SHORTEST
        if is_long_enough:
            # The kinds and numbers of results, never the text: it may be a person's name.
            counts = {group.kind: len(group.results) for group in groups}
            audit.record(
                actor=self.user,
                action=AuditAction.READ,
                target=Claim(),
                country_id=self.user.country_id,
                data={"part": "search", "rows": sum(counts.values()), **counts},
            )
        return self.page(
            search_text=text, groups=groups, is_too_short=bool(text) and not is_long_enough, is_searched=is_long_enough
        )
