"""Reading, following, steering and deleting import sessions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile

from core.models import Claim
from file_handling.models import Finding, ImportSession, SessionEvent, SessionStatus
from tests.support.cast import Cast
from tests.support.records import Records, as_named, make_finding, make_session, summary_of_one_claim
from tests.support.responses import content_of
from tests.support.storage import stored_names
from users.models import AuditEntry

SESSIONS = "/api/v1/import-sessions/"
FIELDS = {
    "id",
    "url",
    "user",
    "uploaded_by_name",
    "uploaded_by_email",
    "country",
    "status",
    "progress",
    "message",
    "created_at",
    "started_at",
    "completed_at",
    "stat_file",
    "recap_file",
    "stat_sheet",
    "sheet_choices",
    "dry_run",
    "corrects",
    "on_conflict",
    "currency",
    "summary",
    "outcome",
    "missing_pages",
    "insured_created_count",
    "claims_created_count",
    "total_claimed_amount",
    "total_reimbursed_amount",
    "start_date",
    "end_date",
    "attempts",
    "error_file",
    "log_file",
    "created",
    "same_files_as",
}


def give_report(session: ImportSession) -> None:
    storage = session.error_file.storage  # type: ignore[union-attr]
    session.error_file = storage.save("reports/1.xlsx", ContentFile(b"report"))  # type: ignore[assignment]
    session.log_file_path = storage.save("logs/1.log", ContentFile(b"log"))
    session.save()


def test_a_session_has_all_its_fields_except_its_lease(cast: Cast, togo: Records) -> None:
    body = cast.client("togo_head").get(f"{SESSIONS}{togo.session.pk}/").json()
    assert set(body) == FIELDS
    assert body["summary"] == summary_of_one_claim("TOGOCANARY")
    assert body["stat_file"] == as_named(togo.file)
    assert body["country"]["currency_code"] == "XOF"


def test_sessions_are_listed_newest_first_and_filtered_by_status(cast: Cast, togo: Records) -> None:
    failed = make_session(user=cast.rival_head, country=cast.togo, status=SessionStatus.ERROR)
    client = cast.client("togo_admin")

    def listed(query: str) -> list[int]:
        return [session["id"] for session in client.get(f"{SESSIONS}{query}").json()["results"]]

    assert listed("") == [failed.pk, togo.session.pk]
    assert listed("?status=ERROR") == [failed.pk]
    assert listed(f"?user={cast.togo_head.pk}") == [togo.session.pk]
    assert client.get(f"{SESSIONS}?status=LOST").status_code == 400
    assert client.get(f"{SESSIONS}?ordering=lease_token").status_code == 400


def test_findings_are_filtered_by_category_and_search(cast: Cast, togo: Records) -> None:
    make_finding(togo.session, 2, category="unpaid", claim_number="AB12", search_key="AFI LAWSON CLINIQUE BIASA")
    make_finding(
        togo.session, 3, category="warning", code="homonyms", claim_number="", details={"name": "KOKOU MENSAH"}
    )
    make_finding(togo.session, 4, category="incomplete", code="beneficiary,policy")
    client = cast.client("rival_head")
    address = f"{SESSIONS}{togo.session.pk}/findings/"

    def found(query: str) -> list[int]:
        return [finding["sequence"] for finding in client.get(f"{address}?{query}").json()["results"]]

    assert found("") == [1, 2, 3, 4]
    assert found("category=unpaid") == [2]
    assert found("category=unpaid&category=warning") == [2, 3]
    assert found("search= ab 12") == [2]
    assert found("search=lawson áfi") == [2]
    assert found("search=biasa+law") == [2]
    assert found("search=lawson mensah") == []
    assert found("search=UNPAID") == [2]
    assert found("search=amount gap") == [1]
    assert found("search=homonyms") == [3]
    assert found("search=%25") == []
    assert found("code=homonyms") == [3]
    assert found("code=policy") == [4]
    assert found("code=policy&code=homonyms") == [3, 4]
    assert client.get(f"{address}?code=lost").status_code == 400
    assert found("ordering=-sequence") == [4, 3, 2, 1]
    assert client.get(f"{address}?category=lost").status_code == 400
    first = client.get(address).json()["results"][0]
    assert first["stat_claimed"] == "5000.00"
    assert first["locations"] == [{"side": "stat", "file": "stat.csv", "sheet": "", "row": 2}]
    assert "SECRET" not in client.get(address).content.decode()


def test_a_page_of_findings_has_at_most_two_hundred(cast: Cast, togo: Records) -> None:
    Finding.objects.bulk_create(Finding(session=togo.session, sequence=n, category="unpaid") for n in range(2, 252))
    answer = cast.client("togo_admin").get(f"{SESSIONS}{togo.session.pk}/findings/?page_size=1000").json()
    assert (answer["count"], len(answer["results"])) == (251, 200)


def test_a_client_can_fetch_the_events_after_the_last_one_it_has(cast: Cast, togo: Records) -> None:
    client = cast.client("togo_head")
    address = f"{SESSIONS}{togo.session.pk}/events/"
    assert [e["sequence"] for e in client.get(address).json()["results"]] == [1, 2]
    assert [e["message"] for e in client.get(f"{address}?after=1").json()["results"]] == ["end"]
    assert client.get(f"{address}?after=2").json()["results"] == []
    assert client.get(f"{address}?after=soon").status_code == 400


def test_report_and_log_are_downloaded_from_the_addresses_in_the_session(cast: Cast, togo: Records) -> None:
    give_report(togo.session)
    client = cast.client("togo_head")
    body = client.get(f"{SESSIONS}{togo.session.pk}/").json()
    for address, content in {body["error_file"]: b"report", body["log_file"]: b"log"}.items():
        response = client.get(address)
        assert content_of(response) == content
        assert response["Content-Disposition"].startswith("attachment")
        assert response["Cache-Control"] == "private, no-store"
    assert AuditEntry.objects.filter(action="download", object_id=togo.session.pk).count() == 2


def test_the_log_of_a_session_without_a_log_file_comes_from_its_events(cast: Cast, togo: Records) -> None:
    response = cast.client("togo_admin").get(f"{SESSIONS}{togo.session.pk}/download/?type=log")
    lines = content_of(response).decode().splitlines()
    assert len(lines) == 2
    assert "reading" in lines[0]
    assert "from TG" in lines[0]


def test_a_missing_download_is_refused_with_a_reason(cast: Cast, togo: Records) -> None:
    client = cast.client("togo_admin")
    address = f"{SESSIONS}{togo.session.pk}/download/"
    assert client.get(address).status_code == 400
    assert client.get(f"{address}?type=../../etc/passwd").status_code == 400
    assert client.get(f"{address}?type=error").status_code == 404
    give_report(togo.session)
    togo.session.error_file.storage.delete("reports/1.xlsx")  # type: ignore[union-attr]
    missing = client.get(f"{address}?type=error")
    assert missing.status_code == 404
    assert "made again" in missing.json()["detail"]


@pytest.mark.parametrize(
    ("act", "status", "becomes"),
    [
        ("sheet", SessionStatus.AWAITING_SHEET, "PENDING"),
        ("commit", SessionStatus.REVIEW, "PENDING"),
        ("retry", SessionStatus.ERROR, "PENDING"),
        ("cancel", SessionStatus.REVIEW, "CANCELLED"),
        ("revert", SessionStatus.DONE, "REVERTED"),
    ],
)
def test_each_act_changes_the_status_of_a_session(
    act: str, status: str, becomes: str, cast: Cast, togo: Records
) -> None:
    ImportSession.objects.filter(pk=togo.session.pk).update(status=status, sheet_choices=["Feuil1", "Feuil2"])
    client = cast.client("togo_head")
    response = client.post(f"{SESSIONS}{togo.session.pk}/{act}/", {"stat_sheet": "Feuil1"})
    assert (response.status_code, response.json()["status"]) == (200, becomes)
    again = client.post(f"{SESSIONS}{togo.session.pk}/{act}/", {"stat_sheet": "Feuil1"})
    assert again.status_code == 409
    assert set(again.json()) == {"detail"}


def test_the_sheet_must_be_one_of_the_offered_sheets(cast: Cast, togo: Records) -> None:
    ImportSession.objects.filter(pk=togo.session.pk).update(status="AWAITING_SHEET", sheet_choices=["Feuil1"])
    client = cast.client("togo_head")
    assert client.post(f"{SESSIONS}{togo.session.pk}/sheet/").status_code == 400
    assert client.post(f"{SESSIONS}{togo.session.pk}/sheet/", {"stat_sheet": "Other"}).status_code == 409


def test_deleting_a_session_deletes_report_and_log_and_keeps_the_records(
    cast: Cast, togo: Records, own_storage: Path, django_capture_on_commit_callbacks: Any
) -> None:
    give_report(togo.session)
    with django_capture_on_commit_callbacks(execute=True):
        assert cast.client("togo_head").delete(f"{SESSIONS}{togo.session.pk}/").status_code == 204
    assert not [name for name in stored_names(own_storage) if not name.startswith("uploads/")]
    assert not SessionEvent.objects.exists()
    assert not Finding.objects.exists()
    assert Claim.objects.get().import_session is None
    assert AuditEntry.objects.filter(action="delete", actor=cast.togo_head).count() == 1


@pytest.mark.parametrize("status", [SessionStatus.PENDING, SessionStatus.PROCESSING])
def test_a_waiting_or_running_session_cannot_be_deleted(status: str, cast: Cast, togo: Records) -> None:
    ImportSession.objects.filter(pk=togo.session.pk).update(status=status)
    response = cast.client("togo_admin").delete(f"{SESSIONS}{togo.session.pk}/")
    assert response.status_code == 409
    assert ImportSession.objects.filter(pk=togo.session.pk).exists()
