"""A corrected session compared with the session that it corrects, claim by claim (DOMAIN §13).

Every session keeps category and amounts of each of its claims, as one Parquet file in the database: those that agree
leave no finding, and a claim that was imported may be replaced or removed later.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import polars as pl
from django.db.models import Q
from django.utils.translation import gettext as _

from common.errors import Conflict
from common.money import decimal_string
from file_handling.models import Correction, FindingCategory, ImportSession, SessionClaims
from importer.corrections.lines import SessionFiles
from importer.corrections.service import number_of
from importer.planning import PlannedImport

_FACTS = ("category", "claimed", "reimbursed")
# Fingerprint, sheet and row of a line.
_Line = tuple[str, str, int]


def keep_claims(session_id: int, planned: PlannedImport) -> None:
    """Store the claims of a run, in place of those of an earlier run of the session."""
    content = io.BytesIO()
    _claims(planned).write_parquet(content)
    found = {"content": content.getvalue(), "lines": None}
    SessionClaims.objects.update_or_create(session_id=session_id, defaults=found)


def _claims(planned: PlannedImport) -> pl.DataFrame:
    """claim_number, category, claimed, reimbursed (cents): of the stat lines, else of the recap row."""
    in_conflict = pl.col("claim_number").is_in(planned.plan.conflicts["claim_number"].implode())
    return planned.reconciliation.claims.select(
        "claim_number",
        category=pl.when(in_conflict).then(pl.lit(FindingCategory.CONFLICT.value)).otherwise("category"),
        claimed=pl.coalesce("stat_claimed", "recap_claimed"),
        reimbursed=pl.coalesce("stat_reimbursed", "recap_reimbursed"),
    )


def compared_claims(session: ImportSession) -> list[dict[str, Any]]:
    """The claims that the corrections touch or change, by number; those that are the same in both are left out.

    Each has `claim_number`, `before` and `after` (`category`, and `claimed` and `reimbursed` as decimal strings; null
    where the session has no such claim) and `cells`, its corrections that the earlier session does not have.

    Raises Conflict until both sessions are reconciled.
    """
    earlier = session.corrects
    if earlier is None:
        raise ValueError("the session corrects none")
    before, after = _kept(earlier), _kept(session)
    cells = _cells_by_claim(session, earlier)
    both = before.join(after, on="claim_number", how="full", coalesce=True, suffix="_after").filter(
        pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_after")) for name in _FACTS)
        | pl.col("claim_number").is_in(list(cells))
    )
    return [
        {
            "claim_number": row["claim_number"],
            "before": _facts(row, ""),
            "after": _facts(row, "_after"),
            "cells": cells.get(row["claim_number"], []),
        }
        for row in both.sort("claim_number").iter_rows(named=True)
    ]


def _kept(session: ImportSession) -> pl.DataFrame:
    content = SessionClaims.objects.filter(session=session).values_list("content", flat=True).first()
    if content is None:
        raise Conflict(_("The files of this session are not reconciled yet. Ask again when it waits for review."))
    return pl.read_parquet(io.BytesIO(bytes(content)))


def _facts(row: dict[str, Any], suffix: str) -> dict[str, str | None] | None:
    if row[f"category{suffix}"] is None:
        return None
    amounts = {name: row[f"{name}{suffix}"] for name in _FACTS[1:]}
    return {
        "category": row[f"category{suffix}"],
        **{name: None if cents is None else decimal_string(cents) for name, cents in amounts.items()},
    }


def _cells_by_claim(session: ImportSession, earlier: ImportSession) -> dict[str, list[dict[str, Any]]]:
    """Claim number → the corrections of its rows that `session` has and `earlier` has not.

    A row whose number is corrected belongs to both claims.
    """
    files = SessionFiles.of(session)
    ids: dict[str, int] = {}
    for file in files.all() if files else []:
        ids.setdefault(file.sha256, file.pk)
    of_files = Correction.objects.filter(
        # Those that were withdrawn after the run of the session are part of its outcome.
        Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gt=session.created_at),
        country_id=session.country_id,
        sha256__in=list(ids),
        pk__lte=session.last_correction,
    ).order_by("pk")
    old = _newest(one for one in of_files if one.pk <= earlier.last_correction)
    new = _newest(of_files)
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for (line, field), one in sorted(new.items()):
        if one.pk <= earlier.last_correction:
            continue
        numbers = {
            one.claim_number,
            *(number_of(known[line, "claim_number"].value) for known in (old, new) if (line, "claim_number") in known),
        }
        for number in numbers - {""}:
            found[number].append(
                {
                    "correction": one.pk,
                    "file": ids[one.sha256],
                    "file_name": one.file_name,
                    "sheet": one.sheet,
                    "row": one.row,
                    "field": field,
                    "was": one.was,
                    "value": one.value,
                    "removes_row": one.removes_row,
                }
            )
    return found


def _newest(corrections: Iterable[Correction]) -> dict[tuple[_Line, str], Correction]:
    """Line and field → the newest correction. `corrections`: oldest first."""
    return {((one.sha256, one.sheet, one.row), one.field): one for one in corrections}
