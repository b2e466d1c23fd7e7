"""The outcome of a session in claims and in money: what was imported, and what was left out by category (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from file_handling.models import FindingCategory
from importer.report.figures import category_name

CENT = Decimal("0.01")
# The categories of claims (DOMAIN §5, 6); the others are lists of rows and warnings.
LEFT_OUT = (
    FindingCategory.UNREADABLE,
    FindingCategory.DIVERGENT_IN_RECAP,
    FindingCategory.INCONSISTENT,
    FindingCategory.INCOMPLETE,
    FindingCategory.AMOUNT_GAP,
    FindingCategory.MISSING_IN_RECAP,
    FindingCategory.CONFLICT,
)
# The width of a bar, in units of its picture.
BAR = 1_000


@dataclass(frozen=True)
class Part:
    """Claims with one fate. `key`: `imported`, `there`, `agreed`, or the category of their findings.

    `amount`: what they reimburse, in units of the session's currency: by the recap, or by the stat file where the recap
    has no such amount.
    """

    key: str
    label: str
    claims: int
    amount: Decimal
    has_findings: bool


@dataclass(frozen=True)
class Slice:
    """A piece of a bar: from `x`, so many units wide of BAR, as texts for an SVG."""

    key: str
    x: str
    width: str


@dataclass(frozen=True)
class Outcome:
    parts: list[Part]
    claims: int
    amount: Decimal

    @property
    def imported(self) -> int:
        """Claims of the period that are imported or can be."""
        return sum(part.claims for part in self.parts if not part.has_findings)

    @property
    def left_out(self) -> int:
        return self.claims - self.imported

    def bars(self) -> list[tuple[str, list[Slice]]]:
        """(title, slices) of the two bars: claims, and money."""
        return [
            (_("Claims"), slices([(part.key, Decimal(part.claims)) for part in self.parts])),
            (_("Money"), slices([(part.key, part.amount) for part in self.parts])),
        ]


@dataclass(frozen=True)
class FindingSum:
    """How many findings have a category and a code, and what they reimburse."""

    category: str
    code: str
    number: int
    amount: Decimal


def outcome_of(
    *,
    summary: Mapping[str, Any] | None,
    outcome: Mapping[str, Any],
    findings: Iterable[FindingSum],
    written: Decimal | None,
) -> Outcome | None:
    """The outcome of a session, from the fields of its row; None until it is reconciled.

    `written`: what the claims that the session wrote reimburse; None for a session that has written nothing.
    """
    if not summary:
        return None
    amounts: dict[str, Decimal] = {}
    for one in findings:
        amounts[one.category] = amounts.get(one.category, Decimal(0)) + one.amount
    conflicts = int(outcome.get("claims_in_conflict", 0))
    agreed = int(summary["importable"]["claims"]) - conflicts
    agreed_amount = Decimal(summary["importable"]["reimbursed"]) - amounts.get(FindingCategory.CONFLICT, Decimal(0))
    there = int(outcome.get("claims_skipped", 0))
    if written is None:
        parts = [Part("agreed", _("Stat and recap agree"), agreed, agreed_amount, has_findings=False)]
    else:
        parts = [Part("imported", _("Imported"), agreed - there, written, has_findings=False)]
        if there:
            parts.append(Part("there", _("Already imported"), there, agreed_amount - written, has_findings=False))
    counts = Counter(summary["claims"]["by_category"]) + Counter({FindingCategory.CONFLICT.value: conflicts})
    parts += [
        Part(category, category_name(category), counts[category], amounts.get(category, Decimal(0)), has_findings=True)
        for category in LEFT_OUT
        if counts[category]
    ]
    return Outcome(parts, sum(part.claims for part in parts), sum((part.amount for part in parts), Decimal(0)))


def slices(values: list[tuple[str, Decimal]]) -> list[Slice]:
    """The pieces of one bar. A negative amount has no piece."""
    total = sum((max(value, Decimal(0)) for _key, value in values), Decimal(0))
    pieces, x = [], Decimal(0)
    for key, value in values:
        if value > 0:
            width = value * BAR / total
            pieces.append(Slice(key, f"{x:.2f}", f"{width:.2f}"))
            x += width
    return pieces
