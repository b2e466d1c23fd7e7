"""The rows of a workbook that was given out and came back: of its sheets, those whose first cell has a mark."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl

from reading.excel.guard import scan_file
from reading.excel.number_cells import formulas_without_value
from reading.excel.package import open_package
from reading.excel.read import open_workbook, sheet_cells, shown
from reading.excel.standard import standard_workbook
from reading.library_errors import library_errors
from reading.limits import Limits
from reading.problems import UnreadableFile
from reading.sources import Source, source_format


def marked_sheets(source: Source, *, mark: str, limits: Limits) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Every row of the sheets whose cell A1 begins with `mark`, as text, and the names of these sheets as `sheets`.

    The frame: `sheet` (UInt32, the index in `sheets`), `row` (UInt32, as a spreadsheet shows it) and a String column
    for each column of a sheet, `c0` the first, in the notation of a raw frame. `formulas`: [index of the sheet, row,
    column (0-based)] of each cell with a formula that has no value. A file that is no .xlsx has no such sheet.
    Raises UnreadableFile, each problem with the file's name.
    """
    try:
        with library_errors():
            if source_format(source) != "xlsx":
                return pl.DataFrame(), {"sheets": [], "formulas": []}
            with standard_workbook(source.path, file_format="xlsx", limits=limits) as path:
                return _read(path, mark, limits)
    except UnreadableFile as unreadable:
        raise UnreadableFile([replace(problem, file=source.name) for problem in unreadable.problems]) from unreadable


def _read(path: str, mark: str, limits: Limits) -> tuple[pl.DataFrame, dict[str, Any]]:
    lost = scan_file(path, limits=limits)
    reader = open_workbook(path)
    sheets: list[str] = []
    frames: list[pl.DataFrame] = []
    formulas: list[tuple[int, int, int]] = []
    for name in reader.sheet_names:
        head, first_column = sheet_cells(reader, name, rows=1)
        if first_column or head.is_empty() or not (head[0, 0] or "").startswith(mark):
            continue
        cells, _ = sheet_cells(reader, name)
        cells = cells[:, : limits.max_columns]
        cells.columns = [f"c{at}" for at in range(cells.width)]
        for row, column, text in zip(*_places(lost.get(name)), strict=True):
            if row < cells.height and column < cells.width:
                cells[row, column] = text
        package = open_package(path)
        with package.archive:
            formulas += [(len(sheets), row + 1, column) for row, column in formulas_without_value(package, name)]
        frames.append(
            cells.select(
                pl.lit(len(sheets), dtype=pl.UInt32).alias("sheet"),
                pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias("row"),
                *(shown(column) for column in cells.columns),
            )
        )
        sheets.append(name)
    frame = pl.concat(frames, how="diagonal") if frames else pl.DataFrame()
    return frame, {"sheets": sheets, "formulas": formulas}


def _places(lost: Any) -> tuple[Any, Any, Any]:
    """Rows, columns and texts of the error cells of a sheet, which its reader loses."""
    return (lost.rows, lost.columns, lost.texts) if lost is not None else ((), (), ())
