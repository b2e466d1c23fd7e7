"""The audit trail: the history of a file, with actor, time and success. The trail is append-only."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from django.db.models import QuerySet

from common.append_only import AppendOnlyError
from file_handling.models import File, ImportSession
from tests.support.cast import Cast
from tests.support.pairs import recap_upload, stat_upload
from tests.support.records import Records, make_file
from tests.support.responses import content_of
from users.models import AuditEntry

FILES = "/api/v1/files/"


def history(cast: Cast, pk: int, name: str = "togo_admin") -> list[tuple[str, str, bool]]:
    response = cast.client(name).get(f"{FILES}{pk}/history/")
    assert response.status_code == 200, response.content
    return [(e["action"], e["actor_label"], e["success"]) for e in reversed(response.json()["results"])]


def upload(cast: Cast, name: str = "togo_head") -> int:
    form = {"file": stat_upload(), "file_type": "stat"}
    return int(cast.client(name).post(FILES, form, format="multipart").json()["id"])


def test_the_history_of_a_file_contains_every_action_and_stays_after_its_deletion(cast: Cast) -> None:
    pk = upload(cast)
    head = cast.client("togo_head")
    head.get(f"{FILES}{pk}/")
    stored = Path(File.objects.get(pk=pk).file.path)
    content = stored.read_bytes()
    stored.write_bytes(b"")
    head.get(f"{FILES}{pk}/preview/")
    stored.write_bytes(content)
    head.get(f"{FILES}{pk}/preview/")
    content_of(cast.client("togo_admin").get(f"{FILES}{pk}/download/"))
    head.post("/api/v1/import-sessions/", {"stat_file_id": pk, "recap_file": recap_upload()}, format="multipart")
    head.delete(f"{FILES}{pk}/")
    ImportSession.objects.update(status="DONE")
    assert head.delete(f"{FILES}{pk}/?force=true").status_code == 204
    who = "togo_head@example.org"
    expected = [
        ("upload", who, True),
        ("read", who, True),
        ("preview", who, False),
        ("preview", who, True),
        ("download", "togo_admin@example.org", True),
        ("import", who, True),
        ("delete", who, False),
        ("delete", who, True),
    ]
    assert not File.objects.filter(pk=pk).exists()
    for name in ("togo_head", "togo_admin", "global_admin", "superuser"):
        assert history(cast, pk, name) == expected


def test_the_history_of_a_file_is_visible_to_accounts_that_could_see_the_file(cast: Cast) -> None:
    pk = upload(cast)
    shut = ["rival_head", "togo_operator", "benin_admin", "benin_head", "closed_admin", "homeless_head"]
    for _ in ("there", "gone"):
        assert {n: cast.client(n).get(f"{FILES}{pk}/history/").status_code for n in shut} == dict.fromkeys(shut, 403)
        assert cast.client("togo_admin").get(f"{FILES}{pk}/history/").status_code == 200
        cast.client("togo_head").delete(f"{FILES}{pk}/")
    assert cast.client("togo_admin").get(f"{FILES}999999/history/").json() == {"detail": "File not found"}


def test_deleting_a_file_that_sessions_used_must_be_confirmed_and_lists_what_stays(cast: Cast, togo: Records) -> None:
    client = cast.client("togo_admin")
    refused = client.delete(f"{FILES}{togo.file.pk}/")
    assert refused.status_code == 409
    body = refused.json()
    assert body["sessions"] == [togo.session.pk]
    assert (body["stays"]["claims"], body["stays"]["claim_lines"]) == (1, 1)
    assert "force=true" in body["detail"]
    assert client.delete(f"{FILES}{togo.file.pk}/?force=perhaps").status_code == 400
    assert File.objects.filter(pk=togo.file.pk).exists()
    assert client.delete(f"{FILES}{togo.file.pk}/?force=true").status_code == 204
    unused = make_file(user=cast.togo_head, country=cast.togo, name="unused.csv")
    assert client.delete(f"{FILES}{unused.pk}/").status_code == 204


def test_reading_report_log_and_findings_is_audited(cast: Cast, togo: Records) -> None:
    client = cast.client("togo_admin")
    content_of(client.get(f"/api/v1/import-sessions/{togo.session.pk}/download/?type=log"))
    client.get(f"/api/v1/import-sessions/{togo.session.pk}/findings/?search=secret")
    entries = AuditEntry.objects.filter(object_type="file_handling.importsession", object_id=togo.session.pk)
    assert [(e.action, e.data) for e in entries.order_by("id")] == [
        ("download", {"type": "log"}),
        ("read", {"part": "findings", "filters": ["search"], "rows": 0}),
    ]


def test_the_audit_trail_is_append_only(cast: Cast, togo: Records) -> None:
    cast.client("togo_admin").get(f"{FILES}{togo.file.pk}/")
    entry = AuditEntry.objects.latest("id")
    entry.success = False
    rows: QuerySet[Any] = AuditEntry.objects.all()
    for change in (
        entry.save,
        entry.delete,
        rows.delete,
        lambda: rows.update(success=False),
        lambda: rows.bulk_update([entry], ["success"]),
        lambda: AuditEntry.objects.filter(pk=entry.pk).delete(),
    ):
        with pytest.raises(AppendOnlyError):
            change()
    assert AuditEntry.objects.get(pk=entry.pk).success


def test_audit_entries_stay_when_their_account_is_deleted(cast: Cast, togo: Records) -> None:
    cast.client("togo_operator").get(f"/api/v1/claims/{togo.rows['claims'].pk}/")
    cast.togo_operator.delete()
    entry = AuditEntry.objects.get(object_type="core.claim")
    assert (entry.actor, entry.actor_label) == (None, "togo_operator@example.org")


def test_administrators_read_the_audit_trail_of_the_countries_that_they_see(
    cast: Cast, togo: Records, benin: Records
) -> None:
    cast.client("togo_operator").get(f"/api/v1/claims/{togo.rows['claims'].pk}/")
    cast.client("benin_operator").get(f"/api/v1/claims/{benin.rows['claims'].pk}/")

    def actors(name: str, query: str = "") -> set[int]:
        body = cast.client(name).get(f"/api/v1/audit/?object_type=core.claim{query}").json()
        return {entry["actor"] for entry in body["results"]}

    assert actors("togo_admin") == {cast.togo_operator.pk}
    assert actors("global_admin") == actors("superuser") == {cast.togo_operator.pk, cast.benin_operator.pk}
    assert actors("superuser", f"&actor={cast.benin_operator.pk}") == {cast.benin_operator.pk}
    assert actors("superuser", "&success=false") == set()


def test_the_log_has_the_audit_entries_without_names(
    cast: Cast, togo: Records, caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Any
) -> None:
    with caplog.at_level(logging.INFO), django_capture_on_commit_callbacks(execute=True):
        response = cast.client("togo_operator").get("/api/v1/insured/?search=afi")
        content_of(cast.client("togo_admin").get(f"{FILES}{togo.file.pk}/download/"))
    lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    audited = [line for line in lines if line["event"] == "audited"]
    assert [(a["action"], a["actor"], a["object_type"]) for a in audited] == [
        ("read", cast.togo_operator.pk, "core.insured"),
        ("download", cast.togo_admin.pk, "file_handling.file"),
    ]
    answered = [line for line in lines if line["event"] == "answered"]
    assert (answered[0]["route"], answered[0]["status"]) == ("api/v1/insured/", 200)
    assert answered[0]["request"] == response["X-Request-Id"]
    said = json.dumps(lines, default=str).lower()
    assert not [word for word in ("afi", "togocanary", "togo_admin", "search=") if word in said]
