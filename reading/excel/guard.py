"""One pass over the inflated bytes of an .xlsx before a reader allocates anything for it.

Readers trust a workbook: they lay a sheet out as a full grid, so that one cell in the last row and column aborts the
process, and they turn error cells into empty ones, so that a broken settlement date would read as "not paid yet".
This pass counts the inflated bytes, refuses a sheet too large for memory, and collects the error cells.
"""

from __future__ import annotations

import os
import re
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

from reading.excel.package import DAMAGED, Package, chunks, open_package, refuse_damaged
from reading.limits import Limits
from reading.problems import Problem, UnreadableFile

REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{1,3})([0-9]{1,9})["']""")
_ERROR_TYPE = re.compile(rb"""\bt\s*=\s*["']e["']""")
CELL_START = re.compile(rb"<(?:\w+:)?c[\s/>]")
_VALUE = re.compile(rb"<(?:\w+:)?v>([^<]*)<")
_ERRORS = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA", "#SPILL!", "#CALC!")
# Numbers that the reader turns into nothing in a date column: its own calendar ends after 95 million days.
_BEYOND_DATES = re.compile(rb"v>\s*-?0*(?:9[5-9][0-9]{6}|[1-9][0-9]{8}|[0-9.]+[eE])")
_MERGED = re.compile(
    rb"""<(?:\w+:)?mergeCell\s[^<>]{0,200}?\bref\s*=\s*["']([A-Za-z]{1,3})([0-9]{1,7}):[A-Za-z]{1,3}([0-9]{1,7})["']"""
)
# A part that begins with its root element: a document type may stand only before it, so the rest needs no search.
_ROOT_FIRST = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^<>]*\?>)?\s*<[A-Za-z_]")
_MAX_CARRY = 8 * 1024 * 1024


@dataclass
class LostCells:
    """Cells of a sheet that its reader loses: 0-based rows and columns, as the sheet counts them, and their texts.

    `dates_too`: whether the sheet has numbers so large that the reader would lose them in a date column.
    `merged`: the cells merged down over several rows: column, first row and last row of each, one after the other.
    """

    rows: array[int] = field(default_factory=lambda: array("I"))
    columns: array[int] = field(default_factory=lambda: array("I"))
    texts: list[str] = field(default_factory=list)
    dates_too: bool = False
    merged: array[int] = field(default_factory=lambda: array("I"))

    @classmethod
    def of(cls, rows: list[int], columns: list[int], texts: list[str], dates_too: bool, merged: list[int]) -> LostCells:
        return cls(array("I", rows), array("I", columns), texts, dates_too, array("I", merged))

    def add(self, row: int, column: int, text: str) -> None:
        if row < 0:  # no sheet has a row 0, whatever a forged address says
            return
        self.rows.append(row)
        self.columns.append(column)
        self.texts.append(text)


Scan = Callable[[], dict[str, LostCells]]


def column_index(letters: str) -> int:
    """0-based: `A` is 0, `XFD` is 16383."""
    index = 0
    for letter in letters.upper():
        index = index * 26 + ord(letter) - 64
    return index - 1


def place_of(reference: re.Match[bytes]) -> tuple[int, int]:
    """Row and column, 0-based, of an address that REFERENCE matched."""
    return int(reference[2]) - 1, column_index(reference[1].decode())


def column_letters(index: int) -> str:
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def scan_file(path: str, *, limits: Limits) -> dict[str, LostCells]:
    """`scan` of the workbook at `path`. Raises UnreadableFile: what `open_package` and `scan` refuse."""
    package = open_package(path)
    with package.archive:
        return scan(package, file_bytes=os.path.getsize(path), limits=limits)


def scan(package: Package, *, file_bytes: int, limits: Limits) -> dict[str, LostCells]:
    """Inflate every entry of `package` once; → the lost cells of each sheet, by sheet name.

    Raises UnreadableFile: `too_many_entries`, `inflates_too_much`, `entities`, `far_cell` (`cell`, `columns`, `rows`),
    `encrypted`, `damaged`.
    """
    infos = package.archive.infolist()
    if len(infos) > limits.max_entries:
        raise UnreadableFile([Problem("too_many_entries", params={"limit": limits.max_entries})])
    sheet_of = {part: name for name, part in package.sheets.items()}
    errors: dict[str, LostCells] = {}
    inflated = Inflated(file_bytes=file_bytes, limits=limits)
    try:
        for info in infos:
            sheet = _SheetWatch(sheet_of[info.filename], limits) if info.filename in sheet_of else None
            is_xml = sheet is not None or info.filename.lower().endswith((".xml", ".rels", ".vml"))
            entities = EntityWatch()
            with package.archive.open(info) as part:
                for data in chunks(part):
                    inflated.add(len(data))
                    if is_xml:
                        entities.feed(data)
                    if sheet is not None:
                        sheet.feed(data)
            if sheet is not None:
                sheet.close()
                errors[sheet.name] = sheet.errors
    except RuntimeError as error:
        raise UnreadableFile([Problem("encrypted")]) from error
    except DAMAGED as error:
        raise refuse_damaged() from error
    return errors


class Inflated:
    """Counts the inflated bytes of a file of `file_bytes`, against the limits."""

    def __init__(self, *, file_bytes: int, limits: Limits) -> None:
        self._limit = limits.max_inflated_bytes
        self._left = min(limits.max_inflated_bytes, max(limits.ratio_free_bytes, limits.max_ratio * file_bytes))

    def add(self, size: int) -> None:
        """Raises UnreadableFile: `inflates_too_much`."""
        self._left -= size
        if self._left < 0:
            raise UnreadableFile([Problem("inflates_too_much", params={"limit": self._limit})])


