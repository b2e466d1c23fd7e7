"""Cells merged down over several rows: their value is that of each of the rows (DOMAIN §4 "Files").

However many rows a cell takes and however many such cells there are, the work is one pass over the rows of a column.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def blocks_by_column(merged: Sequence[int]) -> dict[int, pl.DataFrame]:
    """`LostCells.merged` → for each column of the sheet (0-based) its blocks: `first` and `last` row, 1-based."""
    if not merged:
        return {}
    table = pl.DataFrame(
        {
            "column": pl.Series(merged[::3], dtype=pl.UInt32),
            "first": pl.Series(merged[1::3], dtype=pl.UInt32) + 1,
            "last": pl.Series(merged[2::3], dtype=pl.UInt32) + 1,
        }
    ).sort("first")
    groups = table.partition_by("column", as_dict=True, include_key=False, maintain_order=True)
    return {int(column): blocks for (column,), blocks in groups.items()}


def covering_rows(rows: pl.Series, blocks: pl.DataFrame) -> pl.Series:
    """For each of `rows` (ascending) the first row of the block that covers it; null for a row that none covers.

    A block's own first row is not covered.
    """
    frame = rows.alias("row").to_frame().with_columns(pl.col("row").set_sorted())
    nearest = frame.join_asof(blocks, left_on="row", right_on="first", strategy="backward")
    is_covered = (pl.col("row") > pl.col("first")) & (pl.col("row") <= pl.col("last"))
    return nearest.select(pl.when(is_covered).then("first")).to_series()


def fill_column(body: pl.DataFrame, name: str, covering: str) -> pl.Series:
    """The column `name` of `body` with the value of the row that `covering` names, where it names one."""
    values = body.select(pl.col("row").alias(covering), pl.col(name).alias("value"))
    joined = body.select(covering, name).join(values, on=covering, how="left", maintain_order="left")
    return joined.select(pl.when(pl.col(covering).is_null()).then(name).otherwise("value").alias(name)).to_series()
