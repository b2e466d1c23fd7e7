"""Files of odd contents, names and packages from the upload to the claims, and back as previews and downloads."""

from __future__ import annotations

import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from file_handling.models import File
from tests.support.api_user import API, ApiUser
from tests.support.packages import ODD_PACKAGES
from tests.support.pairs import STAT_HEADERS, line, matching_pair, recap_csv, recap_xlsx, stat_csv, stat_xlsx
from tests.support.responses import content_of

pytestmark = pytest.mark.django_db(transaction=True)

LINES, ROWS = matching_pair(line("A1"), line("A2", beneficiary="LAWSON KOFI", insured_status="E"))


def renamed(upload: SimpleUploadedFile, name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, upload.read())


def tabbed(upload: SimpleUploadedFile, name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, upload.read().replace(b";", b"\t"))


def odd(upload: SimpleUploadedFile, *changes: str, name: str) -> SimpleUploadedFile:
    data = upload.read()
    for change in changes:
        data = ODD_PACKAGES[change](data)
    return SimpleUploadedFile(name, data)


def archive(*pages: SimpleUploadedFile) -> SimpleUploadedFile:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as zipped:
        for page in pages:
            zipped.writestr(page.name or "", page.read())
    return SimpleUploadedFile("recap.zip", target.getvalue())


def test_odd_files_are_imported_previewed_and_downloaded() -> None:
    user = ApiUser()
    stat = odd(stat_xlsx({"Mars": LINES}), "main part of another name", "back slashes", name="stat.csv")
    original = stat.read()
    stat.seek(0)
    pages = archive(
        tabbed(recap_csv(ROWS[:1]), "p1.xls"),
        odd(recap_xlsx(ROWS[1:], settled_on={}), "listed sheet with an empty id", "UTF-16", name="p2.xls"),
    )
    outcome = user.import_pair(stat, [pages])
    assert (outcome.status, set(user.claims())) == ("DONE", {"A1", "A2"})
    stored = File.objects.get(file_type="stat")
    shown = user.get(f"files/{stored.pk}/preview/")
    assert (shown["columns"], shown["sheet"], shown["total_rows"]) == (list(STAT_HEADERS.values()), "Mars", 2)
    download = user.client.get(f"{API}files/{stored.pk}/download/")
    assert content_of(download) == original
    for page in File.objects.filter(file_type="recap"):
        assert user.get(f"files/{page.pk}/preview/")["total_rows"] == 1


def test_a_web_page_is_refused_at_the_upload_and_says_what_it_is() -> None:
    page = SimpleUploadedFile("stat.xls", b"\xef\xbb\xbf<!-- x -->\n<table><tr><td>x</td></tr></table>")
    response = ApiUser().post(page, ROWS)
    assert response.status_code == 400
    assert "web page (HTML)" in response.json()["detail"]
    assert "save it as an Excel workbook (.xlsx)" in response.json()["detail"]


def test_a_text_in_the_other_files_place_is_recognised_under_any_name() -> None:
    response = ApiUser().post(renamed(recap_csv(ROWS), "stat.xlsx"), [renamed(stat_csv(LINES), "recap.xls")])
    assert {error["file"] for error in response.json()["errors"]} == {"stat.xlsx", "recap.xls"}
    assert "in its own place" in response.json()["detail"]


def test_a_preview_shows_the_header_that_the_import_finds() -> None:
    user = ApiUser()
    header, *lines = stat_csv(LINES).read().decode().splitlines()
    titles = header.split(";")
    down = {titles[0], titles[-1]}
    upper = ";".join(title if title in down else "" for title in titles)
    lower = ";".join(title if title not in down else "" for title in titles)
    content = "\r\n".join(["Export du mois", "", upper, lower, *lines]) + "\r\n"
    outcome = user.import_pair(SimpleUploadedFile("stat.csv", content.encode()), ROWS)
    assert outcome.status == "DONE"
    shown = user.get(f"files/{File.objects.get(file_type='stat').pk}/preview/")
    assert (shown["columns"], shown["total_rows"]) == (titles, 2)
    assert [[cell or "" for cell in one] for one in shown["rows"]] == [one.split(";") for one in lines]
