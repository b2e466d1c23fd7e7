"""Puts the bare stream of an old workbook (Excel 5 to 2003) into the OLE container that its readers expect."""

from __future__ import annotations

import os
import shutil
import struct
from pathlib import Path

from reading.formats import OLE

_SECTOR = 512
_IDS_PER_SECTOR = _SECTOR // 4
# As many sectors of the allocation table as the header lists itself; further ones are listed in sectors of their own.
_LISTED_IN_HEADER = 109
_LISTED_PER_SECTOR = _IDS_PER_SECTOR - 1
# Shorter streams stand in a container within the container.
_SHORTEST_STREAM = 4096
# The version in the first record of the stream.
_EXCEL_97 = b"\x00\x06"
_FREE, _END, _TABLE, _TABLE_LIST = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFC


def write_ole(stream_path: str, target: str) -> None:
    """Write the file at `stream_path` as the workbook stream of a new OLE document at `target`.

    Sectors in their order: the stream, the directory, the allocation table, the list of its sectors.
    """
    size = max(os.path.getsize(stream_path), _SHORTEST_STREAM)
    stream = -(-size // _SECTOR)
    table = lists = 0
    while table * _IDS_PER_SECTOR < stream + 1 + table + lists:
        table += 1
        lists = -(-max(0, table - _LISTED_IN_HEADER) // _LISTED_PER_SECTOR)
    directory = stream
    table_ids = list(range(directory + 1, directory + 1 + table))
    list_ids = list(range(directory + 1 + table, directory + 1 + table + lists))
    with Path(stream_path).open("rb") as source, Path(target).open("wb") as ole:
        name = "Workbook" if source.read(6)[4:] == _EXCEL_97 else "Book"
        source.seek(0)
        ole.write(_header(directory, table_ids, list_ids))
        shutil.copyfileobj(source, ole)
        ole.write(bytes(_SECTOR + stream * _SECTOR - ole.tell()))
        ole.write(_directory(name, size))
        chain = [*range(1, stream), _END, _END, *[_TABLE] * table, *[_TABLE_LIST] * lists]
        ole.write(_ids(chain, table * _IDS_PER_SECTOR))
        for at, _ in enumerate(list_ids):
            listed = table_ids[_LISTED_IN_HEADER + at * _LISTED_PER_SECTOR :][:_LISTED_PER_SECTOR]
            following = list_ids[at + 1] if at + 1 < lists else _END
            ole.write(_ids(listed, _LISTED_PER_SECTOR) + struct.pack("<I", following))


def _header(directory: int, table_ids: list[int], list_ids: list[int]) -> bytes:
    numbers = struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    counts = struct.pack(
        "<IIIIIIIII",
        0, len(table_ids), directory, 0, _SHORTEST_STREAM, _END, 0, list_ids[0] if list_ids else _END, len(list_ids),
    )  # fmt: skip
    return OLE + bytes(16) + numbers + counts + _ids(table_ids[:_LISTED_IN_HEADER], _LISTED_IN_HEADER)


def _directory(name: str, size: int) -> bytes:
    root = _entry("Root Entry", kind=5, child=1, start=_END, size=0)
    stream = _entry(name, kind=2, child=_FREE, start=0, size=size)
    return root + stream + _entry("", kind=0, child=_FREE, start=0, size=0) * 2


def _entry(name: str, *, kind: int, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le")
    length = len(text) + 2 if text else 0
    return struct.pack("<64sHBBIII36xIII", text, length, kind, 1, _FREE, _FREE, child, start, size, 0)


def _ids(ids: list[int], count: int) -> bytes:
    return struct.pack(f"<{count}I", *ids, *[_FREE] * (count - len(ids)))
