"""Claims as plain values: their stat lines and recap rows, before cells are made of them.

Amounts are whole hundredths of the currency unit, dates are dates, an absent value is None, and a text has the one
spelling of the world that it comes from.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from random import Random
from typing import Any

from samples import columns as c
from samples.names import (
    ACTS,
    LINES_PER_CLAIM,
    NOTES,
    OTHER_RATES,
    RATE_OF_PLAN,
    SHARE_OF_OTHERS,
    STRAY_CATEGORY,
    SURNAMES,
)
from samples.spelling import pick
from samples.world import Partner, Person, Policy, World

Row = list[Any]


@dataclass(slots=True)
class SampleClaim:
    number: str
    person: Person
    policy: Policy
    client: str | None
    partner: Partner
    settled: dt.date
    lines: list[Row]
    recaps: list[Row] = field(default_factory=list)
    recap_only: int = 0
    """Its paid recap rows of the period that match no claim of the stat file."""

    def totals(self) -> tuple[int, int]:
        """Net claimed and reimbursed of the stat lines, in hundredths; their amounts must still be numbers."""
        return sum(line[c.CLAIMED] for line in self.lines), sum(line[c.REIMBURSED] for line in self.lines)

    def settle(self) -> None:
        """Sets the amounts of the recap row to the totals of the lines."""
        self.recaps[0][c.R_CLAIMED], self.recaps[0][c.R_REIMBURSED] = self.totals()

    def cancel(self, line: Row) -> Row:
        """The line that cancels `line`."""
        undone = list(line)
        undone[c.CLAIM_STATUS] = "Annulée"
        undone[c.CLAIMED], undone[c.REIMBURSED] = -line[c.CLAIMED], -line[c.REIMBURSED]
        return undone


class ClaimMaker:
    """Draws ordinary claims, with a recap row that agrees with the lines, from a world and a calendar."""

    def __init__(
        self, *, rng: Random, world: World, claims: int, prefix: str, start: dt.date, days: int, tolerance: int
    ) -> None:
        self.rng, self.world, self.prefix, self.tolerance = rng, world, prefix, tolerance
        self.payments = max(50, claims // 5)
        self.days = days
        self.margin = 10
        self.calendar = [start + dt.timedelta(days=day) for day in range(-self.margin - 90, days + self.margin)]
        self.stat_is_early = rng.random() < 0.5
        # Days of the period on which nothing is settled, unless the day is given.
        self.closed = range(0)
        self.count = 0
        self.alternations = 0

    # ------------------------------------------------------------------------------------------------ days
    def date(self, day: int) -> dt.date:
        """Day 0 is the first of the period."""
        return self.calendar[day + self.margin + 90]

    def any_day(self) -> int:
        while (day := int(self.rng.random() * self.days)) in self.closed:
            pass
        return day

    def outside(self, *, early: bool) -> dt.date:
        far = self.rng.randint(1, self.margin)
        return self.date(-far if early else self.days - 1 + far)

    def outside_for_stat(self) -> dt.date:
        """A day that only the stat file has: one file begins earlier, the other ends later."""
        return self.outside(early=self.stat_is_early)

    def outside_for_recap(self) -> dt.date:
        return self.outside(early=not self.stat_is_early)

    # ------------------------------------------------------------------------------------------------ claims
    def alternate(self) -> bool:
        self.alternations += 1
        return self.alternations % 2 == 0

    def claim(self, *, day: int | None = None, person: Person | None = None, least_lines: int = 1) -> SampleClaim:
        rng = self.rng
        self.count += 1
        number = f"{self.prefix}{self.count:014d}"
        person = person or pick(self.world.claimants, rng)
        partner = pick(self.world.partners, rng)
        day = self.any_day() if day is None else day
        settled = self.date(day)
        incident = self.date(max(day - int(rng.random() * 60) - 1, -self.margin - 90))
        policy, plan, client = person.policy, person.plan, person.employer
        if person.second_policy and self.alternate():
            policy = person.second_policy
            plan, client = policy.plans[0], policy.employers[0]
        elif len(policy.employers) > 1 and rng.random() < 0.05:
            client = pick(policy.employers, rng)
        principal = person.principal.name
        employer = client if policy.employers else principal if self.alternate() else None
        has_card = person.card_habit == "always" or (person.card_habit == "sometimes" and rng.random() < 0.6)
        paid = int(rng.random() * self.payments) + 1_000_000
        payment = None if rng.random() < 0.02 else f"VIR-{paid}" if rng.random() < 0.2 else str(paid)
        invoice = None if rng.random() < 0.02 else self.invoice(settled)
        shared: Row = [None] * len(c.STAT_HEADERS)
        shared[c.EMPLOYER], shared[c.CARD], shared[c.BROKER] = (
            employer,
            person.card if has_card else None,
            policy.broker,
        )
        shared[c.BENEFICIARY], shared[c.PLAN] = person.name, plan if rng.random() > 0.02 else None
        shared[c.STATUS], shared[c.POLICY], shared[c.MAIN] = person.status, policy.number, principal
        shared[c.PARTNER], shared[c.ADDRESS], shared[c.COUNTRY] = partner.name, partner.address, partner.country
        shared[c.NUMBER], shared[c.CLAIM_STATUS], shared[c.INCIDENT], shared[c.SETTLED] = (
            number,
            "Réglée",
            incident,
            settled,
        )
        shared[c.PAYMENT], shared[c.INVOICE] = payment, invoice
        shared[c.OPERATOR] = pick(self.world.operators, rng) if rng.random() > 0.02 else None
        count = max(least_lines, pick(LINES_PER_CLAIM, rng))
        lines = [self._line(shared, RATE_OF_PLAN[plan]) for _ in range(count)]
        claim = SampleClaim(number, person, policy, client, partner, settled, lines)
        claim.recaps.append(self.recap(claim))
        return claim

    def invoice(self, settled: dt.date) -> str:
        return f"{int(self.rng.random() * 9_000_000) + 1_000_000}/{pick(SURNAMES, self.rng)}/{settled.year}"

    def _line(self, shared: Row, rate: int) -> Row:
        rng = self.rng
        line = list(shared)
        category, line[c.GUARANTEE], act, least, most = pick(ACTS, rng)
        line[c.ACT] = act
        line[c.CATEGORY] = STRAY_CATEGORY[act] if act in STRAY_CATEGORY and rng.random() < 0.08 else category
        # Amounts are multiples of 50, some with half units.
        claimed = (least * 2 + int(rng.random() * (most - least) * 2)) * 5000 + (50 if rng.random() < 0.06 else 0)
        other = rng.random() / SHARE_OF_OTHERS
        if other < 1:
            rate = OTHER_RATES[int(other * len(OTHER_RATES))]
        line[c.CLAIMED], line[c.REIMBURSED] = claimed, claimed * rate // 1000 * 10
        if rng.random() < 0.03:
            line[c.NOTE] = pick(NOTES, rng)
        return line

    def recap(self, claim: SampleClaim) -> Row:
        """The recap row that agrees with the claim's lines."""
        line = claim.lines[0]
        claimed, reimbursed = claim.totals()
        by_cheque = line[c.PAYMENT] is None or line[c.PAYMENT].isdigit()
        return [
            line[c.NUMBER],
            claim.settled,
            line[c.BENEFICIARY],
            line[c.PAYMENT] if by_cheque else None,
            None if by_cheque else line[c.PAYMENT],
            line[c.PARTNER],
            line[c.MAIN],
            line[c.EMPLOYER],
            line[c.POLICY],
            claimed,
            reimbursed,
            line[c.INVOICE],
            None,
        ]
