"""A finding is corrected on its page, a correction workbook comes back, and the claims appear."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from scripts.demo.pairs import SamplePair
from tests.browser.conftest import NARROW, WIDE, Visits
from tests.browser.test_imports import drop, fresh_pair, remove_all, wait_until_ended
from tests.support.correction_workbooks import CorrectionWorkbook

__all__ = ["fresh_pair"]

SESSION = re.compile(r"/imports/\d+/$")


def imported(page: Page, pair: SamplePair) -> str:
    """The address of the session that imports the pair."""
    page.goto("/imports/new/")
    remove_all(page)
    drop(page, [pair.stat, *pair.recaps])
    expect(page.locator("#rows .badge.good")).to_have_count(3)
    page.locator("#start").click()
    page.wait_for_url(SESSION)
    assert wait_until_ended(page) == "DONE_WITH_ERRORS"
    return page.url


def a_gap(page: Page, session: str) -> dict[str, Any]:
    """A finding whose amounts differ between the two sides."""
    number = session.rstrip("/").rpartition("/")[2]
    answer = page.request.get(f"/api/v1/import-sessions/{number}/findings/?category=amount_gap")
    return dict(answer.json()["results"][0])


def commit(page: Page, finding: dict[str, Any]) -> None:
    """What the corrections change is looked at, then written; the claim is there."""
    claim = finding["claim_number"]
    assert wait_until_ended(page) == "REVIEW"
    expect(page.locator(f"#comparison tr[data-claim='{claim}']")).to_be_visible()
    page.locator("form[action$='/commit/'] button").click()
    page.wait_for_url(SESSION)
    assert wait_until_ended(page).startswith("DONE")
    page.goto(f"/claims/?search={claim}")
    expect(page.locator("table.list tbody tr")).to_have_count(1)


def test_a_finding_is_corrected_on_its_page_and_its_claim_is_imported(
    visits: Visits, fresh_pair: Callable[[], SamplePair]
) -> None:
    page = visits.page("ADMIN_TERRITORIAL", width=WIDE, language="en")
    session = imported(page, fresh_pair())
    finding = a_gap(page, session)
    page.goto(f"{session}findings/{finding['sequence']}/")
    page.locator("#correct").click()
    row = page.locator("fieldset", has=page.locator("legend", has_text="recap")).first
    for amount in ("claimed", "reimbursed"):
        row.locator(f"input[name$='-{amount}_amount'][type=text]").fill(finding[f"stat_{amount}"])
    page.locator("form#correct [type=submit]").click()
    page.wait_for_url(SESSION)
    assert page.url != session
    commit(page, finding)


def test_a_workbook_comes_back_corrected_and_its_claim_is_imported(
    visits: Visits, fresh_pair: Callable[[], SamplePair], tmp_path: Path
) -> None:
    page = visits.page("CHEF_DEPT_TECH", width=NARROW, language="fr")
    session = imported(page, fresh_pair())
    finding = a_gap(page, session)
    page.goto(session)
    with page.expect_download() as downloading:
        page.locator("a[href$='/corrections/workbook/']").click()
    book = CorrectionWorkbook(downloading.value.path().read_bytes())
    row = book.row_of(book.recap, finding["claim_number"])
    for amount in ("claimed", "reimbursed"):
        book.cell(book.recap, row, f"{amount}_amount").value = finding[f"stat_{amount}"]
    returned = tmp_path / "corrections.xlsx"
    book.book.save(returned)
    page.set_input_files("#workbook", returned)
    page.locator("#send-workbook [type=submit]").click()
    page.wait_for_url(lambda url: bool(SESSION.search(url)) and url != session)
    commit(page, finding)
