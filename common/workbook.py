"""The writer of every workbook: formats, limits and errors. Text stays text: no cell becomes a formula or a link.

Does not import the frames library, because web processes and the main process of a worker load this module.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Literal

from rustpy_xlsxwriter import FastExcel, Format

from common.keys import clean_text

CellKind = Literal["text", "money", "date", "moment", "integer", "number", "yes_no", "choice"]

# What a worksheet can hold, the row of the header not counted.
MOST_ROWS = 1_048_575
MOST_CHARACTERS = 32_767
LONGEST_TITLE = 31
FIRST_DAY = date(1900, 1, 1)

MONEY_FORMAT = "#,##0.00"
DATE_FORMAT = "dd/mm/yyyy"
_NUMBER_FORMATS: dict[str, str] = {"money": MONEY_FORMAT, "date": DATE_FORMAT, "integer": "0", "number": "0.####"}
_TEXT_FORMAT = "@"
HEADER_FILL = "#DCE6F1"
# Up to this many hundredths, the nearest double of an amount has the amount's digits.
_LARGEST_EXACT_CENTS = 2**53

# The characters that no cell can hold.
CONTROL_CHARACTERS = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F]"
_CONTROL = re.compile(CONTROL_CHARACTERS)
_NOT_IN_TITLE = re.compile(r"[\[\]:*?/\\]")
# Where the messages of the writer's failures contain the system's error number.
_ERRNO = re.compile(r"(?:os error |code: )([0-9]+)")


@dataclass(frozen=True, kw_only=True)
class ColumnSpec:
    """A column of a sheet: its header, the kind of its cells, its width in characters."""

    header: str
    kind: CellKind = "text"
    width: float = 16


def new_workbook(target: Path | BinaryIO) -> FastExcel:
    """A workbook whose sheets keep their first row in view. `save_workbook` writes it."""
    return (
        FastExcel(target, output_format="xlsx")
        .format(float_format=MONEY_FORMAT, datetime_format=DATE_FORMAT)
        .freeze(row=1)
    )


def add_sheet(book: FastExcel, *, title: str, columns: Sequence[ColumnSpec], rows: Any, is_frame: bool = False) -> None:
    """Add a list with a bold, filterable header. `title`: see `sheet_title`.

    `rows`: a frame (`is_frame`) whose columns are named by the headers, or an iterable of rows, one value for each
    column as `cell_value` returns it.
    """
    headers = checked_headers(columns, title)
    book.sheet(
        title,
        rows if is_frame else _records(rows, headers),
        column_widths=[float(column.width) for column in columns],
        column_formats=[Format().set_num_format(_NUMBER_FORMATS.get(column.kind, _TEXT_FORMAT)) for column in columns],
        header_format=Format().set_bold().set_background_color(HEADER_FILL).set_border_bottom("thin"),
        autofilter=True,
        ignore_errors=headers,
    )


def checked_headers(columns: Sequence[ColumnSpec], title: str) -> list[str]:
    """The headers as they are written. Raises ValueError when two of them are the same."""
    headers = [cell_text(column.header) for column in columns]
    if len(set(headers)) < len(headers):
        raise ValueError(f"two columns of the sheet “{title}” have the same header")
    return headers


def _records(rows: Iterable[Sequence[Any]], headers: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    # The writer takes the header from the first record, so a list without rows gets an empty one.
    is_empty = True
    for row in rows:
        is_empty = False
        yield dict(zip(headers, row, strict=True))
    if is_empty:
        yield dict.fromkeys(headers)


def save_workbook(book: FastExcel) -> None:
    """Write the file. Raises OSError, with its errno, when the disk is full or the file cannot be written."""
    try:
        book.save()
    except BaseException as failure:
        error = _system_error(failure)
        if error is None:
            raise
        raise error from failure


def _system_error(failure: BaseException) -> OSError | None:
    """The OSError behind a failed save; None when the failure has another cause.

    The writer keeps its unfinished sheets in temporary files. When those cannot be written it panics, which reaches
    Python as a BaseException outside every hierarchy, known by its name only.
    """
    if not isinstance(failure, OSError | RuntimeError) and type(failure).__name__ != "PanicException":
        return None
    number = _ERRNO.search(str(failure))
    return OSError(int(number[1]), os.strerror(int(number[1]))) if number else None


# ------------------------------------------------------------------------------------------------ cells


def cell_text(text: str) -> str:
    """The text as a cell can hold it."""
    return _CONTROL.sub("", text)[:MOST_CHARACTERS]


def cell_value(value: Any) -> Any:
    """A value as the writer takes it: amounts as the nearest double; as text what a double or a workbook cannot hold.

    That is an amount of more than fifteen digits, and a day before 1900.
    """
    if isinstance(value, str):
        return cell_text(value)
    if isinstance(value, Decimal):
        return float(value) if abs(value) * 100 <= _LARGEST_EXACT_CENTS else str(value)
    if isinstance(value, date) and value < FIRST_DAY:
        return value.isoformat()
    return value


def sheet_title(title: str, *, taken: set[str]) -> str:
    """A title that a worksheet can have: 31 characters, none of `[]:*?/\\`, different from those `taken`.

    The title is added to `taken`. A title that comes twice gets ` (2)`.
    """
    base = clean_text(_NOT_IN_TITLE.sub(" ", title)).strip("' ") or "_"
    number, name = 1, base[:LONGEST_TITLE].strip("' ")
    while name.lower() in taken:
        number += 1
        suffix = f" ({number})"
        name = base[: LONGEST_TITLE - len(suffix)].strip("' ") + suffix
    taken.add(name.lower())
    return name
