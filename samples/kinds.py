"""What can befall a claim between the two files: every category of DOMAIN §5, in each of its ways.

A way takes an ordinary draft, whose files agree, and spoils it so that it deserves its category and no earlier one.
Where the order of precedence matters, a defect of a later category may be added: it must change nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from samples import columns as c
from samples.claims import ClaimMaker, SampleClaim
from samples.spelling import UNREADABLE_AMOUNTS, UNREADABLE_DATES, Verbatim, pick

Spoil = Callable[[ClaimMaker, SampleClaim], None]

# In the order of DOMAIN §5: the first that holds is the claim's category.
SHARES = {
    "unreadable": 0.012,
    "divergent_in_recap": 0.008,
    "inconsistent": 0.011,
    "incomplete": 0.010,
    "conform": 0.895,
    "amount_gap": 0.032,
    "cancelled": 0.010,
    "missing_in_recap": 0.022,
}
IMPORTED = ("conform", "cancelled")


@dataclass(frozen=True, slots=True)
class Way:
    category: str
    weight: float
    spoil: Spoil
    least_lines: int = 1


WAYS: list[Way] = []


def way(category: str, *, weight: float = 1, least_lines: int = 1) -> Callable[[Spoil], Spoil]:
    def register(spoil: Spoil) -> Spoil:
        WAYS.append(Way(category, weight, spoil, least_lines))
        return spoil

    return register


# ------------------------------------------------------------------------------------------------ what may come on top
def _drop_recap(maker: ClaimMaker, claim: SampleClaim) -> None:
    claim.recaps.clear()


def _shift_recap(maker: ClaimMaker, claim: SampleClaim) -> None:
    claim.recaps[0][c.R_CLAIMED] += 100 * maker.rng.randint(50, 900) + maker.tolerance


def _pay_twice(maker: ClaimMaker, claim: SampleClaim) -> None:
    second = list(claim.recaps[0])
    second[c.R_NOTE] = "Second paiement"
    claim.recaps.append(second)


def _name_another_beneficiary(maker: ClaimMaker, claim: SampleClaim) -> None:
    if len(claim.lines) > 1:
        claim.lines[-1][c.BENEFICIARY] = f"{claim.person.name} ADJOINT"


def _lose_partner(maker: ClaimMaker, claim: SampleClaim) -> None:
    for line in claim.lines:
        line[c.PARTNER] = None


def _nothing(maker: ClaimMaker, claim: SampleClaim) -> None:
    pass


def _maybe(maker: ClaimMaker, claim: SampleClaim, *defects: Spoil) -> None:
    pick((_nothing, _nothing, *defects), maker.rng)(maker, claim)


# ------------------------------------------------------------------------------------------------ conform
@way("conform", weight=200)
def agrees(maker: ClaimMaker, claim: SampleClaim) -> None:
    pass


@way("conform", weight=8)
def differs_by_less_than_the_tolerance(maker: ClaimMaker, claim: SampleClaim) -> None:
    side = pick((c.R_CLAIMED, c.R_REIMBURSED), maker.rng)
    claim.recaps[0][side] += pick((-1, 1), maker.rng) * maker.rng.randrange(maker.tolerance)


@way("conform", weight=2)
def differs_by_a_hundredth_less_than_the_tolerance(maker: ClaimMaker, claim: SampleClaim) -> None:
    claim.recaps[0][c.R_CLAIMED] += maker.tolerance - 1
    claim.recaps[0][c.R_REIMBURSED] -= maker.tolerance - 1


@way("conform", weight=3)
def has_the_same_act_twice(maker: ClaimMaker, claim: SampleClaim) -> None:
    if len(claim.lines) > 1:
        claim.lines[-1] = list(claim.lines[0])
    else:
        claim.lines.append(list(claim.lines[0]))
    claim.settle()


@way("conform", weight=3, least_lines=2)
def is_cancelled_in_part(maker: ClaimMaker, claim: SampleClaim) -> None:
    claim.lines[-1] = claim.cancel(claim.lines[0])
    claim.settle()


@way("conform")
def is_cancelled_and_settled_at_zero(maker: ClaimMaker, claim: SampleClaim) -> None:
    claim.lines = [claim.lines[0], claim.cancel(claim.lines[0])]
    claim.settle()


@way("conform", weight=3, least_lines=2)
def leaves_cells_blank_that_another_line_fills(maker: ClaimMaker, claim: SampleClaim) -> None:
    for column in (c.BENEFICIARY, c.POLICY, c.EMPLOYER, c.PARTNER, c.PLAN):
        if maker.rng.random() < 0.6:
            claim.lines[1 - maker.flip()][column] = None


@way("conform", weight=3, least_lines=2)
def has_two_invoices(maker: ClaimMaker, claim: SampleClaim) -> None:
    claim.lines[-1][c.INVOICE] = maker.invoice(claim.settled)


@way("conform", weight=3)
def is_dated_otherwise_in_the_recap(maker: ClaimMaker, claim: SampleClaim) -> None:
    claim.recaps[0][c.R_SETTLED] = maker.date(maker.any_day())


@way("conform", weight=2, least_lines=2)
def is_settled_on_two_days(maker: ClaimMaker, claim: SampleClaim) -> None:
    claim.lines[-1][c.SETTLED] = maker.date(maker.any_day())


@way("conform", weight=2)
def has_an_unpaid_row_beside_the_paid_one(maker: ClaimMaker, claim: SampleClaim) -> None:
    unpaid = list(claim.recaps[0])
    unpaid[c.R_SETTLED] = None
    claim.recaps.append(unpaid)


@way("conform", weight=3)
def has_an_unknown_incident_date(maker: ClaimMaker, claim: SampleClaim) -> None:
    unknown = Verbatim(pick(("inconnue", "00/00/0000", "30/02/2023", "?"), maker.rng)) if maker.flip() else None
    for line in claim.lines:
        line[c.INCIDENT] = unknown


@way("conform", weight=2)
def names_no_act(maker: ClaimMaker, claim: SampleClaim) -> None:
    claim.lines[0][c.ACT] = None


@way("conform", weight=2)
def misspells_someone_known_by_card(maker: ClaimMaker, claim: SampleClaim) -> None:
    person = claim.person
    if person.card_habit == "always" and not person.has_dependants and claim.policy.employers:
        for line in claim.lines:
            line[c.BENEFICIARY] = person.name + person.name[-1]
            if person.head is None:
                line[c.MAIN] = line[c.BENEFICIARY]


@way("conform")
def costs_nothing(maker: ClaimMaker, claim: SampleClaim) -> None:
    claim.lines[0][c.CLAIMED] = claim.lines[0][c.REIMBURSED] = 0
    claim.settle()


# ------------------------------------------------------------------------------------------------ amount_gap
@way("amount_gap", weight=2)
def differs_by_exactly_the_tolerance(maker: ClaimMaker, claim: SampleClaim) -> None:
    side = c.R_CLAIMED if maker.flip() else c.R_REIMBURSED
    claim.recaps[0][side] += pick((-1, 1), maker.rng) * maker.tolerance


@way("amount_gap", weight=4)
def differs_by_more(maker: ClaimMaker, claim: SampleClaim) -> None:
    side = pick((c.R_CLAIMED, c.R_REIMBURSED), maker.rng)
    claim.recaps[0][side] += maker.tolerance + 50 * maker.rng.randint(1, 10_000)


@way("amount_gap", weight=4)
def lacks_a_line_in_the_stat_file(maker: ClaimMaker, claim: SampleClaim) -> None:
    claim.recaps[0][c.R_CLAIMED] += 100_000 + maker.tolerance
    claim.recaps[0][c.R_REIMBURSED] += 80_000 + maker.tolerance


@way("amount_gap")
def is_paid_though_cancelled(maker: ClaimMaker, claim: SampleClaim) -> None:
    _shift_recap(maker, claim)
    claim.lines += [claim.cancel(line) for line in claim.lines]


# ------------------------------------------------------------------------------------------------ cancelled
@way("cancelled", weight=4)
def is_taken_back_line_by_line(maker: ClaimMaker, claim: SampleClaim) -> None:
    claim.lines += [claim.cancel(line) for line in claim.lines]
    claim.recaps.clear()


@way("cancelled")
def is_cancelled_at_zero(maker: ClaimMaker, claim: SampleClaim) -> None:
    for line in claim.lines:
        line[c.CLAIM_STATUS], line[c.CLAIMED], line[c.REIMBURSED] = "Annulée", 0, 0
    claim.recaps.clear()


@way("cancelled")
def leaves_less_than_the_tolerance(maker: ClaimMaker, claim: SampleClaim) -> None:
    undone = [claim.cancel(line) for line in claim.lines]
    undone[0][c.CLAIMED] += maker.tolerance - 1
    undone[0][c.REIMBURSED] -= maker.tolerance - 1
    claim.lines += undone
    claim.recaps.clear()


@way("cancelled")
def is_taken_back_and_unpaid(maker: ClaimMaker, claim: SampleClaim) -> None:
    claim.lines += [claim.cancel(line) for line in claim.lines]
    claim.recaps[0][c.R_SETTLED] = None


@way("cancelled")
def is_taken_back_and_dated_outside(maker: ClaimMaker, claim: SampleClaim) -> None:
    claim.lines += [claim.cancel(line) for line in claim.lines]
    claim.recaps[0][c.R_SETTLED] = maker.outside_for_recap()


# ------------------------------------------------------------------------------------------------ missing_in_recap
@way("missing_in_recap", weight=4)
def has_no_recap_row(maker: ClaimMaker, claim: SampleClaim) -> None:
    claim.recaps.clear()


@way("missing_in_recap", weight=2)
def is_unpaid(maker: ClaimMaker, claim: SampleClaim) -> None:
    claim.recaps[0][c.R_SETTLED] = None


@way("missing_in_recap", weight=2)
def is_unpaid_at_an_unreadable_amount(maker: ClaimMaker, claim: SampleClaim) -> None:
    claim.recaps[0][c.R_SETTLED] = None
    claim.recaps[0][c.R_CLAIMED] = Verbatim("à confirmer")


@way("missing_in_recap", weight=2)
def is_dated_outside_the_period(maker: ClaimMaker, claim: SampleClaim) -> None:
    claim.recaps[0][c.R_SETTLED] = maker.outside_for_recap()


@way("missing_in_recap")
def is_cancelled_but_for_the_tolerance(maker: ClaimMaker, claim: SampleClaim) -> None:
    undone = [claim.cancel(line) for line in claim.lines]
    undone[0][c.CLAIMED] += maker.tolerance
    claim.lines += undone
    claim.recaps.clear()


@way("missing_in_recap")
def lost_its_number_in_the_recap(maker: ClaimMaker, claim: SampleClaim) -> None:
    claim.recaps[0][c.R_NUMBER] = None


# ------------------------------------------------------------------------------------------------ divergent_in_recap
@way("divergent_in_recap", weight=2)
def is_paid_at_two_amounts(maker: ClaimMaker, claim: SampleClaim) -> None:
    _pay_twice(maker, claim)
    claim.recaps[1][c.R_CLAIMED] += 70_000
    _maybe(maker, claim, _name_another_beneficiary, _lose_partner)


@way("divergent_in_recap")
def is_paid_twice_but_for_a_note(maker: ClaimMaker, claim: SampleClaim) -> None:
    _pay_twice(maker, claim)
    _maybe(maker, claim, _name_another_beneficiary, _lose_partner)


@way("divergent_in_recap")
def is_paid_by_another_cheque(maker: ClaimMaker, claim: SampleClaim) -> None:
    second = list(claim.recaps[0])
    second[c.R_CHEQUE] = "9876543"
    claim.recaps.append(second)


@way("divergent_in_recap")
def is_paid_in_and_out_of_the_period(maker: ClaimMaker, claim: SampleClaim) -> None:
    second = list(claim.recaps[0])
    second[c.R_SETTLED] = maker.outside_for_recap()
    claim.recaps.append(second)


# ------------------------------------------------------------------------------------------------ unreadable
def _spoil_line(column: int) -> Spoil:
    def spoil(maker: ClaimMaker, claim: SampleClaim) -> None:
        _maybe(maker, claim, _drop_recap, _shift_recap, _pay_twice, _name_another_beneficiary, _lose_partner)
        cells = UNREADABLE_DATES if column == c.SETTLED else UNREADABLE_AMOUNTS
        pick(claim.lines, maker.rng)[column] = Verbatim(pick(cells, maker.rng))

    return spoil


def _spoil_recap(column: int) -> Spoil:
    def spoil(maker: ClaimMaker, claim: SampleClaim) -> None:
        _maybe(maker, claim, _shift_recap, _pay_twice, _name_another_beneficiary, _lose_partner)
        cells = UNREADABLE_DATES if column == c.R_SETTLED else UNREADABLE_AMOUNTS
        claim.recaps[0][column] = Verbatim(pick(cells, maker.rng))

    return spoil


for stat_column in (c.SETTLED, c.CLAIMED, c.REIMBURSED):
    way("unreadable", weight=2)(_spoil_line(stat_column))
for recap_column in (c.R_SETTLED, c.R_CLAIMED, c.R_REIMBURSED):
    way("unreadable")(_spoil_recap(recap_column))


@way("unreadable")
def has_a_line_without_settlement_date(maker: ClaimMaker, claim: SampleClaim) -> None:
    claim.lines[-1][c.SETTLED] = None


@way("unreadable")
def is_unreadable_though_outside_the_period(maker: ClaimMaker, claim: SampleClaim) -> None:
    del claim.lines[1:]
    claim.lines[0][c.SETTLED] = maker.outside_for_stat()
    claim.lines[0][c.CLAIMED] = Verbatim("illisible")
    claim.recaps.clear()


@way("unreadable")
def has_one_recap_row_that_reads_and_one_that_does_not(maker: ClaimMaker, claim: SampleClaim) -> None:
    second = list(claim.recaps[0])
    second[c.R_SETTLED] = Verbatim("fin du mois")
    claim.recaps.append(second)


# ------------------------------------------------------------------------------------------------ inconsistent
def _disagree(column: int, other: Callable[[ClaimMaker, SampleClaim], str]) -> Spoil:
    def spoil(maker: ClaimMaker, claim: SampleClaim) -> None:
        claim.lines[0][column] = claim.lines[0][column] or "ATELIERS DU PORT"
        claim.lines[-1][column] = other(maker, claim)
        defects = [_drop_recap, _shift_recap]
        if column != c.PARTNER:
            defects.append(_lose_partner)
        _maybe(maker, claim, *defects)

    return spoil


way("inconsistent", least_lines=2)(_disagree(c.BENEFICIARY, lambda maker, claim: f"{claim.person.name} CADETTE"))
way("inconsistent", least_lines=2)(_disagree(c.POLICY, lambda maker, claim: f"{claim.policy.number}-BIS"))
way("inconsistent", least_lines=2)(_disagree(c.EMPLOYER, lambda maker, claim: "ATELIERS DE LA GARE"))
way("inconsistent", least_lines=2)(_disagree(c.PARTNER, lambda maker, claim: f"{claim.partner.name} ANNEXE"))


# ------------------------------------------------------------------------------------------------ incomplete
def _lack(column: int) -> Spoil:
    def spoil(maker: ClaimMaker, claim: SampleClaim) -> None:
        for line in claim.lines:
            line[column] = None
        _maybe(maker, claim, _drop_recap, _shift_recap)

    return spoil


for lacked in (c.BENEFICIARY, c.POLICY, c.PARTNER):
    way("incomplete")(_lack(lacked))


@way("incomplete")
def has_a_line_without_act_category(maker: ClaimMaker, claim: SampleClaim) -> None:
    pick(claim.lines, maker.rng)[c.CATEGORY] = None
    _maybe(maker, claim, _drop_recap, _shift_recap)


# ------------------------------------------------------------------------------------------------ no category
def set_out_of_period(maker: ClaimMaker, claim: SampleClaim) -> None:
    """Every line outside the period; in the recap not at all, unpaid, or outside too."""
    for line in claim.lines:
        line[c.SETTLED] = maker.outside_for_stat()
    seen: dt.date | None = pick((None, maker.outside_for_recap()), maker.rng)
    claim.recaps[0][c.R_SETTLED] = seen
    if maker.rng.random() < 0.6:
        claim.recaps.clear()
