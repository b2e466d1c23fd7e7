"""The lists of records: who sees what, filters of links as chips, sums, pages, files."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import django_filters
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from common.formats import format_amount
from core import models as core
from core.pages import lists
from tests.records.test_query_counts import MOST, grow
from tests.support.browser import Browser
from tests.support.cast import ACCOUNTS, SHUT_OUT, Cast
from tests.support.reading import Page, read
from tests.support.records import Records, make_claim
from tests.support.responses import content_of
from tests.support.small_country import Act, SmallCountry
from users.models import AuditEntry

LISTS = [
    "claims", "claim-lines", "insured", "memberships", "clients", "policies", "partners", "operators",
]  # fmt: skip
PAGES: dict[str, Any] = {
    "claims": lists.ClaimsPage,
    "claim-lines": lists.ClaimLinesPage,
    "insured": lists.InsuredPage,
    "memberships": lists.MembershipsPage,
    "clients": lists.ClientsPage,
    "policies": lists.PoliciesPage,
    "partners": lists.PartnersPage,
    "operators": lists.OperatorsPage,
    "acts": lists.ActsPage,
}
GLOBAL = ("superuser", "global_admin")


@pytest.mark.parametrize("name", LISTS)
def test_an_account_sees_the_rows_of_its_countries_alone(
    name: str, browser: Browser, togo: Records, benin: Records
) -> None:
    for account, _role, country in ACCOUNTS:
        page = read(browser(account), f"/{name}/")
        if account in SHUT_OUT:
            # An account of a closed country is signed out, one without a country may sign in.
            assert page.status == (302 if account.startswith("closed_") else 403), account
            assert "CANARY" not in page.source
            continue
        assert page.status == 200, account
        assert ("TOGOCANARY" in page.source) == (country == "togo" or account in GLOBAL), account
        assert ("BENINCANARY" in page.source) == (country == "benin" or account in GLOBAL), account


@pytest.mark.parametrize("name", PAGES)
def test_a_list_without_an_account_leads_to_the_sign_in_page_and_back(name: str, cast: Cast) -> None:
    response = Client().get(f"/{name}/?search=afi")
    assert response.status_code == 302
    assert response["Location"].endswith(f"?next=%2F{name}%2F%3Fsearch%3Dafi")


def test_the_acts_are_the_same_for_all(browser: Browser, togo: Records) -> None:
    for account in ("global_admin", "togo_operator", "benin_head"):
        page = read(browser(account), "/acts/?search=500")
        assert "PARACETAMOL" in page.text, account
        assert "CANARY" not in page.source


@pytest.mark.parametrize("name", PAGES)
def test_every_order_that_a_list_offers_works_in_the_list_and_in_its_file(
    name: str, browser: Browser, togo: Records
) -> None:
    client = browser("togo_admin")
    for ordering in PAGES[name].orderings:
        page = read(client, f"/{name}/?ordering={ordering}")
        assert page.status == 200, ordering
        (file,) = [address for address in page.leads_to("/api/v1/") if address.endswith("format=csv")]
        assert client.get(file).status_code == 200, file


@pytest.mark.django_db
def test_every_filter_of_every_list_has_a_label_for_people() -> None:
    found = 0
    classes = [django_filters.FilterSet]
    while classes:
        one = classes.pop()
        classes += one.__subclasses__()
        if one.__module__.startswith("django_filters") or getattr(one._meta, "model", None) is None:
            continue
        for name, field in one().form.fields.items():
            found += 1
            assert field.label, (one, name)
            assert not any(word in str(field.label) for word in ("invalid name", "__", "_id", "Id of")), (one, name)
    assert found > 100


def test_a_filter_of_a_link_stays_in_force_as_a_chip_that_can_be_removed(browser: Browser, togo: Records) -> None:
    client, port = browser("togo_operator"), togo.rows["clients"].pk
    address = f"/claims/?client={port}&import_session={togo.session.pk}&act=99999&search=afi"
    page = read(client, address)
    assert page.chips == [
        f"Import session {togo.session.pk}",
        "Client TOGOCANARY PORT",
        "Act 99999",
    ]
    assert page.kept() == {"client": str(port), "import_session": str(togo.session.pk), "act": "99999"}
    assert "No row matches these filters." in page.text
    (without,) = [one for one in page.leads_to("?") if "act=" not in one]
    found = read(client, f"/claims/{without}")
    assert found.chips == page.chips[:2]
    assert found.body_rows == 1
    # The search was typed into an input, so it is no chip.
    assert 'value="afi"' in found.source


def test_a_chip_never_names_a_record_of_another_country(browser: Browser, togo: Records, benin: Records) -> None:
    page = read(browser("togo_admin"), f"/claims/?client={benin.rows['clients'].pk}")
    assert page.chips == [f"Client {benin.rows['clients'].pk}"]
    assert "BENINCANARY" not in page.source


def test_ranges_and_choices_of_chips_are_words(browser: Browser, togo: Records) -> None:
    page = read(
        browser("togo_admin"),
        "/clients/?claims_role=primary&first_claim_after=2024-01-01&first_claim_before=2024-12-31&claims_act=1",
    )
    # `first_claim` has inputs of its own.
    assert page.chips[0] == "With claims in the role principal"
    assert 'value="2024-01-01"' in page.source
    assert "<details open>" in page.source
    lines = read(browser("togo_admin"), "/claim-lines/?claim_incident_date_after=2024-01-01&currency=XOF")
    assert lines.chips == ["Incident date of the claim from 01/01/2024", "Currency XOF"]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("clientt=1", "This list has no such parameter."),
        ("ordering=note", "This list cannot be sorted in this way."),
        ("settlement_date_after=2024-13-01", "Enter a valid date."),
        ("client=abc", "Enter a whole number."),
        ("cursor=abc", "This cursor is not one of this list"),
        ("page=9", "There is no such page."),
    ],
)
def test_what_a_list_cannot_do_is_said_and_no_row_is_shown(
    query: str, reason: str, browser: Browser, togo: Records
) -> None:
    page = read(browser("togo_admin"), f"/claims/?{query}")
    assert page.status == 400
    assert reason in page.text
    assert "<tbody>" not in page.source


def test_a_long_list_is_read_to_its_end_and_its_sums_are_of_all_rows(browser: Browser, togo: Records) -> None:
    for n in range(119):
        make_claim(togo.rows, togo.rows["clients"].country, f"N{n:03}", reimbursed_amount=Decimal("1000.50"))
    client = browser("togo_admin")
    address, seen, pages = "/claims/?client=" + str(togo.rows["clients"].pk), [], 0
    while address:
        page = read(client, address)
        seen += [text for at, text in page.links if at.startswith("/claims/") and at.rstrip("/")[-1].isdigit()]
        assert page.totals == ["All rows together: Claimed 600,000 F CFA · Reimbursed 123,059.50 F CFA"]
        pages += 1
        following = [at for at, text in page.links if text == "Next page"]
        address = following[0] if following else ""
    assert pages == 3
    assert sorted(seen) == sorted(core.Claim.objects.values_list("number", flat=True))


def test_the_sums_of_a_very_long_list_are_computed_when_they_are_asked_for(
    browser: Browser, togo: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_claim(togo.rows, togo.rows["clients"].country, "N1")
    monkeypatch.setattr("common.pagination.COUNT_LIMIT", 1)
    client = browser("togo_admin")
    page = read(client, "/claims/?page_size=1")
    assert page.totals == ["Compute the sums of all rows"]
    (asking,) = [at for at in page.leads_to("?") if "totals" in at]
    assert read(client, f"/claims/{asking}").totals == [
        "All rows together: Claimed 10,000 F CFA · Reimbursed 8,000 F CFA"
    ]


def test_sums_are_never_added_across_currencies(browser: Browser, togo: Records) -> None:
    make_claim(togo.rows, togo.rows["clients"].country, "N1", currency="EUR")
    assert read(browser("togo_admin"), "/claims/").totals == [
        "All rows together: Claimed 5,000.00 EUR · Reimbursed 4,000.00 EUR",
        "All rows together: Claimed 5,000 F CFA · Reimbursed 4,000 F CFA",
    ]


def test_a_filtered_list_as_a_file_has_the_same_rows(browser: Browser, togo: Records) -> None:
    make_claim(togo.rows, togo.rows["clients"].country, "OTHER")
    client = browser("togo_admin")
    page = read(client, "/claims/?number=other&page_size=10&ordering=number")
    (file,) = [address for address in page.leads_to("/api/v1/") if address.endswith("format=csv")]
    rows = content_of(client.get(file)).decode().splitlines()[1:]
    assert len(rows) == page.body_rows == 1
    assert "OTHER" in rows[0]


def test_the_country_is_a_choice_and_a_column_for_accounts_that_see_several(
    browser: Browser, cast: Cast, togo: Records, benin: Records
) -> None:
    page = read(browser("global_admin"), f"/clients/?country={cast.benin.pk}")
    assert f'<option value="{cast.benin.pk}" selected>Bénin</option>' in page.source
    assert '<th scope="col" >Country</th>' in page.source
    assert "TOGOCANARY" not in page.source
    own = read(browser("togo_admin"), "/clients/")
    assert "All countries" not in own.text
    assert "Country" not in own.text


def test_reading_a_list_of_persons_is_audited_without_what_was_typed(browser: Browser, togo: Records) -> None:
    personal = {name for name, page in PAGES.items() if page.personal}
    # The subscriber of a policy may be a person.
    assert personal == {"claims", "claim-lines", "insured", "memberships", "operators", "policies"}
    client = browser("togo_operator")
    for name, page in PAGES.items():
        before = AuditEntry.objects.count()
        field = page.main_filters[0]
        read(client, f"/{name}/?{field}=TOGOCANARY")
        entries = list(AuditEntry.objects.order_by("id")[before:])
        assert len(entries) == (name in personal), name
        for entry in entries:
            assert (entry.action, entry.actor.username) == ("read", "togo_operator")
            assert entry.data["filters"] == [field]
            assert "CANARY" not in str(entry.data)


def test_a_list_is_in_the_language_of_its_reader(browser: Browser, togo: Records) -> None:
    page = read(browser("togo_admin"), "/claims/", language="fr")
    assert "Date de règlement" in page.text
    assert "réglé" in page.text
    assert "5 000" in page.text.replace("\u202f", " ")


def test_an_empty_list_says_what_fills_it(browser: Browser, cast: Cast) -> None:
    assert "Rows appear after an import." in read(browser("togo_head"), "/claims/").text


# ------------------------------------------------------------------------------------------------ figures and lists


@pytest.fixture
def country(db: None) -> SmallCountry:
    country = SmallCountry()
    for n in range(4):
        country.claim(
            Act(5000 + n, 4000 + n), Act(700, 600, act="PANSEMENT", category="SOINS"), insured=f"P{n}",
            partner="BIASA" if n % 2 else "ESPOIR", client="PORT" if n else "MINES",
        )  # fmt: skip
    country.claim(Act(999999, 999999), status="cancelled")
    return country.save()


def page_behind(country: SmallCountry, url: str) -> Page:
    client = Client()
    client.force_login(country.user)
    return read(client, url.removeprefix("/api/v1"))


def together(claimed: str, reimbursed: str) -> list[str]:
    amounts = [
        format_amount(Decimal(one), "XOF", with_currency=True).replace("\xa0", " ") for one in (claimed, reimbursed)
    ]
    return [f"All rows together: Claimed {amounts[0]} · Reimbursed {amounts[1]}"]


def test_the_sum_of_the_list_that_a_figure_leads_to_is_the_figure(country: SmallCountry) -> None:
    figures = {one["key"]: one for one in country.figures("portfolio/")["indicators"]}
    page = page_behind(country, figures["reimbursed"]["url"])
    assert page.totals == together(figures["claimed"]["value"], figures["reimbursed"]["value"])
    assert page.body_rows == figures["claims"]["value"] == 4

    (pharmacy,) = [row for row in country.figures("rankings/", by="act_category")["rows"] if row["name"] == "PHARMACIE"]
    page = page_behind(country, pharmacy["url"])
    assert page.totals == together(pharmacy["claimed"], pharmacy["reimbursed"])
    assert "Act category PHARMACIE" in page.chips

    port = country.client_named("PORT").pk
    scoped = country.figure("claimed", client=port)
    page = page_behind(country, scoped["url"])
    assert page.totals == together(scoped["value"], country.figure("reimbursed", client=port)["value"])
    assert "Client PORT" in page.chips


@pytest.mark.parametrize("key", ["known_insured", "insured_who_consumed_primary", "active_partners", "new_clients"])
def test_a_count_leads_to_as_many_rows(country: SmallCountry, key: str) -> None:
    one = country.figure(key, partner=country.partner("BIASA").pk)
    page = page_behind(country, one["url"])
    assert page.status == 200
    assert page.body_rows == one["value"] > 0


# ------------------------------------------------------------------------------------------------ statements


@pytest.mark.parametrize("account", ["togo_admin", "global_admin"])
def test_a_list_takes_as_many_statements_for_many_rows_as_for_few(
    account: str, browser: Browser, cast: Cast, togo: Records
) -> None:
    client = browser(account)

    def statements(size: int) -> dict[str, int]:
        found = {}
        for name in PAGES:
            with CaptureQueriesContext(connection) as captured:
                query = f"page_size={size}" if name == "acts" else f"page_size={size}&country={cast.togo.pk}"
                page = read(client, f"/{name}/?{query}")
            assert page.status == 200, name
            found[name] = len(captured)
        return found

    # Full pages: a page that the list ends with needs no count.
    grow(cast, togo, start=0, end=11)
    few = statements(10)
    grow(cast, togo, start=11, end=211)
    assert statements(200) == few
    assert max(few.values()) <= MOST, few


@pytest.mark.parametrize(("name", "leads"), [("togo_head", True), ("global_admin", False)])
@pytest.mark.parametrize("page", ["/imports/", "/files/"])
def test_an_empty_list_leads_to_a_new_import_those_who_may_import(
    page: str, name: str, leads: bool, cast: Cast, browser: Browser
) -> None:
    below_the_head = browser(name).get(page).content.decode().partition("<main")[2]
    assert ('href="/imports/new/"' in below_the_head) == leads
