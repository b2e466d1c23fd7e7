"""Statements about many rows at once, in the SQL of both databases."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db import connection

# The SQL types of the columns of `values_table`; SQLite needs none.
INTEGER, TEXT, DATE, NUMERIC = "bigint", "text", "date", "numeric"


def is_postgresql() -> bool:
    return connection.vendor == "postgresql"


def values_table(alias: str, columns: Mapping[str, tuple[str, Sequence[Any]]]) -> tuple[str, list[Any]]:
    """A FROM item `alias` with the given columns (name → SQL type, values), and its parameters.

    One statement for any number of rows: the values are sent as one array for each column (PostgreSQL) or as one JSON
    text (SQLite).
    """
    names = ", ".join(columns)
    if is_postgresql():
        arrays = ", ".join(f"%s::{sql_type}[]" for sql_type, _ in columns.values())
        return f"unnest({arrays}) AS {alias}({names})", [list(values) for _, values in columns.values()]
    picks = ", ".join(f"json_extract(value, '$[{n}]') AS {name}" for n, name in enumerate(columns))
    rows = list(zip(*(values for _, values in columns.values()), strict=True))
    return f"(SELECT {picks} FROM json_each(%s)) AS {alias}", [json.dumps(rows, default=_iso_date)]


def _iso_date(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a table of values cannot contain {type(value).__name__}")
