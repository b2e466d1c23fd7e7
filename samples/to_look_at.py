"""Cases that the watch list shows (DOMAIN §8): claims on which the two files agree, but that deserve a look.

Each function has the name of the rule that finds its case, and makes the claims of one case, all conform.
"""

from __future__ import annotations

from collections.abc import Callable

from samples import columns as c
from samples.claims import ClaimMaker, SampleClaim
from samples.names import RATE_OF_PLAN
from samples.spelling import pick

CLAIMS_OF_CASES = 8
"""Claims of one case of each kind."""

_PARTNER = (c.PARTNER, c.ADDRESS, c.COUNTRY)
# Percentage points of a line above the rate of its plan.
ABOVE_RATE = 10


def same_act_twice(maker: ClaimMaker) -> list[SampleClaim]:
    """Two claims of one person with the same acts, amounts and incident date at the same partner."""
    first, second = _two(maker)
    _repeat(first, second, kept=(c.NUMBER, c.SETTLED, c.PAYMENT, c.INVOICE))
    second.partner = first.partner
    return _settled(maker, first, second)


def two_partners_on_one_day(maker: ClaimMaker) -> list[SampleClaim]:
    """Two claims of one person with the same acts on the same day at two partners."""
    first, second = _two(maker)
    second.partner = pick([one for one in maker.world.partners if one is not first.partner], maker.rng)
    _repeat(first, second, kept=(c.NUMBER, c.SETTLED, c.PAYMENT, c.INVOICE))
    for line in second.lines:
        line[c.PARTNER], line[c.ADDRESS], line[c.COUNTRY] = (
            second.partner.name,
            second.partner.address,
            second.partner.country,
        )
    return _settled(maker, first, second)


def invoice_of_two_families(maker: ClaimMaker) -> list[SampleClaim]:
    """Two claims of persons of two families with one invoice of one partner."""
    first = maker.claim()
    others = [person for person in maker.world.claimants if person.principal is not first.person.principal]
    second = maker.claim(person=pick(others, maker.rng))
    invoice = maker.invoice(first.settled)
    second.partner = first.partner
    for line in first.lines:
        line[c.INVOICE] = invoice
    for line in second.lines:
        line[c.INVOICE] = invoice
        for column in _PARTNER:
            line[column] = first.lines[0][column]
    return _settled(maker, first, second)


def incident_after_settlement(maker: ClaimMaker) -> list[SampleClaim]:
    claim = maker.claim(day=maker.any_day())
    later = maker.date((claim.settled - maker.date(0)).days + maker.rng.randint(1, maker.margin - 1))
    for line in claim.lines:
        line[c.INCIDENT] = later
    return [claim]


def above_coverage_rate(maker: ClaimMaker) -> list[SampleClaim]:
    """A claim whose last line is reimbursed at a higher rate than its plan covers.

    Its other lines, at least two, have the rate of the plan, which is that of most lines, so the observed rate stays.
    """
    insured = [
        person
        for person in maker.world.claimants
        if person.policy.employers and not person.second_policy and RATE_OF_PLAN[person.plan] + ABOVE_RATE <= 100
    ]
    claim = maker.claim(person=pick(insured, maker.rng), least_lines=3)
    rate = RATE_OF_PLAN[claim.person.plan]
    for line in claim.lines:
        line[c.PLAN] = claim.person.plan
        line[c.REIMBURSED] = line[c.CLAIMED] * rate // 100
    claim.lines[-1][c.REIMBURSED] = claim.lines[-1][c.CLAIMED] * (rate + ABOVE_RATE) // 100
    return _settled(maker, claim)


CASES: dict[str, Callable[[ClaimMaker], list[SampleClaim]]] = {
    case.__name__: case
    for case in (
        same_act_twice,
        two_partners_on_one_day,
        invoice_of_two_families,
        above_coverage_rate,
        incident_after_settlement,
    )
}


def _two(maker: ClaimMaker) -> tuple[SampleClaim, SampleClaim]:
    """Two claims of one person, the second settled at most three days after the first."""
    first = maker.claim()
    day = (first.settled - maker.date(0)).days
    return first, maker.claim(person=first.person, day=min(maker.days - 1, day + maker.rng.randint(0, 3)))


def _repeat(first: SampleClaim, second: SampleClaim, *, kept: tuple[int, ...]) -> None:
    """Gives `second` the lines of `first`, except the columns `kept`; of the same policy and client."""
    own = second.lines[0]
    second.policy, second.client = first.policy, first.client
    second.lines = [[own[i] if i in kept else cell for i, cell in enumerate(line)] for line in first.lines]


def _settled(maker: ClaimMaker, *claims: SampleClaim) -> list[SampleClaim]:
    for claim in claims:
        claim.recaps = [maker.recap(claim)]
    return list(claims)
