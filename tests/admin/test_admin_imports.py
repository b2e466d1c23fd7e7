"""An import in the admin: upload, progress, findings, steering, revert."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from core.models import Claim
from file_handling.models import File, ImportSession, SessionStatus
from importer.runs import run_session
from tests.support.admin_import import SESSIONS, import_pair, upload
from tests.support.browser import Browser
from tests.support.cast import Cast
from tests.support.pages import text_of
from tests.support.pairs import RECAP_HEADER, STAT_HEADER, STAT_LINE, recap_upload, stat_upload
from tests.support.records import Records, make_file, make_finding, make_session
from tests.support.responses import content_of
from users.models import AuditAction, AuditEntry


# A run uses its own database connections, which see only committed data.
@pytest.mark.django_db(transaction=True)
def test_a_pair_is_uploaded_and_imported_and_its_page_shows_figures_and_records(cast: Cast, browser: Browser) -> None:
    client = browser("togo_admin")
    pages = [recap_upload(name="1.csv"), recap_upload(name="2.csv", text=f"{RECAP_HEADER}\nS-2;10/03/2024;1;1\n")]
    response = upload(client, recap_file=pages)
    session = ImportSession.objects.get()
    assert response["Location"] == f"{SESSIONS}{session.pk}/change/"
    assert session.user == cast.togo_admin
    assert session.country == cast.togo
    assert [page.name for page in session.recap_file.all_pages()] == ["1.csv", "2.csv"]

    waiting = client.get(response["Location"])
    assert "waiting" in text_of(waiting).lower()
    assert b'<noscript><meta http-equiv="refresh"' in waiting.content

    run_session(session.pk)
    done = client.get(response["Location"])
    assert b'http-equiv="refresh"' not in done.content
    said = text_of(done)
    assert "Claims created 1" in said
    assert "Claimed 5,000 F CFA" in said
    assert "In the recap only 1" in said
    assert f"/admin/core/claim/?import_session={session.pk}" in done.content.decode()

    listed = client.get(f"/admin/core/claim/?import_session={session.pk}")
    assert b"S-1" in listed.content
    claim = client.get(f"/admin/core/claim/{Claim.objects.get().pk}/change/")
    assert f"/admin/file_handling/file/{session.stat_file_id}/change/" in claim.content.decode()
    assert "PARACETAMOL" in text_of(claim)
    assert AuditEntry.objects.filter(action=AuditAction.READ, object_type="core.claim", actor=cast.togo_admin).exists()


def test_all_problems_of_a_pair_are_shown_at_once_and_nothing_is_stored(cast: Cast, browser: Browser) -> None:
    response = upload(
        browser("togo_admin"),
        stat_file=recap_upload(name="swapped.csv"),
        recap_file=[stat_upload(name="also.csv"), recap_upload(name="empty.csv", text=" ")],
        currency="?",
    )
    assert response.status_code == 400
    said = text_of(response)
    for word in ["empty.csv", "three letters"]:
        assert word in said
    response = upload(
        browser("togo_admin"), stat_file=recap_upload(name="swapped.csv"), recap_file=stat_upload(name="also.csv")
    )
    said = text_of(response)
    assert "swapped.csv" in said
    assert "also.csv" in said
    assert not File.objects.exists()
    assert not ImportSession.objects.exists()
    assert "This is required" in text_of(browser("togo_admin").post(f"{SESSIONS}add/", {}))


def test_only_an_account_without_a_country_chooses_the_country_of_an_import(cast: Cast, browser: Browser) -> None:
    form = browser("superuser").get(f"{SESSIONS}add/").content
    assert b'name="country"' in form
    assert b'name="country"' not in browser("togo_admin").get(f"{SESSIONS}add/").content
    assert upload(browser("superuser")).status_code == 400
    assert upload(browser("superuser"), country="BJ").status_code == 302
    assert ImportSession.objects.get().country == cast.benin
    assert upload(browser("togo_admin"), country="BJ").status_code == 400


def test_a_file_of_another_country_is_neither_offered_nor_accepted(
    cast: Cast, togo: Records, benin: Records, browser: Browser
) -> None:
    page = browser("benin_admin").get(f"{SESSIONS}add/").content
    assert b"BENINCANARY-stat.csv" in page
    assert b"TOGOCANARY" not in page
    response = browser("benin_admin").post(
        f"{SESSIONS}add/", {"stat_file_id": togo.file.pk, "recap_file_id": benin.recap.pk}
    )
    assert response.status_code == 403
    assert b"TOGOCANARY" not in response.content


def test_the_page_of_a_session_fetches_only_events_that_it_does_not_have(
    cast: Cast, togo: Records, browser: Browser
) -> None:
    news = browser("togo_admin").get(f"{SESSIONS}{togo.session.pk}/events/?after=1").json()
    assert [event["sequence"] for event in news["events"]] == [2]
    assert news["status"] == "DONE"


@pytest.mark.django_db(transaction=True)
def test_a_reviewed_pair_is_committed_from_its_page(cast: Cast, browser: Browser) -> None:
    client = browser("togo_admin")
    session = import_pair(client, dry_run="true")
    assert session.status == SessionStatus.REVIEW
    assert not Claim.objects.exists()
    page = client.get(f"{SESSIONS}{session.pk}/change/").content.decode()
    assert "Write what was reviewed" in page
    said = client.post(f"{SESSIONS}{session.pk}/steer/commit/", follow=True)
    assert "The claims are being written." in text_of(said)
    run_session(session.pk)
    assert Claim.objects.count() == 1


def test_a_workbook_with_several_sheets_waits_for_its_sheet_to_be_chosen(cast: Cast, browser: Browser) -> None:
    session = make_session(
        user=cast.togo_admin,
        country=cast.togo,
        status=SessionStatus.AWAITING_SHEET,
        sheet_choices=["Janvier", "Février"],
    )
    client = browser("togo_admin")
    page = client.get(f"{SESSIONS}{session.pk}/change/").content.decode()
    assert "<option>Février</option>" in page
    refused = client.post(f"{SESSIONS}{session.pk}/steer/sheet/", {"stat_sheet": "Mars"}, follow=True)
    assert "Choose one of: Janvier, Février" in text_of(refused)
    client.post(f"{SESSIONS}{session.pk}/steer/sheet/", {"stat_sheet": "Février"})
    session.refresh_from_db()
    assert (session.status, session.stat_sheet) == ("PENDING", "Février")


@pytest.mark.django_db(transaction=True)
def test_a_revert_must_be_confirmed_and_removes_the_records_of_the_session(cast: Cast, browser: Browser) -> None:
    client = browser("togo_admin")
    session = import_pair(client)
    assert Claim.objects.count() == 1
    form = client.get(f"{SESSIONS}{session.pk}/steer/revert/")
    assert "Revert this import?" in text_of(form)
    assert Claim.objects.count() == 1
    said = client.post(f"{SESSIONS}{session.pk}/steer/revert/", follow=True)
    assert "Claims removed: 1" in text_of(said)
    assert not Claim.objects.exists()
    assert "can be reverted" in text_of(client.post(f"{SESSIONS}{session.pk}/steer/revert/", follow=True))


def test_a_failed_session_is_run_again_and_a_waiting_one_cancelled(cast: Cast, togo: Records, browser: Browser) -> None:
    client = browser("togo_admin")
    failed = make_session(
        user=cast.togo_admin,
        country=cast.togo,
        status=SessionStatus.ERROR,
        stat_file=togo.file,
        recap_file=togo.recap,
        message_parts=[{"code": "No common period."}],
    )
    assert "No common period." in text_of(client.get(f"{SESSIONS}{failed.pk}/change/"))
    client.post(f"{SESSIONS}{failed.pk}/steer/retry/")
    failed.refresh_from_db()
    assert failed.status == SessionStatus.PENDING
    client.post(f"{SESSIONS}{failed.pk}/steer/cancel/")
    failed.refresh_from_db()
    assert failed.status == SessionStatus.CANCELLED


@pytest.mark.django_db(transaction=True)
def test_downloads_of_report_and_log_are_audited_and_a_report_can_be_made_again(cast: Cast, browser: Browser) -> None:
    client = browser("togo_admin")
    session = import_pair(client)
    report = client.get(f"{SESSIONS}{session.pk}/download/report/")
    assert content_of(report).startswith(b"PK")
    log = client.get(f"{SESSIONS}{session.pk}/download/log/")
    assert b"Files received" in content_of(log)
    entries = AuditEntry.objects.filter(action=AuditAction.DOWNLOAD, object_id=session.pk, actor=cast.togo_admin)
    assert sorted(entry.data["type"] for entry in entries) == ["error", "log"]
    before = session.error_file.name
    assert "The report was made again." in text_of(client.post(f"{SESSIONS}{session.pk}/steer/report/", follow=True))
    session.refresh_from_db()
    assert session.error_file.name != before


def test_findings_are_filtered_by_category_and_search_and_shown_in_pages(
    cast: Cast, togo: Records, browser: Browser
) -> None:
    for number in range(2, 60):
        make_finding(togo.session, number)
    make_finding(togo.session, 60, category="unpaid", claim_number="UNPAID-9")
    client = browser("togo_admin")
    address = f"{SESSIONS}{togo.session.pk}/findings/"
    first = text_of(client.get(address))
    assert "60 findings" in first
    assert "Page 1 of 2" in first
    assert "UNPAID-9" not in first
    assert "UNPAID-9" in text_of(client.get(f"{address}?p=2"))
    unpaid = text_of(client.get(f"{address}?category=unpaid"))
    assert "1 finding " in unpaid
    assert "UNPAID-9" in unpaid
    assert "1 finding " in text_of(client.get(f"{address}?search=unpaid-9"))
    assert client.get(f"{address}?category=nonsense").status_code == 404
    entry = AuditEntry.objects.filter(object_id=togo.session.pk, action=AuditAction.READ).latest("pk")
    assert entry.data["filters"] == ["search"]
    assert "unpaid-9" not in str(entry.data)


def test_preview_download_and_deletion_of_a_file_are_audited(cast: Cast, browser: Browser) -> None:
    file = make_file(user=cast.togo_head, country=cast.togo, name="stat.csv")
    client = browser("togo_admin")
    page = text_of(client.get(f"/admin/file_handling/file/{file.pk}/preview/"))
    assert "LAWSON AFI" in page
    response = client.get(f"/admin/file_handling/file/{file.pk}/download/")
    assert content_of(response) == f"{STAT_HEADER}\n{STAT_LINE}\n".encode()
    assert "stat.csv" in text_of(client.get(f"/admin/file_handling/file/{file.pk}/delete/"))
    said = client.post(f"/admin/file_handling/file/{file.pk}/delete/", follow=True)
    assert "“stat.csv” was deleted." in text_of(said)
    assert not File.objects.exists()
    entries = AuditEntry.objects.filter(object_type="file_handling.file", actor=cast.togo_admin)
    assert {"preview", "download", "delete"} <= set(entries.values_list("action", flat=True))


def test_a_file_that_an_import_still_needs_is_not_deleted(cast: Cast, togo: Records, browser: Browser) -> None:
    make_session(user=cast.togo_head, country=cast.togo, status=SessionStatus.PENDING, stat_file=togo.file)
    said = browser("togo_admin").post(
        f"/admin/file_handling/file/{togo.file.pk}/delete/", {"force": "yes"}, follow=True
    )
    assert "still needs this file" in text_of(said)
    assert File.objects.filter(pk=togo.file.pk).exists()


def test_the_page_that_deletes_an_imported_file_shows_what_stays(cast: Cast, togo: Records, browser: Browser) -> None:
    said = text_of(browser("togo_admin").get(f"/admin/file_handling/file/{togo.file.pk}/delete/"))
    assert "1 import session read it" in said
    assert "claims: 1" in said


def test_a_person_is_found_whatever_the_accents_case_and_order_of_the_name(
    cast: Cast, togo: Records, browser: Browser
) -> None:
    client = browser("togo_admin")
    for typed in ["afi togocanary", "TOGOCÂNARY  Afi"]:
        assert client.get("/admin/core/insured/", {"q": typed}).context["cl"].result_count == 1, typed
    assert client.get("/admin/core/insured/", {"q": "kossi"}).context["cl"].result_count == 0
    assert client.get("/admin/core/claim/", {"q": "togocanary-1"}).context["cl"].result_count == 1


@pytest.mark.parametrize("path", ["core/claim/", "core/membership/", "file_handling/importsession/", "core/insured/"])
def test_the_number_of_queries_does_not_grow_with_the_list(
    path: str, cast: Cast, togo: Records, browser: Browser, django_assert_max_num_queries: Any
) -> None:
    client = browser("global_admin")
    for number in range(2, 30):
        make_session(user=cast.togo_head, country=cast.togo, stat_file=togo.file, recap_file=togo.recap)
        person = togo.rows["insured"]
        person.pk, person.card_key, person.name_key = None, f"C{number}", f"AFI {number}"
        person.save()
        membership = togo.rows["memberships"]
        membership.pk, membership.insured = None, person
        membership.save()
        claim = togo.rows["claims"]
        claim.pk, claim.number, claim.insured, claim.membership = None, f"T-{number}", person, membership
        claim.save()
    with django_assert_max_num_queries(18):
        assert client.get(f"/admin/{path}").status_code == 200


def test_the_language_chosen_on_a_page_stays_chosen(cast: Cast, browser: Browser) -> None:
    client = browser("togo_admin")
    client.post("/language/", {"language": "fr", "next": "/admin/"})
    page = client.get("/admin/").content.decode()
    with translation.override("fr"):
        assert '<html lang="fr"' in page
    assert client.get("/admin/login/", HTTP_ACCEPT_LANGUAGE="en").status_code == 302
