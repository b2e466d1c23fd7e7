"""The page of a new import: its form without a script, and what it gives to the script."""

from __future__ import annotations

import datetime as dt
import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from file_handling.models import File, ImportSession
from tests.api.test_uploads import archive, workbook
from tests.support.browser import Browser
from tests.support.cast import Cast
from tests.support.pairs import RECAP_HEADER, recap_upload, stat_upload
from tests.support.storage import stored_names

PAGE, WAITING, FILES = "/imports/new/", "/imports/new/waiting/", "/api/v1/files/"
ROLES = {"superuser": {"country": "TG"}, "togo_admin": {}, "togo_head": {}}


@pytest.fixture(autouse=True)
def _own_storage(own_storage: Path) -> None:
    pass


def send(browser: Browser, name: str = "togo_head", language: str = "en", **form: Any) -> Any:
    """Send the form as a browser without scripts does; `form` replaces fields, None leaves one out."""
    fields = {"stat_file": stat_upload(), "recap_file": recap_upload(), "dry_run": "false", "on_conflict": "report"}
    fields |= {"idempotency_key": "k1"} | form
    sent = {field: value for field, value in fields.items() if value is not None}
    return browser(name).post(PAGE, sent, headers={"accept-language": language})


def reasons(response: Any, field: str) -> list[str]:
    """The problems beside a field."""
    found = re.search(rf'<ul class="errorlist" id="{field}-errors">(.*?)</ul>', response.content.decode(), re.DOTALL)
    return [] if found is None else [unescape(text) for text in re.findall(r"<li>(.*?)</li>", found[1])]


def script_settings(response: Any) -> dict[str, Any]:
    found = re.search(r'<script id="new-import-settings"[^>]*>(.*?)</script>', response.content.decode(), re.DOTALL)
    assert found is not None
    return dict(json.loads(found[1]))


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("name", ROLES)
def test_a_pair_is_imported_by_the_plain_form(name: str, language: str, cast: Cast, browser: Browser) -> None:
    shown = browser(name).get(PAGE, headers={"accept-language": language})
    assert shown.status_code == 200
    assert f'<html lang="{language}">' in shown.content.decode()
    pages = [recap_upload(name="1.csv"), recap_upload(name="2.csv", text=f"{RECAP_HEADER}\nS-2;10/03/2024;1;1\n")]
    response = send(browser, name, language, recap_file=pages, **ROLES[name])
    session = ImportSession.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"/imports/{session.pk}/")
    assert (session.user, session.country, session.language) == (cast.users[name], cast.togo, language)
    assert (session.dry_run, session.on_conflict, session.status) == (False, "report", "PENDING")
    assert [page.name for page in session.recap_file.all_pages()] == ["1.csv", "2.csv"]


@pytest.mark.parametrize("name", ["togo_operator", "global_admin", "homeless_admin", "homeless_head"])
def test_an_account_that_may_not_import_has_no_such_page(name: str, browser: Browser) -> None:
    assert browser(name).get(PAGE).status_code == 403
    assert send(browser, name, country="TG").status_code == 403
    assert browser(name).get(WAITING).status_code == 403
    assert not ImportSession.objects.exists()


def test_without_an_account_the_page_leads_to_the_sign_in(browser: Browser) -> None:
    assert browser("anonymous").get(PAGE)["Location"].startswith("/sign-in/?next=")
    assert send(browser, "anonymous").status_code == 302
    assert not File.objects.exists()


def test_only_a_superuser_chooses_the_country(cast: Cast, browser: Browser) -> None:
    choice = browser("superuser").get(PAGE).content.decode()
    assert '<option value="TG">Togo</option>' in choice
    assert "Closed" not in choice
    assert b'name="country"' not in browser("togo_admin").get(PAGE).content
    refused = send(browser, "superuser")
    assert refused.status_code == 400
    assert len(reasons(refused, "country")) == 1
    assert send(browser, "togo_admin", country="BJ").status_code == 400
    assert not ImportSession.objects.exists()


def test_all_problems_are_shown_at_once_each_beside_its_field(browser: Browser, own_storage: Path) -> None:
    response = send(
        browser,
        stat_file=recap_upload(name="swapped.csv"),
        recap_file=[recap_upload(name="empty.csv", text=" "), stat_upload(name="also.csv")],
        currency="?",
        on_conflict="overwrite",
        stat_sheet="x" * 300,
    )
    assert response.status_code == 400
    (swapped,) = reasons(response, "stat_file")
    assert "“swapped.csv” was given as the stat file" in swapped
    assert ["empty.csv" in text or "also.csv" in text for text in reasons(response, "recap_file")] == [True, True]
    assert len(reasons(response, "currency")) == len(reasons(response, "on_conflict")) == 1
    assert len(reasons(response, "stat_sheet")) == 1
    assert 'id="currency" maxlength="3" size="5" value="?"' in response.content.decode()
    assert stored_names(own_storage) == []
    assert not ImportSession.objects.exists()


def test_problems_are_in_the_language_of_the_reader(browser: Browser) -> None:
    response = send(browser, language="fr", stat_file=recap_upload(name="swapped.csv"))
    assert "fichier récap" in reasons(response, "stat_file")[0]
    assert "was given as" not in response.content.decode()


def test_both_files_are_required(browser: Browser) -> None:
    response = send(browser, stat_file=None, recap_file=None)
    assert len(reasons(response, "stat_file")) == len(reasons(response, "recap_file")) == 1


