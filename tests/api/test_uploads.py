"""Uploads: accepted and refused files, the reasons, and what stays in the storage."""

from __future__ import annotations

import errno
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from rest_framework.response import Response
from xlsxwriter import Workbook

from file_handling.models import File, ImportSession, SessionStatus
from importer import lifecycle
from tests.support.cast import Cast
from tests.support.pairs import RECAP_HEADER, STAT_HEADER, STAT_LINE, recap_upload, stat_upload
from tests.support.records import make_file, make_session
from tests.support.responses import content_of
from tests.support.storage import stored_names
from users.models import AuditEntry

SESSIONS = "/api/v1/import-sessions/"
FILES = "/api/v1/files/"


def send(cast: Cast, name: str = "togo_head", **form: Any) -> Response:
    """Post an import with a good stat file and a good recap; `form` replaces fields."""
    form = {"stat_file": stat_upload(), "recap_file": recap_upload()} | form
    return cast.client(name).post(SESSIONS, {k: v for k, v in form.items() if v is not None}, format="multipart")


def refusals(response: Response) -> set[tuple[str, str]]:
    assert response.status_code == 400, response.content
    body = response.json()
    assert isinstance(body["detail"], str)
    assert all(error["message"] for error in body["errors"])
    return {(error["field"], error["file"]) for error in body["errors"]}


def nothing_is_stored(folder: Path) -> bool:
    return not File.objects.exists() and not ImportSession.objects.exists() and stored_names(folder) == []


def workbook(*sheets: str) -> SimpleUploadedFile:
    """A workbook whose sheets all have the columns of a stat file."""
    target = io.BytesIO()
    with Workbook(target, {"in_memory": True}) as book:
        for name in sheets:
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, STAT_HEADER.split(";"))
            sheet.write_row(1, 0, STAT_LINE.split(";"))
    return SimpleUploadedFile("stat.xlsx", target.getvalue())


def archive(**pages: str) -> SimpleUploadedFile:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as zipped:
        for name, text in pages.items():
            zipped.writestr(name.replace("__", "."), text)
    return SimpleUploadedFile("recap.zip", target.getvalue())


def test_two_uploaded_files_become_a_waiting_session(cast: Cast, own_storage: Path) -> None:
    response = send(
        cast, recap_file=[recap_upload(name="p1.csv"), recap_upload(name="p2.csv"), recap_upload(name="p3.csv")]
    )
    assert response.status_code == 202
    body = response.json()
    assert response["Location"] == body["url"]
    assert body["status"] == "PENDING"
    assert body["stat_file"]["name"] == "stat.csv"
    assert body["recap_file"] == {"id": body["recap_file"]["id"], "name": "p1.csv", "pages": 3}
    assert (body["currency"], body["dry_run"], body["on_conflict"]) == ("XOF", False, "report")
    assert (body["total_claimed_amount"], body["error_file"], body["log_file"]) == ("0.00", None, None)
    assert cast.client("togo_head").get(body["url"]).json() == body

    stat = File.objects.get(file_type="stat")
    assert (stat.user, stat.country, stat.uploaded_by_email) == (cast.togo_head, cast.togo, "togo_head@example.org")
    assert Path(stat.file.path).read_bytes() == stat_upload().read()
    assert stat.size == len(stat_upload().read())
    assert len(stat.sha256) == 64
    first = File.objects.get(name="p1.csv")
    assert [page.name for page in first.all_pages()] == ["p1.csv", "p2.csv", "p3.csv"]
    assert len(stored_names(own_storage)) == 4
    assert not any("stat" in name for name in stored_names(own_storage))
    assert {"upload", "import"} <= set(AuditEntry.objects.values_list("action", flat=True))


def test_the_case_of_the_options_does_not_matter(cast: Cast) -> None:
    body = send(cast, dry_run="TRUE", on_conflict="update", currency="eur").json()
    assert (body["dry_run"], body["on_conflict"], body["currency"]) == (True, "update", "EUR")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("dry_run", "yes please"),
        ("dry_run", "2"),
        ("on_conflict", "overwrite"),
        ("currency", "FRANCS"),
        ("currency", "X0F"),
        ("stat_sheet", "x" * 300),
        ("stat_file", "not a file"),
        ("country", "TG BJ"),
    ],
)
def test_an_unknown_value_is_refused_and_nothing_is_stored(
    field: str, value: str, cast: Cast, own_storage: Path
) -> None:
    assert refusals(send(cast, **{field: value})) == {(field, "")}
    assert nothing_is_stored(own_storage)


