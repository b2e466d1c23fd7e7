"""Kinds of odd text: characters that do not show, spaces, apostrophes, ligatures, texts as formulas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from samples import columns as c
from samples.claims import ClaimMaker, Row, SampleClaim
from samples.kinds import Change, Way
from samples.layout import Layout
from samples.odd.kind import CellChange, OddKind
from samples.spelling import NARROW_NO_BREAK, NO_BREAK, Cell
from samples.world import Partner, Person

# Zero-width space and joiners, direction marks, soft hyphen, word joiner, byte-order mark: Unicode category Cf.
INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u00ad\u2060\ufeff"
_STAT_TEXTS = (
    c.EMPLOYER,
    c.BENEFICIARY,
    c.PLAN,
    c.POLICY,
    c.MAIN,
    c.PARTNER,
    c.NUMBER,
    c.CATEGORY,
    c.ACT,
    c.PAYMENT,
    c.INVOICE,
    c.OPERATOR,
)
_RECAP_TEXTS = (c.R_NUMBER, c.R_BENEFICIARY, c.R_METHOD, c.R_PARTNER, c.R_MAIN, c.R_EMPLOYER, c.R_POLICY, c.R_INVOICE)
_STAT_NUMBERS = (c.NUMBER, c.POLICY, c.PAYMENT, c.INVOICE, c.CARD)
_RECAP_NUMBERS = (c.R_NUMBER, c.R_POLICY, c.R_CHEQUE, c.R_INVOICE)


def _changed(columns: tuple[int, ...], change: Callable[[str, Random], str], *, share: float) -> CellChange:
    """Changes a share of the texts of these columns, where the row has a value."""

    def change_cells(row: Row, cells: list[Cell], rng: Random) -> None:
        for column in columns:
            if isinstance(row[column], str) and rng.random() < share:
                cells[column] = change(str(cells[column]), rng)

    return change_cells


def _invisible(text: str, rng: Random) -> str:
    for _ in range(rng.randint(1, 3)):
        place = rng.randint(0, len(text))
        text = text[:place] + rng.choice(INVISIBLE) + text[place:]
    return text


def _no_break(text: str, rng: Random) -> str:
    space = rng.choice((NO_BREAK, NARROW_NO_BREAK, f" {NO_BREAK}", "\u2007"))
    return space + text.replace(" ", space) + space


def _apostrophes(text: str, rng: Random) -> str:
    return text.replace("'", "\u2019")


def _formula(text: str, rng: Random) -> str:
    return f'="{text}"'


def _unicode(layout: Layout, rng: Random, turn: int) -> Layout:
    """An encoding that has these characters."""
    return replace(layout, encoding=("utf-8", "utf-8-sig")[turn % 2])


def _bare_equals(layout: Layout, rng: Random, turn: int) -> Layout:
    return replace(layout, bare_equals=turn % 2 == 0)


def _ligatures(*, employer: str, partner: str, surname: str) -> Change:
    """The first line writes ligatures, the last line writes them out: one employer, one provider, one person."""

    def written_out(text: str) -> str:
        for ligature, letters in (("Œ", "OE"), ("Æ", "AE")):
            text = text.replace(ligature, letters)
        return text

    def change(maker: ClaimMaker, claim: SampleClaim) -> None:
        number = maker.count
        person = Person(
            f"{surname} AFI N{number}",
            "A",
            claim.policy,
            claim.person.plan,
            employer,
            f"L{maker.prefix[-6:]}{number}",
            "always",
        )
        claim.person, claim.partner, claim.client = (
            person,
            Partner(f"{partner} {number}", "BP 1 LOMÉ", "TOGO"),
            employer,
        )
        for line in claim.lines:
            line[c.BENEFICIARY] = line[c.MAIN] = person.name
            line[c.STATUS], line[c.CARD], line[c.EMPLOYER], line[c.PARTNER] = (
                "A",
                person.card,
                employer,
                claim.partner.name,
            )
        claim.recaps = [maker.recap(claim)]
        for column in (c.BENEFICIARY, c.MAIN, c.EMPLOYER, c.PARTNER):
            claim.lines[-1][column] = written_out(claim.lines[-1][column])

    return change


KINDS = (
    OddKind(
        name="text-invisible",
        description="characters that do not show inside texts: zero width, soft hyphen, byte-order mark, direction",
        cells={
            "stat": _changed(_STAT_TEXTS, _invisible, share=0.4),
            "recap": _changed(_RECAP_TEXTS, _invisible, share=0.4),
        },
        arrange=_unicode,
    ),
    OddKind(
        name="text-no-break-spaces",
        description="no-break spaces around and inside texts",
        cells={
            "stat": _changed(_STAT_TEXTS, _no_break, share=0.5),
            "recap": _changed(_RECAP_TEXTS, _no_break, share=0.5),
        },
        arrange=_unicode,
    ),
    OddKind(
        name="text-apostrophes",
        description="typographic apostrophes on some lines, plain ones on the others",
        cells={
            "stat": _changed(_STAT_TEXTS, _apostrophes, share=0.6),
            "recap": _changed(_RECAP_TEXTS, _apostrophes, share=0.6),
        },
    ),
    OddKind(
        name="text-formulas",
        description='numbers as ="00123"',
        formats=("csv",),
        cells={
            "stat": _changed(_STAT_NUMBERS, _formula, share=0.8),
            "recap": _changed(_RECAP_NUMBERS, _formula, share=0.8),
        },
        arrange=_bare_equals,
    ),
    OddKind(
        name="text-ligatures",
        description="Œ and Æ on one line of a claim, OE and AE on another",
        effect="additional claims that agree; each has one provider, one client and one person",
        sides=("stat",),
        claims={
            "stat": (
                Way(
                    "conform",
                    1,
                    _ligatures(employer="ŒUVRES DU MONO SA", partner="CLINIQUE DU SACRÉ-CŒUR", surname="LECŒUR"),
                    least_lines=2,
                ),
                Way(
                    "conform",
                    1,
                    _ligatures(employer="ÆDES HABITAT SARL", partner="PHARMACIE ÆSCULAPE", surname="LÆTITIAN"),
                    least_lines=2,
                ),
            )
        },
    ),
)
