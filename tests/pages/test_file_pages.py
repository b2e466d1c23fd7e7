"""The list of files, the page of one, any of its rows, and its deletion."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from core import models as core
from file_handling.files import sheets
from file_handling.models import File, ImportSession
from reading import process
from tests.support.api_user import ApiUser, Outcome
from tests.support.browser import Browser
from tests.support.cast import Cast
from tests.support.page_text import FRENCH, marked, number, opened, statements, words
from tests.support.pairs import line, matching_pair, recap_csv, row, stat_xlsx
from tests.support.records import make_file
from tests.support.responses import content_of
from users.models import AuditEntry

pytestmark = pytest.mark.django_db(transaction=True)

LINES = [line(f"A{n}", beneficiary=f"PERSON {n}") for n in range(1, 121)]


@pytest.fixture
def outcome(cast: Cast) -> Outcome:
    """A workbook of two sheets, the second of them imported, and a recap of two pages."""
    pages = [
        recap_csv([row(f"A{n}") for n in part], f"p{at}.csv") for at, part in enumerate((range(1, 61), range(61, 121)))
    ]
    workbook = stat_xlsx({"Notes": [line("X1")], "Sinistres": LINES}, titles=2)
    return ApiUser.for_user(cast.togo_head).import_pair(workbook, pages, stat_sheet="Sinistres")


@pytest.fixture
def stat(outcome: Outcome) -> File:
    return File.objects.get(pk=outcome.session["stat_file"]["id"])


@pytest.fixture
def recap(outcome: Outcome) -> File:
    return File.objects.get(pk=outcome.session["recap_file"]["id"])


def numbers(page: str) -> list[int]:
    return [int(key) for key in marked(page, "row")]


# ------------------------------------------------------------------------------------------------ list and detail


def test_the_list_has_one_row_for_a_recap_and_is_filtered_as_in_the_api(
    cast: Cast, stat: File, recap: File, browser: Browser
) -> None:
    client = browser("togo_admin")
    page = opened(client, "/files/")
    assert page.count('href="/files/') - page.count('href="/files/"') == 2
    assert [words(cell) for cell in page.split(recap.name)[1].split("</tr>")[0].split("</td>")][2] == "2"
    kinds = opened(client, "/files/?file_type=stat")
    assert f"/files/{stat.pk}/" in kinds
    assert f"/files/{recap.pk}/" not in kinds
    assert f"/files/{stat.pk}/" not in opened(client, f"/files/?user={cast.togo_admin.pk}")
    assert f"/files/{stat.pk}/" not in opened(client, "/files/?uploaded_before=2020-01-01")
    assert "Fichier statistique" in opened(client, "/files/", headers=FRENCH) or "fichier statistique" in opened(
        client, "/files/", headers=FRENCH
    )


def test_a_file_shows_what_it_created_who_used_it_and_its_history(
    outcome: Outcome, stat: File, recap: File, browser: Browser
) -> None:
    client = browser("togo_admin")
    page = opened(client, f"/files/{stat.pk}/")
    created = {kind: number(text) for kind, text in marked(page, "created").items()}
    assert (created["claims"], created["claim_lines"]) == (120, 120)
    assert f'href="/claims/?file={stat.pk}"' in page
    assert f'href="/imports/{outcome.id}/"' in page
    history = words(page.split("<h2>History</h2>")[1])
    assert "Uploaded" in history
    assert "Started an import" in history
    second = opened(client, f"/files/{recap.pk}/")
    assert "p1.csv" in second
    assert f"/claims/?recap_file={recap.pk}" in second
    assert marked(second, "created") == {"settled_claims": "120"}


def test_reading_a_file_and_its_rows_is_audited(stat: File, browser: Browser) -> None:
    client = browser("togo_admin")
    opened(client, f"/files/{stat.pk}/")
    opened(client, f"/files/{stat.pk}/preview/")
    opened(client, f"/files/{stat.pk}/preview/?sheet=None+such", status=400)
    entries = AuditEntry.objects.filter(
        object_id=stat.pk, object_type="file_handling.file", actor__username="togo_admin"
    )
    assert [(entry.action, entry.success) for entry in entries.order_by("pk")] == [
        ("read", True),
        ("preview", True),
        ("preview", False),
    ]


@pytest.mark.parametrize(
    ("name", "reads", "deletes"),
    [
        ("superuser", 200, 200),
        ("global_admin", 200, 403),
        ("togo_admin", 200, 200),
        ("togo_head", 200, 200),
        ("rival_head", 403, 403),
        ("togo_operator", 403, 403),
        ("benin_admin", 403, 403),
    ],
)
def test_who_reads_and_who_deletes(name: str, reads: int, deletes: int, stat: File, browser: Browser) -> None:
    client = browser(name)
    for part in ("", "preview/"):
        page = opened(client, f"/files/{stat.pk}/{part}", status=reads)
        assert ("PERSON 1" in page) == (reads == 200 and part == "preview/" and "PERSON 1" in page)
    opened(client, f"/files/{stat.pk}/delete/", status=deletes)
    if deletes == 403:
        assert client.post(f"/files/{stat.pk}/delete/", {"force": "yes"}).status_code == 403
        assert File.objects.filter(pk=stat.pk).exists()
    opened(client, "/files/999999/", status=403 if name == "togo_operator" else 404)


# ------------------------------------------------------------------------------------------------ preview


def test_the_rows_have_the_numbers_that_a_spreadsheet_shows(outcome: Outcome, stat: File, browser: Browser) -> None:
    client = browser("togo_admin")
    address = f"/files/{stat.pk}/preview/?sheet=Sinistres"
    page = opened(client, address)
    assert numbers(page) == list(range(1, 51))
    rows = marked(page, "row")
    assert rows["1"].startswith("1 Title 1")
    assert "Nom bénéficiaire" in rows["3"]
    assert 'data-row="3" class="header-row"' in page
    # Two titles and the header stand above the first line.
    assert "PERSON 1" in rows["4"]
    around = opened(client, f"{address}&row=100")
    assert numbers(around) == list(range(85, 124))
    assert 'data-row="100" class="marked" id="marked"' in around
    assert "PERSON 97" in marked(around, "row")["100"]
    # Each row is that which the claim lines name as their source.
    for source in core.ClaimLine.objects.select_related("claim").filter(row__gte=85, row__lte=123):
        assert source.claim.number in marked(around, "row")[str(source.row)]


def test_one_can_go_fifty_rows_on_and_back_and_choose_the_sheet(stat: File, browser: Browser) -> None:
    client = browser("togo_admin")
    first = opened(client, f"/files/{stat.pk}/preview/")
    assert 'href="?sheet=Notes" aria-current="page"' in first
    assert 'href="?sheet=Sinistres"' in first
    assert numbers(first) == [1, 2, 3, 4]
    second = opened(client, f"/files/{stat.pk}/preview/?sheet=Sinistres")
    assert 'rel="prev"' not in second
    assert 'rel="next" href="?sheet=Sinistres&amp;from=51"' in second
    on = opened(client, f"/files/{stat.pk}/preview/?sheet=Sinistres&from=51")
    assert numbers(on) == list(range(51, 101))
    assert 'rel="prev" href="?sheet=Sinistres&amp;from=1"' in on
    last = opened(client, f"/files/{stat.pk}/preview/?sheet=Sinistres&from=101")
    assert 'rel="next"' not in last


def test_a_row_leads_to_the_records_that_came_from_it_where_there_are_any(
    stat: File, recap: File, browser: Browser
) -> None:
    client = browser("togo_admin")
    page = opened(client, f"/files/{stat.pk}/preview/?sheet=Sinistres")
    assert f'href="/sources/?file={stat.pk}&amp;sheet=Sinistres&amp;row=4"' in page
    assert 'row=3"' not in page
    assert "/sources/" not in opened(client, f"/files/{stat.pk}/preview/?sheet=Notes")
    assert f'href="/sources/?file={recap.pk}&amp;sheet=&amp;row=2"' in opened(client, f"/files/{recap.pk}/preview/")


def test_a_row_beyond_the_end_is_named_and_the_last_rows_are_shown(stat: File, browser: Browser) -> None:
    page = opened(browser("togo_admin"), f"/files/{stat.pk}/preview/?sheet=Sinistres&row=5000")
    assert "This sheet ends at row 123: it has no row 5,000." in words(page)
    assert numbers(page) == list(range(74, 124))


@pytest.mark.parametrize("query", ["row=abc", "row=0", "row=-3", "from=x", "row=99999999999999999999"])
def test_a_row_that_is_no_number_is_refused_in_words(query: str, stat: File, browser: Browser) -> None:
    page = opened(browser("togo_admin"), f"/files/{stat.pk}/preview/?{query}", status=400)
    assert "A row is a whole number" in page or "has no row" in page


def test_a_file_that_the_reader_refuses_shows_the_true_reason(cast: Cast, browser: Browser) -> None:
    file = make_file(user=cast.togo_head, country=cast.togo, name="broken.xlsx")
    Path(file.file.path).write_bytes(b"PK\x03\x04 not a workbook")
    page = opened(browser("togo_admin"), f"/files/{file.pk}/preview/", status=400)
    assert "Error reading file: “broken.xlsx”" in words(page)
    assert "damaged or was cut short" in words(page)
    Path(file.file.path).unlink()
    page = opened(browser("togo_admin"), f"/files/{file.pk}/preview/", status=400)
    assert "no longer stored" in words(page) or "not stored" in words(page)


def test_a_sheet_is_read_once_and_forgotten_with_its_file(
    stat: File, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Any] = []
    whole_sheet = process.whole_sheet

    def counted(file: Any, **options: Any) -> Any:
        read.append(file)
        return whole_sheet(file, **options)

    monkeypatch.setattr(process, "whole_sheet", counted)
    client = browser("togo_admin")
    kept = Path(settings.UPLOAD_DIR) / "sheets"
    opened(client, f"/files/{stat.pk}/preview/")
    for query in ("sheet=Notes", "sheet=Notes&row=2", "sheet=Sinistres", "sheet=Sinistres&row=90"):
        opened(client, f"/files/{stat.pk}/preview/?{query}")
    assert len(read) == 2
    assert kept.stat().st_mode & 0o077 == 0
    assert list(kept.glob("*.arrow"))
    # What nobody has looked at for some minutes goes when another sheet is read.
    for path in kept.iterdir():
        os.utime(path, (1, 1))
    other = File.objects.filter(file_type="recap").first()
    assert other is not None
    opened(client, f"/files/{other.pk}/preview/")
    assert len(list(kept.glob("*.arrow"))) == 1
    opened(client, f"/files/{stat.pk}/preview/")
    ImportSession.objects.update(status="DONE")
    client.post(f"/files/{stat.pk}/delete/", {"force": "yes"})
    assert not File.objects.filter(pk=stat.pk).exists()
    assert len(list(kept.glob("*.arrow"))) == 1
    sheets.forget_sheets(other)
    assert list(kept.iterdir()) == []


def test_no_page_takes_more_statements_for_a_large_file_or_a_long_list(
    cast: Cast, stat: File, recap: File, browser: Browser
) -> None:
    client = browser("togo_admin")
    addresses = [f"/files/{stat.pk}/preview/?sheet=Sinistres", f"/files/{recap.pk}/", "/files/?page_size=2"]
    few = [statements(client, address) for address in addresses]
    make_file(user=cast.togo_head, country=cast.togo, name="one.csv")
    File.objects.bulk_create(
        [File(name=f"f{n}", user=cast.togo_head, file=f"f{n}", sha256="0", country=cast.togo) for n in range(60)]
    )
    File.objects.bulk_create(
        [
            File(name=f"p{n}", user=cast.togo_head, file=f"p{n}", sha256="0", country=cast.togo, first_page=recap)
            for n in range(200)
        ]
    )
    many = [statements(client, address) for address in addresses]
    assert many[:2] == few[:2]
    assert many[2] <= few[2] + 1


# ------------------------------------------------------------------------------------------------ deletion


def test_a_file_is_deleted_after_its_page_has_said_what_stays(outcome: Outcome, stat: File, browser: Browser) -> None:
    client = browser("togo_head")
    page = opened(client, f"/files/{stat.pk}/delete/")
    assert f"Import {outcome.id}" in words(page)
    assert marked(page, "created")["claims"] == "120"
    response = client.post(f"/files/{stat.pk}/delete/", {"force": "yes"})
    assert response.headers["Location"] == "/files/"
    assert core.Claim.objects.count() == 120
    opened(client, f"/files/{stat.pk}/", status=404)


def test_a_file_that_an_import_still_needs_is_kept_and_the_reason_is_given(cast: Cast, browser: Browser) -> None:
    ApiUser.for_user(cast.togo_head).send(*matching_pair(line("A1")))
    file = File.objects.get(file_type="stat")
    answer = browser("togo_head").post(f"/files/{file.pk}/delete/", {"force": "yes"}, follow=True)
    assert "still needs this file" in answer.content.decode()
    assert File.objects.filter(pk=file.pk).exists()


def test_the_download_is_that_of_the_api(stat: File, browser: Browser) -> None:
    client = browser("togo_admin")
    page = opened(client, f"/files/{stat.pk}/")
    address = f"/api/v1/files/{stat.pk}/download/"
    assert f'href="{address}"' in page
    assert content_of(client.get(address)) == Path(stat.file.path).read_bytes()
