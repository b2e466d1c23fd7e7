"""Spoils some cells of a pair and adds rows that do not belong there, and says what would put it right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from samples import columns as c
from samples.pairs import Pair
from samples.spelling import Cell, csv_text, pick

Side = Literal["stat", "recap"]
# The columns that decide whether and how a claim is imported, with what a hasty typist leaves in them.
_AMOUNTS = ("illisible", "12 000 ou 13 000", "0", "#REF!", "999999")
_DATES = ("fin du mois", "31/02/2023", "?", "")
_TEXTS = ("A VERIFIER", "", "XXX 1")
_SPOILED: dict[Side, dict[int, tuple[str, ...]]] = {
    "stat": {
        c.NUMBER: _TEXTS,
        c.BENEFICIARY: _TEXTS,
        c.POLICY: _TEXTS,
        c.PARTNER: _TEXTS,
        c.CATEGORY: _TEXTS,
        c.SETTLED: _DATES,
        c.CLAIMED: _AMOUNTS,
        c.REIMBURSED: _AMOUNTS,
    },
    "recap": {c.R_NUMBER: _TEXTS, c.R_SETTLED: _DATES, c.R_CLAIMED: _AMOUNTS, c.R_REIMBURSED: _AMOUNTS},
}


@dataclass(frozen=True, slots=True)
class SpoiledCell:
    """`page`: index of the recap page, 0 for the stat file. `row`: that of the file, whose header is row 1.

    `header`: that of the column. `text`: what a user types to put the cell right.
    """

    side: Side
    page: int
    row: int
    header: str
    text: str


@dataclass(frozen=True, slots=True)
class AddedRow:
    side: Side
    page: int
    row: int


@dataclass(frozen=True, slots=True)
class SpoiledPair:
    """`stat` and `recap_pages` as those of the pair, in a plain layout."""

    stat: list[list[Cell]]
    recap_pages: list[list[list[Cell]]]
    cells: list[SpoiledCell]
    added: list[AddedRow]


def spoil(pair: Pair, *, cells: int, rows: int, seed: int = 7) -> SpoiledPair:
    """A copy of the pair with so many spoiled cells and, at the ends of its files, so many rows too many."""
    rng = Random(f"spoil {seed} {cells} {rows}")
    stat = [list(row) for row in pair.stat]
    pages = [[list(row) for row in page] for page in pair.recap_pages]
    tables: list[tuple[Side, int, Sequence[str], list[list[Cell]]]] = [("stat", 0, c.STAT_HEADERS, stat)]
    tables += [("recap", at, c.RECAP_HEADERS, page) for at, page in enumerate(pages)]
    spoiled: dict[tuple[Side, int, int, int], SpoiledCell] = {}
    for _ in range(cells):
        side, page, headers, table = pick(tables, rng)
        at, column = rng.randrange(len(table)), pick(list(_SPOILED[side]), rng)
        if (side, page, at, column) not in spoiled:
            text = csv_text(table[at][column], "%d/%m/%Y")
            spoiled[side, page, at, column] = SpoiledCell(side, page, at + 2, headers[column], text)
            table[at][column] = pick(_SPOILED[side][column], rng)
    added = []
    for _ in range(rows):
        side, page, _headers, table = pick(tables, rng)
        more = list(pick(table, rng))
        more[c.NOTE if side == "stat" else c.R_NOTE] = "saisi deux fois"
        table.append(more)
        added.append(AddedRow(side, page, len(table) + 1))
    return SpoiledPair(stat, pages, list(spoiled.values()), added)