class EntityWatch:
    """Refuses an XML part with a document type, which no spreadsheet needs."""

    def __init__(self) -> None:
        self._seam = b""
        self._is_start = True
        self._may_come = True

    def feed(self, data: bytes) -> None:
        """Takes the next piece of the part. Raises UnreadableFile: `entities`."""
        if self._is_start:
            self._is_start, self._may_come = False, _ROOT_FIRST.match(data) is None
        if not self._may_come:
            return
        _refuse_entities(self._seam + data[:64])
        _refuse_entities(data)
        self._seam = data[-64:]


def _refuse_entities(data: bytes) -> None:
    # A document type may also be written in UTF-16, where every other byte is NUL.
    if b"<!DOCTYPE" in data or (b"<\0!\0D" in data or b"\0<\0!\0D" in data):
        raise UnreadableFile([Problem("entities")])


class WholeRows:
    """Takes the XML of a sheet in pieces and returns it in pieces that end after a row, so that no cell is split."""

    def __init__(self) -> None:
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        data = self.rest + data
        cut = data.rfind(b"row>") + 4
        if cut < 4:
            cut = 0 if len(data) < _MAX_CARRY else data.rfind(b">") + 1 or len(data)
        self.rest = data[cut:]
        return data[:cut]


class _SheetWatch:
    """Checks the XML of a sheet, piece by piece, and collects its lost cells."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.name = name
        self.errors = LostCells()
        self._limits = limits
        self._rows = WholeRows()
        self._last_row = 0
        self._last_column = 0
        self._wider = _beyond(0)

    def feed(self, data: bytes) -> None:
        self._look(self._rows.feed(data))

    def close(self) -> None:
        self._look(self._rows.rest)

    def _look(self, data: bytes) -> None:
        self._widest(data)
        self._lowest(data)
        if not self.errors.dates_too:
            self.errors.dates_too = _BEYOND_DATES.search(data) is not None
        if b'"e"' in data or b"'e'" in data:
            self._collect_errors(data)
        if b"mergeCell" in data:
            self._collect_merged(data)

    def _widest(self, data: bytes) -> None:
        at = 0
        while match := self._wider.search(data, at):
            at = match.end()
            reference = REFERENCE.match(data, match.start())
            if reference is None or not _has_value(data, at):
                continue
            column = column_index(reference[1].decode())
            if column >= self._limits.max_columns:
                self._refuse(reference)
            if column > self._last_column:
                self._last_column = column
                self._wider = _beyond(column)

    def _lowest(self, data: bytes) -> None:
        # Rows are in order, so the last cell with a value is the lowest.
        end = max(data.rfind(b"v>"), data.rfind(b"is>"))
        start = data.rfind(b" r=", 0, end) if end > 0 else -1
        reference = REFERENCE.match(data, start + 1) if start >= 0 else None
        if reference is None:
            return
        self._last_row = max(self._last_row, int(reference[2]))
        grid = self._last_row * (self._last_column + 1)
        if self._last_row > self._limits.max_rows or grid > self._limits.max_grid_cells:
            self._refuse(reference)

    def _refuse(self, reference: re.Match[bytes]) -> None:
        cell = (reference[1] + reference[2]).decode().upper()
        params = {"cell": cell, "columns": self._limits.max_columns, "rows": self._limits.max_rows}
        raise UnreadableFile([Problem("far_cell", sheet=self.name, params=params)])

    def _collect_errors(self, data: bytes) -> None:
        for match in _ERROR_TYPE.finditer(data):
            start = data.rfind(b"<", 0, match.start())
            tag_end = data.find(b">", match.end())
            if tag_end < 0 or not CELL_START.match(data, start):
                continue
            reference = REFERENCE.search(data, start, tag_end)
            value = _VALUE.search(data, tag_end, tag_end + 4096)
            if reference is None:
                # The standard allows a cell without its address. Only counting all cells would tell its place.
                raise UnreadableFile([Problem("error_cell_unplaced", sheet=self.name)])
            text = value[1].decode("ascii", "replace") if value else ""
            row, column = place_of(reference)
            self.errors.add(row, column, text if text in _ERRORS else "#ERROR!")

    def _collect_merged(self, data: bytes) -> None:
        for match in _MERGED.finditer(data):
            first, last = int(match[2]) - 1, int(match[3]) - 1
            # Merged across only, or forged: the addresses of a range stand in order, and no sheet has a row 0.
            if 0 <= first < last <= self._limits.max_rows:
                self.errors.merged.extend((column_index(match[1].decode()), first, last))


def _has_value(data: bytes, at: int) -> bool:
    """Whether the cell whose address ends at `at` has a value: a cell may have an address and a format alone."""
    tag_end = data.find(b">", at)
    if tag_end < 0 or data[tag_end - 1 : tag_end] == b"/":
        return False
    next_cell = data.find(b" r=", tag_end)
    inside = data[tag_end : next_cell if next_cell >= 0 else len(data)]
    return b"v>" in inside or b"is>" in inside


def _beyond(column: int) -> re.Pattern[bytes]:
    """A pattern of the addresses to the right of `column` (0-based). A literal at its start makes it fast."""
    letters = column_letters(column)
    longer = rf"[A-Za-z]{{{len(letters) + 1},3}}"
    same = []
    for index, letter in enumerate(letters):
        if letter == "Z":
            continue
        following = f"[{chr(ord(letter) + 1)}-Z{chr(ord(letter) + 1).lower()}-z]"
        prefix = "".join(f"[{one}{one.lower()}]" for one in letters[:index])
        same.append(f"{prefix}{following}" + "[A-Za-z]" * (len(letters) - index - 1))
    options = "|".join([*same, longer] if len(letters) < 3 else same)
    return re.compile(rf"""r=["'](?:{options})[0-9]""".encode())
