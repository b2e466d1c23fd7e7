"""A reconciliation planned against the records of the country: what would be written, as a value."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from file_handling.models import ImportSession
from importer.pipeline.country import Snapshot
from importer.pipeline.missing_pages import missing_page_warnings
from importer.pipeline.plan import Plan, importable, make_plan, wanted
from importer.pipeline.reconcile import Reconciliation
from importer.snapshot import take_snapshot


@dataclass(frozen=True)
class PlannedImport:
    """`lines`: the importable lines. `summary`: that of the session (DOMAIN §5). `missing_pages`: warnings (§13)."""

    reconciliation: Reconciliation
    lines: pl.DataFrame
    snapshot: Snapshot
    plan: Plan
    summary: dict[str, Any]
    missing_pages: list[dict[str, Any]]

    def outcome(self) -> dict[str, Any]:
        return self.plan.outcome()

    def review_facts(self) -> dict[str, Any]:
        """What the reviewer of a dry run approves; a commit whose plan has other facts writes nothing."""
        return {"plan": self.outcome(), "summary": self.summary}

    def complete(self) -> bool:
        """Whether every claim of the period is imported or was already imported (DOMAIN §7, DONE)."""
        imported = self.summary["importable"]["claims"]
        unnumbered = self.reconciliation.unreadable_lines()["claim_number"].is_null().any()
        return bool(self.summary["claims"]["total"] == imported and not self.plan.conflicts.height and not unnumbered)

    def session_fields(self) -> dict[str, Any]:
        """The fields of the session that describe the plan."""
        first, last = self.reconciliation.period
        return {
            "summary": self.summary,
            "outcome": self.outcome() | {"complete": self.complete()},
            "start_date": first,
            "end_date": last,
            "missing_pages": self.missing_pages,
        }


def plan_import(
    session: ImportSession,
    reconciliation: Reconciliation,
    *,
    recap_names: Iterable[str],
    lines: pl.DataFrame | None = None,
) -> PlannedImport:
    """Plan against what the country has now. `lines`: the importable lines, where the caller has them already."""
    lines = importable(reconciliation) if lines is None else lines
    snapshot = take_snapshot(country_id=session.country_id, wanted=wanted(lines))
    plan = make_plan(
        lines=lines,
        snapshot=snapshot,
        on_conflict="update" if session.on_conflict == "update" else "report",
        currency=session.currency or session.country.currency_code,
    )
    return PlannedImport(
        reconciliation,
        lines,
        snapshot,
        plan,
        reconciliation.summary() | {"entities": plan.entities()},
        missing_page_warnings(reconciliation, recap_names),
    )
