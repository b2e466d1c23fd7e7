"""Rows → Parquet, for analysts: values with their types, under names that no language changes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from itertools import islice
from typing import Any, BinaryIO, Literal

ParquetKind = Literal["text", "choice", "money", "ratio", "integer", "number", "date", "moment", "yes_no"]

_ROWS_AT_ONCE = 20_000


@dataclass(frozen=True)
class ParquetColumn:
    name: str
    kind: ParquetKind = "text"


def write_parquet(*, target: BinaryIO, columns: Sequence[ParquetColumn], rows: Iterable[Sequence[Any]]) -> None:
    """One column for each of `columns`; a choice is its value in the database, not its label.

    `rows`: one value for each column: text, Decimal, int, float, bool, date, datetime with a time zone, or None. Raises
    OSError, with its errno, when the disk is full.
    """
    # Imported late: the admin loads this module in every process, and the main process of a worker, which forks, must
    # not load the frames library.
    import polars as pl

    # Amounts have up to 18 digits, two of them decimals; ratios have four decimals.
    types: dict[ParquetKind, Any] = {
        "text": pl.String(), "choice": pl.String(), "money": pl.Decimal(20, 2), "ratio": pl.Decimal(20, 4),
        "integer": pl.Int64(), "number": pl.Float64(), "date": pl.Date(), "moment": pl.Datetime("us", "UTC"),
        "yes_no": pl.Boolean(),
    }  # fmt: skip
    schema = {column.name: types[column.kind] for column in columns}
    converters = [_converter(column.kind) for column in columns]
    # In parts: a part as Python values takes ten times the memory of its frame.
    frames = [pl.DataFrame(schema=schema)]
    remaining = iter(rows)
    while part := list(islice(remaining, _ROWS_AT_ONCE)):
        values = [tuple(convert(value) for convert, value in zip(converters, row, strict=True)) for row in part]
        frames.append(pl.DataFrame(values, schema=schema, orient="row"))
    pl.concat(frames).write_parquet(target)


def _converter(kind: ParquetKind) -> Callable[[Any], Any]:
    match kind:
        case "text" | "choice":
            return lambda value: None if value is None else str(value)
        case "number":
            return lambda value: None if value is None else float(value)
        case "moment":
            return lambda value: None if value is None else value.astimezone(UTC)
    return lambda value: value
