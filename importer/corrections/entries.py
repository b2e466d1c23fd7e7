"""The entries of a request that corrects a session: cells to correct, rows to leave out, and what is wrong with them.

The index of an entry is its place in the request: the cells come first, the removals continue behind them.
"""

from __future__ import annotations

from dataclasses import dataclass

from common.errors import EntryProblem

__all__ = ["CellEntry", "EntryProblem", "RemoveEntry"]


@dataclass(frozen=True)
class CellEntry:
    """One cell to correct. `file_id`: the stat file or a page of the recap. `field`: a field of DOMAIN §2 or §3.

    `sheet` is "" for CSV. `row`: as a spreadsheet shows it. `value`: as a user would type it, "" for an empty cell.
    `was`: the text of the cell as the caller read it; None to accept whatever the file has.
    """

    file_id: int
    sheet: str
    row: int
    field: str
    value: str
    was: str | None = None


@dataclass(frozen=True)
class RemoveEntry:
    """One row to leave out."""

    file_id: int
    sheet: str
    row: int
