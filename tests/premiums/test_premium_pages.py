"""Premiums on pages: entered, changed, deleted after a question, imported after a preview, shown with their client."""

from __future__ import annotations

import re
from typing import Any

import pytest

from core.models import Client, Premium
from tests.support.browser import Browser
from tests.support.cast import Cast
from tests.support.html import Page
from tests.support.page_text import opened
from tests.support.premium_sheets import make_client, sheet_text

FORM = {
    "client": "port du golfe", "amount": "1 200 000", "start": "2024-01-01", "end": "2024-12-31",
    "insured_count": "40", "note": "",
}  # fmt: skip


@pytest.fixture
def port(cast: Cast) -> Client:
    return make_client(cast.togo, "PORT DU GOLFE")


def text(response: Any) -> str:
    return Page(response.content.decode()).text


def test_a_premium_is_entered_changed_and_deleted_after_a_question(browser: Browser, port: Client) -> None:
    head = browser("togo_head")
    entered = head.post("/premiums/new/", FORM, follow=True)
    premium = Premium.objects.get()
    assert entered.redirect_chain == [(f"/premiums/{premium.pk}/", 302)]
    assert "The premium of 1,200,000\xa0F\xa0CFA was saved." in text(entered)
    assert (premium.client, premium.amount, premium.insured_count) == (port, 1200000, 40)

    form = opened(head, f"/premiums/{premium.pk}/change/")
    assert 'value="1200000"' in form
    assert 'value="2024-12-31"' in form
    changed = head.post(f"/premiums/{premium.pk}/change/", FORM | {"amount": "1.300.000,50"}, follow=True)
    premium.refresh_from_db()
    assert str(premium.amount) == "1300000.50"
    rows = Page(changed.content.decode()).rows
    assert ["Amount: 1,200,000\xa0F\xa0CFA", "Amount: 1,300,000.50\xa0F\xa0CFA"] in [row[3:] for row in rows]

    asked = opened(head, f"/premiums/{premium.pk}/delete/")
    assert "from 01/01/2024 to 31/12/2024, will count in no figure any more" in Page(asked).text
    assert Premium.objects.count() == 1
    deleted = head.post(f"/premiums/{premium.pk}/delete/", follow=True)
    assert "The premium was deleted." in text(deleted)
    assert not Premium.objects.exists()
    history = opened(browser("togo_operator"), f"/premiums/{premium.pk}/")
    assert "This premium was deleted." in Page(history).text
    changes = Page(opened(head, f"/premiums/changes/?premium={premium.pk}")).rows
    assert [row[2] for row in changes[1:]] == ["deleted", "changed", "entered"]


def test_the_form_says_what_is_wrong_and_keeps_what_was_typed(browser: Browser, cast: Cast, port: Client) -> None:
    head = browser("togo_head")
    refused = head.post("/premiums/new/", FORM | {"client": "PORT DE GOLFE", "amount": "lots"})
    assert (refused.status_code, Premium.objects.count()) == (400, 0)
    assert "The nearest name is “PORT DU GOLFE”." in text(refused)
    assert "This is no amount." in text(refused)
    assert 'value="PORT DE GOLFE"' in refused.content.decode()
    assert '<option value="PORT DU GOLFE">' in refused.content.decode()
    head.post("/premiums/new/", FORM)
    again = head.post("/premiums/new/", FORM | {"start": "2024-12-31", "end": "2025-06-30"})
    assert f"It overlaps premium {Premium.objects.get().pk} of this client" in text(again)
    # Who has no country of their own names it.
    root = browser("superuser")
    assert root.post("/premiums/new/", FORM | {"start": "2025-01-01", "end": "2025-12-31"}).status_code == 400
    named = FORM | {"start": "2025-01-01", "end": "2025-12-31", "country": cast.togo.pk}
    assert root.post("/premiums/new/", named).status_code == 302
    assert Premium.objects.filter(client=port).count() == 2


