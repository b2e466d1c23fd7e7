"""An answer's table as a CSV, XLSX or Parquet file."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import polars as pl
from django.utils.translation import gettext as _

from common.exports import Column, csv_lines, write_xlsx
from dashboard.tables import Kind, Table

CSV, XLSX, PARQUET = "csv", "xlsx", "parquet"
CONTENT_TYPES = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    PARQUET: "application/vnd.apache.parquet",
}
# Money has up to 18 digits, two of them decimals; ratios four decimals.
_TYPES: dict[Kind, Any] = {
    "text": pl.String(), "money": pl.Decimal(20, 2), "ratio": pl.Decimal(20, 4), "integer": pl.Int64(),
    "number": pl.Float64(), "date": pl.Date(),
}  # fmt: skip
_CELLS: dict[Kind, Any] = {
    "text": "text", "money": "money", "ratio": "number", "integer": "integer", "number": "number", "date": "date",
}  # fmt: skip


def as_csv(table: Table) -> Iterator[bytes]:
    return csv_lines(columns=_columns(table), rows=table.rows, words=(_("yes"), _("no")))


def write_workbook(table: Table, target: BinaryIO) -> None:
    """Raises OSError, with its errno, when the disk is full."""
    write_xlsx(target=target, title=table.title, columns=_columns(table), rows=table.rows, words=(_("yes"), _("no")))


def as_parquet(table: Table) -> bytes:
    """Columns under the names that the JSON uses; amounts and ratios as decimals."""
    schema = {column.name: _TYPES[column.kind] for column in table.columns}
    converters = [_converter(column.kind) for column in table.columns]
    rows = [tuple(convert(value) for convert, value in zip(converters, row, strict=True)) for row in table.rows]
    target = io.BytesIO()
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(target)
    return target.getvalue()


def _converter(kind: Kind) -> Callable[[Any], Any]:
    if kind == "text":
        return lambda value: None if value is None else str(value)
    if kind == "number":
        return lambda value: None if value is None else float(value)
    return lambda value: value


def _columns(table: Table) -> list[Column]:
    return [Column(column.header, column.name, _CELLS[column.kind]) for column in table.columns]
