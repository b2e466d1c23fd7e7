"""Cells of an .xlsx, found again in the XML of its sheets: numbers, and formulas without a value. A second pass."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from reading.excel.guard import CELL_START, REFERENCE, WholeRows, column_letters, place_of
from reading.excel.package import DAMAGED, Package, chunks, refuse_damaged
from reading.problems import Problem, UnreadableFile

# The text of a number with a fraction or an exponent. Only such a number can look like a text with a decimal mark.
FRACTION = rb"[^<.eE]*[.eE][^<]*"

_TYPE = re.compile(rb"""\bt\s*=\s*["']([^"']*)["']""")
_ROW_OR_CELL = re.compile(rb"<(?:\w+:)?(?:(row)|c)(?=[\s/>])[^<>]*>")
_ROW_NUMBER = re.compile(rb"""\br\s*=\s*["']([0-9]{1,9})["']""")
_FORMULA = rb"(?:<(?:\w+:)?f(?:\s[^>]*)?(?:/>|>[^<]*</(?:\w+:)?f\s*>))?"
_WITHOUT_VALUE = re.compile(
    rb"<(?:\w+:)?c(\s[^<>]*)>\s*<(?:\w+:)?f(?:\s[^<>]*)?(?:/>|>[^<]*</(?:\w+:)?f\s*>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
# The value of a cell, from the end of its tag.
_VALUE = rb"\s*%s\s*<(?:\w+:)?v>(%s)<"


def number_cells(
    package: Package, sheet: str, *, columns: Collection[int], value: bytes
) -> Iterator[tuple[int, int, str]]:
    """Row and column (0-based) and text of the number cells of `columns` whose text matches the pattern `value`.

    Raises UnreadableFile: `damaged`, `encrypted`.
    """
    try:
        yield from (_addressed if _is_addressed(package, sheet) else _counted)(package, sheet, columns, value)
    except RuntimeError as error:
        raise UnreadableFile([Problem("encrypted")]) from error
    except DAMAGED as error:
        raise refuse_damaged() from error


def formulas_without_value(package: Package, sheet: str) -> Iterator[tuple[int, int]]:
    """Row and column (0-based) of the cells that have a formula and no value, as programs write them that do not count.

    Raises UnreadableFile: `damaged`, `encrypted`.
    """
    try:
        for rows in _rows(package, sheet):
            for match in _WITHOUT_VALUE.finditer(rows):
                if reference := REFERENCE.search(match[1]):
                    yield place_of(reference)
    except RuntimeError as error:
        raise UnreadableFile([Problem("encrypted")]) from error
    except DAMAGED as error:
        raise refuse_damaged() from error


def _is_addressed(package: Package, sheet: str) -> bool:
    for rows in _rows(package, sheet):
        if cell := CELL_START.search(rows):
            return REFERENCE.search(rows, cell.start(), rows.find(b">", cell.start())) is not None
    return False


def _addressed(package: Package, sheet: str, columns: Collection[int], value: bytes) -> Iterator[tuple[int, int, str]]:
    letters = "|".join(column_letters(column) for column in columns).encode()
    # It is fast because it starts with a literal.
    cell = re.compile(rb"""r=["'](?i:%s)[0-9]{1,9}["'][^<>]{0,400}>""" % letters + _VALUE % (_FORMULA, value))
    for rows in _rows(package, sheet):
        for match in cell.finditer(rows):
            start, tag_end = rows.rfind(b"<", 0, match.start()), rows.find(b">", match.start())
            reference = REFERENCE.match(rows, match.start())
            if reference is not None and CELL_START.match(rows, start) and _is_number(rows[start:tag_end]):
                yield *place_of(reference), match[1].decode("ascii", "replace")


def _counted(package: Package, sheet: str, columns: Collection[int], value: bytes) -> Iterator[tuple[int, int, str]]:
    # The standard allows cells without addresses. The place of such a cell is known only by counting.
    following = re.compile(_VALUE % (_FORMULA, value))
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
            if column in columns and _is_number(tag) and (match := following.match(rows, start.end())):
                yield row, column, match[1].decode("ascii", "replace")


def _is_number(tag: bytes) -> bool:
    kind = _TYPE.search(tag)
    return kind is None or kind[1] == b"n"


def _rows(package: Package, sheet: str) -> Iterator[bytes]:
    rows = WholeRows()
    with package.archive.open(package.sheets[sheet]) as part:
        for data in chunks(part):
            yield rows.feed(data)
    yield rows.rest
