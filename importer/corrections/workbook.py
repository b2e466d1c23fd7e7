"""The correction workbook of a session: its layout, and making it (DOMAIN §13).

`importer.corrections.returned` reads one that comes back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import BinaryIO

from django.utils.translation import gettext as _

from common.form_workbook import FormColumn, FormSheet, Guide, write_form
from common.workbook import sheet_title
from file_handling.models import ImportSession
from importer.corrections.given import GivenRow, Moment, given_rows
from reading.columns import KINDS, Column, FileKind, columns_of

# What begins the hidden mark of a list; the session and the side follow.
MARK = "concord-corrections"
# The columns before the cells to correct, by the names that row 1 has. The mark of the list stands for the first.
KEY, FILE, SHEET, ROW, CLAIM, REASON, ACTION = "key", "file", "sheet", "row", "claim", "reason", "action"
_FROZEN_COLUMNS = 5
# The word that leaves a row out, in the language of the workbook. Both are understood in any.
REMOVE_WORDS = ("remove", "retirer")
# The fields with a closed vocabulary (DOMAIN §2), and how an export writes it.
CLOSED: dict[str, tuple[str, ...]] = {"insured_status": ("A", "C", "E"), "claim_status": ("Réglée", "Annulée")}
_WIDTHS = {"amount": 16.0, "date": 14.0, "status": 10.0, "claim": 24.0, "name": 28.0, "label": 28.0}


def write_workbook(session: ImportSession, target: BinaryIO) -> int:
    """Write the workbook in the active language into the open file `target`; → its number of rows.

    Raises as `given_rows`.
    """
    moment = Moment.now(session)
    rows = given_rows(session, moment)
    taken: set[str] = set()
    guide = _guide(session, sheet_title(_("How to correct"), taken=taken))
    sheets = [
        _sheet(Mark(session.pk, kind, moment), rows[kind], sheet_title(list_title(kind), taken=taken))
        for kind in KINDS
        if rows[kind]
    ]
    write_form(target, guide=guide, sheets=sheets)
    return sum(map(len, rows.values()))


def list_title(kind: FileKind) -> str:
    return _("Stat lines") if kind == "stat" else _("Recap rows")


@dataclass(frozen=True)
class Mark:
    """What the hidden first cell of a list says: its session, its side, and when it was made."""

    session_id: int
    kind: FileKind
    moment: Moment

    def __str__(self) -> str:
        return f"{MARK}/{self.session_id}/{self.kind}/{self.moment.last}/{self.moment.at.isoformat()}"

    @classmethod
    def of(cls, text: str) -> Mark | None:
        """The mark with this text; None for any other text."""
        match text.split("/"):
            case [word, session, "stat" | "recap" as kind, last, at] if word == MARK:
                try:
                    mark = cls(int(session), kind, Moment(int(last), datetime.fromisoformat(at)))
                except ValueError:
                    return None
                return mark if str(mark) == text and mark.moment.at.tzinfo is not None else None
        return None


def row_key(row: GivenRow) -> str:
    """The place of a row, by which a returned one is known, also when its locked cells were changed."""
    return f"{row.file_id}/{row.row}/{_digest(row.sheet)}"


@lru_cache(maxsize=64)
def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def shown_columns(kind: FileKind, rows: Sequence[GivenRow]) -> list[Column]:
    """The columns to correct: those that an export must have, and others that have a text."""
    filled = {name for row in rows for name, text in row.read.items() if text is not None}
    filled |= {name for row in rows for name in row.corrected}
    return [column for column in columns_of(kind) if column.column_required or column.field in filled]


def _sheet(mark: Mark, rows: Sequence[GivenRow], title: str) -> FormSheet:
    fields = shown_columns(mark.kind, rows)
    columns = [
        FormColumn(name=KEY, header=_("Key"), width=10, is_hidden=True),
        FormColumn(name=FILE, header=_("File"), width=20),
        FormColumn(name=SHEET, header=_("Sheet"), width=10),
        FormColumn(name=ROW, header=_("Row"), width=8, is_number=True),
        FormColumn(name=CLAIM, header=_("Claim"), width=22),
        FormColumn(name=REASON, header=_("Reason"), width=60, wraps=True),
        FormColumn(name=ACTION, header=_("Action"), width=11, is_open=True, choices=[remove_word()]),
        *(
            FormColumn(
                name=column.field,
                # As the files have them: the people who correct know these names, in every language.
                header=column.header,
                width=_WIDTHS.get(column.kind, 20.0),
                is_open=True,
                choices=CLOSED.get(column.field, ()),
            )
            for column in fields
        ),
    ]
    at = {column.field: position for position, column in enumerate(fields, start=len(columns) - len(fields))}
    return FormSheet(
        title=title,
        mark=str(mark),
        columns=columns,
        rows=[
            (
                [
                    row_key(row), row.file, row.sheet, row.row, row.claim_number, "\n".join(row.reasons), None,
                    *[row.text(column.field) for column in fields],
                ],
                {at[name] for name in row.marked if name in at},
            )
            for row in rows
        ],
        frozen_columns=_FROZEN_COLUMNS,
        wrong_choice=_("Choose one of the values in the list."),
    )  # fmt: skip


def remove_word() -> str:
    """The word in the column *Action* that leaves a row out, in the active language."""
    return _("remove")


def _guide(session: ImportSession, title: str) -> Guide:
    steps = [
        _("1. Each row of the next sheets is a row of your files that has a finding. The column “Reason” explains it."),
        _("2. Correct the cells in place. The coloured cells are the reason, but you can correct any white cell too."),
        _("3. To leave a whole row out, choose “%(word)s” in its column “Action”.") % {"word": remove_word()},
        _(
            "4. Write amounts and dates as in your files. The grey columns are locked: they say where the row is. Leave"
            " rows that need no correction as they are."
        ),
        _(
            "5. Save the workbook as .xlsx and send it back on the page of import %(number)d. A new import reads the"
            " same files with your corrections and shows what changes. Nothing is written before you confirm it."
        )
        % {"number": session.pk},
        _("Your files are never changed. This workbook belongs to import %(number)d and to no other.")
        % {"number": session.pk},
    ]
    return Guide(
        title=title,
        heading=_("Corrections of import %(number)d") % {"number": session.pk},
        paragraphs=steps,
        legend=_("A cell of this colour is the reason of the finding."),
    )
