"""Lines of a CSV file → records, by RFC 4180. A quotation mark that is never closed affects its own row only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

# The longest text of a spreadsheet cell. A quoted text that is longer was never closed.
_MAX_FIELD = 32_767
_MAX_FIELD_LINES = 2_000


@dataclass(frozen=True, slots=True)
class Record:
    """`row`: the record's number, 1-based, blank ones counted, which is the row that a spreadsheet shows."""

    row: int
    fields: list[str]
    anomaly: str | None = None


@cache
def _quoted_field(separator: str) -> re.Pattern[str]:
    return re.compile(rf'"((?:[^"]++|"")*+)"(?={re.escape(separator)}|\n|\Z)')


def records(lines: Sequence[str], separator: str) -> Iterator[Record]:
    """Every record of `lines`, blank ones too.

    Anomaly `unclosed_quote`: the row is split as if its quotation marks were letters.
    """
    row = index = 0
    while index < len(lines):
        row += 1
        line = lines[index]
        if '"' not in line:
            yield Record(row, line.split(separator))
            index += 1
            continue
        fields, used, anomaly = parse_record(lines, index, separator)
        yield Record(row, fields, anomaly)
        index += used


def parse_record(
    lines: Sequence[str], index: int, separator: str, *, width: int = 0
) -> tuple[list[str], int, str | None]:
    """The record that begins at `lines[index]`: its fields, how many lines it takes, and its anomaly.

    `width`: the number of fields of a record, where it is known; else 0.

    A quote opens a field only at its start, and closes it only before a separator or the end of a line; a quote
    anywhere else is a character like others (`"Clinique" Saint-Jean`, `5" de large`).
    """
    line = lines[index]
    plain = _fields_all_quoted(line, separator)
    if plain is not None:
        return plain, 1, None
    text, used, at = line, 1, 0
    fields: list[str] = []
    quoted = _quoted_field(separator)
    while True:
        if text.startswith('"', at):
            match = quoted.match(text, at)
            if match is None:
                longer = _extend(lines, index + used, text, at=at, separator=separator, width=width)
                if longer is not None:
                    text, used = longer[0], used + longer[1]
                    match = quoted.match(text, at)
            if match is not None:
                fields.append(match[1].replace('""', '"') if '""' in match[0][1:-1] else match[1])
                at = match.end()
                if at >= len(text) or text[at] == "\n":
                    return fields, used, None
                at += 1
                continue
        end = text.find(separator, at)
        field = text[at:] if end < 0 else text[at:end]
        if field.startswith('"') and field.count('"') % 2:
            return fields + text[at:].split(separator), used, "unclosed_quote"
        fields.append(field)
        if end < 0:
            return fields, used, None
        at = end + 1


def _fields_all_quoted(line: str, separator: str) -> list[str] | None:
    """The fields of a line in which all are quoted and none has a quote within; None for any other line."""
    if len(line) < 2 or line[0] != '"' or line[-1] != '"':
        return None
    fields = line[1:-1].split(f'"{separator}"')
    return fields if line.count('"') == 2 * len(fields) else None


def _extend(
    lines: Sequence[str], index: int, text: str, *, at: int, separator: str, width: int
) -> tuple[str, int] | None:
    """`text` with the following lines (from `lines[index]`) up to the end of the field that begins at `at`.

    Returns that text and the number of the lines; None if the field is never closed. A line with as many separators as
    a record is a record, and not the inside of a field.
    """
    if text.count('"', at) % 2 == 0:
        # The quotes of this line close one another; the rest is literal.
        return None
    whole = width - 1 if width > 2 else max(text.count(separator), 2)
    size = len(text) - at
    taken = [text]
    for following in range(index, min(len(lines), index + _MAX_FIELD_LINES)):
        line = lines[following]
        size += len(line) + 1
        if size > _MAX_FIELD:
            return None
        taken.append(line)
        is_record = line.count(separator) >= whole
        # Only a record's first field can end in a line with as many separators as a whole record has.
        if is_record and at > 0:
            return None
        if '"' in line:
            candidate = "\n".join(taken)
            if _quoted_field(separator).match(candidate, at):
                return candidate, following - index + 1
            if not _has_only_doubled_quotes(line):
                return None
        if is_record:
            return None
    return None


def _has_only_doubled_quotes(line: str) -> bool:
    return '"' not in line.replace('""', "")
