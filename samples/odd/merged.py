"""Kinds of merged cells: values that stand once for several acts of a claim (workbooks only)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from samples import columns as c
from samples.claims import ClaimMaker, Row, SampleClaim
from samples.kinds import Way
from samples.odd.kind import OddKind
from samples.spelling import Cell, Merged, Verbatim

_IDENTITY = (c.EMPLOYER, c.BENEFICIARY, c.STATUS, c.POLICY, c.MAIN, c.PARTNER, c.NUMBER)
_DATES = (c.INCIDENT, c.SETTLED)
_NUMBERS = (c.CARD, c.PAYMENT, c.INVOICE)
_AMOUNTS = (c.CLAIMED, c.REIMBURSED)
# The value of an amount that only a merged cell above covers: there is none.
_COVERED = Verbatim(None)


def merge_cells(lines: Sequence[Row], cells: list[list[Cell]], columns: Sequence[int], *, extra_row: bool) -> None:
    """Merges equal values down over the rows of a claim, in place; `lines` are the plain values of `cells`.

    `extra_row` adds a row that has no cell of its own: the merged cells of the claim reach down into it.
    """
    count = len(lines)
    if extra_row:
        cells.append([None] * len(cells[0]))
    for column in columns:
        start = 0
        while start < count:
            value, end = lines[start][column], start + 1
            while end < count and _continues(lines[end][column], value, column):
                end += 1
            height = end - start + (extra_row and end == count)
            cell = cells[start][column]
            if value is not None and height > 1 and not isinstance(cell, Merged):
                cells[start][column] = Merged(cell, height)
                for row in range(start + 1, end):
                    cells[row][column] = None
            start = end


def _continues(value: Any, above: Any, column: int) -> bool:
    """Whether the cell merged over `above` also covers `value`. Two equal amounts are two amounts."""
    if column in _AMOUNTS:
        return value is _COVERED
    return above is not None and value == above


def _covers_amounts(maker: ClaimMaker, claim: SampleClaim) -> None:
    """The total of the claim in one cell over all its lines: only the first line has amounts."""
    claimed, reimbursed = claim.totals()
    first, *others = claim.lines
    first[c.CLAIMED], first[c.REIMBURSED] = claimed, reimbursed
    for line in others:
        line[c.CLAIMED] = line[c.REIMBURSED] = _COVERED


KINDS = (
    OddKind(
        name="merged-identity",
        description="claim number, names, policy and provider merged down over the lines of a claim",
        formats=("xlsx",),
        sides=("stat",),
        merged_columns=_IDENTITY,
    ),
    OddKind(
        name="merged-everything",
        description="references and dates merged down too",
        formats=("xlsx",),
        sides=("stat",),
        merged_columns=(*_IDENTITY, *_DATES, *_NUMBERS),
    ),
    OddKind(
        name="merged-extra-row",
        description="merged cells that reach one row further down, into a row without any cell of its own",
        formats=("xlsx",),
        sides=("stat",),
        merged_columns=(*_IDENTITY, *_DATES),
        extra_merged_row=True,
    ),
    OddKind(
        name="merged-amounts",
        description="amounts merged down over the lines of some claims",
        effect="these claims are unreadable: only their first line has amounts",
        formats=("xlsx",),
        sides=("stat",),
        merged_columns=(*_IDENTITY, *_AMOUNTS),
        claims={"stat": (Way("unreadable", 1, _covers_amounts, least_lines=3),)},
    ),
)
