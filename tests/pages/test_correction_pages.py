"""Correcting the cells of a finding on its page, and what the page of the corrected import shows (DOMAIN §13)."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client

from file_handling.models import Correction, ImportSession
from tests.support.api_user import ApiUser, Outcome
from tests.support.browser import Browser
from tests.support.cast import Cast
from tests.support.page_text import words
from tests.support.pairs import line, row

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def outcome(cast: Cast) -> Outcome:
    clinic = "CLINIQUE\nDU PORT"
    stat = [line("S-1"), line("S-2", "248540", partner=clinic), line("S-2", "1000", "0", partner=clinic)]
    return ApiUser.for_user(cast.togo_head).import_pair(stat, [row("S-1"), row("S-2", "248450")])


def address(outcome: Outcome) -> str:
    (gap,) = outcome.findings_in("amount_gap")
    return f"/imports/{outcome.id}/findings/{gap['sequence']}/correct/"


def form_of(client: Client, path: str) -> dict[str, str]:
    """Every input of the form as a browser would send it, unticked boxes left out."""
    page = client.get(path).content.decode()
    inputs = re.findall(r"<input ([^>]*)>", page.split('id="correct"')[1].split("</form>")[0])
    found = {}
    for attributes in inputs:
        values = dict(re.findall(r'(\w[\w-]*)="([^"]*)"', attributes))
        if values["type"] != "checkbox":
            # A text input has no line breaks.
            value = unescape(values["value"])
            found[values["name"]] = value.replace("\n", "") if values["type"] == "text" else value
    return found


def test_a_finding_is_corrected_on_its_page_and_shows_what_becomes_of_it(
    cast: Cast, browser: Browser, outcome: Outcome
) -> None:
    client, path = browser("togo_head"), address(outcome)
    assert path in client.get(path.removesuffix("correct/")).content.decode()
    form = form_of(client, path)
    assert (form["cell-0-claimed_amount"], form["cell-0-partner"]) == ("248540", "CLINIQUE DU PORT")
    answer = client.post(path, form | {"cell-0-claimed_amount": "248 450", "remove-1": "1"})
    session = ImportSession.objects.get(corrects=outcome.id)
    assert answer["Location"] == f"/imports/{session.pk}/"
    # Only what was changed is stored.
    assert set(Correction.objects.values_list("row", "field", "was", "value")) == {
        (3, "claimed_amount", "248540", "248 450"),
        (4, "", "", ""),
    }
    assert client.get(answer["Location"]).status_code == 200
    after = ApiUser.for_user(cast.togo_head).run(session.pk)
    assert after.status == "REVIEW"
    shown = words(client.get(answer["Location"]).content.decode().split('id="comparison"')[1].split("</section>")[0])
    assert "The corrections touch 1 claim" in shown
    assert "S-2 Amount gap Conform" in shown
    assert "claimed_amount 248540 → 248 450" in shown
    # The form shows the correction that is in force, and what the file has.
    again = client.get(path).content.decode()
    assert 'value="248 450"' in again
    assert "248540" in again


def test_a_day_that_the_file_has_as_a_number_is_shown_and_corrected_as_a_day(cast: Cast, browser: Browser) -> None:
    outcome = ApiUser.for_user(cast.togo_head).import_pair(
        [line("S-2", "248540", settlement_date="15/03/2024")], [row("S-2", "248450", settlement_date="45366")]
    )
    client, path = browser("togo_head"), address(outcome)
    form = form_of(client, path)
    assert form["cell-1-settlement_date"] == "15/03/2024"
    client.post(path, form | {"cell-1-settlement_date": "16/03/2024"})
    assert list(Correction.objects.values_list("field", "was", "value")) == [("settlement_date", "45366", "16/03/2024")]


def test_a_form_that_is_sent_twice_corrects_once(browser: Browser, outcome: Outcome) -> None:
    client, path = browser("togo_head"), address(outcome)
    form = form_of(client, path) | {"cell-0-claimed_amount": "248450"}
    assert client.post(path, form)["Location"] == client.post(path, form)["Location"]
    assert Correction.objects.count() == 1


def test_a_value_that_cannot_be_read_and_an_unchanged_form_are_refused_with_what_was_typed(
    browser: Browser, outcome: Outcome
) -> None:
    client, path = browser("togo_head"), address(outcome)
    form = form_of(client, path)
    refused = client.post(path, form | {"cell-0-claimed_amount": "beaucoup"})
    page = refused.content.decode()
    assert refused.status_code == 400
    assert "Row 3, claimed_amount" in page
    assert 'value="beaucoup"' in page
    assert client.post(path, form).status_code == 400
    assert not Correction.objects.exists()


def test_an_import_that_cannot_be_corrected_offers_no_form(browser: Browser, outcome: Outcome) -> None:
    client, path = browser("togo_head"), address(outcome)
    ImportSession.objects.update(status="CANCELLED")
    assert path not in client.get(path.removesuffix("correct/")).content.decode()
    assert client.get(path).status_code == 302
    assert path not in browser("global_admin").get(path.removesuffix("correct/")).content.decode()


def test_the_page_of_a_claim_says_which_rows_were_corrected(cast: Cast, browser: Browser, outcome: Outcome) -> None:
    client, path = browser("togo_head"), address(outcome)
    client.post(path, form_of(client, path) | {"cell-0-claimed_amount": "247450"})
    api = ApiUser.for_user(cast.togo_head)
    session = api.run(ImportSession.objects.get(corrects=outcome.id).pk)
    api.steer(session.id, "commit")
    assert api.run(session.id).status == "DONE"
    lines = client.get(f"/claims/{api.claim('S-2')['id']}/").content.decode().split('id="lines"')[1]
    assert [">corrected<" in one for one in lines.split("<tbody>")[1].split("</tbody>")[0].split("<tr>")[1:]] == [
        True,
        False,
    ]
