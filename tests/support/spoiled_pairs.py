"""Pairs with spoiled cells, and the corrections that put them right."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

from common.keys import header_key
from reading.columns import FileKind, columns_of
from samples.pairs import Pair, make_rows
from samples.spoiling import SpoiledPair, spoil
from samples.writing import write_pair


def make_spoiled_pair(folder: Path, *, claims: int, cells: int, rows: int) -> SpoiledPair:
    """Writes a pair into `folder/clean`, and into `folder/spoiled` what `spoil` makes of it; → the latter."""
    pair = make_rows(claims=claims, seed=11, pages=2)
    spoiled = spoil(pair, cells=cells, rows=rows, seed=11)
    written: tuple[tuple[str, Pair | SpoiledPair], ...] = (("clean", pair), ("spoiled", spoiled))
    for name, one in written:
        out = folder / name
        out.mkdir(parents=True)
        stat, recaps = write_pair(out, one.stat, one.recap_pages, fmt="csv", rng=Random(0))
        (out / "expected.json").write_text(json.dumps({"files": {"stat": stat, "recaps": recaps}}))
    return spoiled


def corrections_of(spoiled: SpoiledPair, *, stat: int, recap: list[int]) -> dict[str, list[dict[str, Any]]]:
    """The body of the request that puts a session with this pair right. `stat`, `recap`: the ids of its files."""

    def file(side: FileKind, page: int) -> int:
        return stat if side == "stat" else recap[page]

    def field(side: FileKind, header: str) -> str:
        return next(one.field for one in columns_of(side) if header_key(header) in map(header_key, one.headers))

    cells = [
        {"file": file(one.side, one.page), "sheet": "", "row": one.row, "field": field(one.side, one.header)}
        | {"value": one.text}
        for one in spoiled.cells
    ]
    added = [{"file": file(one.side, one.page), "sheet": "", "row": one.row} for one in spoiled.added]
    return {"cells": cells, "remove": added}
