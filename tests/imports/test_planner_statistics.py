"""After an import the database plans with the statistics of what the import wrote, before autovacuum comes."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Thread

import pytest
import structlog
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction

from core.models import Claim, ClaimLine
from file_handling.models import Finding
from importer import sql
from samples import make_pair
from tests.support.api_user import ApiUser, Outcome
from tests.support.pairs import line, matching_pair

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("postgresql")]


@pytest.fixture(autouse=True)
def no_statistics() -> None:
    """Autovacuum may have analysed what other tests wrote. The tables are empty now."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE core_claim, core_claimline")


def known_rows(table: str) -> int:
    """How many rows the planner believes the table to have; at most 0 for a table that was emptied and not analysed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE relname = %s", [table])
        return int(cursor.fetchone()[0])


def import_sample(folder: Path, claims: int) -> Outcome:
    files = make_pair(folder, claims=claims, fmt="csv", seed=7)["files"]
    stat, *recap = [
        SimpleUploadedFile(name, (folder / name).read_bytes()) for name in [files["stat"], *files["recaps"]]
    ]
    return ApiUser().import_pair(stat, recap)


def test_the_tables_that_an_import_filled_are_analysed(tmp_path: Path) -> None:
    assert known_rows("core_claim") <= 0
    outcome = import_sample(tmp_path, 3_000)
    assert outcome.status == "DONE_WITH_ERRORS"
    assert known_rows("core_claim") == Claim.objects.count() > 1_000
    assert known_rows("core_claimline") == ClaimLine.objects.count() > 1_000
    assert Finding.objects.count() > 0


def test_a_small_import_is_left_to_autovacuum() -> None:
    assert ApiUser().import_pair(*matching_pair(line("A1"))).status == "DONE"
    assert known_rows("core_claim") <= 0


def test_an_analysis_that_cannot_be_made_changes_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "ANALYZE_LOCK_TIMEOUT", "100ms")
    locked, release = Event(), Event()

    def vacuum_for_long() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            # The lock of VACUUM, which lets rows be written.
            cursor.execute("LOCK TABLE core_claim IN SHARE UPDATE EXCLUSIVE MODE")
            locked.set()
            release.wait(120)
        connection.close()

    thread = Thread(target=vacuum_for_long)
    thread.start()
    try:
        assert locked.wait(30)
        with structlog.testing.capture_logs() as lines:
            outcome = import_sample(tmp_path, 3_000)
    finally:
        release.set()
        thread.join()
    assert outcome.status == "DONE_WITH_ERRORS"
    assert [entry["error"] for entry in lines if entry["event"] == "analyze_failed"] == ["OperationalError"]
    assert Claim.objects.count() > 1_000
