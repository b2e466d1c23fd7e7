"""The page of a claim: its facts, its lines with the rows that they came from, and its earlier versions."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse

from core import revisions
from core.models import Claim, ClaimLine, ClaimRevision, Membership
from core.pages.origins import Origins
from users import audit
from users.access.pages import PageView
from users.models import AuditAction

VERSIONS_SHOWN = 20
_LINE_RELATED = ("act", "category", "operator", "invoice", "payment", "file")


class ClaimPage(PageView):
    template_name = "core/claim.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        claim = self.row(self._claims(), pk)
        lines = list(claim.lines.all())
        earlier = list(
            ClaimRevision.objects.visible_to(self.user).filter(claim=claim).order_by("-id")[: VERSIONS_SHOWN + 1]
        )
        origins = Origins(
            self.user,
            files=[claim.file_id, claim.recap_file_id, *(line.file_id for line in lines)],
            sessions=[claim.import_session_id, *(one.replaced_by_session_id for one in earlier)],
        )
        audit.record(actor=self.user, action=AuditAction.READ, target=claim)
        versions = revisions.compared(revisions.as_revision(claim, lines), earlier[:VERSIONS_SHOWN])
        return self.page(
            claim=claim,
            membership=claim.membership,
            lines=[(line, origins.place(line.file, line.sheet, line.row)) for line in lines],
            recap=origins.place(claim.recap_file, claim.recap_sheet, claim.recap_row),
            origin=origins.place(claim.file),
            session=origins.session(claim.import_session_id),
            versions=[(one, origins.session(one.revision.replaced_by_session_id)) for one in versions],
            has_more_versions=len(earlier) > VERSIONS_SHOWN,
        )

    def _claims(self) -> Any:
        lines = ClaimLine.objects.with_corrected().select_related(*_LINE_RELATED).order_by("position")
        # In a query of its own: to plan a statement with thirteen tables takes longer than to run two smaller ones.
        memberships = Membership.objects.select_related("principal", "plan")
        return (
            Claim.objects.visible_to(self.user)
            .with_corrected_recap()
            .select_related("country", "insured", "policy", "client", "partner", "file", "recap_file")
            .prefetch_related(Prefetch("membership", queryset=memberships), Prefetch("lines", queryset=lines))
        )
