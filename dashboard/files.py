"""An answer's table as a CSV, XLSX or Parquet file."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from django.utils.translation import gettext as _

from common.exports import CONTENT_TYPES, CSV, PARQUET, XLSX, Column, csv_lines, write_sheets
from common.parquet import ParquetColumn, write_parquet
from dashboard.tables import Kind, Table

__all__ = ["CONTENT_TYPES", "CSV", "PARQUET", "XLSX", "as_csv", "as_parquet", "write_workbook"]

_CELLS: dict[Kind, Any] = {
    "text": "text", "money": "money", "ratio": "number", "integer": "integer", "number": "number", "date": "date",
}  # fmt: skip


def as_csv(table: Table) -> Iterator[bytes]:
    return csv_lines(columns=_columns(table), rows=table.rows, words=(_("yes"), _("no")))


def write_workbook(tables: Iterable[Table], target: BinaryIO) -> None:
    """A sheet for each table. Raises OSError, with its errno, when the disk is full."""
    sheets = ((table.title, _columns(table), table.rows) for table in tables)
    write_sheets(target=target, sheets=sheets, words=(_("yes"), _("no")))


def as_parquet(table: Table) -> bytes:
    """Columns under the names that the JSON uses; amounts and ratios as decimals."""
    target = io.BytesIO()
    columns = [ParquetColumn(column.name, column.kind) for column in table.columns]
    write_parquet(target=target, columns=columns, rows=table.rows)
    return target.getvalue()


def _columns(table: Table) -> list[Column]:
    return [Column(column.header, column.name, _CELLS[column.kind]) for column in table.columns]
