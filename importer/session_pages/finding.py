"""One finding, opened: both sides' lines, the cells that are the reason, and what became of the claim."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from core.models import Claim
from file_handling.models import File, Finding, ImportSession
from file_handling.sessions.filters import FindingFilter
from importer.report.figures import category_name
from importer.session_pages.correct import places_of
from importer.session_pages.finding_names import advice, code_name
from importer.session_pages.lists import kept_filters
from importer.session_pages.sides import Place, compared, gap, side_tables
from importer.transitions import CORRECT
from users import audit
from users.access.pages import PageView, holds
from users.access.viewsets import MayImport, MayReadImports
from users.models import AuditAction

OTHERS_SHOWN = 10


class FindingPage(PageView):
    """`sequence`: the number of the finding in its session. The filters of the list lead to the next of that list."""

    permission = MayReadImports
    template_name = "importer/session/finding.html"

    def get(self, request: HttpRequest, pk: int, sequence: int) -> HttpResponse:
        session: ImportSession = self.row(ImportSession.objects.visible_to(self.user).select_related("country"), pk)
        findings: QuerySet[Finding] = Finding.objects.visible_to(self.user)
        finding = findings.filter(session=session, sequence=sequence).first()
        if finding is None:
            raise Http404
        audit.record(
            actor=self.user,
            action=AuditAction.READ,
            target=session,
            data={"part": "findings", "sequence": sequence, "rows": 1},
        )
        others = (
            findings.filter(session__country_id=session.country_id, claim_number=finding.claim_number)
            .exclude(pk=finding.pk)
            .select_related("session")
            .defer("lines", "locations")
            .order_by("-session_id", "sequence")
        )
        ids = {line["file_id"] for line in finding.lines if line.get("file_id")}
        tables = side_tables(
            finding.lines,
            category=finding.category,
            code=finding.code,
            currency=session.currency,
            file_ids=File.objects.visible_to(self.user).filter(pk__in=ids).values_list("pk", flat=True),
        )
        return self.page(
            session=session,
            finding=finding,
            category=category_name(finding.category),
            code=code_name(finding.code),
            advice=advice(finding.category),
            amounts=_amounts(finding),
            compared=compared(finding.lines, currency=session.currency),
            sides=[_with_addresses(table) for table in tables],
            others=others[:OTHERS_SHOWN] if finding.claim_number else [],
            claim=self._claim(session, finding),
            may_correct=holds(MayImport, request) and CORRECT.objection(session) is None and bool(places_of(finding)),
            list_query=kept_filters(request),
            neighbours=self._neighbours(session, findings, sequence),
        )

    def _claim(self, session: ImportSession, finding: Finding) -> Claim | None:
        """The claim of this number that the country has now."""
        if not finding.claim_number:
            return None
        claims: QuerySet[Claim] = Claim.objects.visible_to(self.user)
        return claims.filter(country_id=session.country_id, number=finding.claim_number).first()

    def _neighbours(self, session: ImportSession, findings: QuerySet[Finding], sequence: int) -> dict[str, str]:
        """The addresses of the previous and the next finding of the list from which this one was opened."""
        filters = FindingFilter(self.request.GET, findings.filter(session=session), request=self.request)
        rows = filters.qs if filters.form.is_valid() else findings.filter(session=session)
        query = kept_filters(self.request)

        def address(found: int | None) -> str:
            if found is None:
                return ""
            return reverse("page-finding", args=[session.pk, found]) + (f"?{query}" if query else "")

        numbers = rows.values_list("sequence", flat=True)
        return {
            "previous": address(numbers.filter(sequence__lt=sequence).order_by("-sequence").first()),
            "next": address(numbers.filter(sequence__gt=sequence).order_by("sequence").first()),
        }


def _amounts(finding: Finding) -> list[tuple[str, Any, Any, Any]]:
    """(kind, stat, recap, difference) of the claimed and the reimbursed amount."""
    return [
        (kind, stat, recap, gap(stat, recap))
        for kind, stat, recap in (
            ("claimed", finding.stat_claimed, finding.recap_claimed),
            ("reimbursed", finding.stat_reimbursed, finding.recap_reimbursed),
        )
    ]


def _with_addresses(table: Any) -> dict[str, Any]:
    return {
        "side": table.side,
        "title": table.title,
        "columns": table.columns,
        "totals": table.totals,
        "rows": [(place, _preview(place), cells) for place, cells in table.rows],
    }


def _preview(place: Place) -> str:
    """The address at which the file shows the row; "" for a file that cannot be opened."""
    if place.file_id is None:
        return ""
    query = {name: value for name, value in (("sheet", place.sheet), ("row", place.row)) if value}
    return f"{reverse('page-file-preview', args=[place.file_id])}?{urlencode(query)}#marked"
