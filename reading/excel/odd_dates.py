"""Numbers in the date columns of an .xlsx that are no day (DOMAIN §4): below 1, or past the year 9999.

With a date format on it, a spreadsheet shows such a number as `#####`. Its reader makes a day of it that no spreadsheet
has, or nothing at all, which would read as "not paid yet". Here the number itself is found again in the sheet's XML: a
second pass, so only for a sheet whose dates give reason to doubt.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator
from decimal import Decimal

from reading.excel.guard import CELL_START, REFERENCE, LostCells, WholeRows, column_letters, place_of
from reading.excel.package import DAMAGED, Package, chunks, open_package, refuse_damaged
from reading.problems import Problem, UnreadableFile

_END_OF_DAYS = 2958466
_NOT_A_NUMBER = "#NUM!"
_TYPE = re.compile(rb"""\bt\s*=\s*["']([^"']*)["']""")
_ROW_OR_CELL = re.compile(rb"<(?:\w+:)?(?:(row)|c)(?=[\s/>])[^<>]*>")
_ROW_NUMBER = re.compile(rb"""\br\s*=\s*["']([0-9]{1,9})["']""")
_FORMULA = rb"(?:<(?:\w+:)?f(?:\s[^>]*)?(?:/>|>[^<]*</(?:\w+:)?f\s*>))?"
# The value of a cell, from the end of its tag. Up to six digits before the point are a day whatever follows: passing
# over them here is what keeps the pass quick.
_NUMBER = rb"\s*%s\s*<(?:\w+:)?v>(?!0*[1-9][0-9]{0,5}(?:\.[0-9]*)?<)([^<]+)<" % _FORMULA
_NUMBER_NEXT = re.compile(_NUMBER)


def numbers_without_day(path: str, sheet: str, *, columns: Collection[int]) -> LostCells:
    """The number cells of `columns` (0-based) in a sheet of the workbook at `path` that are no day, in plain notation.

    Raises UnreadableFile: `damaged`, `encrypted`, `entities`.
    """
    lost = LostCells()
    if columns:
        package = open_package(path)
        with package.archive:
            for row, column, text in _numbers(package, sheet, columns):
                if not is_day(text):
                    lost.add(row, column, plain(text))
    return lost


def is_day(number: str | float) -> bool:
    try:
        return 1 <= float(number) < _END_OF_DAYS
    except ValueError:
        return False


def plain(number: str | float) -> str:
    """A number as a raw frame shows it: `-0.5`, and `10000000000` for 1E10; `#NUM!` for what is none."""
    try:
        value = float(number)
    except ValueError:
        return _NOT_A_NUMBER
    if not math.isfinite(value):
        return _NOT_A_NUMBER
    return str(int(value)) if value.is_integer() else f"{Decimal(repr(value)):f}"


def _numbers(package: Package, sheet: str, columns: Collection[int]) -> Iterator[tuple[int, int, str]]:
    """Row, column and text of the number cells of `columns`; plain days may be among them."""
    try:
        yield from (_addressed if _is_addressed(package, sheet) else _counted)(package, sheet, columns)
    except RuntimeError as error:
        raise UnreadableFile([Problem("encrypted")]) from error
    except DAMAGED as error:
        raise refuse_damaged() from error


def _is_addressed(package: Package, sheet: str) -> bool:
    for rows in _rows(package, sheet):
        if cell := CELL_START.search(rows):
            return REFERENCE.search(rows, cell.start(), rows.find(b">", cell.start())) is not None
    return False


def _addressed(package: Package, sheet: str, columns: Collection[int]) -> Iterator[tuple[int, int, str]]:
    letters = "|".join(column_letters(column) for column in columns).encode()
    # It is fast because it starts with a literal.
    cell = re.compile(rb"""r=["'](?i:%s)[0-9]{1,9}["'][^<>]{0,400}>""" % letters + _NUMBER)
    for rows in _rows(package, sheet):
        for match in cell.finditer(rows):
            start, tag_end = rows.rfind(b"<", 0, match.start()), rows.find(b">", match.start())
            reference = REFERENCE.match(rows, match.start())
            if reference is not None and CELL_START.match(rows, start) and _is_number(rows[start:tag_end]):
                yield *place_of(reference), match[1].decode("ascii", "replace")


def _counted(package: Package, sheet: str, columns: Collection[int]) -> Iterator[tuple[int, int, str]]:
    # The standard allows cells without their addresses: where one stands is then known only to who counts.
    row = column = -1
    for rows in _rows(package, sheet):
        for start in _ROW_OR_CELL.finditer(rows):
            tag = start[0]
            if start[1]:
                number = _ROW_NUMBER.search(tag)
                row, column = (int(number[1]) - 1 if number else row + 1), -1
                continue
            reference = REFERENCE.search(tag)
            column = place_of(reference)[1] if reference else column + 1
            if column in columns and _is_number(tag) and (value := _NUMBER_NEXT.match(rows, start.end())):
                yield row, column, value[1].decode("ascii", "replace")


def _is_number(tag: bytes) -> bool:
    kind = _TYPE.search(tag)
    return kind is None or kind[1] == b"n"


def _rows(package: Package, sheet: str) -> Iterator[bytes]:
    rows = WholeRows()
    with package.archive.open(package.sheets[sheet]) as part:
        for data in chunks(part):
            yield rows.feed(data)
    yield rows.rest
