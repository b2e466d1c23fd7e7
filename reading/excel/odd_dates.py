"""Numbers in the date columns of an .xlsx that are no day (DOMAIN §4): below 1, or past the year 9999.

With a date format, a spreadsheet shows such a number as `#####`. The reader library makes a day of it that no
spreadsheet has, or nothing at all, which would read as "not paid yet". Here the number itself is found again in the
sheet's XML: a second pass, so only for a sheet whose dates give reason to doubt.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from decimal import Decimal

from reading.excel.guard import LostCells
from reading.excel.number_cells import number_cells
from reading.excel.package import open_package

_FIRST_NUMBER_WITHOUT_DAY = 2958466
_NOT_A_NUMBER = "#NUM!"
# Up to six digits before the point are a day, whatever follows. To pass over them here keeps the pass quick.
_NO_PLAIN_DAY = rb"(?!0*[1-9][0-9]{0,5}(?:\.[0-9]*)?<)[^<]+"


def numbers_without_day(path: str, sheet: str, *, columns: Collection[int]) -> LostCells:
    """The number cells of `columns` (0-based) in a sheet of the workbook at `path` that are no day, in plain notation.

    Raises UnreadableFile: `damaged`, `encrypted`, `entities`.
    """
    lost = LostCells()
    if columns:
        package = open_package(path)
        with package.archive:
            for row, column, text in number_cells(package, sheet, columns=columns, value=_NO_PLAIN_DAY):
                if not is_day(text):
                    lost.add(row, column, plain_number(text))
    return lost


def is_day(number: str | float) -> bool:
    try:
        return 1 <= float(number) < _FIRST_NUMBER_WITHOUT_DAY
    except ValueError:
        return False


def plain_number(number: str | float) -> str:
    """A number as a raw frame shows it: `-0.5`, and `10000000000` for 1E10; `#NUM!` for a text that is no number."""
    try:
        value = float(number)
    except ValueError:
        return _NOT_A_NUMBER
    if not math.isfinite(value):
        return _NOT_A_NUMBER
    return str(int(value)) if value.is_integer() else f"{Decimal(repr(value)):f}"
