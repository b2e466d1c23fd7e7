"""A file that is sent before its import: recognised by its first rows, with its problems, or refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.response import Response
from xlsxwriter import Workbook

from file_handling.models import File, ImportSession
from importer.runs import run_session
from tests.api.test_uploads import FILES, SESSIONS, archive, nothing_is_stored, refusals, workbook
from tests.support.cast import Cast
from tests.support.files import package, worksheet
from tests.support.pairs import RECAP_HEADER, STAT_HEADER, line, recap_csv, recap_upload, row, stat_csv, stat_upload
from tests.support.storage import stored_names


def send(cast: Cast, *files: Any, name: str = "togo_head", **form: Any) -> Response:
    return cast.client(name).post(FILES, {"file": list(files)} | form, format="multipart")


def stored(response: Response) -> dict[str, Any]:
    assert response.status_code == 201, response.content
    return dict(response.json())


def codes(body: dict[str, Any]) -> list[str]:
    return [problem["code"] for problem in body["problems"]]


def page(number: int) -> SimpleUploadedFile:
    """A recap page of its own content."""
    return recap_csv([row(f"S{number}")], name=f"p{number}.csv")


def zipped(**parts: bytes) -> SimpleUploadedFile:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return SimpleUploadedFile("pages.zip", target.getvalue())


@pytest.mark.parametrize(("upload", "kind"), [(stat_upload, "stat"), (recap_upload, "recap")])
def test_a_file_is_stored_as_the_kind_that_its_columns_show(upload: Any, kind: str, cast: Cast) -> None:
    body = stored(send(cast, upload(name="export.csv")))
    assert (body["file_type"], body["recognised_as"]) == (kind, kind)
    assert (body["problems"], body["sheets"], body["same_content_as"], body["others"]) == ([], [], [], [])
    assert cast.client("togo_head").get(body["url"]).json()["file_type"] == kind


def test_a_workbook_is_recognised_under_a_title_and_with_its_sheets(cast: Cast) -> None:
    body = stored(send(cast, workbook("Jan", "Feb")))
    assert (body["recognised_as"], body["sheets"], codes(body)) == ("stat", ["Jan", "Feb"], [])
    recap = io.BytesIO()
    with Workbook(recap, {"in_memory": True}) as book:
        book.add_worksheet("Notes").write(0, 0, "nothing")
        book.add_worksheet("Page 1").write_row(4, 1, RECAP_HEADER.split(";"))
    body = stored(send(cast, SimpleUploadedFile("r.xlsx", recap.getvalue())))
    assert (body["recognised_as"], body["sheets"], codes(body)) == ("recap", ["Page 1"], [])


def test_a_file_with_missing_columns_is_stored_with_every_one_of_them_named(cast: Cast) -> None:
    text = STAT_HEADER.replace("Numero de police;", "").replace("Statut;", "")
    body = stored(send(cast, stat_upload(text=f"{text}\nx\n")))
    assert (body["recognised_as"], codes(body)) == ("stat", ["missing_columns"])
    (problem,) = body["problems"]
    assert problem["file"] == "stat.csv"
    assert "Numero de police" in problem["message"]
    assert "Statut" in problem["message"]


def test_a_file_that_is_sent_as_the_other_kind_is_recognised(cast: Cast) -> None:
    body = stored(send(cast, recap_upload(), file_type="stat"))
    assert (body["file_type"], body["recognised_as"], codes(body)) == ("stat", "recap", ["swapped"])
    body = stored(send(cast, stat_upload(), file_type="recap"))
    assert (body["file_type"], body["recognised_as"], codes(body)) == ("recap", "stat", ["swapped"])


def test_a_file_of_no_known_kind_is_refused_with_the_columns_of_both(cast: Cast, own_storage: Path) -> None:
    letter = recap_upload(name="letter.csv", text="Dear Sir;or Madam\n1;2\n")
    response = send(cast, letter)
    assert refusals(response) == {("file", "letter.csv")}
    assert "Numero de sinistre" in response.json()["detail"]
    assert "reglementId" in response.json()["detail"]
    assert nothing_is_stored(own_storage)
    # Its sender knows better, and learns what is missing.
    body = stored(send(cast, recap_upload(name="letter.csv", text="Dear Sir;or Madam\n1;2\n"), file_type="recap"))
    assert (body["recognised_as"], codes(body)) == (None, ["no_header"])


def test_a_stat_file_without_a_column_that_shows_its_kind_is_refused_with_that_column(cast: Cast) -> None:
    response = send(cast, stat_upload(text=STAT_HEADER.replace("Nom Acte;", "") + "\nx\n"))
    assert refusals(response) == {("file", "stat.csv")}
    assert "“Nom Acte”" in response.json()["detail"]
    assert "“Statut”" not in response.json()["detail"]


@pytest.mark.parametrize("kind", [{}, {"file_type": "stat"}])
def test_a_file_that_cannot_be_read_is_refused(kind: dict[str, str], cast: Cast, own_storage: Path) -> None:
    broken = package(worksheet("<row><c>"))
    for name, data in (("a.xlsx", broken), ("b.xlsx", b"%PDF-1.7"), ("c.csv", b" "), ("d.csv", b"\n\n\n")):
        response = send(cast, SimpleUploadedFile(name, data), **kind)
        assert refusals(response) == {("file", name)}, name
    assert nothing_is_stored(own_storage)


def test_a_file_above_the_limit_is_refused(cast: Cast, settings: Any, own_storage: Path) -> None:
    settings.CONCORD = settings.CONCORD | {"MAX_FILE_BYTES": 100}
    assert refusals(send(cast, stat_upload())) == {("file", "stat.csv")}
    assert nothing_is_stored(own_storage)


def test_the_pages_of_one_recap_share_one_answer_with_the_problems_of_each(cast: Cast) -> None:
    bad = recap_upload(name="bad.csv", text=RECAP_HEADER.replace("date_reglement", "jour") + "\n")
    body = stored(send(cast, page(1), bad, file_type="recap"))
    assert body["page_count"] == 2
    assert [(problem["code"], problem["file"]) for problem in body["problems"]] == [("missing_columns", "bad.csv")]


def test_content_that_the_country_has_already_is_named(cast: Cast) -> None:
    first = stored(send(cast, page(1)))
    again = stored(send(cast, recap_csv([row("S1")], name="copy.csv")))
    assert again["same_content_as"] == [{"id": first["id"], "name": "p1.csv", "converted_by": ""}]
    # A head of department sees only their own files, and another country none of these.
    assert stored(send(cast, page(1), name="rival_head"))["same_content_as"] == []
    assert stored(send(cast, page(1), name="benin_admin"))["same_content_as"] == []
    assert stored(send(cast, page(1), name="superuser", country="BJ"))["same_content_as"] != []


def test_an_archive_is_stored_as_the_files_in_it(cast: Cast, own_storage: Path) -> None:
    parts = {"2024/stat.csv": stat_upload().read(), "2024/pages/p1.csv": page(1).read(), "2024/~$p1.csv": b"lock"}
    body = stored(send(cast, zipped(**parts)))
    found = [body, *body["others"]]
    assert {(one["name"], one["recognised_as"], one["file_type"]) for one in found} == {
        ("stat.csv", "stat", "stat"),
        ("p1.csv", "recap", "recap"),
    }
    assert len(stored_names(own_storage)) == 2
    assert File.objects.filter(first_page=None).count() == 2


@pytest.mark.parametrize("name", ["../../etc/p1.csv", "/etc/p1.csv", "C:\\Windows\\p1.csv", "a/\x07p1.csv"])
def test_a_name_in_an_archive_is_never_a_path(name: str, cast: Cast, own_storage: Path) -> None:
    body = stored(send(cast, zipped(**{name: page(1).read()})))
    assert body["name"] == "p1.csv"
    (kept,) = stored_names(own_storage)
    assert kept.startswith("uploads/")
    assert not (own_storage.parent / "etc").exists()


def test_every_problem_of_an_archive_is_reported_and_nothing_of_it_stored(cast: Cast, own_storage: Path) -> None:
    good = recap_upload().read().decode()
    assert refusals(send(cast, archive(a__csv=good, b__exe="MZ", c__pdf="%PDF"))) == {("file", "recap.zip")}
    assert refusals(send(cast, archive(a__csv=good, b__csv="Dear Sir;or Madam\n"))) == {("file", "b.csv")}
    assert refusals(send(cast, zipped(**{"inner.zip": archive(a__csv=good).read()}))) == {("file", "pages.zip")}
    assert refusals(send(cast, SimpleUploadedFile("r.zip", b"PK\x03\x04 no archive"))) == {("file", "r.zip")}
    assert nothing_is_stored(own_storage)


def test_an_archive_that_unpacks_to_too_much_is_refused(cast: Cast, settings: Any, own_storage: Path) -> None:
    settings.CONCORD = settings.CONCORD | {"MAX_FILE_BYTES": 200_000, "MAX_POST_BYTES": 300_000}
    empty = b"\n" * 190_000
    response = send(cast, zipped(**{"a.csv": page(1).read() + empty, "b.csv": page(2).read() + empty}))
    assert refusals(response) == {("file", "pages.zip")}
    response = send(cast, zipped(**{"a.csv": b"\n" * 5_000_000}))
    assert refusals(response) == {("file", "pages.zip")}
    settings.CONCORD = settings.CONCORD | {"MAX_PAGES": 2}
    many = {f"{number}.csv": page(number).read() for number in range(3)}
    assert refusals(send(cast, zipped(**many))) == {("file", "pages.zip")}
    assert nothing_is_stored(own_storage)


def test_a_workbook_that_unpacks_to_far_more_than_its_size_costs_no_more_than_its_first_rows(cast: Cast) -> None:
    cells = "".join(f"<c t='inlineStr'><is><t>{header}</t></is></c>" for header in RECAP_HEADER.split(";"))
    bomb = package(worksheet(f"<row>{cells}</row>" + "<row><c><v>1</v></c></row>" * 2_000_000))
    assert len(bomb) < 500_000
    body = stored(send(cast, SimpleUploadedFile("bomb.xlsx", bomb)))
    assert body["recognised_as"] == "recap"


@pytest.mark.parametrize(
    ("name", "status"),
    [("togo_operator", 403), ("global_admin", 403), ("closed_head", 403), ("homeless_admin", 403), ("anonymous", 401)],
)
def test_an_account_that_may_not_import_sends_no_file(name: str, status: int, cast: Cast, own_storage: Path) -> None:
    assert send(cast, stat_upload(), name=name).status_code == status
    assert nothing_is_stored(own_storage)


def test_a_file_is_sent_into_the_own_country_only(cast: Cast, own_storage: Path) -> None:
    assert refusals(send(cast, stat_upload(), name="benin_head", country="TG")) == {("country", "")}
    assert refusals(send(cast, stat_upload(), name="superuser")) == {("country", "")}
    assert nothing_is_stored(own_storage)


def test_messages_are_in_the_language_of_the_caller(cast: Cast) -> None:
    client = cast.client("togo_head")
    text = RECAP_HEADER.replace("date_reglement", "jour")
    form = {"file": recap_upload(text=f"{text}\n")}
    body = stored(client.post(FILES, form, format="multipart", headers={"accept-language": "fr"}))
    assert "il manque la colonne" in body["problems"][0]["message"]


# --- The import of files that were sent one by one -------------------------------------------------------------------


def start(cast: Cast, *, name: str = "togo_head", key: str = "", **form: Any) -> Response:
    headers = {"Idempotency-Key": key} if key else {}
    return cast.client(name).post(SESSIONS, form, format="json", headers=headers)


def pair(cast: Cast, *, name: str = "togo_head", pages: int = 3, **form: Any) -> dict[str, Any]:
    """A stat file and recap pages, each sent by itself; → the fields that name them."""
    lines = [line(f"s{number}") for number in range(1, pages + 1)]
    stat = stored(send(cast, stat_csv(lines), name=name, **form))["id"]
    ids = [stored(send(cast, page(number), name=name, **form))["id"] for number in range(1, pages + 1)]
    return {"stat_file_id": stat, "recap_file_ids": ids}


@pytest.mark.django_db(transaction=True)
def test_pages_that_were_sent_one_by_one_become_one_recap(cast: Cast) -> None:
    ids = pair(cast)
    response = start(cast, **ids)
    assert response.status_code == 202, response.content
    recap = response.json()["recap_file"]
    assert recap == {"id": ids["recap_file_ids"][0], "name": "p1.csv", "pages": 3}
    run_session(response.json()["id"])
    session = cast.client("togo_head").get(response.json()["url"]).json()
    assert (session["status"], session["claims_created_count"]) == ("DONE", 3)
    listed = cast.client("togo_head").get(FILES).json()["results"]
    assert [file["name"] for file in listed] == ["p1.csv", "stat.csv"]
    # They are deleted together.
    assert cast.client("togo_head").delete(f"{FILES}{recap['id']}/?force=true").status_code == 204
    assert [file.name for file in File.objects.all()] == ["stat.csv"]


def test_the_order_of_the_ids_and_a_request_sent_again_make_no_other_import(cast: Cast) -> None:
    ids = pair(cast)
    first = start(cast, key="k", **ids)
    turned = ids | {"recap_file_ids": ids["recap_file_ids"][::-1]}
    again = start(cast, key="k", **turned)
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    assert again["Idempotent-Replayed"] == "true"
    assert ImportSession.objects.count() == 1


def test_a_page_of_an_earlier_import_does_not_move_into_another_recap(cast: Cast) -> None:
    ids = pair(cast, pages=2)
    assert start(cast, **ids).status_code == 202
    alone = stored(send(cast, page(9)))["id"]
    first, later = ids["recap_file_ids"]
    taken = start(cast, stat_file_id=ids["stat_file_id"], recap_file_ids=[first, alone])
    assert refusals(taken) == {("recap_file_ids", "p1.csv")}
    part = start(cast, stat_file_id=ids["stat_file_id"], recap_file_ids=[later, alone])
    assert refusals(part) == {("recap_file_ids", "p2.csv")}
    assert File.objects.get(pk=alone).first_page is None
    # The whole recap is imported again like any stored file.
    assert start(cast, **ids).status_code == 202


def test_all_problems_of_the_named_files_are_reported_at_once(cast: Cast) -> None:
    stat = stored(send(cast, stat_upload()))["id"]
    other = stored(send(cast, stat_upload(name="second.csv")))["id"]
    bad = recap_upload(name="bad.csv", text=RECAP_HEADER.replace("date_reglement", "jour") + "\n")
    incomplete = stored(send(cast, bad))["id"]
    good = stored(send(cast, page(1)))["id"]
    foreign = start(cast, stat_file_id=good, recap_file_ids=[stat, other], on_conflict="overwrite")
    assert refusals(foreign) == {
        ("stat_file_id", "p1.csv"),
        ("recap_file_ids", "stat.csv"),
        ("recap_file_ids", "second.csv"),
        ("on_conflict", ""),
    }
    assert refusals(start(cast, stat_file_id=stat, recap_file_ids=[good, incomplete])) == {("recap_file", "bad.csv")}
    both = start(cast, stat_file_id=stat, recap_file_id=good, recap_file_ids=[good])
    assert refusals(both) == {("recap_file", "")}
    assert not ImportSession.objects.exists()


@pytest.mark.parametrize(("name", "status"), [("rival_head", 403), ("benin_admin", 403), ("togo_operator", 403)])
def test_files_of_another_account_are_not_imported(name: str, status: int, cast: Cast) -> None:
    ids = pair(cast, pages=1)
    assert start(cast, name=name, **ids).status_code == status
    assert start(cast, **ids | {"recap_file_ids": [999_999]}).status_code == 404
    assert start(cast, **ids | {"recap_file_ids": ["x"]}).status_code == 404
    assert start(cast, name="togo_admin", **ids).status_code == 202


def test_files_of_another_country_are_not_imported(cast: Cast) -> None:
    ids = pair(cast, name="superuser", pages=2, country="BJ")
    refused = start(cast, name="superuser", country="TG", **ids)
    assert {field for field, _file in refusals(refused)} == {"stat_file_id", "recap_file_ids"}


def test_more_pages_than_the_limit_are_not_imported(cast: Cast, settings: Any) -> None:
    ids = pair(cast)
    settings.CONCORD = settings.CONCORD | {"MAX_PAGES": 2}
    assert refusals(start(cast, **ids)) == {("recap_file_ids", "")}
