"""Bytes of a CSV file → its text, its lines and its separator (DOMAIN §4 "Files")."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from pathlib import Path

from reading.columns import HEAD_ROWS, FileKind, recognise
from reading.csv.records import records

SEPARATORS = ";,\t|"
_HEAD_BYTES = 64 * 1024
# Excel's hint of the separator: a first line that spreadsheets follow and do not show.
_HINT = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)


def read_text(path: str, *, head_only: bool = False) -> str:
    """The text of the file: UTF-16 by its mark, else UTF-8 with or without one, else Windows-1252."""
    with Path(path).open("rb") as file:
        data = file.read(_HEAD_BYTES) if head_only else file.read()
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return codecs.getincrementaldecoder("utf-16")("replace").decode(data)
    try:
        # The head may end within a character, which an incremental decoder forgives.
        return codecs.getincrementaldecoder("utf-8-sig")().decode(data, final=not head_only)
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def lines_of(text: str) -> tuple[list[str], str | None]:
    """The physical lines without their ends, and the separator that a first line `sep=;` names (then left out)."""
    hint = _HINT.match(text)
    separator = None
    if hint and hint.end() < len(text) and hint[1] in SEPARATORS:
        separator = hint[1]
        text = text[hint.end() :]
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    return lines, separator


def find_separator(lines: Sequence[str], *, kind: FileKind) -> str:
    """The separator with which the header shows the kind, else the one with which most known headers are found."""

    def score(separator: str) -> tuple[bool, int, int]:
        rows = [record.fields for record in records(lines[: HEAD_ROWS * 4], separator)][:HEAD_ROWS]
        layout = recognise(rows, kind)
        swapped = bool(layout.problems) and layout.problems[0].code == "swapped"
        return layout.shows_kind or swapped, len(layout.positions), max((len(row) for row in rows), default=0)

    return max(SEPARATORS, key=score)