def test_a_sheet_is_named_in_the_form(browser: Browser) -> None:
    assert send(browser, stat_file=workbook("Jan", "Feb"), stat_sheet="Feb").status_code == 302
    assert ImportSession.objects.get().stat_sheet == "Feb"
    refused = send(browser, stat_file=workbook("Jan", "Feb"), stat_sheet="Mar", idempotency_key="k2")
    assert "“Jan”, “Feb”" in reasons(refused, "stat_sheet")[0]
    assert 'value="Mar"' in refused.content.decode()


def test_the_choices_reach_the_import_and_stay_in_a_refused_form(browser: Browser) -> None:
    choices = {"dry_run": "true", "on_conflict": "update", "currency": "eur"}
    refused = send(browser, stat_file=None, **choices).content.decode()
    for name, value in (("dry_run", "true"), ("on_conflict", "update")):
        assert f'name="{name}" value="{value}" checked' in refused
    assert send(browser, **choices).status_code == 302
    session = ImportSession.objects.get()
    assert (session.dry_run, session.on_conflict, session.currency) == (True, "update", "EUR")


def test_a_zip_of_pages_is_accepted(browser: Browser) -> None:
    good = recap_upload().read().decode()
    assert send(browser, recap_file=archive(a__csv=good, b__csv=good)).status_code == 302
    assert len(ImportSession.objects.get().recap_file.all_pages()) == 2


def test_a_form_that_is_sent_twice_starts_one_import(browser: Browser) -> None:
    first, again = send(browser), send(browser)
    assert first["Location"] == again["Location"]
    assert ImportSession.objects.count() == 1
    other = send(browser, dry_run="true")
    assert other.status_code == 422
    assert "key was used" in other.content.decode()
    keys = re.compile(r'name="idempotency_key" value="([^"]+)"')
    shown = [keys.search(browser("togo_head").get(PAGE).content.decode()) for _ in range(2)]
    assert all(shown)
    assert shown[0][1] != shown[1][1]  # type: ignore[index]


def test_the_limits_of_the_installation_are_shown_before(browser: Browser, settings: Any) -> None:
    settings.CONCORD = settings.CONCORD | {
        "MAX_FILE_BYTES": 7 << 20, "MAX_POST_BYTES": 23 << 20, "MAX_PAGES": 41
    }  # fmt: skip
    response = browser("togo_head").get(PAGE, headers={"accept-language": "en"})
    text = response.content.decode()
    assert "at most 7 MB" in text
    assert "at most 23 MB" in text
    assert "at most 41 pages" in text
    given = script_settings(response)
    assert (given["maxBytes"], given["maxPages"]) == (7 << 20, 41)


def test_the_addresses_of_the_script_exist(cast: Cast, browser: Browser) -> None:
    client = browser("togo_head")
    given = script_settings(client.get(PAGE))
    sent = client.post(given["files"], {"file": recap_upload()})
    assert sent.status_code == 201
    assert client.get(given["waiting"]).status_code == 200
    assert client.delete(f"{given['files']}{sent.json()['id']}/").status_code == 204
    assert client.post(given["sessions"], {}, content_type="application/json").status_code == 400
    assert given["page"].replace("/0/", "/7/") == "/imports/7/"


def test_files_that_were_sent_and_not_imported_are_offered_again(cast: Cast, browser: Browser) -> None:
    client = browser("togo_head")
    bad = recap_upload(name="bad.csv", text=RECAP_HEADER.replace("date_reglement", "jour") + "\n")
    for upload in (recap_upload(), bad, workbook("Jan", "Feb")):
        assert client.post(FILES, {"file": upload}).status_code == 201
    offered = client.get(WAITING).json()["files"]
    assert [(file["name"], file["recognised_as"], file["sheets"]) for file in offered] == [
        ("stat.xlsx", "stat", ["Jan", "Feb"]),
        ("recap.csv", "recap", []),
        ("bad.csv", "recap", []),
    ]
    assert [[problem["code"] for problem in file["problems"]] for file in offered] == [[], [], ["missing_columns"]]
    assert {file["country"]["code"] for file in offered} == {"TG"}


def test_only_the_own_unused_files_of_the_last_day_are_offered(cast: Cast, browser: Browser) -> None:
    client = browser("togo_head")
    assert client.post(FILES, {"file": recap_upload(name="old.csv")}).status_code == 201
    File.objects.update(uploaded_at=timezone.now() - dt.timedelta(hours=25))
    assert browser("rival_head").post(FILES, {"file": recap_upload(name="rival.csv")}).status_code == 201
    assert send(browser).status_code == 302
    assert client.get(WAITING).json() == {"files": []}
    # An admin may see all these files in the list of files; this page offers the own ones only.
    assert browser("togo_admin").get(WAITING).json() == {"files": []}


def test_files_of_a_country_that_the_account_left_are_not_offered(cast: Cast, browser: Browser) -> None:
    assert browser("togo_head").post(FILES, {"file": recap_upload()}).status_code == 201
    cast.togo_head.country = cast.benin
    cast.togo_head.save()
    assert browser("togo_head").get(WAITING).json() == {"files": []}


def test_the_page_takes_few_statements_however_many_files_wait(
    cast: Cast, browser: Browser, django_assert_max_num_queries: Any
) -> None:
    client = browser("togo_head")
    for number in range(15):
        text = f"{RECAP_HEADER}\nS-{number};10/03/2024;1;1\n"
        assert client.post(FILES, {"file": recap_upload(name=f"{number}.csv", text=text)}).status_code == 201
    with django_assert_max_num_queries(12):
        assert client.get(PAGE).status_code == 200
    with django_assert_max_num_queries(12):
        assert len(client.get(WAITING).json()["files"]) == 15
