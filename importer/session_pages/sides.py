"""Both sides of a finding: the lines as the files have them, and the cells that are the reason (pure).

A line is a row of `Finding.lines`, whose fields are those of `importer.report.findings.LINE_SCHEMA`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.formats import format_amount, format_day
from common.keys import has_lost_digits, label_key, name_key, reference_key
from common.money import to_decimal
from file_handling.models import FindingCategory as C

Line = Mapping[str, Any]
AMOUNTS = ("claimed_cents", "reimbursed_cents")
DATES = ("incident_date", "settlement_date")
FIELDS: dict[str, str | Promise] = {
    "claim_number": gettext_lazy("Claim"),
    "settlement_date": gettext_lazy("Settlement date"),
    "incident_date": gettext_lazy("Incident date"),
    "claimed_cents": gettext_lazy("Claimed"),
    "reimbursed_cents": gettext_lazy("Reimbursed"),
    "beneficiary": gettext_lazy("Beneficiary"),
    "card_number": gettext_lazy("Card number"),
    "insured_status": gettext_lazy("Insured status"),
    "main_insured": gettext_lazy("Main insured"),
    "employer": gettext_lazy("Employer"),
    "policy_number": gettext_lazy("Policy"),
    "plan": gettext_lazy("Plan"),
    "partner": gettext_lazy("Provider"),
    "claim_status": gettext_lazy("Claim status"),
    "act_category": gettext_lazy("Act category"),
    "act": gettext_lazy("Act"),
    "payment_reference": gettext_lazy("Payment reference"),
    "invoice_number": gettext_lazy("Invoice"),
    "note": gettext_lazy("Note"),
    "operator": gettext_lazy("Operator"),
}
# The codes of a finding → the field of a line, where they differ.
_FIELD_OF = {"policy": "policy_number", "claimed": "claimed_cents", "reimbursed": "reimbursed_cents"}
_KEYS: dict[str, Callable[[str], str]] = {
    "beneficiary": name_key,
    "main_insured": name_key,
    "employer": label_key,
    "partner": label_key,
    "policy_number": reference_key,
    "invoice_number": reference_key,
}
# What both sides have, in the order of the comparison.
COMPARED = ("settlement_date", "beneficiary", "main_insured", "employer", "policy_number", "invoice_number")
ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

# Why a cell is the reason of a finding.
_UNREADABLE = gettext_lazy("cannot be read")
_MISSING = gettext_lazy("is missing")
_DIFFERS = gettext_lazy("differs")
_OUTSIDE = gettext_lazy("outside the period")

Marks = dict[tuple[int, str], str | Promise]


@dataclass(frozen=True)
class Cell:
    """`mark`: why the cell is the reason of the finding, as a word; "" for any other cell."""

    text: str
    is_number: bool
    mark: str = ""


@dataclass(frozen=True)
class Place:
    """Where a line stands. `file_id` is None for a file that was deleted or that the reader may not see."""

    file: str
    file_id: int | None
    sheet: str
    row: int | None


@dataclass(frozen=True)
class SideTable:
    """The lines of one side: only the columns in which they have a value or a mark. `totals` is empty for one line."""

    side: str
    title: str
    columns: list[tuple[str, bool]]
    rows: list[tuple[Place, list[Cell]]]
    totals: list[Cell | None]


@dataclass(frozen=True)
class Compared:
    """One field on both sides."""

    label: str
    stat: str
    recap: str
    differs: bool


def side_tables(
    lines: Sequence[Line], *, category: str, code: str, currency: str, file_ids: Iterable[int]
) -> list[SideTable]:
    """A table for each side that has lines. `file_ids`: the files that the reader may open."""
    readable = set(file_ids)
    tables = []
    for side, title in (("stat", _("Stat file")), ("recap", _("Recap"))):
        own = [line for line in lines if line.get("side") == side]
        if own:
            marks = marks_of(own, side=side, category=category, code=code)
            tables.append(_table(side, title, own, marks, currency, readable, _wrong_totals(category, code)))
    return tables


def compared(lines: Sequence[Line], *, currency: str) -> list[Compared]:
    """The fields that both sides have, side by side; none where one side has no line."""
    stat = [line for line in lines if line.get("side") == "stat"]
    recap = [line for line in lines if line.get("side") == "recap"]
    if not stat or not recap:
        return []
    rows = []
    for name in COMPARED:
        key = _KEYS.get(name, str)
        ours, theirs = _spellings(stat, name, key), _spellings(recap, name, key)
        if ours and theirs:
            stat_text, recap_text = (
                ", ".join(_text(name, value, currency) for value in found.values()) for found in (ours, theirs)
            )
            rows.append(Compared(str(FIELDS[name]), stat_text, recap_text, ours.keys().isdisjoint(theirs)))
    return rows


def _spellings(lines: Iterable[Line], name: str, key: Callable[[str], str]) -> dict[str, str]:
    """Key → its first spelling."""
    found: dict[str, str] = {}
    for line in lines:
        if line.get(name):
            found.setdefault(key(line[name]), line[name])
    return found


def _table(
    side: str,
    title: str,
    lines: Sequence[Line],
    marks: Marks,
    currency: str,
    readable: set[int],
    wrong_totals: set[str],
) -> SideTable:
    marked = {name for _at, name in marks}
    names = [name for name in FIELDS if name in marked or any(line.get(name) not in (None, "") for line in lines)]
    if (
        "claim_number" not in marked
        and len({line.get("claim_number") for line in lines}) == 1
        and "claim_number" in names
    ):
        # The heading of the page has it.
        names.remove("claim_number")
    rows = []
    for at, line in enumerate(lines):
        file_id = line.get("file_id")
        place = Place(
            line.get("file") or "", file_id if file_id in readable else None, line.get("sheet") or "", line.get("row")
        )
        cells = [
            Cell(_text(name, line.get(name), currency), name in AMOUNTS, str(marks.get((at, name), "")))
            for name in names
        ]
        rows.append((place, cells))
    totals: list[Cell | None] = []
    if len(lines) > 1 and side == "stat":
        for name in names:
            values = [line[name] for line in lines if line.get(name) is not None] if name in AMOUNTS else []
            mark = str(_DIFFERS) if name in wrong_totals else ""
            totals.append(Cell(_text(name, sum(values), currency), is_number=True, mark=mark) if values else None)
    return SideTable(side, title, [(str(FIELDS[name]), name in AMOUNTS) for name in names], rows, totals)


def _text(name: str, value: Any, currency: str) -> str:
    if value is None:
        return ""
    if name in AMOUNTS:
        return format_amount(to_decimal(value), currency)
    if name in DATES and _is_day(str(value)):
        return format_day(date.fromisoformat(value))
    return str(value)


def _is_day(text: str) -> bool:
    if not ISO_DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


# ------------------------------------------------------------------------------------------------ the cells to mark


def _wrong_totals(category: str, code: str) -> set[str]:
    """The amounts whose sums disagree with the recap."""
    if category != C.AMOUNT_GAP:
        return set()
    return set(AMOUNTS) if code == "both" else {_FIELD_OF.get(code, code)}


def marks_of(lines: Sequence[Line], *, side: str, category: str, code: str) -> Marks:
    """(line, field) → the word for the cell, for the cells that are the reason of a finding (DOMAIN §5)."""
    fields = [_FIELD_OF.get(one, one) for one in code.split(",") if one]
    match category:
        case C.UNREADABLE | C.UNREADABLE_LINE:
            return {
                (at, name): _UNREADABLE if line.get(name) else _MISSING
                for at, line in enumerate(lines)
                for name in _unreadable_fields(line, side)
            }
        case C.DIVERGENT_IN_RECAP if side == "recap":
            return _mark_all(lines, [name for name in FIELDS if len({line.get(name) for line in lines}) > 1], _DIFFERS)
        case C.INCONSISTENT if side == "stat":
            return {
                place: word
                for place, word in _mark_all(lines, fields, _DIFFERS).items()
                if lines[place[0]].get(place[1])
            }
        case C.INCOMPLETE if side == "stat":
            return {(at, name): _MISSING for at, line in enumerate(lines) for name in fields if not line.get(name)}
        case C.AMOUNT_GAP:
            # Of several lines, the sum differs and not one of them.
            wrong = _wrong_totals(category, code)
            return _mark_all(lines, wrong, _DIFFERS) if side == "recap" or len(lines) == 1 else {}
        case C.MISSING_IN_RECAP if side == "recap" and code in ("dated_outside", "unpaid"):
            return _mark_all(lines, ["settlement_date"], _MISSING if code == "unpaid" else _OUTSIDE)
        case C.OUT_OF_PERIOD:
            return _mark_all(lines, ["settlement_date"], _OUTSIDE)
        case C.UNPAID:
            return _mark_all(lines, ["settlement_date"], _MISSING)
        case C.WARNING if code == "unknown_incident_date":
            return _mark_all(lines, ["incident_date"], _UNREADABLE)
    return {}


def _mark_all(lines: Sequence[Line], names: Iterable[str], word: Promise) -> Marks:
    return {(at, name): word for name in names for at in range(len(lines))}


def _unreadable_fields(line: Line, side: str) -> list[str]:
    """The fields that make a line unreadable (DOMAIN §5, 1): a recap row without a date is not paid yet."""
    names = [name for name in AMOUNTS if line.get(name) is None]
    settled = line.get("settlement_date")
    if not _is_day(settled) if settled else side == "stat":
        names.append("settlement_date")
    number = line.get("claim_number")
    if not number or has_lost_digits(number):
        names.append("claim_number")
    if side == "stat" and has_lost_digits(line.get("policy_number") or ""):
        names.append("policy_number")
    return names


def gap(stat: Decimal | None, recap: Decimal | None) -> Decimal | None:
    """The difference of two amounts; None where one of them is absent."""
    return None if stat is None or recap is None else stat - recap
