"""Kinds of shortened numbers: references that a spreadsheet wrote in scientific notation, with their digits lost."""

from __future__ import annotations

from samples import columns as c
from samples.claims import ClaimMaker, SampleClaim
from samples.kinds import Change, Way
from samples.odd.kind import OddKind
from samples.spelling import Verbatim, pick

_FORMS = ("{0},{1:04d}E+{2}", "{0}.{1:03d}E+{2}", "{0},{1:02d}E{2}", "{0}E+{2}")


def _shortened(maker: ClaimMaker) -> str:
    """A number in scientific notation, with a decimal mark or a sign in the exponent."""
    rng = maker.rng
    return pick(_FORMS, rng).format(rng.randint(1, 9), maker.count, rng.randint(11, 19))


def _number_in_both(text: str | None = None) -> Change:
    def change(maker: ClaimMaker, claim: SampleClaim) -> None:
        claim.number = text or _shortened(maker)
        for line in claim.lines:
            line[c.NUMBER] = Verbatim(claim.number)
        claim.recaps[0][c.R_NUMBER] = Verbatim(claim.number)

    return change


def _number_in_stat(maker: ClaimMaker, claim: SampleClaim) -> None:
    claim.number = _shortened(maker)
    for line in claim.lines:
        line[c.NUMBER] = Verbatim(claim.number)
    claim.recap_only = 1


def _number_in_recap(maker: ClaimMaker, claim: SampleClaim) -> None:
    claim.recaps[0][c.R_NUMBER] = Verbatim(_shortened(maker))


def _policy_of_a_line(maker: ClaimMaker, claim: SampleClaim) -> None:
    pick(claim.lines, maker.rng)[c.POLICY] = Verbatim(_shortened(maker))


def _other_numbers_of_stat(maker: ClaimMaker, claim: SampleClaim) -> None:
    for line in claim.lines:
        line[c.INVOICE], line[c.PAYMENT] = Verbatim(_shortened(maker)), Verbatim(_shortened(maker))


def _other_numbers_of_recap(maker: ClaimMaker, claim: SampleClaim) -> None:
    for column in (c.R_CHEQUE, c.R_POLICY, c.R_INVOICE):
        claim.recaps[0][column] = Verbatim(_shortened(maker))


KINDS = (
    OddKind(
        name="reference-shortened-claim-number",
        description="claim numbers like 2,0230E+16",
        effect="in the stat file: unreadable under the text of the cell; in the recap alone: missing in the recap",
        claims={
            "stat": (Way("unreadable", 1, _number_in_stat),),
            "recap": (Way("missing_in_recap", 1, _number_in_recap),),
            "both": (
                Way("unreadable", 1, _number_in_both()),
                # Several claims come to the same text: they are listed as one.
                Way("unreadable", 1, _number_in_both("2,0230E+16")),
            ),
        },
    ),
    OddKind(
        name="reference-shortened-policy",
        description="policy numbers like 2,0230E+16 in the stat file",
        effect="unreadable",
        sides=("stat",),
        claims={"stat": (Way("unreadable", 1, _policy_of_a_line),)},
    ),
    OddKind(
        name="reference-shortened-others",
        description="invoice and payment numbers like 2,0230E+16, and policy numbers of the recap",
        effect="these references are read as empty, with a warning",
        claims={
            "stat": (Way("conform", 1, _other_numbers_of_stat),),
            "recap": (Way("conform", 1, _other_numbers_of_recap),),
        },
    ),
)