def test_all_problems_of_a_form_are_reported_at_once(cast: Cast, own_storage: Path) -> None:
    response = send(
        cast,
        name="superuser",
        stat_file=SimpleUploadedFile("stat.pdf", b"%PDF-1.7"),
        recap_file=[SimpleUploadedFile("empty.csv", b" "), SimpleUploadedFile("page.xlsx", b"%PDF-1.7 no workbook")],
        dry_run="perhaps",
        currency="12",
    )
    assert refusals(response) == {
        ("country", ""),
        ("dry_run", ""),
        ("currency", ""),
        ("stat_file", "stat.pdf"),
        ("recap_file", "empty.csv"),
        ("recap_file", "page.xlsx"),
    }
    assert nothing_is_stored(own_storage)


def test_a_workbook_of_more_parts_than_the_setting_allows_is_refused_before_it_is_stored(
    cast: Cast, own_storage: Path, settings: Any
) -> None:
    settings.CONCORD = settings.CONCORD | {"MAX_ZIP_ENTRIES": 5}
    response = send(cast, stat_file=workbook("2024"))
    assert refusals(response) == {("stat_file", "stat.xlsx")}
    assert "more than 5 parts" in response.json()["detail"]
    assert nothing_is_stored(own_storage)


def test_both_files_are_required(cast: Cast) -> None:
    assert refusals(send(cast, stat_file=None, recap_file=None)) == {("stat_file", ""), ("recap_file", "")}
    assert refusals(send(cast, stat_file=[stat_upload(), stat_upload(name="b.csv")])) == {("stat_file", "")}


def test_a_json_body_without_files_is_refused_with_the_missing_fields(cast: Cast) -> None:
    client = cast.client("togo_head")
    assert refusals(client.post(SESSIONS, {"dry_run": True})) == {("stat_file", ""), ("recap_file", "")}
    assert client.post(SESSIONS, [1, 2]).status_code == 400
    assert client.post(FILES, "text").status_code == 400


def test_swapped_files_are_recognised(cast: Cast, own_storage: Path) -> None:
    response = send(cast, stat_file=recap_upload(name="a.csv"), recap_file=stat_upload(name="b.csv"))
    assert refusals(response) == {("stat_file", "a.csv"), ("recap_file", "b.csv")}
    assert nothing_is_stored(own_storage)


def test_missing_columns_are_named_in_every_file_at_once(cast: Cast, own_storage: Path) -> None:
    stat = stat_upload(text=f"{STAT_HEADER.replace('Numero de police;', '').replace('Statut;', 'Etat;')}\nx\n")
    pages = [
        recap_upload(name="p1.csv"),
        recap_upload(name="p2.csv", text=RECAP_HEADER.replace("date_reglement", "jour")),
    ]
    response = send(cast, stat_file=stat, recap_file=pages)
    assert refusals(response) == {("stat_file", "stat.csv"), ("recap_file", "p2.csv")}
    words = " ".join(error["message"] for error in response.json()["errors"])
    assert "Numero de police" in words
    assert "Statut" in words
    assert "date_reglement" in words
    assert nothing_is_stored(own_storage)


def test_each_of_two_pages_with_the_same_name_is_checked(cast: Cast) -> None:
    response = send(cast, recap_file=[recap_upload(name="stat.csv"), recap_upload(name="stat.csv", text="a;b\n1;2\n")])
    assert refusals(response) == {("recap_file", "stat.csv")}


def test_a_workbook_with_several_stat_sheets_is_accepted_and_an_unknown_sheet_is_not(cast: Cast) -> None:
    assert send(cast, stat_file=workbook("Jan", "Feb")).status_code == 202
    assert send(cast, stat_file=workbook("Jan", "Feb"), stat_sheet="Feb").json()["stat_sheet"] == "Feb"
    response = send(cast, stat_file=workbook("Jan", "Feb"), stat_sheet="Mar")
    assert refusals(response) == {("stat_sheet", "stat.xlsx")}
    assert "Jan" in response.json()["detail"]


