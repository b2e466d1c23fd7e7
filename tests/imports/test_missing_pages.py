"""DOMAIN §13, missing pages: the warnings at the upload and of the session, in API, pages, findings and report."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from file_handling.models import File
from samples import make_pair
from tests.support.api_user import ApiUser, Json, Outcome
from tests.support.browser import Browser
from tests.support.cast import Cast
from tests.support.page_text import FRENCH, opened
from tests.support.pairs import Cells, line, recap_csv, row, stat_csv

pytestmark = pytest.mark.django_db(transaction=True)

CODES = {"missing_pages", "missing_days"}


def upload(path: Path) -> SimpleUploadedFile:
    return SimpleUploadedFile(path.name, path.read_bytes())


def page(name: str, rows: list[Cells]) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, recap_csv(rows).read())


def stat_of(days: dict[int, int]) -> list[Cells]:
    """Day of March 2024 → so many claims."""
    return [
        line(f"D{day:02d}N{number}", settlement_date=f"{day:02d}/03/2024")
        for day, many in days.items()
        for number in range(many)
    ]


def recap_of(days: dict[int, int]) -> list[Cells]:
    return [
        row(f"D{day:02d}N{number}", settlement_date=f"{day:02d}/03/2024")
        for day, many in days.items()
        for number in range(many)
    ]


def warnings(outcome: Outcome) -> list[Json]:
    """The warnings of the session; its findings have the same ones, in the same words."""
    found = outcome.session["missing_pages"]
    findings = [one for one in outcome.findings_in("warning") if one["code"] in CODES]
    assert [(one["code"], one["observation"]) for one in findings] == [(one["code"], one["message"]) for one in found]
    return list(found)


@pytest.mark.parametrize("left_out", ["", "name", "days", "both"])
def test_a_page_that_the_generator_left_out_is_named_with_its_claims_and_money(left_out: Any, tmp_path: Path) -> None:
    expected = make_pair(tmp_path, claims=600, seed=4, pages=3, fmt="csv", left_out=left_out)
    api = ApiUser()
    names = expected["files"]["recaps"]
    assert names == (["recap_01.csv", "recap_03.csv", "recap_04.csv"] if left_out in ("name", "both") else
                     ["recap_01.csv", "recap_02.csv", "recap_03.csv"])  # fmt: skip
    sent = api.post(upload(tmp_path / "stat.csv"), [upload(tmp_path / name) for name in names])
    wanted = expected.get("missing_pages") or {"names": None, "days": None}
    at_upload = sent.json()["missing_pages"]
    assert [one["pages"] for one in at_upload] == ([wanted["names"]["pages"]] if wanted["names"] else [])
    assert all((one["claims"], one["claimed"], one["first"]) == (None, None, None) for one in at_upload)

    outcome = api.run(sent.json()["id"])
    assert outcome.summary["claims"]["by_category"] == expected["claims"]["by_category"]
    found = {one["code"]: one for one in warnings(outcome)}
    assert found.keys() == {
        code for code, part in (("missing_pages", "names"), ("missing_days", "days")) if wanted[part]
    }
    for code, part in (("missing_pages", "names"), ("missing_days", "days")):
        if wanted[part]:
            assert wanted[part].items() <= found[code].items()


def test_days_without_a_row_are_a_warning_even_with_a_weekend_among_them() -> None:
    stat = {4: 2, 7: 1, 8: 2, 11: 1, 12: 3}
    api = ApiUser()
    outcome = api.import_pair(stat_of(stat), recap_of({4: 2, 12: 3}))
    (found,) = warnings(outcome)
    assert (found["code"], found["first"], found["last"]) == ("missing_days", "2024-03-07", "2024-03-11")
    assert (found["claims"], found["pages"]) == (4, [])
    absent = [one for one in outcome.findings_in("missing_in_recap") if one["code"] == "absent"]
    for name in ("claimed", "reimbursed"):
        assert Decimal(found[name]) == sum(Decimal(one[f"stat_{name}"]) for one in absent)
    assert "no row from 07/03/2024 to 11/03/2024" in found["message"]


@pytest.mark.parametrize(
    ("stat", "recap"),
    [
        # The period simply ends: the stat file goes on, or begins earlier, or the recap does.
        ({4: 2, 5: 2, 6: 4, 7: 4}, {4: 2, 5: 2}),
        ({1: 4, 2: 4, 4: 2, 5: 2}, {4: 2, 5: 2}),
        ({4: 2, 5: 2}, {1: 4, 4: 2, 5: 2, 9: 4}),
        # Fewer than three claims.
        ({4: 2, 5: 2, 6: 2}, {4: 2, 6: 2}),
        # Claims are missing on days that have rows.
        ({4: 5, 5: 5, 6: 5}, {4: 3, 5: 2, 6: 2}),
        # A quiet day is no missing day.
        ({4: 2, 6: 2}, {4: 2, 6: 2}),
    ],
)
def test_where_a_side_ends_or_few_claims_are_missing_there_is_no_warning(
    stat: dict[int, int], recap: dict[int, int]
) -> None:
    assert warnings(ApiUser().import_pair(stat_of(stat), recap_of(recap))) == []


def test_days_whose_claims_the_recap_dates_otherwise_are_no_missing_days() -> None:
    # Finance settles on Fridays; 3 of the 12 claims of the other days are missing.
    stat = dict.fromkeys((4, 5, 6, 7), 3) | {1: 1, 8: 1}
    rows = recap_of({1: 1, 8: 1})
    rows += [row(f"D{day:02d}N{number}", settlement_date="08/03/2024") for day in (4, 5, 6) for number in range(3)]
    assert warnings(ApiUser().import_pair(stat_of(stat), rows)) == []


def test_a_number_that_alone_is_missing_is_said_to_be_harmless_after_the_run() -> None:
    api = ApiUser()
    days = {4: 2, 5: 2}
    pages = [page("recap_1.csv", recap_of({4: 2})), page("recap_3.csv", recap_of({5: 2}))]
    outcome = api.import_pair(stat_csv(stat_of(days)), pages)
    (found,) = warnings(outcome)
    assert (found["pages"], found["claims"], found["claimed"]) == (["recap_2.csv"], 0, "0.00")
    assert "the recap has a row for every claim" in found["message"]


def test_the_warnings_are_in_page_report_and_review_in_the_readers_language(cast: Cast, browser: Browser) -> None:
    api = ApiUser.for_user(cast.togo_admin)
    pages = [page("recap_1.csv", recap_of({4: 2})), page("recap_3.csv", recap_of({12: 3}))]
    session = api.send(stat_csv(stat_of({4: 2, 7: 1, 8: 2, 12: 3})), pages, dry_run="true")
    client = browser("togo_admin")
    waiting = opened(client, f"/imports/{session}/")
    assert "recap_2.csv" in waiting.split('id="missing-pages"')[1].split("</div>")[0]
    outcome = api.run(session)
    assert (outcome.status, len(warnings(outcome))) == ("REVIEW", 2)
    shown = opened(client, f"/imports/{session}/").split('id="missing-pages"')[1].split("</div>")[0]
    assert "recap_2.csv" in shown
    assert "07/03/2024" in shown
    french = opened(client, f"/imports/{session}/", headers=FRENCH).split('id="missing-pages"')[1].split("</div>")[0]
    assert "Aucune ligne du récap n’est datée du 07/03/2024" in french
    report = api.report(session)
    texts = [str(cells[1]) for cells in report["Warning"].iter_rows(values_only=True)]
    assert sum("recap_2.csv" in text or "07/03/2024" in text for text in texts) == 2


def test_the_upload_page_asks_for_the_names_of_the_files_that_were_sent(cast: Cast, browser: Browser) -> None:
    api = ApiUser.for_user(cast.togo_admin)
    ids = []
    for number in (1, 2, 4):
        answer = api.client.post(
            "/api/v1/files/", {"file": page(f"recap_{number}.csv", recap_of({4: number}))}, format="multipart"
        )
        ids.append(answer.json()["id"])
    address = f"/imports/new/missing-pages/?ids={','.join(map(str, ids))}"
    (text,) = browser("togo_admin").get(address).json()["warnings"]
    assert "recap_3.csv" in text
    assert browser("togo_admin").get(address.rpartition(",")[0]).json() == {"warnings": []}
    # Files of another country have no name for this account.
    assert browser("benin_admin").get(address).json() == {"warnings": []}
    assert browser("togo_admin").get("/imports/new/missing-pages/?ids=x,,9999999999999999999999").json() == {
        "warnings": []
    }
    assert File.objects.count() == 3
    assert json.dumps("missing-pages") in opened(browser("togo_admin"), "/imports/new/")
