"""The cases of a claim: every category of DOMAIN §5, in each way in which a claim can belong to it.

A way changes an ordinary claim, on which the two files agree, so that the claim belongs to the category of the way and
to no earlier one. A defect of a later category may be added, to test the order of the categories: it changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from samples import columns as c
from samples.claims import ClaimMaker, SampleClaim
from samples.spelling import UNREADABLE_AMOUNTS, UNREADABLE_DATES, Verbatim, pick

Change = Callable[[ClaimMaker, SampleClaim], None]

# In the order of DOMAIN §5: the first category that applies is the claim's.
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
CONFORM = "conform"
IMPORTED = (CONFORM, "cancelled")


@dataclass(frozen=True, slots=True)
class Way:
    category: str
    weight: float
    change: Change
    least_lines: int = 1


WAYS: list[Way] = []


def way(category: str, *, weight: float = 1, least_lines: int = 1) -> Callable[[Change], Change]:
    def register(change: Change) -> Change:
        WAYS.append(Way(category, weight, change, least_lines))
        return change

    return register


# ------------------------------------------------------------------------------------------------ added defects
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


def _perhaps_add(maker: ClaimMaker, claim: SampleClaim, *defects: Change) -> None:
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
            claim.lines[1 - maker.alternate()][column] = None


@way("conform", weight=3, least_lines=2)
def has_two_invoices(maker: ClaimMaker, claim: SampleClaim) -> None:
    claim.lines[-1][c.INVOICE] = maker.invoice(claim.settled)


@way("conform", weight=3)
def is_dated_otherwise_in_the_recap(maker: ClaimMaker, claim: SampleClaim) -> None:
    claim.recaps[0][c.R_SETTLED] = maker.date(maker.any_day())


@way("conform", weight=2, least_lines=2)
def is_settled_on_two_days(maker: ClaimMaker, claim: SampleClaim) -> None:
    other = claim.lines[-1][c.SETTLED] = maker.date(maker.any_day())
    # The claim has the date of the line that was settled last.
    claim.settled = max(claim.settled, other)


@way("conform", weight=2)
def has_an_unpaid_row_beside_the_paid_one(maker: ClaimMaker, claim: SampleClaim) -> None:
    unpaid = list(claim.recaps[0])
    unpaid[c.R_SETTLED] = None
    claim.recaps.append(unpaid)


@way("conform", weight=3)
def has_an_unknown_incident_date(maker: ClaimMaker, claim: SampleClaim) -> None:
    unknown = Verbatim(pick(("inconnue", "00/00/0000", "30/02/2023", "?"), maker.rng)) if maker.alternate() else None
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
    side = c.R_CLAIMED if maker.alternate() else c.R_REIMBURSED
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
    _perhaps_add(maker, claim, _name_another_beneficiary, _lose_partner)


@way("divergent_in_recap")
def is_paid_twice_but_for_a_note(maker: ClaimMaker, claim: SampleClaim) -> None:
    _pay_twice(maker, claim)
    _perhaps_add(maker, claim, _name_another_beneficiary, _lose_partner)


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
def _unreadable_in_line(column: int) -> Change:
    def change(maker: ClaimMaker, claim: SampleClaim) -> None:
        _perhaps_add(maker, claim, _drop_recap, _shift_recap, _pay_twice, _name_another_beneficiary, _lose_partner)
        cells = UNREADABLE_DATES if column == c.SETTLED else UNREADABLE_AMOUNTS
        pick(claim.lines, maker.rng)[column] = Verbatim(pick(cells, maker.rng))

    return change


def _unreadable_in_recap(column: int) -> Change:
    def change(maker: ClaimMaker, claim: SampleClaim) -> None:
        _perhaps_add(maker, claim, _shift_recap, _pay_twice, _name_another_beneficiary, _lose_partner)
        cells = UNREADABLE_DATES if column == c.R_SETTLED else UNREADABLE_AMOUNTS
        claim.recaps[0][column] = Verbatim(pick(cells, maker.rng))

    return change


for stat_column in (c.SETTLED, c.CLAIMED, c.REIMBURSED):
    way("unreadable", weight=2)(_unreadable_in_line(stat_column))
for recap_column in (c.R_SETTLED, c.R_CLAIMED, c.R_REIMBURSED):
    way("unreadable")(_unreadable_in_recap(recap_column))


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
def _with_two_values(column: int, other: Callable[[ClaimMaker, SampleClaim], str]) -> Change:
    def change(maker: ClaimMaker, claim: SampleClaim) -> None:
        claim.lines[0][column] = claim.lines[0][column] or "ATELIERS DU PORT"
        claim.lines[-1][column] = other(maker, claim)
        defects = [_drop_recap, _shift_recap]
        if column != c.PARTNER:
            defects.append(_lose_partner)
        _perhaps_add(maker, claim, *defects)

    return change


way("inconsistent", least_lines=2)(_with_two_values(c.BENEFICIARY, lambda maker, claim: f"{claim.person.name} CADETTE"))
way("inconsistent", least_lines=2)(_with_two_values(c.POLICY, lambda maker, claim: f"{claim.policy.number}-BIS"))
way("inconsistent", least_lines=2)(_with_two_values(c.EMPLOYER, lambda maker, claim: "ATELIERS DE LA GARE"))
way("inconsistent", least_lines=2)(_with_two_values(c.PARTNER, lambda maker, claim: f"{claim.partner.name} ANNEXE"))


# ------------------------------------------------------------------------------------------------ incomplete
def _without(column: int) -> Change:
    def change(maker: ClaimMaker, claim: SampleClaim) -> None:
        for line in claim.lines:
            line[column] = None
        _perhaps_add(maker, claim, _drop_recap, _shift_recap)

    return change


for missing in (c.BENEFICIARY, c.POLICY, c.PARTNER):
    way("incomplete")(_without(missing))


@way("incomplete")
def has_a_line_without_act_category(maker: ClaimMaker, claim: SampleClaim) -> None:
    pick(claim.lines, maker.rng)[c.CATEGORY] = None
    _perhaps_add(maker, claim, _drop_recap, _shift_recap)


# ------------------------------------------------------------------------------------------------ no category
def set_out_of_period(maker: ClaimMaker, claim: SampleClaim) -> None:
    """Every line is outside the period. The recap has no row of the claim, an unpaid one, or one outside the period."""
    for line in claim.lines:
        line[c.SETTLED] = maker.outside_for_stat()
    seen: dt.date | None = pick((None, maker.outside_for_recap()), maker.rng)
    claim.recaps[0][c.R_SETTLED] = seen
    if maker.rng.random() < 0.6:
        claim.recaps.clear()
