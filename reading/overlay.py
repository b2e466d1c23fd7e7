"""Applies corrections to what was read, before it is typed and reconciled (DOMAIN §13). Pure.

A corrected cell is a text as a user types it, so it is typed like any other text. A corrected row has no anomaly any
more: an anomaly says that cells may stand under the wrong header, and a person has said what the row has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from reading.columns import FileKind
from reading.corrections import Corrections
from reading.problems import Problem
from reading.raw import CONTROL
from reading.sources import FindFractions, ReadFile
from reading.typed import RawFile, type_amounts, type_texts

_PLACE = ("file", "sheet", "row")
_PLACE_TYPES = {"file": pl.UInt32, "sheet": pl.String, "row": pl.UInt32}
_CELL_TYPES = _PLACE_TYPES | {"field": pl.String, "was": pl.String, "value": pl.String}


@dataclass(frozen=True)
class Overlaid:
    """`reads`: the files with their corrections. `refused`: a problem for each correction that no longer fits.

    Codes: `correction_row_gone` (params: row), `correction_changed` (params: row, field).
    """

    reads: list[ReadFile]
    refused: list[Problem]


def with_corrections(
    reads: Sequence[ReadFile], corrections: Corrections, *, kind: FileKind, names: Sequence[str], currency: str
) -> Overlaid:
    """Apply the corrections of one side. `reads`: every file of the side in its order; `names`: their names.

    A correction in a sheet that the file has but that was not read does nothing: another session read that sheet.
    A correction of a recap row counts for every row that repeats it, because such rows are one row (DOMAIN §5.2).
    """
    cells = pl.DataFrame(
        [(one.file, one.sheet, one.row, one.field, one.was, one.value) for one in corrections.cells],
        schema=_CELL_TYPES,
        orient="row",
    ).with_columns(is_own=pl.lit(True))
    removals = pl.DataFrame(list(corrections.removals), schema=_PLACE_TYPES, orient="row")
    if kind == "recap":
        cells, removals = _with_copies(cells, removals, reads, currency)
    corrected: list[ReadFile] = []
    refused: list[Problem] = []
    for index, (read, name) in enumerate(zip(reads, names, strict=True)):
        here = (pl.col("file") == index) & ~pl.col("sheet").is_in([one for one in read.sheets if one not in read.read])
        one, problems = _apply(read, cells.filter(here), removals.filter(here), name)
        corrected.append(one)
        refused += problems
    return Overlaid(corrected, refused)


def _with_copies(
    cells: pl.DataFrame, removals: pl.DataFrame, reads: Sequence[ReadFile], currency: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The corrections, and the same for each row that is equal to a corrected one after reading.

    A row's own corrections count before those of its copies.
    """
    typed = type_amounts(
        [RawFile(type_texts(read.frame, kind="recap"), read.fractions) for read in reads],
        kind="recap",
        currency=currency,
    ).frame
    named = pl.concat([cells.select(_PLACE), removals.select(_PLACE)]).unique()
    values = [name for name in typed.columns if name not in _PLACE]
    origin = {name: f"from_{name}" for name in _PLACE}
    corrected = typed.join(named, on=_PLACE, how="semi").rename(origin)
    copies = (
        typed.join(corrected, on=values, how="inner", nulls_equal=True)
        .filter(pl.any_horizontal(pl.col(name) != pl.col(before) for name, before in origin.items()))
        .select(*_PLACE, *origin.values())
    )
    if copies.is_empty():
        return cells, removals
    # The newest of them first: they come in the order in which they were made.
    inherited = (
        cells.reverse()
        .rename(origin)
        .join(copies, on=list(origin.values()), maintain_order="left")
        .select(*cells.columns)
        .with_columns(is_own=pl.lit(False))
    )
    removed = removals.rename(origin).join(copies, on=list(origin.values())).select(_PLACE)
    return (
        pl.concat([cells, inherited]).unique(subset=[*_PLACE, "field"], keep="first", maintain_order=True),
        pl.concat([removals, removed]).unique(),
    )


def _apply(read: ReadFile, cells: pl.DataFrame, removals: pl.DataFrame, name: str) -> tuple[ReadFile, list[Problem]]:
    if cells.is_empty() and removals.is_empty():
        return read, []
    frame = read.frame
    at = frame.select("sheet", "row").with_row_index("at")
    cells, removals = (
        places.join(at, on=["sheet", "row"], how="left", maintain_order="left") for places in (cells, removals)
    )
    refused = _gone(cells, removals, name) + _changed(frame, cells, name)
    if refused:
        return read, refused
    for (field,), group in cells.group_by("field", maintain_order=True):
        texts = group["value"].str.replace_all(CONTROL, "")
        values = pl.select(pl.when(texts.str.len_bytes() > 0).then(texts)).to_series()
        frame = frame.with_columns(frame[str(field)].scatter(group["at"], values))
    row = pl.int_range(pl.len(), dtype=pl.UInt32)
    frame = frame.with_columns(anomaly=pl.when(~row.is_in(cells["at"].implode())).then("anomaly"))
    frame = frame.filter(~row.is_in(removals["at"].implode()))
    return replace(read, frame=frame, fractions=_without_corrected(read.fractions, cells)), []


def _gone(cells: pl.DataFrame, removals: pl.DataFrame, name: str) -> list[Problem]:
    absent = pl.concat([places.filter(pl.col("at").is_null()).select("sheet", "row") for places in (cells, removals)])
    return [
        Problem("correction_row_gone", file=name, sheet=sheet, params={"row": row})
        for sheet, row in absent.unique(maintain_order=True).iter_rows()
    ]


def _changed(frame: pl.DataFrame, cells: pl.DataFrame, name: str) -> list[Problem]:
    problems: list[Problem] = []
    there = cells.filter(pl.col("is_own") & pl.col("at").is_not_null())
    for (field,), group in there.group_by("field", maintain_order=True):
        read = frame[str(field)].gather(group["at"]).fill_null("")
        problems += [
            Problem("correction_changed", file=name, sheet=sheet, params={"row": row, "field": str(field)})
            for sheet, row in group.filter(read != group["was"]).select("sheet", "row").iter_rows()
        ]
    return problems


def _without_corrected(fractions: FindFractions | None, cells: pl.DataFrame) -> FindFractions | None:
    """Corrected cells are texts, whatever the file has there."""
    if fractions is None:
        return None
    corrected = set(cells.select("field", "sheet", "row").iter_rows())

    def find(field: str) -> dict[str, list[int]]:
        return {
            sheet: [row for row in rows if (field, sheet, row) not in corrected]
            for sheet, rows in fractions(field).items()
        }

    return find
