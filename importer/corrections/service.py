"""Correcting a session: a new session with the same files, which first stops in REVIEW (DOMAIN §13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from common.errors import Conflict, InvalidEntries
from common.keys import claim_number, clean_text, is_empty, shortened_key
from file_handling.models import Correction, CorrectionOrigin, File, ImportSession
from importer import lifecycle
from importer.corrections.entries import CellEntry, EntryProblem, RemoveEntry
from importer.corrections.lines import Line, LinePlace, SessionFiles, lines_at
from importer.corrections.values import COLUMNS, objection
from importer.transitions import CORRECT
from users import audit
from users.models import AuditAction, User


def prepare(
    session: ImportSession,
    *,
    cells: Sequence[CellEntry | None],
    removals: Sequence[RemoveEntry | None],
    problems: Sequence[EntryProblem] = (),
) -> Prepared:
    """Check the entries against the files, which takes seconds for large ones; nothing is stored yet.

    None stands for an entry that the caller has refused, with its reason among `problems`. Raises InvalidEntries with
    the problems of all entries, or where there are no entries; Conflict when the session does not allow corrections;
    UnreadableFile when its files can no longer be read; OSError when the disk is full.
    """
    files = _files(session)
    if not cells and not removals:
        raise InvalidEntries(
            sentence=_("There is nothing to correct: name at least one cell, or one row to leave out.")
        )
    checks = _Checks(session, files, cells, removals)
    found = [*problems, *checks.problems()]
    if found:
        raise InvalidEntries(found)
    return Prepared(session, files, checks.lines, checks.values())


def start(prepared: Prepared, *, user: User, origin: CorrectionOrigin) -> ImportSession:
    """Store the corrections and the session that has them, in one transaction.

    Raises Conflict when a file of the session was deleted meanwhile.
    """
    session, files = prepared.session, prepared.files
    with transaction.atomic():
        _lock(files)
        corrected = lifecycle.create_session(
            user=user,
            country=session.country,
            stat_file=files.stat,
            recap_file=files.recap[0],
            stat_sheet=session.stat_sheet,
            dry_run=True,
            on_conflict=session.on_conflict,
            currency=session.currency,
            language=(get_language() or session.language)[:2],
            corrects=session,
        )
        made = prepared.corrections(session=corrected, author=user, origin=origin)
        Correction.objects.bulk_create(made)
        newest = Correction.objects.filter(session=corrected).aggregate(newest=Max("pk"))["newest"]
        ImportSession.objects.filter(pk=corrected.pk).update(last_correction=newest)
        removed = sum(one.removes_row for one in made)
        audit.record(
            actor=user,
            action=AuditAction.CREATE,
            target=Correction(),
            country_id=session.country_id,
            data={
                "import_session": corrected.pk,
                "corrects": session.pk,
                "cells": len(made) - removed,
                "rows": removed,
            },
        )
    corrected.refresh_from_db()
    return corrected


@dataclass(frozen=True)
class Prepared:
    """Entries that fit the files. `lines`: the lines that they name. `values`: place and field → the corrected text.

    The field of a row to leave out is "".
    """

    session: ImportSession
    files: SessionFiles
    lines: dict[LinePlace, Line]
    values: dict[tuple[LinePlace, str], str]

    def corrections(self, *, session: ImportSession, author: User, origin: CorrectionOrigin) -> list[Correction]:
        """The corrections, unsaved. `session`: the one that they start."""
        by_id = self.files.by_id()
        made = []
        for (place, field), value in self.values.items():
            file, line = by_id[place[0]], self.lines[place]
            made.append(
                Correction(
                    country_id=session.country_id,
                    sha256=file.sha256,
                    file_name=file.name,
                    sheet=place[1],
                    row=place[2],
                    field=field,
                    was=(line[field] or "") if field else "",
                    value=value,
                    claim_number=number_of(line["claim_number"]),
                    origin=origin,
                    session=session,
                    author=author,
                    author_name=author.display_name(),
                )
            )
        return made


def withdraw(*, correction: Correction, actor: User) -> Correction:
    """End a correction: no later run applies it. What was imported with it stays. Raises Conflict the second time."""
    with transaction.atomic():
        changed = Correction.objects.filter(pk=correction.pk, withdrawn_at__isnull=True).update(
            withdrawn_at=Now(), withdrawn_by=actor
        )
        if not changed:
            raise Conflict(_("This correction is withdrawn already."))
        audit.record(actor=actor, action=AuditAction.UPDATE, target=correction, data={"withdrawn": True})
    correction.refresh_from_db()
    return correction


def _files(session: ImportSession) -> SessionFiles:
    """Raises Conflict when the session does not allow corrections."""
    refusal = CORRECT.objection(session)
    files = SessionFiles.of(session)
    if refusal is not None or files is None:
        raise Conflict(str(refusal))
    return files


def _lock(files: SessionFiles) -> None:
    """Keep the files until the session that needs them is stored. Raises Conflict when one was deleted."""
    ids = [file.pk for file in files.all()]
    locked = File.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    if len(locked) < len(ids):
        raise Conflict(str(CORRECT.conditions[0].refusal))


class _Checks:
    """The entries against the files as read."""

    def __init__(
        self,
        session: ImportSession,
        files: SessionFiles,
        cells: Sequence[CellEntry | None],
        removals: Sequence[RemoveEntry | None],
    ) -> None:
        self.files, self.by_id = files, files.by_id()
        self.cells = [(at, one) for at, one in enumerate(cells) if one is not None]
        self.removals = [(at, one) for at, one in enumerate(removals, start=len(cells)) if one is not None]
        named = {_place(one) for _at, one in self.cells} | {_place(one) for _at, one in self.removals}
        places = {place for place in named if place[0] in self.by_id}
        self.lines = lines_at(session=session, files=files, places=places) if places else {}
        self.removed_before = _removed_before(session, files)

    def problems(self) -> list[EntryProblem]:
        return [
            *(EntryProblem(at, reason) for at, one in self.cells for reason in self._of_cell(one)),
            *(EntryProblem(at, reason) for at, one in self.removals for reason in self._of_place(one)),
            *self._twice(),
        ]

    def values(self) -> dict[tuple[LinePlace, str], str]:
        """As `Prepared.values`."""
        values = {(_place(cell), cell.field): cell.value for _at, cell in self.cells}
        return values | {(_place(removal), ""): "" for _at, removal in self.removals}

    def _of_place(self, one: CellEntry | RemoveEntry) -> list[str]:
        file = self.by_id.get(one.file_id)
        if file is None:
            return [_("The session has no file with this id. Name its stat file, or a page of its recap.")]
        if _place(one) not in self.lines:
            if not one.sheet:
                return [_("“%(file)s” has no line in row %(row)d.") % {"file": file.name, "row": one.row}]
            return [
                _("“%(file)s” has no line in row %(row)d of the sheet “%(sheet)s”.")
                % {"file": file.name, "row": one.row, "sheet": one.sheet}
            ]
        return []

    def _of_cell(self, one: CellEntry) -> list[str]:
        reasons = self._of_place(one)
        file = self.by_id.get(one.file_id)
        if file is None:
            return reasons
        columns = COLUMNS[self.files.kind_of(file)]
        column = columns.get(one.field)
        if column is None:
            reasons.append(
                _("“%(file)s” has no field “%(field)s”. Choose from: %(fields)s.")
                % {"file": file.name, "field": one.field, "fields": ", ".join(columns)}
            )
        elif refusal := objection(column, one.value):
            reasons.append(refusal)
        line = self.lines.get(_place(one))
        if line is not None and column is not None and not _is_as_read(line, one):
            reasons.append(
                _("The file has another text in the field %(field)s of row %(row)d. Read the cell again.")
                % {"field": one.field, "row": one.row}
            )
        if (file.sha256, one.sheet, one.row) in self.removed_before:
            reasons.append(
                _("An earlier correction leaves row %(row)d out. Withdraw that correction first.") % {"row": one.row}
            )
        return reasons

    def _twice(self) -> list[EntryProblem]:
        """The cells with another value than in an earlier entry, and those of rows that are to be left out."""
        found = []
        removed = {_place(one): at for at, one in self.removals}
        first: dict[tuple[LinePlace, str], tuple[int, str]] = {}
        for at, one in self.cells:
            earlier, value = first.setdefault((_place(one), one.field), (at, one.value))
            if value != one.value:
                reason = _("The entry with the index %(index)d has another value for this cell.")
                found.append(EntryProblem(at, reason % {"index": earlier}))
            if _place(one) in removed:
                reason = _("The entry with the index %(index)d leaves this row out.")
                found.append(EntryProblem(at, reason % {"index": removed[_place(one)]}))
        return found


def number_of(text: str | None) -> str:
    """The claim number that a cell has, as the records have it; "" for none."""
    return "" if text is None or is_empty(text) else shortened_key(claim_number(text))


def _place(one: CellEntry | RemoveEntry) -> LinePlace:
    return one.file_id, one.sheet, one.row


def _is_as_read(line: Line, one: CellEntry) -> bool:
    # White space says nothing, and programs that show a cell change it.
    return one.was is None or clean_text(one.was) == clean_text(line[one.field] or "")


def _removed_before(session: ImportSession, files: SessionFiles) -> set[tuple[str, str, int]]:
    """Fingerprint, sheet and row of the rows that corrections leave out now."""
    removals = Correction.objects.filter(
        country_id=session.country_id,
        sha256__in={file.sha256 for file in files.all()},
        field="",
        withdrawn_at__isnull=True,
    )
    return set(removals.values_list("sha256", "sheet", "row"))