def test_a_recap_may_come_as_a_zip_of_pages(cast: Cast, own_storage: Path) -> None:
    good = recap_upload().read().decode()
    body = send(cast, recap_file=archive(a__csv=good, b__csv=good, **{"~$b__csv": "lock"})).json()
    assert body["recap_file"]["pages"] == 2
    assert len(stored_names(own_storage)) == 3
    response = send(cast, recap_file=archive(a__csv=good, b__exe="MZ"))
    assert refusals(response) == {("recap_file", "recap.zip")}


def test_lock_files_of_excel_are_skipped(cast: Cast) -> None:
    body = send(cast, recap_file=[recap_upload(name="~$page.csv"), recap_upload(name="page.csv")]).json()
    assert (body["recap_file"]["name"], body["recap_file"]["pages"]) == ("page.csv", 1)
    assert refusals(send(cast, stat_file=stat_upload(name="~$stat.csv"))) == {("stat_file", "")}


def test_too_many_pages_and_too_large_files_are_refused(cast: Cast, settings: Any, own_storage: Path) -> None:
    settings.CONCORD = settings.CONCORD | {"MAX_PAGES": 2}
    assert refusals(send(cast, recap_file=[recap_upload(name=f"{i}.csv") for i in range(3)])) == {("recap_file", "")}
    settings.CONCORD = settings.CONCORD | {"MAX_FILE_BYTES": 100}
    assert ("stat_file", "stat.csv") in refusals(send(cast))
    settings.CONCORD = settings.CONCORD | {"MAX_POST_BYTES": 200}
    assert send(cast).status_code == 413
    assert nothing_is_stored(own_storage)


class FullStorage(FileSystemStorage):
    """A storage with room for two and a half files."""

    room = 2
    error = errno.ENOSPC

    def _save(self, name: str, content: Any) -> str:
        type(self).room -= 1
        if self.room < 0:
            Path(self.path(name)).parent.mkdir(parents=True, exist_ok=True)
            Path(self.path(name)).write_bytes(b"half")
            raise OSError(self.error, "No space left on device")
        return super()._save(name, content)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_a_507_and_nothing_stays_stored(
    error: int, cast: Cast, own_storage: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FullStorage, "room", 2)
    monkeypatch.setattr(FullStorage, "error", error)
    usual = settings.STORAGES
    settings.STORAGES = usual | {
        "default": {"BACKEND": "tests.api.test_uploads.FullStorage", "OPTIONS": {"location": str(own_storage)}}
    }
    response = send(cast, recap_file=[recap_upload(name="p1.csv"), recap_upload(name="p2.csv")])
    assert response.status_code == 507
    assert set(response.json()) == {"detail"}
    assert nothing_is_stored(own_storage)

    settings.STORAGES = usual
    assert send(cast).status_code == 202