def test_a_file_is_shown_row_by_row_and_written_when_it_is_confirmed(browser: Browser, port: Client) -> None:
    head = browser("togo_head")
    lines = ["PORT DU GOLFE;1200000;01/01/2024;31/12/2024;40", "PORT DE GOLFE;5;01/01/2024;31/12/2023;"]
    shown = head.post("/premiums/import/", {"file": sheet_text(*lines)}).content.decode()
    assert "Nothing is written yet." in shown
    assert not Premium.objects.exists()
    rows = Page(shown).rows
    assert rows[1][:7] == [
        "–", "2", "PORT DU GOLFE", "1,200,000\xa0F\xa0CFA", "01/01/2024", "31/12/2024", "40",
    ]  # fmt: skip
    assert "rejected" in rows[2][7]
    assert "The end (31/12/2023) is before the start (01/01/2024)." in rows[2][7]
    signed = re.search(r'name="signed_rows" value="([^"]+)"', shown)
    assert signed is not None
    forged = head.post("/premiums/import/", {"signed_rows": signed[1] + "x"})
    assert (forged.status_code, Premium.objects.count()) == (400, 0)
    assert browser("togo_admin").post("/premiums/import/", {"signed_rows": signed[1]}).status_code == 400
    written = head.post("/premiums/import/", {"signed_rows": signed[1]}).content.decode()
    premium = Premium.objects.get()
    assert (premium.file_name, premium.row, premium.client) == ("primes.csv", 2, port)
    assert (f"Premium {premium.pk}", f"/premiums/{premium.pk}/") in Page(written).links
    # Sent once more, it changes nothing.
    again = head.post("/premiums/import/", {"signed_rows": signed[1]}).content.decode()
    assert "already there: 1" in Page(again).text
    assert "lacks the column" in text(head.post("/premiums/import/", {"file": sheet_text("a", header="Client;Prime")}))


def test_the_page_of_a_client_lists_its_premiums_with_links(browser: Browser, cast: Cast, port: Client) -> None:
    head, reader = browser("togo_head"), browser("togo_operator")
    assert "This client has no premium." in Page(opened(reader, f"/clients/{port.pk}/")).text
    for year in (2023, 2024):
        head.post("/premiums/new/", FORM | {"start": f"{year}-01-01", "end": f"{year}-12-31"})
    page = Page(opened(reader, f"/clients/{port.pk}/"))
    newest, oldest = Premium.objects.order_by("-start")
    assert [row for row in page.rows if row and row[0].startswith("Premium ")] == [
        [f"Premium {newest.pk}", "01/01/2024", "31/12/2024", "1,200,000\xa0F\xa0CFA", "40"],
        [f"Premium {oldest.pk}", "01/01/2023", "31/12/2023", "1,200,000\xa0F\xa0CFA", "40"],
    ]
    assert ("New premium", f"/premiums/new/?client={port.pk}") not in page.links
    link = f"/premiums/new/?client={port.pk}"
    assert ("New premium", link) in Page(opened(head, f"/clients/{port.pk}/")).links
    assert 'value="PORT DU GOLFE"' in opened(head, link)


def test_the_list_adds_premiums_up_by_currency_and_offers_files(browser: Browser, cast: Cast, port: Client) -> None:
    head = browser("togo_head")
    for year, amount in ((2023, "100"), (2024, "200.50")):
        head.post("/premiums/new/", FORM | {"amount": amount, "start": f"{year}-01-01", "end": f"{year}-12-31"})
    page = Page(opened(browser("togo_operator"), "/premiums/"))
    assert "Premiums 300.50\xa0F\xa0CFA" in page.text
    assert ("New premium", "/premiums/new/") not in page.links
    assert ("XLSX", "/api/v1/premiums/export/?format=xlsx") in page.links
    assert len(Page(opened(head, "/premiums/?covers=2024-06-30")).rows) == 2
    assert browser("global_admin").get("/premiums/new/").status_code == 403
