"""What an odd kind is: a named way in which files depart from the plain ones, with its effect on the outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from samples.claims import Row
from samples.kinds import Way
from samples.layout import Layout
from samples.spelling import Cell

Side = Literal["stat", "recap"]
Where = Literal["stat", "recap", "both"]
SIDES: tuple[Side, ...] = ("stat", "recap")

CellChange = Callable[[Row, list[Cell], Random], None]
"""Rewrites some cells of one row, in place. The row has the plain values of the same columns."""
Arrange = Callable[[Layout, Random, int], Layout]
"""Another layout of a file. The number counts the files of the pair."""
Repack = Callable[[bytes, Layout], bytes]
"""The content of a file, from the written workbook or CSV."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OddKind:
    """An odd kind; without hooks, the files are plain.

    `effect` describes the effect on the outcome. `claims` adds claims of known categories: `both` holds those that need
    both files to be odd. `merged_columns` are stat columns whose equal cells are merged down over the lines of a claim.
    `extension` replaces the one of the format in the file name. `currency` is the one that the country must have for
    the expected outcome. `refusal` holds words: the message of the refused import contains one of them.
    """

    name: str
    description: str
    effect: str = "none: the outcome of the plain pair"
    formats: tuple[str, ...] = ("xlsx", "csv")
    sides: tuple[Side, ...] = SIDES
    currency: str | None = None
    claims: Mapping[Where, tuple[Way, ...]] = field(default_factory=dict)
    cells: Mapping[Side, CellChange] = field(default_factory=dict)
    merged_columns: tuple[int, ...] = ()
    extra_merged_row: bool = False
    arrange: Arrange | None = None
    repack: Repack | None = None
    extension: str | None = None
    refusal: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """The first word of the name. A pair can have one kind of each group."""
        return self.name.split("-")[0]
