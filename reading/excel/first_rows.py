"""The first rows of every sheet of an .xlsx: the XML of a sheet is parsed only as far as they go."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.parsers import expat

from reading.excel.guard import column_index
from reading.excel.package import DAMAGED, Package, chunks, refuse_damaged
from reading.problems import Problem, UnreadableFile

_CHUNK = 16 * 1024
_ADDRESS = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_MAX_HEAD_COLUMNS = 1000
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


def xlsx_heads(package: Package, *, rows: int) -> dict[str, list[list[str | None]]]:
    """The first `rows` rows of each worksheet, by name; cells as text, dates as their serial numbers.

    Raises UnreadableFile: `entities`, `encrypted`, `damaged`.
    """
    try:
        sheets = {name: _SheetHead(rows) for name in package.sheets}
        for name, part in package.sheets.items():
            _follow(package, part, sheets[name])
        wanted = {index for sheet in sheets.values() for index in sheet.strings}
        strings = _SharedStrings(wanted)
        if wanted and package.shared_strings is not None:
            _follow(package, package.shared_strings, strings)
        return {name: sheet.table(strings.texts) for name, sheet in sheets.items()}
    except RuntimeError as error:
        raise UnreadableFile([Problem("encrypted")]) from error
    except (*DAMAGED, expat.ExpatError) as error:
        raise refuse_damaged() from error


class _Follower:
    """Handles the elements of one part; `done` ends the parsing."""

    done = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        raise NotImplementedError

    def end(self, name: str) -> None:
        raise NotImplementedError

    def text(self, data: str) -> None:
        raise NotImplementedError


def _follow(package: Package, part: str, follower: _Follower) -> None:
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def local(handler: Callable[..., None]) -> Callable[..., None]:
        def handle(name: str, *rest: Any) -> None:
            if not follower.done:
                handler(name.rsplit(":", 1)[-1], *rest)

        return handle

    def refuse(*_: Any) -> None:
        raise UnreadableFile([Problem("entities")])

    parser.StartElementHandler = local(follower.start)
    parser.EndElementHandler = local(follower.end)
    parser.CharacterDataHandler = follower.text
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    with package.archive.open(part) as stream:
        for data in chunks(stream, _CHUNK):
            parser.Parse(data, False)
            if follower.done:
                return
        parser.Parse(b"", True)


class _SheetHead(_Follower):
    def __init__(self, rows: int) -> None:
        self.strings: set[int] = set()
        self._limit = rows
        self._cells: dict[tuple[int, int], tuple[str, str]] = {}
        self._row = self._column = -1
        self._type = ""
        self._collecting = False
        self._phonetic = False
        self._pieces: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            self._row = int(attributes["r"]) - 1 if attributes.get("r", "").isdigit() else self._row + 1
            self._column = -1
            self.done = self._row >= self._limit
        elif name == "c":
            address = _ADDRESS.fullmatch(attributes.get("r", ""))
            self._column = column_index(address[1]) if address else self._column + 1
            self._type = attributes.get("t", "n")
            self._pieces = []
        elif name == "rPh":
            self._phonetic = True
        elif name in ("v", "t"):
            self._collecting = not self._phonetic

    def text(self, data: str) -> None:
        if self._collecting and not self.done:
            self._pieces.append(data)

    def end(self, name: str) -> None:
        if name in ("v", "t"):
            self._collecting = False
        elif name == "rPh":
            self._phonetic = False
        elif name == "c" and self._pieces and self._column < _MAX_HEAD_COLUMNS:
            text = "".join(self._pieces)
            if self._type == "s" and text.strip().isdigit():
                self.strings.add(int(text))
            self._cells[self._row, self._column] = (self._type, text)
        elif name == "sheetData":
            self.done = True

    def table(self, strings: dict[int, str]) -> list[list[str | None]]:
        """Rows from the sheet's first, each as wide as the widest."""
        if not self._cells:
            return []
        height = max(row for row, _ in self._cells) + 1
        width = max(column for _, column in self._cells) + 1
        table: list[list[str | None]] = [[None] * width for _ in range(height)]
        for (row, column), (kind, text) in self._cells.items():
            table[row][column] = _shown(kind, text, strings) or None
        return table


def _shown(kind: str, text: str, strings: dict[int, str]) -> str | None:
    if kind == "s":
        return strings.get(int(text)) if text.strip().isdigit() else None
    if kind == "b":
        return "TRUE" if text.strip() == "1" else "FALSE"
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)


class _SharedStrings(_Follower):
    """The shared strings with the wanted indexes; parsing ends at the last of them."""

    def __init__(self, wanted: set[int]) -> None:
        self.texts: dict[int, str] = {}
        self._wanted = wanted
        self._last = max(wanted, default=-1)
        self._index = -1
        self._collecting = False
        self._phonetic = False
        self._pieces: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "si":
            self._index += 1
            self._pieces = []
        elif name == "rPh":
            self._phonetic = True
        elif name == "t":
            self._collecting = not self._phonetic and self._index in self._wanted

    def text(self, data: str) -> None:
        if self._collecting and not self.done:
            self._pieces.append(data)

    def end(self, name: str) -> None:
        if name == "t":
            self._collecting = False
        elif name == "rPh":
            self._phonetic = False
        elif name == "si":
            if self._index in self._wanted:
                self.texts[self._index] = _shown("str", "".join(self._pieces), {}) or ""
            self.done = self._index >= self._last
