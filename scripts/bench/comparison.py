"""The time of the obvious tools for the same work: pandas with openpyxl reads the files, `bulk_create` writes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pandas
from django.db import transaction

BATCH = 2000


def openpyxl_seconds(workbooks: Sequence[Path]) -> float:
    """Seconds to read each workbook into a DataFrame of texts."""
    began = time.perf_counter()
    for path in workbooks:
        pandas.read_excel(path, engine="openpyxl", dtype=str)
    return time.perf_counter() - began


def bulk_create_seconds(tables: Sequence[str]) -> tuple[float, int]:
    """Deletes the rows of `tables`, of which none refers to a later one, writes them again, then rolls back; → seconds,
    rows."""
    # Models need Django, which is set up once the environment is.
    from django.apps import apps

    by_table = {model._meta.db_table: model for model in apps.get_models()}
    models = [by_table[table] for table in tables]
    content = [list(model._default_manager.values()) for model in models]
    with transaction.atomic():
        for model in reversed(models):
            model._default_manager.all()._raw_delete(using="default")
        began = time.perf_counter()
        for model, rows in zip(models, content, strict=True):
            model._default_manager.bulk_create([model(**row) for row in rows], batch_size=BATCH)
        seconds = time.perf_counter() - began
        transaction.set_rollback(True)
    return seconds, sum(map(len, content))
