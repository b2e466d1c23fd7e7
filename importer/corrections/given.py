"""The rows that can be corrected: every stat line and recap row of a session's findings, as its files have them.

A finding stores a line as it was understood. The texts of its cells are read from the files again, and the corrections
of these files are put in.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from common.errors import Conflict
from file_handling.models import Correction, Finding, FindingCode, ImportSession
from file_handling.wording import observation
from importer.corrections.lines import Line, LinePlace, SessionFiles, lines_at
from importer.session_pages.sides import Line as FindingLine
from importer.session_pages.sides import marks_of
from importer.transitions import CORRECT
from reading.columns import KINDS, FileKind

# The field of a stored line → that of the file, where they differ. A recap has a payment reference in two columns.
_FIELD_OF = {"claimed_cents": "claimed_amount", "reimbursed_cents": "reimbursed_amount"}
_RECAP_FIELD_OF = _FIELD_OF | {"payment_reference": "cheque_number"}
_FINDING_FIELDS = ("category", "code", "claim_number", "details", "lines")


@dataclass(frozen=True)
class Moment:
    """The state of the corrections of a country: `last` is the newest one, `at` decides which were withdrawn."""

    last: int
    at: datetime

    @classmethod
    def now(cls, session: ImportSession) -> Moment:
        newest = Correction.objects.filter(country_id=session.country_id).aggregate(newest=Max("pk"))["newest"]
        return cls(newest or 0, timezone.now())


@dataclass
class GivenRow:
    """A row with the reasons of its findings. `marked`: the fields that are one.

    `read`: field → text as read. `corrected`: field → its corrected text.
    """

    file_id: int
    file: str
    sheet: str
    row: int
    claim_number: str
    reasons: list[str] = field(default_factory=list)
    marked: set[str] = field(default_factory=set)
    read: Line = field(default_factory=dict)
    corrected: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> LinePlace:
        return self.file_id, self.sheet, self.row

    def text(self, name: str) -> str:
        """The text of a field, corrected where it was; "" for an empty cell."""
        return self.corrected[name] if name in self.corrected else self.read.get(name) or ""


GivenRows = dict[FileKind, list[GivenRow]]


def given_rows(session: ImportSession, moment: Moment, *, with_reasons: bool = True) -> GivenRows:
    """The rows of each side in the order of the findings; a side may have none. The reasons are in the active language.

    Rows that a correction leaves out are none of them. `with_reasons`: False leaves reasons and marks out.

    Raises Conflict when the session has nothing to correct or does not allow it, UnreadableFile when its files can no
    longer be read, OSError when the disk is full.
    """
    files = SessionFiles.of(session)
    refusal = CORRECT.objection(session)
    if files is None or refusal is not None:
        raise Conflict(str(refusal))
    found = list(Finding.objects.filter(session=session).order_by("sequence").values_list(*_FINDING_FIELDS))
    places = {_place(line) for *_facts, lines in found for line in lines}
    _require_some(len(places))
    rows = _rows(found, with_reasons=with_reasons)
    read = lines_at(session=session, files=files, places=places)
    corrected = corrected_cells(session, files, moment)
    for kind in KINDS:
        for place in [place for place in rows[kind] if "" in corrected.get(place, ())]:
            del rows[kind][place]
        for place, row in rows[kind].items():
            row.read, row.corrected = read.get(place, {}), corrected.get(place, {})
    _require_some(sum(map(len, rows.values())))
    return {kind: list(rows[kind].values()) for kind in KINDS}


def corrected_cells(session: ImportSession, files: SessionFiles, moment: Moment) -> dict[LinePlace, dict[str, str]]:
    """Place → field → corrected text, by the corrections of the files at that moment; the field "" leaves a row out."""
    ids: dict[str, list[int]] = defaultdict(list)
    for file in files.all():
        ids[file.sha256].append(file.pk)
    corrections = Correction.objects.filter(
        Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gt=moment.at),
        country_id=session.country_id,
        sha256__in=list(ids),
        pk__lte=moment.last,
    )
    cells: dict[LinePlace, dict[str, str]] = defaultdict(dict)
    for sha256, sheet, row, name, value in corrections.order_by("pk").values_list(
        "sha256", "sheet", "row", "field", "value"
    ):
        for file_id in ids[sha256]:
            cells[file_id, sheet, row][name] = value
    return cells


def has_rows(session: ImportSession) -> bool:
    """Whether the session allows corrections and has a finding with a row."""
    return CORRECT.objection(session) is None and Finding.objects.filter(session=session).exclude(lines=[]).exists()


def _require_some(count: int) -> None:
    if not count:
        raise Conflict(_("There is nothing to correct: this import has no finding about a row of its files."))
    limit: int = settings.CONCORD["EXPORT_MAX_ROWS"]
    if count > limit:
        raise Conflict(
            _(
                "The findings have %(rows)d rows; at most %(most)d go into one workbook. Correct what most of them have"
                " in common in the claims system, export the files again and import them."
            )
            % {"rows": count, "most": limit}
        )


def _rows(found: Iterable[Sequence[Any]], *, with_reasons: bool) -> dict[FileKind, dict[LinePlace, GivenRow]]:
    rows: dict[FileKind, dict[LinePlace, GivenRow]] = {kind: {} for kind in KINDS}
    sentences: dict[tuple[str, str, str], str] = {}
    for category, code, claim_number, details, lines in found:
        for kind in KINDS:
            own = [line for line in lines if line["side"] == kind]
            for line in own:
                place = _place(line)
                if place not in rows[kind]:
                    number = claim_number or line["claim_number"] or ""
                    rows[kind][place] = GivenRow(place[0], line["file"], place[1], place[2], number)
            if own and with_reasons:
                key = (category, code, json.dumps(details))
                if key not in sentences:
                    # Many findings share theirs, such as all that are settled on one day outside the period.
                    sentences[key] = observation(category, code, details)
                _add_reason(rows[kind], own, kind, category, code, details, sentences[key])
    return rows


def _add_reason(
    rows: dict[LinePlace, GivenRow],
    lines: Sequence[FindingLine],
    kind: FileKind,
    category: str,
    code: str,
    details: dict[str, Any],
    sentence: str,
) -> None:
    """Add the reason of a finding to the rows of its lines, and mark the cells that are the reason."""
    names = _RECAP_FIELD_OF if kind == "recap" else _FIELD_OF
    lost = details["lost_references"].split() if code == FindingCode.LOST_DIGITS else ()
    for line in lines:
        row = rows[_place(line)]
        if sentence not in row.reasons:
            row.reasons.append(sentence)
        row.marked |= {part.partition("=")[0] for part in lost if "=" in part}
    for at, name in marks_of(lines, side=kind, category=category, code=code):
        rows[_place(lines[at])].marked.add(names.get(name, name))


def _place(line: FindingLine) -> LinePlace:
    return line["file_id"], line["sheet"] or "", line["row"]
