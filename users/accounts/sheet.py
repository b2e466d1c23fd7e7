"""Reading the small sheet of an import of accounts: a workbook or text file of people, one per row.

The file is hostile until read. It is small (1 MB, and 8 MB when inflated), its reader is pure Python, which no file can
abort, and no more rows and columns are kept than an import may have.
"""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import IO, Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from django.utils.translation import gettext as _
from openpyxl import load_workbook

from common.errors import Invalid
from common.keys import clean_text, header_key, is_empty

MOST_BYTES = 1024 * 1024
MOST_INFLATED_BYTES = 8 * MOST_BYTES
MOST_ENTRIES = 200
MOST_ROWS = 1000
MOST_COLUMNS = 50
HEADER_WITHIN = 20
# Excel's own last row: a cell may claim to stand anywhere.
_LAST_ROW = 1_048_576
_LONGEST_CELL = 1000
_SEPARATORS = ";,\t|"
# What a workbook that is cut short, is none, or was made to do harm makes its reader raise.
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

# Field → the header keys (DOMAIN §4) under which people write it, in English and French.
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
    """One row below the header: `row` as a spreadsheet counts it (from 1), `cells` by field of HEADERS, clean."""

    row: int
    cells: dict[str, str] = field(default_factory=dict)


def read_sheet(*, name: str, content: IO[bytes]) -> list[SheetRow]:
    """The rows that say anything, in order. Raises Invalid({"file": all that is wrong}) when it is no such sheet."""
    data = content.read(MOST_BYTES + 1)
    if not data:
        raise _refused(_("The file is empty."))
    if len(data) > MOST_BYTES:
        raise _refused(_("The file is too large: at most 1 MB."))
    ending = name.rsplit(".", 1)[-1].lower()
    if ending == "xlsx":
        lines = _workbook_lines(data)
    elif ending == "csv":
        lines = _text_lines(data)
    else:
        raise _refused(_("Send an Excel workbook (.xlsx) or a .csv file."))
    return _rows(lines)


def _refused(*reasons: str) -> Invalid:
    return Invalid({"file": reasons})


def _unreadable() -> Invalid:
    return _refused(
        _("The file cannot be read. Open it in Excel, save it as an Excel workbook (.xlsx) and send that one.")
    )


def _said(lines: Iterable[Iterable[Any]]) -> list[tuple[int, list[str]]]:
    """The lines that are not blank, with their rows: workbooks trail thousands that are. Stops at one too many."""
    said: list[tuple[int, list[str]]] = []
    for number, line in enumerate(lines, start=1):
        cells = ["" if cell is None else str(cell)[:_LONGEST_CELL] for cell in line]
        if any(cell and not cell.isspace() for cell in cells):
            said.append((number, cells))
            if len(said) > MOST_ROWS + HEADER_WITHIN:
                break
    return said


def _workbook_lines(data: bytes) -> list[tuple[int, list[str]]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
        # A member never inflates to more than it says: reading it stops there.
        if len(entries) > MOST_ENTRIES or sum(entry.file_size for entry in entries) > MOST_INFLATED_BYTES:
            raise _refused(_("The workbook holds too much. Save only the list of people in a new workbook."))
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        try:
            lines = _said(book.worksheets[0].iter_rows(max_row=_LAST_ROW, max_col=MOST_COLUMNS, values_only=True))
        finally:
            book.close()
    except _UNREADABLE:
        raise _unreadable() from None
    return lines


def _text_lines(data: bytes) -> list[tuple[int, list[str]]]:
    if b"\0" in data:
        raise _unreadable()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    head = text[:4096].split("\n", HEADER_WITHIN)
    separator = max(_SEPARATORS, key=lambda one: max(line.count(one) for line in head))
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        return _said(line[:MOST_COLUMNS] for line in reader)
    except csv.Error:
        raise _refused(
            _("A quotation mark in the file is opened and never closed, or stands in a wrong place.")
        ) from None


def _rows(lines: list[tuple[int, list[str]]]) -> list[SheetRow]:
    columns, header_row = _header(lines)
    missing = [name for name in HEADERS if name not in columns]
    if missing:
        raise _refused(*[_("There is no column “%(column)s”.") % {"column": name} for name in missing])
    rows = []
    for number, line in lines:
        cells = {name: _clean(line[at]) if at < len(line) else "" for name, at in columns.items()}
        if number > header_row and any(cells.values()):
            rows.append(SheetRow(row=number, cells=cells))
    if not rows:
        raise _refused(_("There is nobody below the header."))
    if len(rows) > MOST_ROWS:
        raise _refused(_("At most %(limit)d rows in one file.") % {"limit": MOST_ROWS})
    return rows


def _clean(text: str) -> str:
    return "" if is_empty(text) else clean_text(text)


def _header(lines: list[tuple[int, list[str]]]) -> tuple[dict[str, int], int]:
    """The columns of the likeliest header among the first rows, and its row."""
    best: dict[str, int] = {}
    best_row = 0
    for number, line in lines:
        if number > HEADER_WITHIN:
            break
        found = _columns(line)
        if len(found) > len(best):
            best, best_row = found, number
    return best, best_row


def _columns(line: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for at, cell in enumerate(line):
        key = header_key(cell)
        for name, known in HEADERS.items():
            if key in known and name in found:
                raise _refused(_("There are two columns “%(column)s”.") % {"column": name})
            if key in known:
                found[name] = at
    return found
