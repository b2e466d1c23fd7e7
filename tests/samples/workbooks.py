"""Reads sample files with openpyxl and csv, without any code of the import."""

import csv
import datetime as dt
from pathlib import Path
from typing import Any

import openpyxl


def grid(path: Path) -> list[list[Any]]:
    """Every row of a plain file with its header. A cell that is absent is an empty text."""
    if path.suffix == ".csv":
        encoding = "cp1252" if path.name.startswith("stat") else "utf-8-sig"
        with path.open(newline="", encoding=encoding) as file:
            return [list(row) for row in csv.reader(file, delimiter=";")]
    book = openpyxl.load_workbook(path, read_only=True)
    width = 0
    rows = []
    for row in book.worksheets[0].iter_rows(values_only=True):
        width = width or len(row)
        rows.append(["" if cell is None else cell for cell in row] + [""] * (width - len(row)))
    return rows


def as_csv_shows(cell: Any, date_pattern: str) -> str:
    """A cell of a workbook as the text of a CSV export."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, dt.datetime):
        return cell.strftime(date_pattern if cell.time() == dt.time(0) else f"{date_pattern} %H:%M")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
