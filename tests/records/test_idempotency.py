"""An import that is sent twice with one key is one import; the same files without a key are accepted and recognised."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from file_handling.models import File, IdempotencyKey, ImportSession
from importer import idempotency
from tests.support.cast import Cast
from tests.support.pairs import STAT_HEADER, STAT_LINE, recap_upload, stat_upload
from tests.support.storage import stored_names
from users.models import AuditEntry

SESSIONS = "/api/v1/import-sessions/"


def send(client: Any, key: str | None = "k-1", **form: Any) -> Any:
    form = {"stat_file": stat_upload(), "recap_file": [recap_upload(name="p1.csv"), recap_upload(name="p2.csv")]} | form
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(SESSIONS, form, format="multipart", headers=headers)


def test_a_repeated_upload_answers_with_the_first_session(cast: Cast, own_storage: Path) -> None:
    client = cast.client("togo_head")
    first, again = send(client), send(client)
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    assert (first.get("Idempotent-Replayed"), again.get("Idempotent-Replayed")) == (None, "true")
    assert (ImportSession.objects.count(), File.objects.count(), len(stored_names(own_storage))) == (1, 3, 3)


@pytest.mark.parametrize("other", ["file", "option"])
def test_the_same_key_for_another_import_is_refused(other: str, cast: Cast, own_storage: Path) -> None:
    client = cast.client("togo_head")
    send(client)
    line = STAT_LINE.replace("5000", "6000")
    form = {"stat_file": stat_upload(text=f"{STAT_HEADER}\n{line}\n")} if other == "file" else {"dry_run": "true"}
    refused = send(client, **form)
    assert refused.status_code == 422
    assert "key" in refused.json()["detail"]
    assert (ImportSession.objects.count(), len(stored_names(own_storage))) == (1, 3)


def test_a_key_belongs_to_one_account_and_cannot_be_used_again(cast: Cast) -> None:
    first = send(cast.client("togo_head")).json()
    assert send(cast.client("rival_head")).json()["id"] != first["id"]
    ImportSession.objects.update(status="DONE")
    assert cast.client("togo_head").delete(first["url"]).status_code == 204
    assert send(cast.client("togo_head")).status_code == 409


def test_a_refused_form_does_not_use_up_its_key(cast: Cast) -> None:
    client = cast.client("togo_head")
    assert send(client, on_conflict="overwrite").status_code == 400
    assert send(client).status_code == 202


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256])
def test_an_invalid_key_is_refused(key: str, cast: Cast) -> None:
    response = send(cast.client("togo_head"), key=key)
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "Idempotency-Key"


def test_a_key_does_not_show_a_session_that_its_account_may_no_longer_see(cast: Cast) -> None:
    send(cast.client("togo_head"))
    assert IdempotencyKey.objects.count() == 1
    ImportSession.objects.update(country=cast.benin)
    assert send(cast.client("togo_head")).status_code == 403


def test_a_request_with_the_same_key_between_check_and_insert_is_detected(
    cast: Cast, own_storage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = idempotency.find_earlier
    others: list[Any] = []

    def look_then_insert_another(**arguments: Any) -> ImportSession | None:
        found = look(**arguments)
        if not others:
            others.append(None)
            others.append(send(cast.client("togo_head")))
        return found

    monkeypatch.setattr(idempotency, "find_earlier", look_then_insert_another)
    late = send(cast.client("togo_head"))
    assert late.status_code == 202
    assert late.json()["id"] == others[1].json()["id"]
    assert (ImportSession.objects.count(), len(stored_names(own_storage))) == (1, 3)


@pytest.mark.django_db(transaction=True)
def test_two_concurrent_requests_with_one_key_make_one_session(cast: Cast, own_storage: Path) -> None:
    clients = [cast.client("togo_head") for _ in range(4)]
    answers: list[Any] = []
    start = threading.Barrier(len(clients))

    def upload(client: Any) -> None:
        start.wait()
        answers.append(send(client))
        connection.close()

    threads = [threading.Thread(target=upload, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [202] * 4
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (ImportSession.objects.count(), File.objects.count(), len(stored_names(own_storage))) == (1, 3, 3)
    assert AuditEntry.objects.filter(action="upload").count() == 2


def test_a_second_import_of_the_same_files_is_accepted_and_names_the_first(cast: Cast) -> None:
    head, admin = cast.client("togo_head"), cast.client("togo_admin")
    first = send(head, key=None).json()
    # File names and the order of the pages do not matter.
    again = send(
        admin, key=None, stat_file=stat_upload(name="other.csv"), recap_file=[recap_upload(), recap_upload()]
    ).json()
    third = send(head, key=None).json()
    assert (first["same_files_as"], again["same_files_as"]) == ([], [first["id"]])
    assert third["same_files_as"] == [again["id"], first["id"]]
    File.objects.all().delete()
    assert head.get(third["url"]).json()["same_files_as"] == [again["id"], first["id"]]
    other = send(head, key=None, recap_file=recap_upload()).json()
    assert other["same_files_as"] == []


def test_an_import_of_the_same_files_by_another_country_is_not_named(cast: Cast) -> None:
    send(cast.client("benin_head"), key=None)
    assert send(cast.client("togo_head"), key=None).json()["same_files_as"] == []
