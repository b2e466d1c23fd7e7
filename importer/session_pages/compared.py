"""What the corrections of a session change, as rows of its page (DOMAIN §13)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from common.errors import Conflict
from file_handling.models import ImportSession
from importer.report.figures import category_name

ROWS_SHOWN = 50


@dataclass(frozen=True)
class ComparedRow:
    """`before`, `after`: the name of the category, "" for no such claim. `gap`: after minus before, None for neither.

    `cells`: (file, sheet, row, field, text as read, corrected text), the last three empty for a row that is left out.
    """

    claim_number: str
    before: str
    after: str
    reimbursed_before: Decimal | None
    reimbursed_after: Decimal | None
    gap: Decimal | None
    cells: list[dict[str, Any]]


@dataclass(frozen=True)
class ComparedPart:
    rows: list[ComparedRow]
    count: int

    @property
    def more(self) -> int:
        return self.count - len(self.rows)


def compared(session: ImportSession) -> ComparedPart | None:
    """The first claims that the corrections touch or change; None where there is nothing to compare yet."""
    if session.corrects_id is None:
        return None
    # Imported here: a web process loads the frames library once it needs it.
    from importer.corrections.comparison import compared_claims

    try:
        claims = compared_claims(session)
    except Conflict:
        # One of the two sessions is not reconciled.
        return None
    return ComparedPart([_row(claim) for claim in claims[:ROWS_SHOWN]], len(claims))


def _row(claim: dict[str, Any]) -> ComparedRow:
    before, after = (_reimbursed(claim[when]) for when in ("before", "after"))
    return ComparedRow(
        claim_number=claim["claim_number"],
        before=_category(claim["before"]),
        after=_category(claim["after"]),
        reimbursed_before=before,
        reimbursed_after=after,
        gap=None if before is None and after is None else (after or Decimal(0)) - (before or Decimal(0)),
        cells=claim["cells"],
    )


def _category(facts: dict[str, Any] | None) -> str:
    return category_name(facts["category"]) if facts else ""


def _reimbursed(facts: dict[str, Any] | None) -> Decimal | None:
    return Decimal(facts["reimbursed"]) if facts and facts["reimbursed"] is not None else None
