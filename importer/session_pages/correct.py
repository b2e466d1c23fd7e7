"""The form that corrects the cells of a finding: the lines of both sides as the files have them (DOMAIN §13).

Only what the user changes is sent on, as the same entries that the API takes.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException

from common.errors import InvalidEntries, ServiceError
from common.formats import format_day
from common.keys import clean_text
from file_handling.models import Correction, CorrectionOrigin, Finding, ImportSession
from file_handling.problem_texts import sentence
from importer.corrections.entries import CellEntry, Entries, RemoveEntry
from importer.corrections.lines import LinePlace, SessionFiles, lines_at
from importer.corrections.requests import correct_once
from importer.corrections.values import COLUMNS
from importer.form_upload import KEY_FIELD
from importer.idempotency import read_key
from importer.session_pages.sides import DATES, ISO_DAY
from importer.transitions import CORRECT
from reading.problems import UnreadableFile
from users import audit
from users.access.pages import PageView
from users.access.viewsets import MayImport
from users.models import AuditAction

# A form has at most 1,000 fields, and a line has two for each column.
MOST_LINES = 20


@dataclass(frozen=True)
class CellInput:
    """`now`: the text in force, `was`: that of the file. `typed`: what the input shows."""

    name: str
    label: str
    now: str
    was: str
    typed: str


@dataclass(frozen=True)
class LineInputs:
    """`remove`: the name of the input that leaves the row out."""

    file: str
    sheet: str
    row: int
    remove: str
    is_removed: bool
    cells: list[CellInput]


class CorrectFindingPage(PageView):
    """GET shows the cells; POST starts a session with what was changed, and leads to it."""

    permission = MayImport
    template_name = "importer/session/correct.html"

    def get(self, request: HttpRequest, pk: int, sequence: int) -> HttpResponse:
        session, finding = self._finding(pk, sequence)
        objection = CORRECT.objection(session)
        if objection is not None:
            messages.error(request, str(objection))
            return redirect("page-finding", pk, sequence)
        return self._form(session, finding)

    def post(self, request: HttpRequest, pk: int, sequence: int) -> HttpResponse:
        session, finding = self._finding(pk, sequence)
        entries = _changed(request, places_of(finding))
        try:
            corrected, _repeated = correct_once(
                session=session,
                entries=entries,
                user=self.user,
                origin=CorrectionOrigin.CELLS,
                key=read_key(request.POST.get(KEY_FIELD) or None),
                content={"form": [repr(one) for one in [*entries.cells, *entries.removals]]},
            )
        except InvalidEntries as refused:
            if not refused.problems:
                return self._form(session, finding, errors=[str(refused)])
            return self._form(session, finding, errors=_named(refused, entries))
        except UnreadableFile as unreadable:
            return self._form(session, finding, errors=[sentence(one) for one in unreadable.problems])
        except (ServiceError, APIException) as refused:
            messages.error(request, str(refused))
            return redirect("page-finding", pk, sequence)
        messages.success(request, _("The files are read again with your corrections. Nothing is written yet."))
        return redirect("page-import", corrected.pk)

    def _finding(self, pk: int, sequence: int) -> tuple[ImportSession, Finding]:
        session: ImportSession = self.row(
            ImportSession.objects.visible_to(self.user).select_related("country", "stat_file", "recap_file"), pk
        )
        finding = Finding.objects.visible_to(self.user).filter(session=session, sequence=sequence).first()
        if finding is None:
            raise Http404
        return session, finding

    def _form(self, session: ImportSession, finding: Finding, *, errors: list[str] | None = None) -> HttpResponse:
        errors = list(errors or [])
        lines: list[LineInputs] = []
        try:
            lines = self._lines(session, finding)
        except UnreadableFile as unreadable:
            errors += [sentence(one) for one in unreadable.problems if sentence(one) not in errors]
        audit.record(
            actor=self.user,
            action=AuditAction.READ,
            target=session,
            data={"part": "findings", "sequence": finding.sequence, "rows": len(lines)},
        )
        return self.page(
            status=400 if errors else 200,
            session=session,
            finding=finding,
            lines=lines,
            more=max(0, len(finding.locations) - MOST_LINES),
            errors=errors,
            key=self.request.POST.get(KEY_FIELD) or uuid.uuid4().hex,
        )

    def _lines(self, session: ImportSession, finding: Finding) -> list[LineInputs]:
        files, places, days = SessionFiles.of(session), places_of(finding), _days_of(finding)
        if files is None or not places:
            return []
        by_id = files.by_id()
        read = lines_at(session=session, files=files, places=[place for place in places if place[0] in by_id])
        in_force = {
            (one.sha256, one.sheet, one.row, one.field): one.value
            for one in Correction.objects.visible_to(self.user)
            .filter(sha256__in={file.sha256 for file in files.all()}, withdrawn_at__isnull=True)
            .filter(country_id=session.country_id, row__in={row for _file, _sheet, row in places})
            .order_by("pk")
        }
        found = []
        for at, (file_id, sheet, row) in enumerate(places):
            line = read.get((file_id, sheet, row))
            if line is None:
                continue
            file = by_id[file_id]
            cells = []
            for column in COLUMNS[files.kind_of(file)].values():
                name, was = f"cell-{at}-{column.field}", clean_text(line[column.field] or "")
                was = days.get((file_id, sheet, row, column.field), was) if was.isdecimal() else was
                now = in_force.get((file.sha256, sheet, row, column.field), was)
                cells.append(CellInput(name, column.header, now, was, self.request.POST.get(name, now)))
            remove = f"remove-{at}"
            found.append(LineInputs(file.name, sheet, row, remove, remove in self.request.POST, cells))
        return found


def places_of(finding: Finding) -> list[LinePlace]:
    """File, sheet and row of the first lines of a finding; none of files that were deleted before it was stored."""
    return [
        (one["file_id"], one.get("sheet") or "", one["row"])
        for one in finding.locations[:MOST_LINES]
        if one.get("file_id") and one.get("row")
    ]


def _days_of(finding: Finding) -> dict[tuple[int, str, int, str], str]:
    """Place and field → the day that was read there. A workbook may have it as a number, which nobody can read."""
    return {
        (line["file_id"], line["sheet"] or "", line["row"], field): format_day(date.fromisoformat(line[field]))
        for line in finding.lines
        for field in DATES
        if ISO_DAY.fullmatch(line.get(field) or "")
    }


def _changed(request: HttpRequest, places: list[LinePlace]) -> Entries:
    """The cells whose input was changed, and the rows that are to be left out."""
    entries = Entries()
    for at, place in enumerate(places):
        if f"remove-{at}" in request.POST:
            entries.removals.append(RemoveEntry(*place))
            continue
        prefix = f"cell-{at}-"
        for name in request.POST:
            if name.startswith(prefix):
                value = request.POST[name].replace("\0", "")
                if value != request.POST.get(f"now-{name}", ""):
                    entries.cells.append(CellEntry(*place, field=name.removeprefix(prefix), value=value))
    return entries


def _named(refused: InvalidEntries, entries: Entries) -> list[str]:
    """The problems, each with the row and field that it is about."""
    about: list[Any] = [*entries.cells, *entries.removals]
    texts = []
    for problem in refused.problems:
        entry = about[problem.index]
        field = getattr(entry, "field", "")
        where = _("Row %(row)d, %(field)s") if field else _("Row %(row)d")
        texts.append(
            _("%(field)s: %(reason)s")
            % {"field": where % {"row": entry.row, "field": field}, "reason": problem.message}
        )
    return texts
