"""Correcting an import on its pages: the workbook, what it changes, the list of corrections."""

from __future__ import annotations

import pytest
from django.test import Client

from file_handling.models import Correction
from importer.runs import run_session
from tests.support.api_user import ApiUser, Outcome
from tests.support.browser import Browser
from tests.support.cast import Cast
from tests.support.correction_workbooks import CorrectionWorkbook
from tests.support.page_text import FRENCH, marked, opened
from tests.support.pairs import line, matching_pair, row
from tests.support.responses import content_of

pytestmark = pytest.mark.django_db(transaction=True)

GAP = ([line("A1"), line("GAP", "6000"), line("LOST")], [row("A1"), row("GAP")])


def imported(cast: Cast, name: str = "togo_admin") -> Outcome:
    return ApiUser.for_user(cast.users[name]).import_pair(*GAP)


def workbook(cast: Cast, session_id: int, amount: str = "5000") -> CorrectionWorkbook:
    book = CorrectionWorkbook.of(ApiUser.for_user(cast.users["togo_admin"]), session_id)
    book.cell(book.stat, book.row_of(book.stat, "GAP"), "claimed_amount").value = amount
    return book


def sent(client: Client, session_id: int, book: CorrectionWorkbook) -> int:
    """Send the workbook by the form of the page; → the session that it starts, after its run."""
    answer = client.post(f"/imports/{session_id}/corrections/", {"workbook": book.upload()})
    assert answer.status_code == 302, answer.content.decode()
    corrected = int(answer["Location"].strip("/").rpartition("/")[2])
    run_session(corrected)
    return corrected


def test_a_workbook_is_downloaded_sent_back_reviewed_and_committed(cast: Cast, browser: Browser) -> None:
    outcome, client = imported(cast), browser("togo_admin")
    page = opened(client, f"/imports/{outcome.id}/")
    address = f"/api/v1/import-sessions/{outcome.id}/corrections/workbook/"
    assert address in page
    assert content_of(client.get(address)).startswith(b"PK")
    corrected = sent(client, outcome.id, workbook(cast, outcome.id))
    page = opened(client, f"/imports/{corrected}/")
    [change] = marked(page, "claim").values()
    for text in ("GAP", "Amount gap", "Conform", "6000 → 5000"):
        assert text in change, text
    assert "Write what was reviewed" in page
    assert client.post(f"/imports/{corrected}/commit/").status_code == 302
    run_session(corrected)
    assert ApiUser.for_user(cast.users["togo_admin"]).outcome(corrected).session["claims_created_count"] == 1
    whole = opened(client, f"/imports/{corrected}/comparison/")
    [change] = marked(whole, "claim").values()
    for text in ("GAP", "Amount gap", "Conform", "6,000", "5,000", "“6000” → “5000”"):
        assert text in change, text


def test_the_problems_of_a_workbook_are_listed_with_sheet_and_row(cast: Cast, browser: Browser) -> None:
    outcome, client = imported(cast), browser("togo_admin")
    book = workbook(cast, outcome.id)
    number = book.row_of(book.stat, "LOST")
    book.cell(book.stat, number, "action").value = "perhaps"
    book.cell(book.stat, book.row_of(book.stat, "GAP"), "row").value = 77
    answer = client.post(f"/imports/{outcome.id}/corrections/", {"workbook": book.upload()}, headers=FRENCH)
    assert answer.status_code == 400
    problems = marked(answer.content.decode(), "row")
    assert problems.keys() == {str(number), str(book.row_of(book.stat, "GAP"))}
    assert problems[str(number)].startswith(f"Stat lines, ligne {number} : L’action « perhaps » est inconnue.")
    assert not Correction.objects.exists()
    empty = client.post(f"/imports/{outcome.id}/corrections/", {})
    assert empty.status_code == 400
    assert "Choose the workbook" in empty.content.decode()


def test_a_form_that_is_sent_twice_starts_one_import(cast: Cast, browser: Browser) -> None:
    outcome, client = imported(cast), browser("togo_admin")
    upload = workbook(cast, outcome.id).upload()
    answers = []
    for _ in range(2):
        upload.seek(0)
        form = {"workbook": upload, "idempotency_key": "twice"}
        answers.append(client.post(f"/imports/{outcome.id}/corrections/", form)["Location"])
    assert answers[0] == answers[1]


def test_the_form_is_for_those_who_may_import(cast: Cast, browser: Browser) -> None:
    outcome = imported(cast)
    for name, may_send in (("togo_head", True), ("global_admin", False)):
        page = opened(browser(name), f"/imports/{outcome.id}/")
        assert 'id="correct"' in page
        assert ('id="send-workbook"' in page) == may_send


def test_an_import_without_findings_offers_no_workbook(cast: Cast, browser: Browser) -> None:
    outcome = ApiUser.for_user(cast.users["togo_admin"]).import_pair(*matching_pair(line("A1")))
    assert 'id="correct"' not in opened(browser("togo_admin"), f"/imports/{outcome.id}/")
    assert "nothing to correct" in opened(browser("togo_admin"), f"/imports/{outcome.id}/corrections/")


def test_corrections_are_listed_filtered_and_withdrawn(cast: Cast, browser: Browser) -> None:
    outcome, client = imported(cast), browser("togo_admin")
    corrected = sent(client, outcome.id, workbook(cast, outcome.id))
    correction = Correction.objects.get()
    page = opened(client, "/corrections/")
    [text] = marked(page, "correction").values()
    assert "GAP" in text
    assert "Montant facturé" in text
    assert not marked(opened(client, "/corrections/?claim_number=OTHER"), "correction")
    assert marked(opened(client, f"/corrections/?session={corrected}"), "correction")
    # A head of department reads the list and withdraws nothing.
    assert "Withdraw</button>" not in opened(browser("togo_head"), "/corrections/")
    assert "Withdraw</button>" in page
    answer = client.post(f"/corrections/{correction.pk}/withdraw/", follow=True)
    assert "The correction was withdrawn" in answer.content.decode()
    correction.refresh_from_db()
    assert correction.withdrawn_at is not None
    assert not marked(opened(client, "/corrections/?withdrawn=false"), "correction")
    answer = client.post(f"/corrections/{correction.pk}/withdraw/", follow=True)
    assert "withdrawn already" in answer.content.decode()
