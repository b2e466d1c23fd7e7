"""`convert.py EXTENSION LANGUAGE`: reads a file on the standard input and writes a workbook to the standard output.

A program of its own with limits of memory and time, because a file may crash its reader. It ends with 3 and the reason
on the standard output when the file cannot be converted.
"""

import datetime as dt
import io
import os
import resource
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import pdfplumber
import python_calamine
import xlsxwriter

REFUSED = 3
Table = list[list[Any]]
_DAY, _MOMENT = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"
# For a table without lines: its columns are where the texts of several rows begin.
_ALIGNED = {"vertical_strategy": "text", "horizontal_strategy": "text"}
_TEXTS = {
    "format": ("Only .ods, .xlsb and .pdf are converted.", "Seuls .ods, .xlsb et .pdf sont convertis."),
    "no_table": (
        "The PDF has no table with lines or aligned columns. A scanned page is a picture: export the PDF again.",
        "Le PDF n’a pas de tableau. Une page numérisée est une image : exportez le PDF de nouveau.",
    ),
}


class Unconvertible(Exception):
    """The code of the reason."""


def convert(content: bytes, extension: str) -> bytes:
    """The workbook. Raises Unconvertible, and whatever the readers raise for a damaged file."""
    match extension:
        case "ods" | "xlsb":
            return written(sheets_of(content))
        case "pdf":
            return written([("PDF", table_of_pdf(content))])
        case _:
            raise Unconvertible("format")


def sheets_of(content: bytes) -> Iterator[tuple[str, Table]]:
    """(name, rows) of each sheet, with the row numbers of the original."""
    with python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
        for name in book.sheet_names:
            yield name, book.get_sheet_by_name(name).to_python(skip_empty_area=False)


def table_of_pdf(content: bytes) -> Table:
    """The tables of all pages, one below the other. The header that each page repeats is kept once."""
    rows: Table = []
    with pdfplumber.open(io.BytesIO(content)) as pdf:
        for page in pdf.pages:
            for table in page.extract_tables() or page.extract_tables(_ALIGNED):
                cells = [row for row in ([_cell(text) for text in row] for row in table) if any(row)]
                rows += cells[1:] if rows and cells and cells[0] == rows[0] else cells
            page.close()
    if not rows:
        raise Unconvertible("no_table")
    return rows


def _cell(text: str | None) -> str:
    # A line break inside a cell is where the column was too narrow.
    return " ".join((text or "").split())


def written(sheets: Iterable[tuple[str, Table]]) -> bytes:
    """A workbook with these sheets: texts stay texts, numbers numbers, dates dates."""
    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(target, options) as book:
        day, moment = book.add_format({"num_format": _DAY}), book.add_format({"num_format": _MOMENT})
        for name, rows in sheets:
            sheet = book.add_worksheet(name[:31])
            for at, row in enumerate(rows):
                for column, value in enumerate(row):
                    _write(sheet, at, column, value, day=day, moment=moment)
    return target.getvalue()


def _write(sheet: Any, row: int, column: int, value: Any, *, day: Any, moment: Any) -> None:
    match value:
        case "" | None:
            return
        case bool():
            sheet.write_boolean(row, column, value)
        case int() | float():
            sheet.write_number(row, column, value)
        case dt.datetime():
            sheet.write_datetime(row, column, value, moment)
        case dt.date():
            sheet.write_datetime(row, column, value, day)
        case _:
            sheet.write_string(row, column, str(value))


def main() -> int:
    memory, seconds = int(os.environ.get("MAX_MEMORY_MEGABYTES", "1024")), int(os.environ.get("MAX_CPU_SECONDS", "50"))
    resource.setrlimit(resource.RLIMIT_AS, (memory * 1024 * 1024, memory * 1024 * 1024))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    extension, language = sys.argv[1:3]
    try:
        answer = convert(sys.stdin.buffer.read(), extension)
    except Unconvertible as reason:
        sys.stdout.write(_TEXTS[str(reason)][language == "fr"])
        return REFUSED
    sys.stdout.buffer.write(answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
