"""A figure as a table: what the CSV, the workbook and the Parquet file of an answer have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["text", "money", "ratio", "integer", "number", "date"]


@dataclass(frozen=True)
class TableColumn:
    """`name`: the column in Parquet, the JSON's word; `header`: in the reader's language."""

    name: str
    header: Any
    kind: Kind = "text"


@dataclass(frozen=True)
class Table:
    """`rows`: one value for each column: text, Decimal, int, date, or None."""

    title: str
    columns: Sequence[TableColumn]
    rows: Sequence[Sequence[Any]]
