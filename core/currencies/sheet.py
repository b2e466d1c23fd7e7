"""The sheet of an import of exchange rates: its columns, its rows, and a template of it."""

from __future__ import annotations

from typing import IO, BinaryIO

from django.utils.translation import gettext as _

from common.errors import Invalid
from common.workbook import ColumnSpec, add_sheet, new_workbook, save_workbook
from users.accounts.sheet import SheetRow, read_sheet

MAX_ROWS = 5000
# Field → the header keys (DOMAIN §4) of its column, in English and French.
HEADERS: dict[str, frozenset[str]] = {
    "currency": frozenset({"currency", "currencycode", "devise", "codedevise", "monnaie"}),
    "from": frozenset({"from", "fromdate", "date", "start", "apartirdu", "depuis", "du", "datedeffet"}),
    "rate": frozenset({"rate", "exchangerate", "taux", "tauxdechange", "cours"}),
}


def read_rates(*, name: str, content: IO[bytes] | None) -> list[SheetRow]:
    """The rows of a sheet of rates. Raises Invalid for "file"."""
    if content is None:
        raise Invalid({"file": [_("Send a file.")]})
    return read_sheet(name=name, content=content, headers=HEADERS, max_rows=MAX_ROWS)


def write_template(target: BinaryIO) -> None:
    """An empty sheet with the columns, in the active language."""
    book = new_workbook(target)
    columns = [
        ColumnSpec(header=_("Currency"), width=12),
        ColumnSpec(header=_("From"), width=14),
        ColumnSpec(header=_("Rate"), width=16),
    ]
    add_sheet(book, title=_("Exchange rates"), columns=columns, rows=[])
    save_workbook(book)
