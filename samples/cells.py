"""The cells of plain values, in the many spellings of the field (DOMAIN §4)."""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import Any

from samples import columns as c
from samples import spelling
from samples.claims import Row
from samples.spelling import Cell, Verbatim

_STAT_NAMES = (c.BENEFICIARY, c.MAIN)
# The employer of an individual policy is a person's name, yet one claim's lines must agree on it by label key.
_STAT_LABELS = (c.EMPLOYER, c.PLAN, c.PARTNER, c.CLAIM_STATUS, c.CATEGORY, c.GUARANTEE, c.ACT, c.OPERATOR)
_STAT_REFERENCES = (c.POLICY, c.PAYMENT, c.INVOICE)
_RECAP_NAMES = (c.R_BENEFICIARY, c.R_MAIN)
_RECAP_LABELS = (c.R_EMPLOYER, c.R_PARTNER)
_RECAP_REFERENCES = (c.R_POLICY, c.R_INVOICE)
_RECAP_TEXTS = (*_RECAP_NAMES, *_RECAP_LABELS, *_RECAP_REFERENCES, c.R_METHOD, c.R_NOTE)


def _amount(cents: int, rng: Random) -> Cell:
    return spelling.amount_text(cents, rng) if rng.random() < (0.4 if cents < 0 else 0.12) else spelling.number(cents)


def _without_gaps(cells: list[Any], rng: Random) -> list[Cell]:
    for column, cell in enumerate(cells):
        if cell is None:
            cells[column] = spelling.empty(rng)
        elif type(cell) is Verbatim:
            cells[column] = cell.cell
    return cells


def line_cells(line: Row, rng: Random) -> list[Cell]:
    """The cells of one stat line, in the order of STAT_HEADERS."""
    random = rng.random
    cells = line.copy()
    for column in _STAT_NAMES:
        if isinstance(line[column], str) and random() < 0.15:
            cells[column] = spelling.name(line[column], rng)
    for column in _STAT_LABELS:
        if isinstance(line[column], str) and random() < 0.08:
            cells[column] = spelling.label(line[column], rng)
    for column in _STAT_REFERENCES:
        if isinstance(line[column], str) and random() < 0.08:
            cells[column] = spelling.reference(line[column], rng)
    if isinstance(line[c.NUMBER], str):
        number = line[c.NUMBER].lower()
        cells[c.NUMBER] = spelling.claim_number(number, rng) if random() < 0.05 else number
    status = line[c.STATUS]
    cells[c.STATUS] = status if random() > 0.03 else f" {status.lower()}"
    for column in (c.CLAIMED, c.REIMBURSED):
        if type(value := line[column]) is int:
            cells[column] = _amount(value, rng)
    style = spelling.date_style(rng)
    for column in (c.INCIDENT, c.SETTLED):
        if style is not None and isinstance(value := line[column], dt.date):
            cells[column] = style(value)
    return _without_gaps(cells, rng)


def respell_recap(row: Row, rng: Random) -> Row:
    """A recap row with other spellings of its names and labels. Its copies on other pages repeat these spellings."""
    respelt = row.copy()
    for columns, respell in ((_RECAP_NAMES, spelling.name), (_RECAP_LABELS, spelling.label)):
        for column in columns:
            if isinstance(row[column], str) and rng.random() < 0.1:
                respelt[column] = respell(row[column], rng)
    return respelt


def recap_cells(row: Row, rng: Random) -> list[Cell]:
    """The cells of one recap row, in the order of RECAP_HEADERS. Two calls for one row give cells of equal meaning."""
    random = rng.random
    cells = row.copy()
    if isinstance(row[c.R_NUMBER], str) and random() < 0.06:
        cells[c.R_NUMBER] = spelling.claim_number(row[c.R_NUMBER], rng)
    for column in _RECAP_TEXTS:
        if isinstance(row[column], str) and random() < 0.05:
            cells[column] = spelling.text(row[column], rng)
    cheque = row[c.R_CHEQUE]
    if isinstance(cheque, str) and random() < 0.1:
        cells[c.R_CHEQUE] = int(cheque)
    for column in (c.R_CLAIMED, c.R_REIMBURSED):
        if type(value := row[column]) is int:
            cells[column] = _amount(value, rng)
    settled = row[c.R_SETTLED]
    if isinstance(settled, dt.date) and random() > 0.1:
        write = spelling.date_text(rng) if random() < 0.15 else None
        cells[c.R_SETTLED] = write(settled) if write else settled.strftime("%d-%m-%Y")
    return _without_gaps(cells, rng)
