"""Kinds of odd amounts: signs, currencies, spaces, and one mark with three digits after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from samples import columns as c
from samples.claims import ClaimMaker, Row, SampleClaim
from samples.kinds import Change, Way
from samples.layout import Layout
from samples.odd.kind import CellChange, OddKind, Side, Where
from samples.spelling import MINUS, NARROW_NO_BREAK, NO_BREAK, Cell, Verbatim, number, pick

_COLUMNS: dict[Side, tuple[int, int]] = {
    "stat": (c.CLAIMED, c.REIMBURSED),
    "recap": (c.R_CLAIMED, c.R_REIMBURSED),
}
# The lone mark of the claimed and of the reimbursed column.
_MARKS = (".", ",")
AmountText = Callable[[int, Random], Cell]
"""Writes hundredths of the currency unit."""
MarkedText = Callable[[int, str, Random], Cell]
"""Writes hundredths of the currency unit with a mark whose meaning the column decides."""


def _in_both_files(write: AmountText, *, share: float = 0.6) -> dict[Side, CellChange]:
    return {side: _written(columns, write, share) for side, columns in _COLUMNS.items()}


def _written(columns: tuple[int, int], write: AmountText, share: float) -> CellChange:
    def change(row: Row, cells: list[Cell], rng: Random) -> None:
        for column in columns:
            if type(row[column]) is int and rng.random() < share:
                cells[column] = write(row[column], rng)

    return change


def _marked_in_both_files(write: MarkedText) -> dict[Side, CellChange]:
    """Writes every amount of the columns: a text by other rules could decide what the mark means."""
    return {side: _marked(columns, write) for side, columns in _COLUMNS.items()}


def _marked(columns: tuple[int, int], write: MarkedText) -> CellChange:
    def change(row: Row, cells: list[Cell], rng: Random) -> None:
        for column, mark in zip(columns, _MARKS, strict=True):
            if type(row[column]) is int:
                cells[column] = write(row[column], mark, rng)

    return change


def _plain(cents: int, *, space: str = "", decimal: str = ",") -> str:
    """The size of an amount, without its sign."""
    units, rest = divmod(abs(cents), 100)
    return f"{units:_}".replace("_", space) + (f"{decimal}{rest:02d}" if rest else "")


def _sign(cents: int) -> str:
    return "-" if cents < 0 else ""


# ------------------------------------------------------------------------------------------------ signs and currencies
def _minus_behind(cents: int, rng: Random) -> Cell:
    space = pick(("", " "), rng)
    return f"{_plain(cents, space=space)}{pick(('-', ' -'), rng)}" if cents < 0 else number(cents)


def _parentheses(cents: int, rng: Random) -> Cell:
    return f"({_plain(cents, space=pick(('', ' '), rng))})" if cents < 0 else number(cents)


def _unicode_minus(cents: int, rng: Random) -> Cell:
    return f"{MINUS}{_plain(cents, space=pick(('', ' '), rng))}" if cents < 0 else number(cents)


def _plus(cents: int, rng: Random) -> Cell:
    return f"+{_plain(cents)}" if cents > 0 else number(cents)


def _currency(cents: int, rng: Random) -> Cell:
    amount = _sign(cents) + _plain(cents, space=" ")
    word = pick(("XOF", "F CFA", "FCFA", "F"), rng)
    return pick((f"{word} {amount}", f"{amount} {word}", f"{amount}{word}"), rng)


def _no_break_thousands(cents: int, rng: Random) -> Cell:
    return _sign(cents) + _plain(cents, space=pick((NO_BREAK, NARROW_NO_BREAK), rng))


def _is_refunded(maker: ClaimMaker, claim: SampleClaim) -> None:
    """Nothing but money back: both files have a negative total."""
    claim.lines = [claim.cancel(claim.lines[0])]
    claim.settle()


_REFUNDED: dict[Where, tuple[Way, ...]] = {"stat": (Way("conform", 1, _is_refunded),)}


def _credit_marks_of_stat(maker: ClaimMaker, claim: SampleClaim) -> None:
    line = pick(claim.lines, maker.rng)
    for column, mark in ((c.CLAIMED, "CR"), (c.REIMBURSED, "DB")):
        line[column] = Verbatim(f"{_plain(line[column])} {mark}")


def _credit_marks_of_recap(maker: ClaimMaker, claim: SampleClaim) -> None:
    row = claim.recaps[0]
    row[c.R_CLAIMED] = Verbatim(f"{_plain(row[c.R_CLAIMED])} CR")


# ----------------------------------------------------------------------------------------------- one mark, three digits
def _other(mark: str) -> str:
    return "," if mark == "." else "."


def _has_lone_thousands(cents: int) -> bool:
    return cents % 100 == 0 and 1_000_00 <= abs(cents) < 1_000_000_00


def _thousands(cents: int, mark: str) -> str:
    return _sign(cents) + f"{abs(cents) // 100:_}".replace("_", mark)


def _without_evidence(cents: int, mark: str, rng: Random) -> Cell:
    """`12.000`, and nothing else with that mark: the other mark is the decimal one, on digits that are not grouped."""
    if _has_lone_thousands(cents) and rng.random() < 0.6:
        return _thousands(cents, mark)
    return cents // 100 if cents % 100 == 0 else _sign(cents) + _plain(cents, decimal=_other(mark))


def _with_evidence_of_decimals(cents: int, mark: str, rng: Random) -> Cell:
    """`523.500` for five hundred and a half, in a column that has `1234.50` too."""
    units, rest = divmod(abs(cents), 100)
    if 1 <= units <= 999 and rng.random() < 0.7:
        return f"{_sign(cents)}{units}{mark}{rest:02d}0"
    return f"{_sign(cents)}{units}{mark}{rest:02d}"


def _with_evidence_of_thousands(cents: int, mark: str, rng: Random) -> Cell:
    """`12.000` for twelve thousand, in a column that has `12.000,00` or `1.234.567` too."""
    if _has_lone_thousands(cents) and rng.random() < 0.5:
        return _thousands(cents, mark)
    if cents % 100 == 0 and abs(cents) >= 1_000_000_00:
        return _thousands(cents, mark)
    return f"{_thousands(cents, mark)}{_other(mark)}{abs(cents) % 100:02d}"


def _with_both_evidences(cents: int, mark: str, rng: Random) -> Cell:
    """`12.000`, in a column that has `1234.50` and `12.000,00` too."""
    if _has_lone_thousands(cents) and rng.random() < 0.4:
        return _thousands(cents, mark)
    if rng.random() < 0.5:
        return f"{_sign(cents)}{abs(cents) // 100}{mark}{abs(cents) % 100:02d}"
    return f"{_thousands(cents, mark)}{_other(mark)}{abs(cents) % 100:02d}"


def _both_evidences(cents: int, mark: str, rng: Random) -> Cell:
    """A column that has `1234.50` and `12.000,00`, and no readable lone mark."""
    if rng.random() < 0.5:
        return f"{_sign(cents)}{abs(cents) // 100}{mark}{abs(cents) % 100:02d}"
    return f"{_thousands(cents, mark)}{_other(mark)}{abs(cents) % 100:02d}"


def _no_evidence(cents: int, mark: str, rng: Random) -> Cell:
    return cents // 100 if cents % 100 == 0 else _sign(cents) + _plain(cents, decimal=_other(mark))


def _costs(units: int) -> Change:
    def change(maker: ClaimMaker, claim: SampleClaim) -> None:
        for line in claim.lines:
            line[c.CLAIMED] = line[c.REIMBURSED] = units * 100
        claim.settle()

    return change


def _is_ambiguous_in_stat(maker: ClaimMaker, claim: SampleClaim) -> None:
    line = pick(claim.lines, maker.rng)
    column, text = pick(((c.CLAIMED, "12.000"), (c.REIMBURSED, "9,600"), (c.CLAIMED, "-1.250")), maker.rng)
    line[column] = Verbatim(text)


def _is_ambiguous_in_recap(maker: ClaimMaker, claim: SampleClaim) -> None:
    column, text = pick(((c.R_CLAIMED, "12.000"), (c.R_REIMBURSED, "9,600")), maker.rng)
    claim.recaps[0][column] = Verbatim(text)


_AMBIGUOUS: dict[Where, tuple[Way, ...]] = {
    "stat": (Way("unreadable", 1, _is_ambiguous_in_stat),),
    "recap": (Way("unreadable", 1, _is_ambiguous_in_recap),),
}


def _unicode(layout: Layout, rng: Random, turn: int) -> Layout:
    """An encoding that has these characters."""
    return replace(layout, encoding="utf-8")


KINDS = (
    OddKind(
        name="amount-minus-behind",
        description="negative amounts as 500-",
        cells=_in_both_files(_minus_behind, share=1),
        claims=_REFUNDED,
    ),
    OddKind(
        name="amount-parentheses",
        description="negative amounts as (500)",
        cells=_in_both_files(_parentheses, share=1),
        claims=_REFUNDED,
    ),
    OddKind(
        name="amount-unicode-minus",
        description="negative amounts with the minus sign U+2212",
        cells=_in_both_files(_unicode_minus, share=1),
        claims=_REFUNDED,
        arrange=_unicode,
    ),
    OddKind(
        name="amount-plus",
        description="positive amounts as +500",
        cells=_in_both_files(_plus),
    ),
    OddKind(
        name="amount-currency",
        description="a currency before or behind the amount",
        cells=_in_both_files(_currency),
    ),
    OddKind(
        name="amount-no-break-spaces",
        description="thousands parted by no-break spaces",
        cells=_in_both_files(_no_break_thousands, share=0.9),
        arrange=_unicode,
    ),
    OddKind(
        name="amount-credit-marks",
        description="5000 CR and 5000 DB",
        effect="unreadable",
        claims={
            "stat": (Way("unreadable", 1, _credit_marks_of_stat),),
            "recap": (Way("unreadable", 1, _credit_marks_of_recap),),
        },
    ),
    OddKind(
        name="amount-lone-mark",
        description="12.000 in a column without other evidence, in XOF",
        effect="read as thousands, with a warning",
        currency="XOF",
        cells=_marked_in_both_files(_without_evidence),
    ),
    OddKind(
        name="amount-lone-mark-decimals",
        description="523.500 in a column that has 1234.50 too, in XOF",
        effect="read as decimals",
        currency="XOF",
        cells=_marked_in_both_files(_with_evidence_of_decimals),
        claims={"stat": (Way("conform", 1, _costs(500)),)},
    ),
    OddKind(
        name="amount-lone-mark-decimals-eur",
        description="523.500 in a column that has 1234.50 too, in EUR",
        effect="read as decimals",
        currency="EUR",
        cells=_marked_in_both_files(_with_evidence_of_decimals),
        claims={"stat": (Way("conform", 1, _costs(500)),)},
    ),
    OddKind(
        name="amount-lone-mark-thousands-eur",
        description="12.000 in a column that has 12.000,00 or 1.234.567 too, in EUR",
        effect="read as thousands, with a warning",
        currency="EUR",
        cells=_marked_in_both_files(_with_evidence_of_thousands),
    ),
    OddKind(
        name="amount-lone-mark-both",
        description="12.000 in a column that has 1234.50 and 12.000,00 too, in XOF",
        effect="read as thousands, with a warning",
        currency="XOF",
        cells=_marked_in_both_files(_with_both_evidences),
    ),
    OddKind(
        name="amount-lone-mark-eur",
        description="12.000 in a column without other evidence, in EUR",
        effect="unreadable, as ambiguous",
        currency="EUR",
        cells=_marked_in_both_files(_no_evidence),
        claims=_AMBIGUOUS,
    ),
    OddKind(
        name="amount-lone-mark-both-eur",
        description="12.000 in a column that has 1234.50 and 12.000,00 too, in EUR",
        effect="unreadable, as ambiguous",
        currency="EUR",
        cells=_marked_in_both_files(_both_evidences),
        claims=_AMBIGUOUS,
    ),
)
