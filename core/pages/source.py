"""The page of a row of a file: the records and findings that came from it."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from common.parsing import positive_int
from core.models import Claim, ClaimLine
from core.pages.origins import Origins
from file_handling.models import File, Finding, ImportSession
from users import audit
from users.access.pages import PageView
from users.access.viewsets import MayReadImports
from users.models import AuditAction

# More than one row of a file can lead to.
MOST = 200
LARGEST_ROW = 2**31 - 1


class SourcePage(PageView):
    """`?file=3&sheet=Feuil1&row=12`. Without a sheet, the rows with this number of all sheets."""

    permission = MayReadImports
    template_name = "core/source.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        typed = {name: request.GET.get(name, "").strip() for name in ("file", "sheet", "row")}
        file_id, row = positive_int(typed["file"]), positive_int(typed["row"])
        errors: dict[str, list[str]] = {}
        if typed["row"] and (row is None or row > LARGEST_ROW):
            errors[_("Row")] = [_("Give the number of the row as the spreadsheet shows it: a whole number from 1 on.")]
        if typed["file"] and file_id is None:
            errors[_("File")] = [_("Choose one of the files.")]
        context: dict[str, Any] = {"typed": typed, "errors": errors, "file": None}
        if file_id is not None and not errors:
            context["file"] = self.row(File.objects.visible_to(self.user), file_id)
        if errors or file_id is None or row is None:
            # The latest files, to choose from.
            context["files"] = File.objects.visible_to(self.user).order_by("-id")[:50]
            return self.page(status=400 if errors else 200, **context)
        return self.page(**context, **self._found(context["file"], typed["sheet"], row))

    def _found(self, file: File, sheet: str, row: int) -> dict[str, Any]:
        at = {"row": row} | ({"sheet": sheet} if sheet else {})
        lines = list(
            ClaimLine.objects.visible_to(self.user)
            .filter(file=file, **at)
            .select_related("claim", "act", "category")
            .order_by("id")[:MOST]
        )
        recap = {f"recap_{name}": value for name, value in at.items()}
        claims = list(
            Claim.objects.visible_to(self.user)
            .filter(recap_file=file, **recap)
            .select_related("insured", "partner")
            .order_by("id")[:MOST]
        )
        findings = self._findings(file, sheet, row)
        audit.record(
            actor=self.user,
            action=AuditAction.READ,
            target=file,
            data={"part": "row", "claims": len(claims), "claim_lines": len(lines), "findings": len(findings)},
        )
        place = Origins(self.user, files=[file.pk]).place(file, sheet, row)
        return {"place": place, "lines": lines, "claims": claims, "findings": findings, "is_found": True}

    def _findings(self, file: File, sheet: str, row: int) -> list[Finding]:
        """The findings that name the row. Their places are JSON, which only one of our databases can search by parts:
        so it is searched as text, and what was found is compared part by part.
        """
        first = file.first_page_id or file.pk
        sessions: QuerySet[ImportSession] = ImportSession.objects.visible_to(self.user).filter(
            Q(stat_file=first) | Q(recap_file=first)
        )
        candidates = (
            Finding.objects.visible_to(self.user)
            .filter(session__in=sessions.values("pk"))
            .annotate(places=Cast("locations", TextField()))
            # The text is as it was written on SQLite, and with a space on PostgreSQL.
            .filter(Q(places__contains=f'"row": {row}') | Q(places__contains=f'"row":{row}'))
            .defer("lines")
            .order_by("-session_id", "sequence")
        )
        return [
            finding
            for finding in candidates[: MOST * 10]
            if any(
                place.get("file_id") == file.pk
                and place.get("row") == row
                and (not sheet or place.get("sheet") == sheet)
                for place in finding.locations
            )
        ][:MOST]
