"""Reading, previewing, downloading and deleting stored files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile

from core.models import Claim
from file_handling.models import File, FileType
from tests.support.cast import Cast
from tests.support.files import header_row, inline, package, worksheet
from tests.support.pairs import STAT_HEADER, STAT_LINE
from tests.support.records import Records, make_file
from tests.support.responses import content_of
from tests.support.storage import stored_names
from users.models import AuditEntry

FILES = "/api/v1/files/"


def test_a_territorial_admin_sees_the_countrys_files_and_a_head_their_own(cast: Cast, togo: Records) -> None:
    mine = make_file(user=cast.rival_head, country=cast.togo, name="mine.csv")

    def listed(name: str) -> set[int]:
        return {file["id"] for file in cast.client(name).get(FILES).json()["results"]}

    assert listed("togo_admin") == {mine.pk, togo.file.pk, togo.recap.pk}
    assert listed("rival_head") == {mine.pk}


def test_a_recap_is_listed_once_and_its_detail_names_its_pages(cast: Cast, togo: Records) -> None:
    later = make_file(
        user=cast.togo_head, country=cast.togo, name="p2.csv", file_type=FileType.RECAP, first_page=togo.recap
    )
    client = cast.client("togo_admin")
    listed = client.get(f"{FILES}?file_type=recap").json()["results"]
    assert [(f["id"], f["page_count"]) for f in listed] == [(togo.recap.pk, 2)]
    assert [page["id"] for page in client.get(f"{FILES}{togo.recap.pk}/").json()["pages"]] == [later.pk]
    assert client.get(f"{FILES}{later.pk}/").json()["first_page"] == togo.recap.pk
    assert client.delete(f"{FILES}{later.pk}/").status_code == 409


def test_a_preview_shows_the_first_rows_and_the_size_of_the_whole(cast: Cast, own_storage: Path) -> None:
    file = make_file(user=cast.togo_head, country=cast.togo, name="stat.csv")
    file.file.save("stat.csv", ContentFile("\n".join([STAT_HEADER, *[STAT_LINE] * 30]).encode()))
    client = cast.client("togo_head")
    preview = client.get(f"{FILES}{file.pk}/preview/").json()
    assert preview["columns"] == STAT_HEADER.split(";")
    assert preview["rows"][0] == STAT_LINE.split(";")
    assert (len(preview["rows"]), preview["total_rows"], preview["total_columns"]) == (10, 30, 15)
    assert len(client.get(f"{FILES}{file.pk}/preview/?rows=3").json()["rows"]) == 3
    for rows in ("0", "101", "-1", "many", "1.5"):
        assert client.get(f"{FILES}{file.pk}/preview/?rows={rows}").status_code == 400


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"\x00\x01\x02"])
def test_unreadable_content_is_a_400_with_a_reason(content: bytes, cast: Cast) -> None:
    file = make_file(user=cast.togo_head, country=cast.togo, name="stat.xlsx")
    file.file.save("stat.xlsx", ContentFile(content))
    response = cast.client("togo_head").get(f"{FILES}{file.pk}/preview/")
    assert response.status_code == 400
    assert response.json()["detail"].startswith("Error reading file: ")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("s.xlsx", package(worksheet(f'<row r="1048576">{inline("XFD1048576", "x")}</row>')), "cell XFD1048576, far"),
        ("s.xlsx", package(worksheet("", before='<!DOCTYPE x [<!ENTITY a "a">]>')), "document type or entities"),
        ("s.xls", bytes.fromhex("d0cf11e0a1b11ae1") + "EncryptedPackage".encode("utf-16-le"), "by a password"),
        ("s.xls", b"\x09\x04\x06\x00" + bytes(90), "a workbook of Excel 4 or older"),
        ("s.xls", b"<html><table></table></html>", "contains a web page (HTML). Open it in Excel"),
        ("s.xlsx", package(worksheet("<row/>")), "has no sheet named “x”. Its sheets are: “Feuil1”"),
    ],
)
def test_a_preview_that_fails_has_the_reason_and_the_advice_of_an_import(
    cast: Cast, name: str, content: bytes, reason: str
) -> None:
    file = make_file(user=cast.togo_head, country=cast.togo, name=name)
    file.file.save(name, ContentFile(content))
    response = cast.client("togo_head").get(f"{FILES}{file.pk}/preview/?sheet=x")
    assert response.status_code == 400
    assert response.json()["detail"].startswith(f"Error reading file: “{name}”")
    assert reason in response.json()["detail"]


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ({"MAX_ZIP_ENTRIES": 3}, "more than 3 parts"),
        ({"MAX_INFLATED_BYTES": 300}, "unpacks to far more data"),
        ({"MAX_COLUMNS": 1}, "cell B1"),
        ({"READER_CPU_SECONDS": 0}, "longer than allowed"),
    ],
)
def test_a_preview_is_held_to_the_limits_of_the_installation(
    cast: Cast, settings: Any, limit: dict[str, int], reason: str
) -> None:
    file = make_file(user=cast.togo_head, country=cast.togo, name="stat.xlsx")
    file.file.save("stat.xlsx", ContentFile(package(worksheet(header_row(["a", "b", "c"])))))
    address = f"{FILES}{file.pk}/preview/"
    assert cast.client("togo_head").get(address).status_code == 200
    settings.CONCORD = settings.CONCORD | limit
    assert reason in cast.client("togo_head").get(address).json()["detail"]


def test_a_file_missing_in_the_storage_is_reported_as_missing(cast: Cast, togo: Records) -> None:
    for stored in (togo.file.file, togo.file.converted):
        stored.storage.delete(stored.name or "")
    client = cast.client("togo_head")
    assert client.get(f"{FILES}{togo.file.pk}/download/").json() == {"detail": "File not found"}
    assert client.get(f"{FILES}{togo.file.pk}/preview/").status_code == 400


def test_reading_a_file_is_audited_and_a_refusal_is_not(cast: Cast, togo: Records) -> None:
    content_of(cast.client("togo_admin").get(f"{FILES}{togo.file.pk}/download/"))
    cast.client("togo_admin").get(f"{FILES}{togo.file.pk}/preview/")
    cast.client("benin_admin").get(f"{FILES}{togo.file.pk}/download/")
    entries = AuditEntry.objects.filter(object_id=togo.file.pk).order_by("id")
    assert [(e.actor, e.action, e.country) for e in entries] == [
        (cast.togo_admin, "download", cast.togo),
        (cast.togo_admin, "preview", cast.togo),
    ]


def test_deleting_a_file_deletes_its_stored_pages_and_keeps_the_records(
    cast: Cast, togo: Records, own_storage: Path, django_capture_on_commit_callbacks: Any
) -> None:
    page = make_file(
        user=cast.togo_head, country=cast.togo, name="p2.csv", file_type=FileType.RECAP, first_page=togo.recap
    )
    names = {togo.file.file.name, togo.recap.file.name, page.file.name}
    assert names <= set(stored_names(own_storage))
    client = cast.client("togo_admin")
    with django_capture_on_commit_callbacks(execute=True):
        assert client.delete(f"{FILES}{togo.file.pk}/?force=true").status_code == 204
        assert names <= set(stored_names(own_storage))
        assert client.delete(f"{FILES}{togo.recap.pk}/?force=true").status_code == 204
    assert not names & set(stored_names(own_storage))
    assert not File.objects.exists()
    claim = Claim.objects.get()
    assert (claim.file, claim.recap_file) == (None, None)
    assert client.get(f"{FILES}{togo.file.pk}/").status_code == 404
    assert AuditEntry.objects.filter(action="delete", actor=cast.togo_admin).count() == 2
