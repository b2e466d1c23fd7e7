"""The page of the audit trail: the entries that its reader may see, filters, files."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.support.browser import Browser
from tests.support.cast import ACCOUNTS, Cast
from tests.support.responses import content_of
from users import audit
from users.models import AuditAction

READERS = ("superuser", "global_admin", "togo_admin", "benin_admin")


@pytest.fixture
def entries(cast: Cast) -> None:
    for name, country, label in (
        ("togo_head", cast.togo, "TOGO-FILE"),
        ("benin_head", cast.benin, "BENIN-FILE"),
    ):
        audit.record(
            actor=cast.users[name],
            action=AuditAction.DOWNLOAD,
            target=cast.users[name],
            country_id=country.pk,
            label=label,
            data={"rows": 3, "filters": ["client", "search"], "by_link": True},
        )
    audit.record(actor=None, action=AuditAction.LOGIN, target=cast.togo_admin.__class__(), success=False)


@pytest.mark.parametrize("name", [name for name, _role, _country in ACCOUNTS])
def test_the_trail_is_for_administrators_each_with_the_entries_of_the_own_country(
    name: str, entries: None, browser: Browser
) -> None:
    page = browser(name).get("/audit/")
    if name not in READERS:
        # The session of an account ends with its country.
        assert page.status_code == (302 if name.startswith("closed_") else 403)
        return
    text = page.content.decode()
    assert page.status_code == 200
    assert ("TOGO-FILE" in text) is (name != "benin_admin")
    assert ("BENIN-FILE" in text) is (name != "togo_admin")
    # A failed attempt belongs to no country.
    assert len(re.findall("<td[^>]*>signed in</td>", text)) == (1 if name in ("superuser", "global_admin") else 0)


def test_an_entry_says_what_was_done_in_words(entries: None, browser: Browser) -> None:
    text = browser("togo_admin").get("/audit/").content.decode()
    assert "downloaded" in text
    assert "by link: yes, filters: client search, rows: 3" in text


def test_the_filters_are_those_of_the_api_and_the_files_have_them_too(
    entries: None, cast: Cast, browser: Browser
) -> None:
    client = browser("superuser")
    text = client.get(f"/audit/?actor={cast.togo_head.pk}").content.decode()
    assert "TOGO-FILE" in text
    assert "BENIN-FILE" not in text
    assert "TOGO-FILE" not in client.get("/audit/?action=login").content.decode()
    assert "TOGO-FILE" not in client.get("/audit/?success=false").content.decode()
    assert "TOGO-FILE" not in client.get("/audit/?at_after=2999-01-01").content.decode()
    address = re.search(r'href="(/api/v1/audit/export/\?[^"]*format=csv[^"]*)"', text)
    assert address
    file = content_of(client.get(address[1].replace("&amp;", "&"))).decode("utf-8-sig")
    assert "TOGO-FILE" in file
    assert "BENIN-FILE" not in file
    for wrong in ("action=fly", "actor=x", "at_after=yesterday", "acteur=1"):
        assert client.get(f"/audit/?{wrong}").status_code == 400, wrong


def test_a_name_leads_to_its_entries_and_an_object_to_its_history(entries: None, cast: Cast, browser: Browser) -> None:
    text = browser("superuser").get("/audit/").content.decode()
    assert f'href="?actor={cast.togo_head.pk}"' in text
    assert f'href="?object_type=users.user&amp;object_id={cast.togo_head.pk}"' in text


def test_the_newest_entry_is_first_and_the_oldest_on_request(entries: None, browser: Browser) -> None:
    client = browser("superuser")
    newest, oldest = (client.get(f"/audit/{query}").content.decode() for query in ("", "?ordering=id"))
    assert newest.index("BENIN-FILE") < newest.index("TOGO-FILE")
    assert oldest.index("TOGO-FILE") < oldest.index("BENIN-FILE")


def test_the_page_takes_few_statements(entries: None, cast: Cast, browser: Browser) -> None:
    for _ in range(70):
        audit.record(actor=cast.togo_head, action=AuditAction.READ, target=cast.togo_head)
    client = browser("superuser")
    with CaptureQueriesContext(connection) as statements:
        assert client.get("/audit/").status_code == 200
    assert len(statements) <= 12
