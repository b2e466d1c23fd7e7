"""Errors of PostgreSQL during a COPY reach the run as the errors of Django, so that the run knows which to retry."""

from __future__ import annotations

import polars as pl
import pytest
from django.db import IntegrityError, OperationalError, connection, connections, transaction

from core.models import ActCategory
from importer.writer import insert_rows

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("postgresql")]


ROWS = pl.DataFrame({"id": [900_001, 900_002], "name": ["A", "B"], "key": ["A", "A"]})


def test_an_existing_record_is_an_integrity_error() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_rows(ActCategory, ROWS)


def test_a_connection_that_breaks_is_an_operational_error() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [backend])
    other.close()
    with pytest.raises(OperationalError):
        insert_rows(ActCategory, ROWS)
    connection.close()
