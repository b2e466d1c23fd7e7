"""The entries of a request that corrects a session: cells to correct, and rows to leave out.

The index of an entry is its place in the request: the cells come first, the removals continue behind them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from common.errors import EntryProblem, InvalidEntries

__all__ = ["CellEntry", "Entries", "EntryProblem", "RemoveEntry", "read_json"]

# More than any correction workbook has; a session with more to correct needs another export.
MOST_ENTRIES = 50_000
# No cell of a workbook holds more characters.
LONGEST_TEXT = 32_767
_LARGEST_ROW = 2**31 - 1


@dataclass(frozen=True)
class CellEntry:
    """One cell to correct. `file_id`: the stat file or a page of the recap. `field`: a field of DOMAIN §2 or §3.

    `sheet` is "" for CSV. `row`: as a spreadsheet shows it. `value`: as a user would type it, "" for an empty cell.
    `was`: the text of the cell as the caller read it; None to accept whatever the file has.
    """

    file_id: int
    sheet: str
    row: int
    field: str
    value: str
    was: str | None = None


@dataclass(frozen=True)
class RemoveEntry:
    """One row to leave out."""

    file_id: int
    sheet: str
    row: int


@dataclass(frozen=True)
class Entries:
    """What a request names. None stands for an entry that was refused already: its reason is among `problems`."""

    cells: list[CellEntry | None] = field(default_factory=list)
    removals: list[RemoveEntry | None] = field(default_factory=list)
    problems: list[EntryProblem] = field(default_factory=list)


def read_json(body: Any) -> Entries:
    """The entries of `{"cells": […], "remove": […]}`, with what is wrong with their shape.

    Raises InvalidEntries for a body that has no such lists.
    """
    cells, removals = (body.get("cells", []), body.get("remove", [])) if isinstance(body, Mapping) else (None, None)
    is_known = isinstance(body, Mapping) and set(body) <= {"cells", "remove"}
    if not is_known or not isinstance(cells, list) or not isinstance(removals, list):
        raise InvalidEntries(sentence=_("Send a JSON object with the lists “cells” and “remove”."))
    if len(cells) + len(removals) > MOST_ENTRIES:
        raise InvalidEntries(sentence=_("Send at most %(most)d entries at a time.") % {"most": MOST_ENTRIES})
    entries = Entries()
    for index, one in enumerate([*cells, *removals]):
        is_cell = index < len(cells)
        reasons = _reasons(one, is_cell=is_cell)
        entries.problems.extend(EntryProblem(index, reason) for reason in reasons)
        if is_cell:
            entries.cells.append(None if reasons else _cell(one))
        else:
            entries.removals.append(None if reasons else RemoveEntry(one["file"], one.get("sheet", ""), one["row"]))
    return entries


def _cell(one: Mapping[str, Any]) -> CellEntry:
    return CellEntry(one["file"], one.get("sheet", ""), one["row"], one["field"], one["value"], one.get("was"))


def _reasons(one: Any, *, is_cell: bool) -> list[str]:
    if not isinstance(one, Mapping):
        return [_("Each entry is a JSON object.")]
    known = {"file", "sheet", "row", *(("field", "value", "was") if is_cell else ())}
    texts = {"sheet": one.get("sheet", "")}
    if is_cell:
        texts |= {name: one.get(name) for name in ("field", "value")}
        texts |= {"was": one.get("was") or ""}
    # Half a character, which JSON can write, would break the answer.
    unknown = sorted(name.encode(errors="replace").decode()[:50] for name in set(one) - known)
    reasons = [
        _("An entry has no “%(name)s”. It has: %(known)s.") % {"name": name, "known": ", ".join(sorted(known))}
        for name in unknown
    ]
    reasons += [
        _("“%(name)s” is a whole number from 1.") % {"name": name}
        for name, most in (("file", 2**63 - 1), ("row", _LARGEST_ROW))
        if not _is_whole(one.get(name), most)
    ]
    reasons += [
        _("“%(name)s” is a text of at most %(most)d characters.") % {"name": name, "most": LONGEST_TEXT}
        for name, text in texts.items()
        if not _is_text(text)
    ]
    return reasons


def _is_whole(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def _is_text(value: Any) -> bool:
    """Whether it is a text that a database can store: JSON can write halves of characters, and NUL."""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or "\0" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
