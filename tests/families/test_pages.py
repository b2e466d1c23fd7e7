"""DOMAIN §12 on the pages: a form, its preview, the own password, the list of corrections and its undo."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from common.formats import format_day
from core import models as core
from tests.support.cast import PASSWORD
from tests.support.people import dump, fit_dates, small_country
from tests.support.reading import read
from tests.support.small_country import SmallCountry
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def togo(db: None) -> SmallCountry:
    caches["throttle"].clear()
    country = small_country()
    country.claim(insured="AFI")
    country.claim(insured="AFY")
    country.claim(insured="CODJO", principal="AFI")
    country.claim(insured="BOB", policy="2")
    country.save()
    fit_dates()
    return country


@pytest.fixture
def browser(togo: SmallCountry) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(togo.user)
    return client


def text(client: Client, address: str, *, status: int = 200, **form: Any) -> str:
    response = client.post(address, form) if form else client.get(address)
    assert response.status_code == status, response.content.decode()
    return response.content.decode()


def correct(client: Client, address: str, **form: Any) -> None:
    """Preview, then confirm with the password, as the page offers it."""
    # So many wrong passwords in a minute are refused.
    caches["throttle"].clear()
    before = dump()
    assert "This would move" in text(client, address, **form)
    assert dump() == before
    refused = text(client, address, status=400, **form, password="wrong")
    assert "This is not your password" in refused
    assert dump() == before
    response = client.post(address, form | {"password": PASSWORD})
    assert response.status_code == 302, response.content.decode()
    assert dump() != before


def test_records_are_merged_named_split_and_the_corrections_undone(togo: SmallCountry, browser: Client) -> None:
    before, afi, afy = dump(), togo.insured("AFI").pk, togo.insured("AFY").pk
    assert f"/insured/{afi}/merge/" in text(browser, f"/insured/{afi}/")
    found = text(browser, f"/insured/{afi}/merge/")
    assert [f'value="{togo.insured(name).pk}"' in found for name in ("AFY", "CODJO", "BOB")] == [True, True, False]
    assert f'value="{togo.insured("BOB").pk}"' in text(browser, f"/insured/{afi}/merge/?q=bob&among=country")
    correct(browser, f"/insured/{afi}/merge/", insured=[afy])
    correct(browser, f"/insured/{afi}/name/", name="AFY")
    correct(browser, f"/insured/{afi}/name/", name="AFI")
    assert "AFY, merged on" in text(browser, f"/insured/{afi}/split/")
    correct(browser, f"/insured/{afi}/split/", insured=afy)
    listed = text(browser, f"/families/changes/?insured={afi}")
    assert "AFY → AFI" in listed
    for change in core.Change.objects.order_by("-pk"):
        address = f"/families/changes/{change.pk}/"
        caches["throttle"].clear()
        assert "Undo the correction" in text(browser, address)
        assert "not your password" in text(browser, address, status=400, password="wrong")
        assert browser.post(address, {"password": PASSWORD}).status_code == 302
        assert "Undone on" in text(browser, address)
    assert dump() == before


def test_the_page_of_a_person_shows_the_last_corrections(togo: SmallCountry, browser: Client) -> None:
    afi, afy = togo.insured("AFI").pk, togo.insured("AFY").pk
    address = f"/insured/{afi}/"
    everything = f"/families/changes/?insured={afi}"
    page = read(browser, address)
    assert "Nobody has corrected this person yet." in page.text
    assert page.leads_to("/families/changes/") == []
    correct(browser, f"/insured/{afi}/merge/", insured=[afy])
    correct(browser, f"/insured/{afi}/name/", name="AFY")
    merge, name = core.Change.objects.order_by("pk")
    browser.post(f"/families/changes/{name.pk}/", {"password": PASSWORD})
    today, who = format_day(timezone.now().date()), togo.user.display_name()

    reader = Client(headers={"accept-language": "en"})
    reader.force_login(
        User.objects.create(username="r", email="r@example.org", role="RESP_OPERATEUR", country=togo.country)
    )
    for client in (browser, reader):
        page = read(client, address)
        shown = page.text.partition("Corrections ")[2].partition("Memberships")[0]
        named, merged = (shown.index(one) for one in ("Name of a person chosen", "Records of a person merged"))
        assert f"AFI → AFY {today} · {who} · undone on {today}" in shown[named:merged]
        assert f"AFY → AFI {today} · {who}" in shown[merged:]
        assert "undone" not in shown[merged:]
        assert page.leads_to("/families/changes/") == [
            f"/families/changes/{name.pk}/", f"/families/changes/{merge.pk}/", everything
        ]  # fmt: skip
        assert (f"/insured/{afi}/merge/" in dict(page.links)) == (client is browser)
    assert "Nobody has corrected" in read(browser, f"/insured/{togo.insured('BOB').pk}/").text
    assert "AFI → AFY" in read(browser, everything).text


def test_of_many_corrections_of_a_person_the_last_five_are_shown(togo: SmallCountry, browser: Client) -> None:
    afi = togo.insured("AFI")
    for number in range(7):
        change = core.Change.objects.create(
            country=togo.country, kind="insured_name", actor_label="KOSSI", data={"before": "AFI", "name": f"N{number}"}
        )
        change.subjects.create(model="core.insured", row_id=afi.pk)
    page = read(browser, f"/insured/{afi.pk}/")
    assert re.findall(r"AFI → (N\d)", page.text) == ["N6", "N5", "N4", "N3", "N2"]


def test_a_dependant_is_attached_and_a_role_changed(togo: SmallCountry, browser: Client) -> None:
    codjo = togo.insured("CODJO").memberships.get().pk
    head = togo.insured("AFI").memberships.get().pk
    assert f"/memberships/{codjo}/attach/" in text(browser, f"/families/{head}/")
    correct(browser, f"/memberships/{codjo}/attach/", principal=togo.insured("AFY").pk)
    correct(browser, f"/memberships/{head}/role/", role="spouse", principal=togo.insured("AFY").pk)
    refused = text(browser, f"/memberships/{head}/role/", status=400, role="spouse")
    assert "has this role already" in refused
    assert "AFY" in text(browser, "/families/?has_dependants=true")


def test_every_reason_is_shown_without_a_password(togo: SmallCountry, browser: Client) -> None:
    afi = togo.insured("AFI").pk
    refused = text(browser, f"/insured/{afi}/merge/", status=400, insured=[togo.insured("CODJO").pk])
    assert "depends on another" in refused
    assert "at least one other record" in text(browser, f"/insured/{afi}/merge/", status=400, q="")


def test_pages_take_few_statements(togo: SmallCountry, browser: Client, django_assert_max_num_queries: Any) -> None:
    text(browser, f"/insured/{togo.insured('AFI').pk}/merge/")
    for address in ("/families/", "/families/changes/", f"/insured/{togo.insured('AFI').pk}/merge/"):
        with django_assert_max_num_queries(12):
            text(browser, address)
