"""The rows that can be corrected: every stat line and recap row of a session's findings, as its files have them.

A finding stores a line as it was understood. The texts of its cells are read from the files again.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from common.errors import Conflict
from file_handling.files.storage import on_local_disk
from file_handling.models import File, Finding, FindingCode, ImportSession
from file_handling.reading_limits import reading_limits
from file_handling.wording import observation
from importer.session_pages.sides import Line, marks_of
from reading.columns import KINDS, FileKind
from reading.problems import Problem, UnreadableFile
from reading.process import ReaderKilled, ReadJob, start_lines
from reading.sources import Source

Texts = dict[str, str | None]
# File id, sheet ("" for CSV) and row.
Place = tuple[int, str, int]
# The field of a stored line → that of the file, where they differ. A recap has a payment reference in two columns.
_FIELD_OF = {"claimed_cents": "claimed_amount", "reimbursed_cents": "reimbursed_amount"}
_RECAP_FIELD_OF = _FIELD_OF | {"payment_reference": "cheque_number"}
_FINDING_FIELDS = ("category", "code", "claim_number", "details", "lines")


@dataclass
class GivenRow:
    """A row with the reasons of its findings. `marked`: the fields that are one. `texts`: field → text as read."""

    file_id: int
    file: str
    sheet: str
    row: int
    claim_number: str
    reasons: list[str] = field(default_factory=list)
    marked: set[str] = field(default_factory=set)
    texts: Texts = field(default_factory=dict)

    @property
    def place(self) -> Place:
        return self.file_id, self.sheet, self.row


GivenRows = dict[FileKind, list[GivenRow]]


def given_rows(session: ImportSession, *, with_reasons: bool = True) -> GivenRows:
    """The rows of each side in the order of the findings; a side may have none. The reasons are in the active language.

    `with_reasons`: False leaves them and the marks out.

    Raises Conflict when the session has nothing to correct or its files were deleted, UnreadableFile when the files
    can no longer be read, OSError when the disk is full.
    """
    found = list(Finding.objects.filter(session=session).order_by("sequence").values_list(*_FINDING_FIELDS))
    places = _places(session, [lines for *_rest, lines in found])
    files = _files(session)
    with ExitStack() as reading:
        jobs = {
            kind: reading.enter_context(_reading(session, kind, files[kind], list(places[kind])))
            for kind in KINDS
            if places[kind]
        }
        # While the files are read.
        rows = _rows(found, with_reasons=with_reasons)
        for kind, job in jobs.items():
            _fill(rows[kind], job, files[kind])
    return {kind: list(rows[kind].values()) for kind in KINDS}


def has_rows(session: ImportSession) -> bool:
    """Whether the session has a finding with a row, and its files."""
    has_files = session.stat_file_id is not None and session.recap_file_id is not None
    return has_files and Finding.objects.filter(session=session).exclude(lines=[]).exists()


def _places(session: ImportSession, lines: Sequence[list[dict[str, Any]]]) -> dict[FileKind, dict[Place, None]]:
    places: dict[FileKind, dict[Place, None]] = {kind: {} for kind in KINDS}
    for line in (line for one in lines for line in one):
        places[line["side"]][_place(line)] = None
    if not any(places.values()):
        raise Conflict(_("There is nothing to correct: this import has no finding about a row of its files."))
    count = sum(map(len, places.values()))
    limit: int = settings.CONCORD["EXPORT_MAX_ROWS"]
    if count > limit:
        raise Conflict(
            _(
                "The findings have %(rows)d rows; at most %(most)d go into one workbook. Correct what most of them have"
                " in common in the claims system, export the files again and import them."
            )
            % {"rows": count, "most": limit}
        )
    return places


def _files(session: ImportSession) -> dict[FileKind, list[File]]:
    if session.stat_file is None or session.recap_file is None:
        raise Conflict(_("The files of this import were deleted, so their rows cannot be corrected. Upload them again."))
    return {"stat": [session.stat_file], "recap": session.recap_file.all_pages()}


def _rows(found: Sequence[tuple[Any, ...]], *, with_reasons: bool) -> dict[FileKind, dict[Place, GivenRow]]:
    rows: dict[FileKind, dict[Place, GivenRow]] = {kind: {} for kind in KINDS}
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
    rows: dict[Place, GivenRow],
    lines: Sequence[Line],
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


def _place(line: Line) -> Place:
    return line["file_id"], line["sheet"] or "", line["row"]


@contextmanager
def _reading(
    session: ImportSession, kind: FileKind, files: Sequence[File], places: Sequence[Place]
) -> Iterator[ReadJob]:
    """The process that reads the lines of one side."""
    index = {file.pk: at for at, file in enumerate(files)}
    sheet = (session.stat_sheet if kind == "stat" else "") or None
    with ExitStack() as stack:
        sources = [Source(str(_local_path(stack, file)), file.name, sheet) for file in files]
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lines-", dir=settings.UPLOAD_DIR))
        yield stack.enter_context(
            start_lines(
                kind=kind,
                files=sources,
                places=[(index[file], sheet, row) for file, sheet, row in places if file in index],
                out_dir=Path(folder),
                limits=reading_limits(),
            )
        )


def _local_path(stack: ExitStack, file: File) -> Path:
    try:
        return stack.enter_context(on_local_disk(storage=file.file.storage, name=file.file.name or ""))
    except FileNotFoundError as missing:
        raise UnreadableFile([Problem("not_stored", file=file.name)]) from missing


def _fill(rows: dict[Place, GivenRow], job: ReadJob, files: Sequence[File]) -> None:
    try:
        read = job.wait()
    except ReaderKilled as killed:
        raise UnreadableFile([Problem("reader_interrupted", file=files[0].name)]) from killed
    if read.problems:
        raise UnreadableFile(read.problems)
    for (file, sheet, row), texts in read.lines.items():
        rows[files[file].pk, sheet, row].texts = texts