def test_the_files_of_a_failed_transaction_are_deleted(
    cast: Cast, own_storage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(**_: Any) -> ImportSession:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(lifecycle, "create_session", lost)
    client = cast.client("togo_head")
    client.raise_request_exception = False
    form = {"stat_file": stat_upload(), "recap_file": recap_upload()}
    assert client.post(SESSIONS, form, format="multipart").status_code == 500
    assert nothing_is_stored(own_storage)


def test_stored_files_are_imported_by_their_ids(cast: Cast, own_storage: Path) -> None:
    client = cast.client("togo_head")
    stat = client.post(FILES, {"file": stat_upload(), "file_type": "stat"}, format="multipart")
    assert stat.status_code == 201
    assert stat["Location"] == stat.json()["url"]
    pages = [recap_upload(name="p1.csv"), recap_upload(name="p2.csv")]
    recap = client.post(FILES, {"file": pages, "file_type": "recap"}, format="multipart").json()
    assert [page["name"] for page in recap["pages"]] == ["p2.csv"]
    assert recap["page_count"] == 2

    ids = {"stat_file_id": stat.json()["id"], "recap_file_id": recap["id"]}
    response = client.post(SESSIONS, ids, format="json")
    assert response.status_code == 202
    assert response.json()["recap_file"] == {"id": recap["id"], "name": "p1.csv", "pages": 2}
    assert len(stored_names(own_storage)) == 3

    later = recap["pages"][0]["id"]
    swapped = client.post(SESSIONS, {"stat_file_id": recap["id"], "recap_file_id": later}, format="json")
    assert refusals(swapped) == {("stat_file_id", "p1.csv"), ("recap_file_id", "p2.csv")}


def test_a_stored_file_of_another_account_cannot_be_imported(cast: Cast, togo: Any, benin: Any) -> None:
    def asking(name: str, stat: int) -> int:
        form = {"stat_file_id": stat, "recap_file": recap_upload()}
        return cast.client(name).post(SESSIONS, form, format="multipart").status_code

    assert asking("benin_admin", togo.file.pk) == 403
    assert asking("rival_head", togo.file.pk) == 403
    assert asking("togo_admin", 999999) == 404
    assert asking("togo_admin", togo.file.pk) == 202
    mixed = cast.client("superuser").post(
        SESSIONS, {"stat_file_id": togo.file.pk, "recap_file_id": benin.recap.pk, "country": "TG"}, format="json"
    )
    assert ("recap_file_id", "BENINCANARY-recap.csv") in refusals(mixed)


def test_a_superuser_must_choose_an_active_country(cast: Cast) -> None:
    assert refusals(send(cast, name="superuser")) == {("country", "")}
    assert refusals(send(cast, name="superuser", country="CL")) == {("country", "")}
    assert refusals(send(cast, name="superuser", country="999999")) == {("country", "")}
    assert send(cast, name="superuser", country=str(cast.benin.pk)).json()["country"]["code"] == "BJ"
    assert send(cast, name="togo_admin", country="tg").json()["country"]["code"] == "TG"


def test_the_name_of_a_file_is_data_and_never_a_path(cast: Cast, own_storage: Path) -> None:
    upload = SimpleUploadedFile('..\\..\\étude "finale".csv', stat_upload().read())
    form = {"file": upload, "file_type": "stat"}
    response = cast.client("togo_head").post(FILES, form, format="multipart")
    assert response.status_code == 201
    file = File.objects.get()
    assert "/" not in file.name
    assert file.name.endswith('étude "finale".csv')
    download = cast.client("togo_head").get(f"{FILES}{file.pk}/download/")
    assert download["Content-Disposition"].startswith("attachment; filename")
    assert content_of(download) == stat_upload().read()


def test_a_kind_that_does_not_exist_is_refused_and_a_file_is_required(cast: Cast, own_storage: Path) -> None:
    client = cast.client("togo_head")
    form = {"file": stat_upload(), "file_type": "Stat file"}
    assert refusals(client.post(FILES, form, format="multipart")) == {("file_type", "")}
    assert refusals(client.post(FILES, {"file_type": "stat"})) == {("file", "")}
    assert nothing_is_stored(own_storage)


def test_messages_are_in_the_language_of_the_caller_which_the_session_stores(cast: Cast) -> None:
    client = cast.client("togo_head")
    response = client.post(
        SESSIONS,
        {"stat_file": stat_upload(), "recap_file": recap_upload()},
        format="multipart",
        headers={"accept-language": "fr-TG,fr;q=0.9"},
    )
    assert ImportSession.objects.get(pk=response.json()["id"]).language == "fr"


def test_a_file_that_an_import_still_needs_is_not_deleted(cast: Cast, own_storage: Path) -> None:
    file = make_file(user=cast.togo_head, country=cast.togo, name="stat.csv")
    session = make_session(user=cast.togo_head, country=cast.togo, status=SessionStatus.REVIEW, stat_file=file)
    client = cast.client("togo_head")
    refused = client.delete(f"{FILES}{file.pk}/")
    assert refused.status_code == 409
    assert str(session.pk) in refused.json()["detail"]
    assert stored_names(own_storage)
    assert client.delete(f"{FILES}{file.pk}/?force=true").status_code == 409
    ImportSession.objects.update(status=SessionStatus.DONE)
    assert client.delete(f"{FILES}{file.pk}/?force=true").status_code == 204
