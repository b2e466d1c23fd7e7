"""The search over all records: what it finds, for whom, how fast, and what it leaves in the audit trail."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from structlog.testing import capture_logs

from core import models as core
from tests.records.test_query_counts import MOST, grow
from tests.support.browser import Browser
from tests.support.cast import SHUT_OUT, Cast
from tests.support.reading import read
from tests.support.records import Records, make_claim
from users.models import AuditEntry


@pytest.fixture
def people(cast: Cast, togo: Records) -> Records:
    def person(name: str, key: str, card: str = "") -> core.Insured:
        return core.Insured.objects.create(
            country=cast.togo, name=name, name_key=key, card_number=card, card_key=card.replace("-", "")
        )

    lawson = person("LAWSON AFI", "AFI LAWSON", "77-1234")
    core.InsuredSpelling.objects.create(insured=lawson, name="LAWSSON AFI", name_key="AFI LAWSSON")
    person("AFIWA MENSAH", "AFIWA MENSAH")
    core.Partner.objects.create(country=cast.togo, name="CLINIQUE LAWSON", key="CLINIQUE LAWSON")
    make_claim(togo.rows, cast.togo, "RG771234001")
    make_claim(togo.rows, cast.togo, "RG7712340019")
    return togo


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("TOGOCANARY-1", ["TOGOCANARY-1"]),
        ("togocanary - 1", ["TOGOCANARY-1"]),
        # The whole number first, then the numbers that contain it.
        ("rg771234001", ["RG771234001", "RG7712340019"]),
        ("0019", ["RG7712340019"]),
        ("77-1234", ["LAWSON AFI"]),
        ("771234", ["RG771234001", "RG7712340019", "LAWSON AFI"]),
        ("Afi Lawson", ["LAWSON AFI"]),
        ("láw af", ["LAWSON AFI"]),
        ("lawsson", ["LAWSON AFI"]),
        ("lawson", ["LAWSON AFI", "CLINIQUE LAWSON"]),
        ("afi", ["LAWSON AFI", "TOGOCANARY AFI", "AFIWA MENSAH"]),
        ("45/togo", ["45/TOGOCANARY"]),
        ("port", ["TOGOCANARY PORT"]),
        ("nobody", []),
    ],
)
def test_records_are_found_by_what_people_have_at_hand(
    text: str, found: list[str], browser: Browser, people: Records
) -> None:
    page = read(browser("togo_operator"), f"/search/?q={text}")
    assert page.status == 200
    titles = [text for at, text in page.links if at.rstrip("/")[-1].isdigit()]
    assert titles == found
    assert ("Nothing was found" in page.text) == (not found)


def test_a_search_shows_the_countries_of_its_reader_alone(browser: Browser, togo: Records, benin: Records) -> None:
    for text in ("CANARY-1", "AFI", "CLINIC", "PORT", "45", "TOGOCANARY", "BENINCANARY"):
        for account, others in (("togo_operator", "BENINCANARY"), ("benin_admin", "TOGOCANARY")):
            page = read(browser(account), f"/search/?q={text}")
            assert page.status == 200
            shown = page.text.replace(f"“{text}”", "") + str(page.links)
            assert others not in shown, (text, account)
    both = read(browser("global_admin"), "/search/?q=afi")
    assert [text for _at, text in both.links if "CANARY AFI" in text] == ["BENINCANARY AFI", "TOGOCANARY AFI"]
    # Names of the countries tell them apart.
    assert "C-TOGOCANARY · Togo" in both.text
    for account in SHUT_OUT:
        assert read(browser(account), "/search/?q=afi").status in (302, 403)
    assert browser("anonymous").get("/search/?q=afi").status_code == 302


def test_a_group_with_many_results_leads_to_the_list_with_the_same_search(
    browser: Browser, cast: Cast, togo: Records
) -> None:
    grow(cast, togo, start=0, end=30)
    page = read(browser("togo_admin"), "/search/?q=N0")
    (whole,) = page.leads_to("/claims/?")
    assert whole == "/claims/?search=N0"
    assert len([at for at in page.leads_to("/claims/") if at != whole]) == 10
    assert read(browser("togo_admin"), whole).body_rows >= 30


def test_a_search_is_audited_with_kinds_and_counts_and_its_text_is_nowhere(browser: Browser, people: Records) -> None:
    with capture_logs() as logs:
        read(browser("togo_operator"), "/search/?q=lawson")
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.actor.username, entry.country_id) == ("read", "togo_operator", people.file.country_id)
    assert entry.data == {"part": "search", "rows": 2, "insured": 1, "partners": 1}
    assert "lawson" not in str([*logs, entry.data, entry.object_label]).lower()


@pytest.mark.parametrize("text", ["", "   ", "a", "-", "/ ."])
def test_without_a_text_to_search_the_page_says_what_can_be_typed(text: str, browser: Browser, togo: Records) -> None:
    before = AuditEntry.objects.count()
    page = read(browser("togo_operator"), f"/search/?q={text}")
    assert page.status == 200
    assert "a whole card number" in page.text
    assert ("Type at least two letters or digits." in page.text) == bool(text.strip())
    assert AuditEntry.objects.count() == before


def test_a_text_is_never_markup_and_may_be_long(browser: Browser, togo: Records) -> None:
    page = read(browser("togo_operator"), "/search/?q=<script>x1</script>" + "z" * 400)
    assert page.status == 200
    assert "<script>x1" not in page.source


def test_digits_alone_are_not_compared_with_names(browser: Browser, togo: Records) -> None:
    with CaptureQueriesContext(connection) as captured:
        read(browser("togo_operator"), "/search/?q=771234")
    read_tables = " ".join(one["sql"] for one in captured)
    assert "core_insuredspelling" not in read_tables
    assert 'FROM "core_client"' not in read_tables


@pytest.mark.parametrize("text", ["N0", "lawson", "771234", "nobody at all"])
def test_a_search_takes_few_statements_however_many_records_there_are(
    text: str, browser: Browser, cast: Cast, togo: Records
) -> None:
    grow(cast, togo, start=0, end=60)
    for account in ("togo_operator", "global_admin"):
        client = browser(account)
        with CaptureQueriesContext(connection) as captured:
            assert read(client, f"/search/?q={text}").status == 200
        assert len(captured) <= MOST, account
