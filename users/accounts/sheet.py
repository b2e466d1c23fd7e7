"""Reading a small sheet, .xlsx or .csv, such as that of an import of accounts with one person per row.

The file is hostile until read. So it is small (1 MB, 8 MB inflated), its reader is pure Python, which no file can
abort, and only as many rows and columns are read as an import may have.
"""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from django.utils.translation import gettext as _
from openpyxl import load_workbook

from common.errors import Invalid
from common.keys import clean_text, header_key, is_empty

MAX_BYTES = 1024 * 1024
MAX_INFLATED_BYTES = 8 * MAX_BYTES
MAX_ENTRIES = 200
MAX_ROWS = 1000
MAX_COLUMNS = 50
HEADER_ROWS = 20
# The last row of Excel: a cell of a hostile file may claim any row.
_LAST_ROW = 1_048_576
_LONGEST_CELL = 1000
_SEPARATORS = ";,\t|"
# Exceptions openpyxl raises for truncated, invalid or malicious workbooks.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    ParseError,
    DefusedXmlException,
    KeyError,
    IndexError,
    ValueError,
    TypeError,
    AttributeError,
    OSError,
)

# Field → the header keys (DOMAIN §4) of its column, in English and French.
HEADERS: dict[str, frozenset[str]] = {
    "first_name": frozenset({"firstname", "givenname", "prenom", "prenoms"}),
    "last_name": frozenset({"lastname", "surname", "familyname", "nom", "nomdefamille"}),
    "email": frozenset(
        {
            "email",
            "emailaddress",
            "mail",
            "mailaddress",
            "adresseemail",
            "adressemail",
            "adresseelectronique",
            "courriel",
        }
    ),
    "role": frozenset({"role", "profil", "profile", "fonction"}),
}


@dataclass(frozen=True)
class SheetRow:
    """One row below the header: `row` is its number in the sheet (from 1), `cells` its cleaned texts by field."""

    row: int
    cells: dict[str, str] = field(default_factory=dict)


def read_sheet(
    *, name: str, content: IO[bytes], headers: Mapping[str, frozenset[str]] = HEADERS, max_rows: int = MAX_ROWS
) -> list[SheetRow]:
    """The rows that are not empty, in order. Raises Invalid for "file", with every error, if it is no such sheet.

    `headers`: field → the header keys of its column. The sheet must have every column.
    """
    data = content.read(MAX_BYTES + 1)
    if not data:
        raise _invalid(_("The file is empty."))
    if len(data) > MAX_BYTES:
        raise _invalid(_("The file is too large: at most 1 MB."))
    ending = name.rsplit(".", 1)[-1].lower()
    if ending == "xlsx":
        lines = _workbook_lines(data, max_rows)
    elif ending == "csv":
        lines = _text_lines(data, max_rows)
    else:
        raise _invalid(_("Send an Excel workbook (.xlsx) or a .csv file."))
    return _rows(lines, headers, max_rows)


def _invalid(*reasons: str) -> Invalid:
    return Invalid({"file": reasons})


def _unreadable() -> Invalid:
    return _invalid(
        _("The file cannot be read. Open it in Excel, save it as an Excel workbook (.xlsx) and send that one.")
    )


def _filled_lines(lines: Iterable[Iterable[Any]], max_rows: int) -> list[tuple[int, list[str]]]:
    """The lines that are not blank, with their row numbers: workbooks end with thousands of blank ones.

    Stops at one line more than an import may have.
    """
    filled: list[tuple[int, list[str]]] = []
    for number, line in enumerate(lines, start=1):
        cells = ["" if cell is None else str(cell)[:_LONGEST_CELL] for cell in line]
        if any(cell and not cell.isspace() for cell in cells):
            filled.append((number, cells))
            if len(filled) > max_rows + HEADER_ROWS:
                break
    return filled


def _workbook_lines(data: bytes, max_rows: int) -> list[tuple[int, list[str]]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
        # zipfile stops at the size that an entry declares, so the declared sizes can be trusted.
        if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_INFLATED_BYTES:
            raise _invalid(_("The workbook is too large. Save only the list in a new workbook."))
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        try:
            lines = _filled_lines(
                book.worksheets[0].iter_rows(max_row=_LAST_ROW, max_col=MAX_COLUMNS, values_only=True), max_rows
            )
        finally:
            book.close()
    except _UNREADABLE:
        raise _unreadable() from None
    return lines


def _text_lines(data: bytes, max_rows: int) -> list[tuple[int, list[str]]]:
    if b"\0" in data:
        raise _unreadable()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    head = text[:4096].split("\n", HEADER_ROWS)
    separator = max(_SEPARATORS, key=lambda one: max(line.count(one) for line in head))
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        return _filled_lines((line[:MAX_COLUMNS] for line in reader), max_rows)
    except csv.Error:
        raise _invalid(_("A quotation mark in the file is never closed, or is in a wrong place.")) from None


def _rows(lines: list[tuple[int, list[str]]], headers: Mapping[str, frozenset[str]], max_rows: int) -> list[SheetRow]:
    columns, header_row = _header(lines, headers)
    missing = [name for name in headers if name not in columns]
    if missing:
        raise _invalid(*[_("There is no column “%(column)s”.") % {"column": name} for name in missing])
    rows = []
    for number, line in lines:
        cells = {name: _clean(line[at]) if at < len(line) else "" for name, at in columns.items()}
        if number > header_row and any(cells.values()):
            rows.append(SheetRow(row=number, cells=cells))
    if not rows:
        raise _invalid(_("The sheet has no data rows."))
    if len(rows) > max_rows:
        raise _invalid(_("At most %(limit)d rows in one file.") % {"limit": max_rows})
    return rows


def _clean(text: str) -> str:
    return "" if is_empty(text) else clean_text(text)


def _header(lines: list[tuple[int, list[str]]], headers: Mapping[str, frozenset[str]]) -> tuple[dict[str, int], int]:
    """The columns of the header, and its row: of the first rows, the one with the most known headers."""
    best: dict[str, int] = {}
    best_row = 0
    for number, line in lines:
        if number > HEADER_ROWS:
            break
        found = _columns(line, headers)
        if len(found) > len(best):
            best, best_row = found, number
    return best, best_row


def _columns(line: list[str], headers: Mapping[str, frozenset[str]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for at, cell in enumerate(line):
        key = header_key(cell)
        for name, known in headers.items():
            if key in known and name in found:
                raise _invalid(_("There are two columns “%(column)s”.") % {"column": name})
            if key in known:
                found[name] = at
    return found
