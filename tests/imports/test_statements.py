"""An import asks the database no question per row."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from importer.runs import run_session
from importer.samples import make_pair
from tests.imports.door import Door

pytestmark = pytest.mark.django_db(transaction=True)


def statements(folder: Path, *, code: str, claims: int) -> Counter[str]:
    """The statements of a run's own connection, by their first words and table."""
    expected = make_pair(folder, claims=claims, fmt="csv", seed=7)
    names = [expected["files"]["stat"], *expected["files"]["recaps"]]
    stat, *recap = [SimpleUploadedFile(name, (folder / name).read_bytes()) for name in names]
    door = Door(code)
    session_id = door.send(stat, recap)
    with CaptureQueriesContext(connection) as captured:
        run_session(session_id)
    # The next request empties the log.
    counted = Counter(_shape(query["sql"]) for query in captured.captured_queries)
    assert door.outcome(session_id).summary["claims"]["total"] == claims
    # The acts, which countries share, must be new to the next one too.
    assert door.steer(session_id, "revert").status_code == 200
    return counted


def _shape(sql: str) -> str:
    words = re.sub(r"[^A-Za-z_]+", " ", sql).split()
    return " ".join(words[:12])


def test_a_run_of_ten_times_the_claims_makes_as_many_statements(tmp_path: Path) -> None:
    small = statements(tmp_path / "small", code="S", claims=200)
    large = statements(tmp_path / "large", code="L", claims=2_000)
    assert large == small
    assert sum(small.values()) > 20
