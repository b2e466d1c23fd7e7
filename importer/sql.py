"""Many values in one SQL statement: a table made of parameters, on PostgreSQL and on SQLite."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

# The SQL types that are asked for here; SQLite needs none.
INTEGER, TEXT, DATE = "bigint", "text", "date"


def values_table(
    connection: BaseDatabaseWrapper, alias: str, columns: Mapping[str, tuple[str, Sequence[Any]]]
) -> tuple[str, list[Any]]:
    """A FROM item `alias` with the given columns (name → SQL type, values), and its parameters.

    One statement however many rows: the values travel as one array a column (PostgreSQL) or one JSON text (SQLite).
    """
    names = ", ".join(columns)
    if connection.vendor == "postgresql":
        arrays = ", ".join(f"%s::{sql_type}[]" for sql_type, _ in columns.values())
        return f"unnest({arrays}) AS {alias}({names})", [list(values) for _, values in columns.values()]
    picks = ", ".join(f"json_extract(value, '$[{n}]') AS {name}" for n, name in enumerate(columns))
    rows = list(zip(*(values for _, values in columns.values()), strict=True))
    return f"(SELECT {picks} FROM json_each(%s)) AS {alias}", [json.dumps(rows, default=_plain)]


def _plain(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a table of values")
