"""The figures in `expected.json` are those that the dashboard has after the import of the pair."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from samples import make_pair
from tests.support.api_user import ApiUser

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def imported(database: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[ApiUser, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("pair")
    expected = make_pair(folder, fmt="csv", claims=300, start=date(2024, 2, 1), days=200, to_look_at=2)
    stat, *recap = [
        SimpleUploadedFile(name, (folder / name).read_bytes())
        for name in [expected["files"]["stat"], *expected["files"]["recaps"]]
    ]
    user = ApiUser("TG")
    user.import_pair(stat, recap)
    return user, expected


@pytest.fixture
def pair(imported: tuple[ApiUser, dict[str, Any]]) -> tuple[ApiUser, dict[str, Any]]:
    user, expected = imported
    return user, expected["figures"]


def test_the_portfolio_has_the_figures_of_the_pair(pair: tuple[ApiUser, dict[str, Any]]) -> None:
    user, figures = pair
    answer = user.get("dashboard/portfolio/")
    assert [answer["period"]["start"], answer["period"]["end"]] == figures["period"]
    found = {one["key"]: one["value"] for one in answer["indicators"]}
    assert {key: found[key] for key in figures["portfolio"]} == figures["portfolio"]


@pytest.mark.parametrize("by", ["client", "policy", "partner", "operator", "act", "act_category"])
def test_rankings_have_the_amounts_of_the_pair(pair: tuple[ApiUser, dict[str, Any]], by: str) -> None:
    user, figures = pair
    rows = user.get(f"dashboard/rankings/?by={by}&limit=1000")["rows"]

    def facts(row: dict[str, Any]) -> tuple[Any, ...]:
        return Decimal(row["reimbursed"]), Decimal(row["claimed"]), row["claims"], row["insured"]

    assert sorted(facts(row) for row in rows) == sorted(facts(row) for row in figures["rankings"][by])
    assert rows[0]["reimbursed"] == figures["rankings"][by][0]["reimbursed"]


def test_delay_and_triangle_are_those_of_the_pair(pair: tuple[ApiUser, dict[str, Any]]) -> None:
    user, figures = pair
    delay = user.get("dashboard/delay/")
    assert (delay["n"], float(delay["median"]), float(delay["p90"])) == tuple(
        figures["delay"][key] for key in ("n", "median", "p90")
    )
    assert {band["key"]: band["claims"] for band in delay["bands"]} == figures["delay"]["bands"]
    triangle = user.get("dashboard/triangle/")
    block = triangle
    assert block["months"] == figures["triangle"]["months"]
    cells = [[cell for cell in row if cell is not None] for row in block["cumulative"]]
    assert cells == figures["triangle"]["cumulative"]


def test_the_watch_list_has_every_case_of_the_pair(imported: tuple[ApiUser, dict[str, Any]]) -> None:
    user, expected = imported
    claims = user.claims()
    for rule, cases in expected["to_look_at"].items():
        rows = [set(row["claims"]) for row in user.get(f"dashboard/watch-list/?rule={rule}")["rows"]]
        for case in cases:
            assert any({claims[number]["id"] for number in case} <= row for row in rows), (rule, case)
