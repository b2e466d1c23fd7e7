"""The expected outcome of a sample pair, counted from its claims while they are made."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any

from samples import columns as c
from samples.claims import Row, SampleClaim
from samples.figures import figures_of
from samples.kinds import CONFORM, IMPORTED, SHARES
from samples.spelling import Verbatim, money

ENTITIES = (
    "act_categories",
    "acts",
    "clients",
    "insured",
    "invoices",
    "memberships",
    "operators",
    "partners",
    "payments",
    "plans",
    "policies",
)
_NEEDED = (c.NUMBER, c.SETTLED, c.CLAIMED, c.REIMBURSED)


@dataclass(slots=True)
class Figures:
    """Number and sums of claims whose amounts are numbers."""

    claims: int = 0
    claimed: int = 0
    reimbursed: int = 0

    def add(self, claim: SampleClaim) -> None:
        claimed, reimbursed = claim.totals()
        self.claims, self.claimed, self.reimbursed = (
            self.claims + 1,
            self.claimed + claimed,
            self.reimbursed + reimbursed,
        )

    def figures(self) -> dict[str, Any]:
        return {"claims": self.claims, "claimed": money(self.claimed), "reimbursed": money(self.reimbursed)}


class Tally:
    def __init__(self) -> None:
        self.without_row = Figures()
        self.category_of: dict[str, str] = {}
        self.facts: Counter[str] = Counter()
        self.entities: dict[str, set[Any]] = {name: set() for name in ENTITIES}
        self.settled: list[SampleClaim] = []
        self.cancelled: list[SampleClaim] = []

    def add(self, claim: SampleClaim, category: str | None) -> None:
        """Counts a finished claim. `category` is None where its rows make no claim of the period."""
        self.facts["lines"] += len(claim.lines)
        self.facts["unreadable_lines"] += sum(self._is_unreadable(line) for line in claim.lines)
        self.facts["rows"] += len(claim.recaps)
        self.facts["recap_only"] += claim.recap_only
        self.facts["unpaid"] += sum(row[c.R_SETTLED] is None for row in claim.recaps)
        if category is None:
            return
        self.category_of[claim.number] = category
        if category == "missing_in_recap" and not any(row[c.R_NUMBER] for row in claim.recaps):
            self.without_row.add(claim)
        if category in IMPORTED:
            self._import(claim)
            (self.settled if category == CONFORM else self.cancelled).append(claim)

    @staticmethod
    def _is_unreadable(line: Row) -> bool:
        # A policy may be absent; its shortened number is the only one that cannot be read.
        return type(line[c.POLICY]) is Verbatim or any(
            line[column] is None or type(line[column]) is Verbatim for column in _NEEDED
        )

    def _import(self, claim: SampleClaim) -> None:
        claimed, reimbursed = claim.totals()
        self.facts["imported_claims"] += 1
        self.facts["imported_lines"] += len(claim.lines)
        self.facts["claimed"] += claimed
        self.facts["reimbursed"] += reimbursed
        found, policy, partner = self.entities, claim.policy.number, claim.partner.name
        found["policies"].add(policy)
        found["partners"].add(partner)
        if claim.client:
            found["clients"].add(claim.client)
        # A principal is a person of the policy even if only the line of a dependant has the name.
        for person in (claim.person, claim.person.principal):
            found["insured"].add(person)
            found["memberships"].add((person, policy, claim.client))
        for line in claim.lines:
            found["act_categories"].add(line[c.CATEGORY])
            for name, value in (("acts", line[c.ACT]), ("operators", line[c.OPERATOR])):
                if value is not None:
                    found[name].add(value)
            for name, owner, value in (
                ("plans", policy, line[c.PLAN]),
                ("invoices", partner, line[c.INVOICE]),
                ("payments", partner, line[c.PAYMENT]),
            ):
                # A shortened number has no value: it is read as empty.
                if value is not None and type(value) is not Verbatim:
                    found[name].add((owner, value))

    def expected(self, *, tolerance: int, first: dt.date, last: dt.date, duplicates: int) -> dict[str, Any]:
        """The outcome under DOMAIN §5 and §6, amounts as decimal strings; `category_of` by claim number in capitals."""
        facts, counts = self.facts, Counter(self.category_of.values())
        return {
            "tolerance": money(tolerance),
            "period": [first.isoformat(), last.isoformat()],
            "stat": {"lines": facts["lines"], "unreadable_lines": facts["unreadable_lines"]},
            "recap": {
                "rows_after_dedup": facts["rows"],
                "duplicate_rows_removed": duplicates,
                "unpaid": facts["unpaid"],
            },
            "claims": {
                "total": len(self.category_of),
                "by_category": {category: counts[category] for category in SHARES if counts[category]},
                "recap_only": facts["recap_only"],
            },
            "out_of_period": {"lines": facts["out_of_period_lines"], "claims": facts["out_of_period_claims"]},
            "importable": {
                "claims": facts["imported_claims"],
                "lines": facts["imported_lines"],
                "claimed": money(facts["claimed"]),
                "reimbursed": money(facts["reimbursed"]),
            },
            "entities": {name: len(values) for name, values in self.entities.items()},
            "figures": figures_of(self.settled, self.cancelled),
            "category_of": self.category_of,
        }
