"""A reconciliation held against what the country has: what would be written, as a value, before any of it is."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from file_handling.models import ImportSession
from importer.pipeline.country import Snapshot
from importer.pipeline.plan import Plan, importable, make_plan, wanted
from importer.pipeline.reconcile import Reconciliation
from importer.snapshot import take_snapshot


@dataclass(frozen=True)
class PlannedImport:
    """`lines`: the importable ones. `summary`: the session's (DOMAIN §5)."""

    reconciliation: Reconciliation
    lines: pl.DataFrame
    snapshot: Snapshot
    plan: Plan
    summary: dict[str, Any]

    def outcome(self) -> dict[str, Any]:
        return self.plan.outcome()

    def review_facts(self) -> dict[str, Any]:
        """What a reviewer of a dry run judges; a commit that would come to something else writes nothing."""
        return {"plan": self.outcome(), "summary": self.summary}

    def complete(self) -> bool:
        """Every claim of the period is imported or was there already (DOMAIN §7, DONE)."""
        imported = self.summary["importable"]["claims"]
        nameless = self.reconciliation.unreadable_lines()["claim_number"].is_null().any()
        return bool(self.summary["claims"]["total"] == imported and not self.plan.conflicts.height and not nameless)

    def session_fields(self) -> dict[str, Any]:
        """What the session's row keeps of it."""
        first, last = self.reconciliation.period
        return {
            "summary": self.summary,
            "outcome": self.outcome() | {"complete": self.complete()},
            "start_date": first,
            "end_date": last,
        }


def plan_import(
    session: ImportSession, reconciliation: Reconciliation, lines: pl.DataFrame | None = None
) -> PlannedImport:
    """Look at what the country holds now, and plan. `lines`: the importable ones, where they are known already."""
    lines = importable(reconciliation) if lines is None else lines
    snapshot = take_snapshot(country_id=session.country_id, wanted=wanted(lines))
    plan = make_plan(
        lines=lines,
        snapshot=snapshot,
        on_conflict="update" if session.on_conflict == "update" else "report",
        currency=session.currency or session.country.currency_code,
    )
    return PlannedImport(
        reconciliation, lines, snapshot, plan, reconciliation.summary() | {"entities": plan.entities()}
    )
