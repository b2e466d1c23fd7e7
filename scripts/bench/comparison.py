"""The time of the obvious tools for the same files and rows: pandas with openpyxl, and `bulk_create`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pandas
from django.db import transaction

BATCH = 2000


def openpyxl_seconds(stat: Path) -> float:
    """Time to read the stat file alone into a DataFrame."""
    began = time.perf_counter()
    pandas.read_excel(stat, engine="openpyxl", dtype=str)
    return time.perf_counter() - began


def bulk_create_seconds() -> tuple[float, int]:
    """Deletes and writes again the claims and claim lines of the database, then rolls back; → seconds, rows."""
    # Models need Django, which is set up once the environment is.
    from core.models import Claim, ClaimLine

    claims, lines = _values(Claim), _values(ClaimLine)
    with transaction.atomic():
        ClaimLine.objects.all()._raw_delete(using="default")
        Claim.objects.all()._raw_delete(using="default")
        began = time.perf_counter()
        Claim.objects.bulk_create([Claim(**row) for row in claims], batch_size=BATCH)
        ClaimLine.objects.bulk_create([ClaimLine(**row) for row in lines], batch_size=BATCH)
        seconds = time.perf_counter() - began
        transaction.set_rollback(True)
    return seconds, len(claims) + len(lines)


def _values(model: Any) -> list[dict[str, Any]]:
    return list(model._default_manager.values())
