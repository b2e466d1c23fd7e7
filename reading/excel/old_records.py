"""Records of an old workbook (.xls, BIFF8) that its reader library does not show: merged cells, and its calendar."""

from __future__ import annotations

import os
import re
import struct
from array import array
from collections.abc import Iterator
from pathlib import Path

from xlrd.compdoc import CompDoc, CompDocError

_BEGIN, _END, _CALENDAR, _SHEET, _MERGED_CELLS = 0x0809, 0x000A, 0x0022, 0x0085, 0x00E5
_WORKSHEET = 0
_HEADER, _RANGE = struct.Struct("<HH"), struct.Struct("<HHHH")
# A record of merged cells: its length is that of a count and as many ranges of four numbers as the count says.
_MERGED_RECORD = re.compile(rb"\xe5\x00(..)(..)", re.DOTALL)


def merged_cells(path: str) -> dict[str, array[int]]:
    """The cells merged down over several rows in each sheet: column, first row and last row (0-based) of each.

    A workbook that has none, or whose records cannot be followed, has an empty answer: a merged cell then has its value
    in its first row alone, and its other rows are listed as unreadable.
    """
    stream = _workbook_stream(path)
    if not any(_is_merged_record(match) for match in _MERGED_RECORD.finditer(stream)):
        return {}
    found: dict[str, array[int]] = {}
    for kind, data in _records(stream, 0):
        if kind == _SHEET and len(data) >= 8 and data[5] == _WORKSHEET:
            found[_sheet_name(data)] = _merged_in(stream, int.from_bytes(data[:4], "little"))
    return found


def counts_from_1904(path: str) -> bool:
    """Whether the dates of the workbook count from 1904; False where its records cannot be followed."""
    return any(kind == _CALENDAR and data[:1] == b"\x01" for kind, data in _records(_workbook_stream(path), 0))


def _is_merged_record(match: re.Match[bytes]) -> bool:
    length, count = (int.from_bytes(match[group], "little") for group in (1, 2))
    return count > 0 and length == 2 + count * _RANGE.size


def _workbook_stream(path: str) -> bytes:
    content = Path(path).read_bytes()
    try:
        with open(os.devnull, "w") as silence:
            document = CompDoc(content, logfile=silence)
            memory, start, length = document.locate_named_stream("Workbook")
    except (CompDocError, struct.error, IndexError, AssertionError):
        return b""
    return bytes(memory[start : start + length]) if memory else b""


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """The records from `at`, where a substream begins, to its end; those of a chart within it too."""
    depth = 0
    while at + _HEADER.size <= len(stream):
        kind, length = _HEADER.unpack_from(stream, at)
        at += _HEADER.size
        depth += (kind == _BEGIN) - (kind == _END)
        if depth <= 0:
            return
        yield kind, stream[at : at + length]
        at += length


def _sheet_name(data: bytes) -> str:
    """The name in a record of a sheet: its number of characters, then one byte or two for each."""
    count, is_wide = data[6], data[7] & 1
    return data[8 : 8 + count * 2].decode("utf-16-le", "replace") if is_wide else data[8 : 8 + count].decode("latin-1")


def _merged_in(stream: bytes, start: int) -> array[int]:
    merged = array("I")
    for kind, data in _records(stream, start):
        if kind == _MERGED_CELLS:
            for first, last, column, _last_column in _RANGE.iter_unpack(data[2 : 2 + (len(data) - 2) // 8 * 8]):
                if first < last:
                    merged.extend((column, first, last))
    return merged
