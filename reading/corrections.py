"""Corrections of cells and rows as values, for the process that reads the files they belong to (DOMAIN §13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class CellCorrection:
    """`file`: the index in the list of files. `was`: the text as read, "" for an empty cell; `value`: the new text."""

    file: int
    sheet: str
    row: int
    field: str
    was: str
    value: str


@dataclass(frozen=True)
class Corrections:
    """The corrections of one side: at most one for each cell. `removals`: (file, sheet, row) of rows to leave out."""

    cells: Sequence[CellCorrection] = ()
    removals: Sequence[tuple[int, str, int]] = ()

    def __bool__(self) -> bool:
        return bool(self.cells or self.removals)

    def as_dict(self) -> dict[str, Any]:
        cells = [[one.file, one.sheet, one.row, one.field, one.was, one.value] for one in self.cells]
        return {"cells": cells, "removals": [list(one) for one in self.removals]}

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Corrections:
        removals = [(file, sheet, row) for file, sheet, row in value["removals"]]
        return cls([CellCorrection(*one) for one in value["cells"]], removals)
