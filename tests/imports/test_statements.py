"""The number of SQL statements of an import does not depend on the number of its rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.models import Act
from importer.runs import run_session
from samples import make_pair
from tests.support.api_user import ApiUser
from tests.support.pairs import line, matching_pair

pytestmark = pytest.mark.django_db(transaction=True)


def statements(folder: Path, *, code: str, claims: int) -> Counter[str]:
    """The SQL statements of a run, by their first words and table."""
    expected = make_pair(folder, claims=claims, fmt="csv", seed=7)
    names = [expected["files"]["stat"], *expected["files"]["recaps"]]
    stat, *recap = [SimpleUploadedFile(name, (folder / name).read_bytes()) for name in names]
    return statements_of(stat, recap, code=code, claims=claims)


def statements_of(stat: Any, recap: Sequence[Any], *, code: str, claims: int) -> Counter[str]:
    api = ApiUser(code)
    session_id = api.send(stat, recap)
    with CaptureQueriesContext(connection) as captured:
        run_session(session_id)
    # The next request empties the log.
    counted = Counter(_shape(query["sql"]) for query in captured.captured_queries)
    # Only an import that fills a table analyses it.
    for words in [words for words in counted if words.startswith("ANALYZE") or "lock_timeout" in words]:
        del counted[words]
    assert api.outcome(session_id).summary["claims"]["total"] == claims
    # The acts, which countries share, must be new to the next one too.
    assert api.steer(session_id, "revert").status_code == 200
    return counted


def _shape(sql: str) -> str:
    # The log of SQLite contains values, and among them tokens whose letters differ from run to run.
    without_values = re.sub(r"'[^']*'", " ", sql)
    words = re.sub(r"[^A-Za-z_]+", " ", without_values).split()
    return " ".join(words[:12])


def test_a_run_of_ten_times_the_claims_makes_as_many_statements(tmp_path: Path) -> None:
    small = statements(tmp_path / "small", code="S", claims=200)
    large = statements(tmp_path / "large", code="L", claims=2_000)
    assert large == small
    assert sum(small.values()) > 20


def test_a_run_of_two_thousand_new_acts_makes_as_many_statements_as_one_of_five() -> None:
    def counted(acts: int) -> Counter[str]:
        lines = [line(f"N{n}", act=f"ACTE {n}", act_category=f"CATEGORIE {n}") for n in range(acts)]
        return statements_of(*matching_pair(*lines), code=f"A{acts % 100}", claims=acts)

    assert counted(2_000) == counted(5)


def test_new_acts_are_numbered_in_the_order_of_their_keys_and_existing_ones_keep_their_record() -> None:
    first, second = ApiUser("TG"), ApiUser("BJ")
    first.import_pair(*matching_pair(line("T1", act="BANDAGE"), line("T2", act="ATTELLE")))
    there = dict(Act.objects.values_list("key", "pk"))
    outcome = second.import_pair(
        *matching_pair(*(line(f"B{n}", act=act) for n, act in enumerate(["SUTURE", "BANDAGE", "PLÂTRE"])))
    )
    assert outcome.created()["acts"] == 2
    assert "act_categories" not in outcome.created()
    assert Act.objects.get(key="BANDAGE").pk == there["BANDAGE"]
    assert list(Act.objects.order_by("pk").values_list("key", flat=True)) == ["ATTELLE", "BANDAGE", "PLATRE", "SUTURE"]
