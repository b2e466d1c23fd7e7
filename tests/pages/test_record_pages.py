"""The pages of single records: facts, figures, lines with the rows that they came from, and back from a row."""

from __future__ import annotations

import re
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from common.formats import format_amount, format_count
from core import models as core
from dashboard import record_pages
from file_handling.models import File, ImportSession
from tests.records.test_query_counts import MOST
from tests.support.api_user import ApiUser
from tests.support.browser import Browser
from tests.support.cast import ACCOUNTS, SHUT_OUT
from tests.support.pairs import line, matching_pair, recap_csv, stat_xlsx
from tests.support.reading import read
from tests.support.records import Records
from tests.support.small_country import Act, SmallCountry
from users.models import AuditEntry, User

# Page → the record of the test data that it shows.
PAGES = {
    "claims": "claims", "insured": "insured", "families": "memberships", "clients": "clients", "policies": "policies",
    "partners": "partners", "operators": "operators",
}  # fmt: skip
GLOBAL = ("superuser", "global_admin")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


# ------------------------------------------------------------------------------------------------ who sees what


@pytest.mark.parametrize("name", PAGES)
def test_a_record_is_shown_to_the_accounts_of_its_country(
    name: str, browser: Browser, togo: Records, benin: Records
) -> None:
    address = f"/{name}/{togo.rows[PAGES[name]].pk}/"
    assert browser("anonymous").get(address).status_code == 302
    for account, _role, country in ACCOUNTS:
        page = read(browser(account), address)
        if account.startswith("closed_"):
            assert page.status == 302
        elif account in SHUT_OUT or country == "benin":
            assert page.status == 403, account
            assert "CANARY" not in page.source
        else:
            assert page.status == 200, account
            assert "TOGOCANARY" in page.text
            assert "BENINCANARY" not in page.source, account


@pytest.mark.parametrize("name", [*PAGES, "acts"])
def test_a_record_that_does_not_exist_is_not_found(name: str, browser: Browser, togo: Records) -> None:
    assert read(browser("togo_admin"), f"/{name}/999999/").status == 404


def test_an_act_is_shared_and_shows_the_figures_of_the_countries_that_one_may_see(
    browser: Browser, togo: Records, benin: Records
) -> None:
    address = f"/acts/{togo.rows['acts'].pk}/"
    for account, seen in (("togo_operator", ["TOGO"]), ("benin_head", ["BENIN"]), ("global_admin", ["BENIN", "TOGO"])):
        page = read(browser(account), address)
        assert "PARACETAMOL 500" in page.text
        assert sorted({mark for mark in ("TOGO", "BENIN") if f"{mark}CANARY" in page.source}) == sorted(seen), account
        assert f"{len(seen)} " in page.text.partition("Key figures")[2].partition("Claims")[2][:10]
    assert "stat.csv" not in read(browser("togo_admin"), address).source


def test_a_data_entry_manager_sees_where_a_record_came_from_without_links(browser: Browser, togo: Records) -> None:
    for name, row in PAGES.items():
        address = f"/{name}/{togo.rows[row].pk}/"
        plain = read(browser("togo_operator"), address)
        assert "TOGOCANARY-stat.csv" in plain.text
        assert f"Import {togo.session.pk}" in plain.text
        assert not [at for start in ("/files/", "/imports/", "/sources/") for at in plain.leads_to(start)], name
        linked = read(browser("togo_head"), address)
        assert linked.leads_to(f"/files/{togo.file.pk}/")
        assert linked.leads_to(f"/imports/{togo.session.pk}/")
    # Another head of department sees the session of the country, but not the file of a colleague.
    rival = read(browser("rival_head"), f"/claims/{togo.rows['claims'].pk}/")
    assert (rival.leads_to("/files/"), len(rival.leads_to(f"/imports/{togo.session.pk}/"))) == ([], 1)


def test_reading_a_record_is_audited(browser: Browser, togo: Records) -> None:
    client = browser("togo_operator")
    for name, row in PAGES.items():
        read(client, f"/{name}/{togo.rows[row].pk}/")
        entry = AuditEntry.objects.latest("id")
        assert (entry.action, entry.object_type, entry.object_id, entry.country_id) == (
            "read", togo.rows[row]._meta.label_lower, togo.rows[row].pk, togo.rows["clients"].country_id,
        )  # fmt: skip


def test_a_record_whose_file_and_session_were_deleted_says_so(browser: Browser, togo: Records) -> None:
    for model in (core.Claim, core.ClaimLine, core.Client):
        model.objects.update(file=None, import_session=None)
    core.Claim.objects.update(recap_file=None)
    page = read(browser("togo_admin"), f"/claims/{togo.rows['claims'].pk}/")
    assert page.text.count("a deleted file") >= 3
    assert "a deleted import" in page.text
    assert "a deleted file, sheet Feuil1, row 2" in page.text
    assert "a deleted file" in read(browser("togo_admin"), f"/clients/{togo.rows['clients'].pk}/").text


def test_the_pages_are_in_the_language_of_their_reader(browser: Browser, togo: Records) -> None:
    page = read(browser("togo_admin"), f"/claims/{togo.rows['claims'].pk}/", language="fr")
    assert "5 000 F CFA" in page.text.replace("\u202f", " ")
    assert "réglé" in page.text
    figures = read(browser("togo_admin"), f"/clients/{togo.rows['clients'].pk}/", language="fr")
    assert "Taux de remboursement" in figures.text
    assert "80,0 %" in figures.text


# ------------------------------------------------------------------------------------------------ figures


@pytest.fixture
def country(db: None) -> SmallCountry:
    country = SmallCountry()
    for year, times in ((2023, 1), (2024, 3)):
        for n in range(4 * times):
            country.claim(
                Act(5000 + n, 4000 + n), Act(700, 600, act="PANSEMENT", category="SOINS", operator="KOFFI"),
                settled=date(year, 1 + n % 12, 5), insured=f"P{n % 3}", partner="BIASA" if n % 2 else "ESPOIR",
                client="PORT" if n else "MINES", policy=str(n % 2),
            )  # fmt: skip
    country.claim(insured="C1", principal="P1", policy="1", settled=date(2024, 2, 2))
    return country.save()


def records_of(country: SmallCountry) -> dict[str, tuple[str, int, Any]]:
    """Scope → path, id and page class of one record."""
    head = country.membership("P1", "1", "PORT", None)
    return {
        "client": ("clients", country.client_named("PORT").pk, record_pages.ClientPage),
        "policy": ("policies", country.policy("1").pk, record_pages.PolicyPage),
        "insured": ("insured", country.insured("P1").pk, record_pages.InsuredPage),
        "family": ("families", head.pk, record_pages.FamilyPage),
        "partner": ("partners", country.partner("BIASA").pk, record_pages.PartnerPage),
        "operator": ("operators", country.operator("KOFFI").pk, record_pages.OperatorPage),
        "act": ("acts", country.act("PANSEMENT", "SOINS").pk, record_pages.ActPage),
    }


def shown(one: dict[str, Any]) -> str:
    value, unit = one["value"], one["unit"]
    if unit == "count":
        return format_count(value)
    if unit == "ratio":
        return f"{(Decimal(value) * 100).quantize(Decimal('0.1'), ROUND_HALF_UP)} %"
    return format_amount(Decimal(value), one["currency"], with_currency=True).replace("\xa0", " ")


@pytest.mark.parametrize("kind", ["client", "policy", "insured", "family", "partner", "operator", "act"])
@pytest.mark.parametrize("period", [{}, {"start": "2024-01-01", "end": "2024-12-31"}])
def test_the_figures_of_a_record_are_those_of_the_api(kind: str, period: dict[str, str], country: SmallCountry) -> None:
    path, pk, page_class = records_of(country)[kind]
    query = "&".join(f"{name}={value}" for name, value in period.items())
    page = read(signed_in(country.user), f"/{path}/{pk}/?{query}")
    assert page.status == 200
    api = {one["key"]: one for one in country.figures("portfolio/", **{kind: pk}, **period)["indicators"]}
    linked = dict(page.links)
    for key in page_class.keys:
        # Each figure leads to the list behind it.
        assert (api[key]["url"].removeprefix("/api/v1"), shown(api[key])) in page.links, key
    for by in page_class.rankings:
        rows = country.figures("rankings/", by=by, **{kind: pk}, **period)["rows"][:5]
        for row in rows:
            assert row["name"] in page.text
            amount = format_amount(Decimal(row["reimbursed"]), "XOF").replace("\xa0", " ")
            assert linked[row["url"].removeprefix("/api/v1")] == amount, (by, row)
    assert f"/figures/?{kind}={pk}" in linked


def test_a_year_is_compared_with_the_period_before_and_all_data_with_nothing(country: SmallCountry) -> None:
    client, pk = signed_in(country.user), country.partner("BIASA").pk
    page = read(client, f"/partners/{pk}/")
    assert "than before" not in page.text
    years = [at for at, text in page.links if text in ("2024", "2023")]
    assert years == ["?start=2024-01-01&end=2024-12-31", "?start=2023-01-01&end=2023-12-31"]
    compared = read(client, f"/partners/{pk}/{years[0]}")
    change = country.figure("reimbursed", partner=pk, start="2024-01-01", end="2024-12-31")["evolution"]
    assert change["type"] == "up"
    assert f"{Decimal(change['percent']):,.1f} % more than before" in compared.text
    # The cost rose, which is not welcome.
    assert '<span class="change bad">' in compared.source


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("start=yesterday", "Give a day as YYYY-MM-DD."),
        ("start=2024-02-01&end=2024-01-01", "The period ends before it starts."),
        ("partner=1", "This address has no such parameter."),
        ("start=2024-01-01&start=2024-02-01", "Give this parameter once."),
    ],
)
def test_a_wrong_period_is_explained_beside_the_facts(query: str, reason: str, country: SmallCountry) -> None:
    page = read(signed_in(country.user), f"/clients/{country.client_named('PORT').pk}/?{query}")
    assert page.status == 400
    assert reason in page.text
    assert "PORT" in page.text


def test_the_latest_claims_come_first(country: SmallCountry) -> None:
    page = read(signed_in(country.user), f"/partners/{country.partner('BIASA').pk}/")
    shown_claims = [int(at.split("/")[2]) for at in page.leads_to("/claims/") if at.split("/")[2].isdigit()]
    latest = core.Claim.objects.filter(partner__name="BIASA").order_by("-settlement_date", "-id")[:10]
    assert shown_claims == [claim.pk for claim in latest]


def test_a_family_is_shown_under_its_principal_with_all_members(country: SmallCountry) -> None:
    client = signed_in(country.user)
    head, child = country.membership("P1", "1", "PORT", None), country.membership("C1", "1", "PORT", "P1")
    response = client.get(f"/families/{child.pk}/")
    assert (response.status_code, response["Location"]) == (302, f"/families/{head.pk}/")
    page = read(client, f"/families/{head.pk}/")
    assert "Family of P1" in page.text
    members = page.text.partition("Members")[2].partition("Key figures")[0]
    assert ("P1 principal" in members, "C1 child" in members, "P0" in members) == (True, True, False)
    assert country.figure("claims", family=head.pk)["value"] == 1 + core.Claim.objects.filter(membership=head).count()
    person = read(client, f"/insured/{child.insured_id}/")
    assert f"/families/{child.pk}/" in dict(person.links)
    assert f"/insured/{head.insured_id}/" in dict(person.links)


def test_a_person_is_shown_with_card_and_spellings(browser: Browser, togo: Records) -> None:
    page = read(browser("togo_operator"), f"/insured/{togo.rows['insured'].pk}/")
    assert "Card number C-TOGOCANARY" in page.text
    assert "Also written TOGOCANARY AFFI" in page.text
    core.Insured.objects.update(is_deduced=True)
    assert "known only as the principal" in read(browser("togo_operator"), f"/insured/{togo.rows['insured'].pk}/").text


def test_a_record_of_a_country_is_asked_about_in_that_country_by_global_roles(
    browser: Browser, togo: Records, benin: Records
) -> None:
    page = read(browser("global_admin"), f"/clients/{togo.rows['clients'].pk}/")
    country = togo.rows["clients"].country_id
    assert f"/figures/?client={togo.rows['clients'].pk}&country={country}" in dict(page.links)
    assert "Country Togo" in page.text


# ------------------------------------------------------------------------------------------------ lineage


FULL = {"invoice_number": "F1", "payment_reference": "P1", "operator": "AMA", "card_number": "K-1"}
LINES = [
    line("A1", "3000", "2500", **FULL),
    line("A2", beneficiary="LAWSON KOFI", insured_status="E"),
    line("A1", "2000", "1500", **FULL),
    line("A3"),
]


@pytest.mark.django_db(transaction=True)
def test_every_line_leads_to_its_row_and_the_row_leads_back() -> None:
    api = ApiUser()
    stat, recap = matching_pair(*LINES)
    left_out = line("B1", "9000", "9000")
    pages = [recap_csv(recap[:2], "page_1.csv"), recap_csv(recap[2:], "page_2.csv")]
    api.import_pair(stat_xlsx({"Sinistres": [*stat, left_out]}, titles=2), pages)
    client = signed_in(api.user)
    files = {file.name: file.pk for file in File.objects.all()}
    seen = 0
    for claim in core.Claim.objects.all():
        page = read(client, f"/claims/{claim.pk}/")
        for row in claim.lines.order_by("position"):
            seen += 1
            at = f"sheet=Sinistres&row={row.row}"
            assert f"/files/{files['stat.xlsx']}/preview/?{at}" in page.leads_to("/files/")
            assert f"stat.xlsx, sheet Sinistres, row {row.row}" in page.text
            (source,) = [one for one in page.leads_to("/sources/") if one.endswith(at)]
            back = read(client, source)
            assert f"Claim {claim.number}, line {row.position}" in back.text
            assert back.leads_to("/claims/") == [f"/claims/{claim.pk}/"]
        (source,) = [one for one in page.leads_to("/sources/") if "Sinistres" not in one]
        assert f"file={claim.recap_file_id}&row={claim.recap_row}" in source
        assert f"Claims that this row settles Claim {claim.number}" in read(client, source).text
    assert seen == len(LINES)

    # The row of a claim that was left out leads to its finding.
    (finding,) = [one for one in ImportSession.objects.get().findings.all() if one.claim_number == "B1"]
    (place,) = [one for one in finding.locations if one["side"] == "stat"]
    page = read(client, f"/sources/?file={place['file_id']}&sheet={place['sheet']}&row={place['row']}")
    assert page.leads_to("/imports/") == [f"/imports/{finding.session_id}/findings/{finding.sequence}/"]
    assert "Missing in the recap" in page.text


def test_a_row_without_records_a_missing_row_and_a_wrong_one_are_explained(browser: Browser, togo: Records) -> None:
    client, file = browser("togo_admin"), togo.file.pk
    assert "No record and no finding came from this row." in read(client, f"/sources/?file={file}&row=99").text
    form = read(client, "/sources/")
    assert (form.status, "Name a file and a row" in form.text, "TOGOCANARY-stat.csv" in form.text) == (200, True, True)
    assert f'value="{file}" selected' in read(client, f"/sources/?file={file}").source
    for wrong in ("row=0", "row=x", "row=99999999999", "file=x&row=1"):
        assert read(client, f"/sources/?{wrong}").status == 400, wrong
    # Another sheet has another row 2.
    assert "Claim TOGOCANARY-1, line 1" in read(client, f"/sources/?file={file}&row=2&sheet=Feuil1").text
    assert "No record" in read(client, f"/sources/?file={file}&row=2&sheet=Feuil2").text


def test_the_records_of_a_row_are_for_the_accounts_that_may_read_the_file(
    browser: Browser, togo: Records, benin: Records
) -> None:
    expected = {
        "superuser": 200, "global_admin": 200, "togo_admin": 200, "togo_head": 200, "rival_head": 403,
        "togo_operator": 403, "benin_admin": 403, "benin_head": 403,
    }  # fmt: skip
    for account, status in expected.items():
        page = read(browser(account), f"/sources/?file={togo.file.pk}&row=2")
        assert page.status == status, account
        assert ("TOGOCANARY" in page.source) == (status == 200), account
    assert read(browser("togo_admin"), "/sources/?file=99999&row=2").status == 404
    entry = AuditEntry.objects.filter(object_type="file_handling.file").latest("id")
    assert (entry.action, entry.object_id, entry.data["claim_lines"]) == ("read", togo.file.pk, 1)


@pytest.mark.django_db(transaction=True)
def test_an_earlier_version_shows_what_an_import_replaced() -> None:
    api = ApiUser()
    api.import_pair(*matching_pair(line("A1", "3000", "2500"), line("A1", "1000", "1000")))
    api.import_pair(*matching_pair(line("A1", "3000", "2000"), line("A1", "1000", "1000")), on_conflict="update")
    claim = core.Claim.objects.get()
    page = read(signed_in(api.user), f"/claims/{claim.pk}/")
    assert "3,000 F CFA" in page.text.partition("Parties")[0]
    version = page.source.partition("Earlier versions")[2]
    assert "<mark>3,500" in version.replace("\xa0", " ")
    differing = [one for one in version.split("<td ") if "differs" in one.partition(">")[0]]
    assert [one for one in differing if "2,500" in one]
    # The second line is as it was, but for the session's file.
    assert not [one for one in differing if ">1,000" in one]
    replacing = core.ClaimRevision.objects.get().replaced_by_session_id
    assert f"Replaced by: Import {replacing}" in page.text
    assert (f"/imports/{replacing}/", f"Import {replacing}") in page.links


# ------------------------------------------------------------------------------------------------ statements


def test_a_record_takes_as_few_statements_for_many_claims_as_for_few(country: SmallCountry) -> None:
    client = signed_in(country.user)

    def statements() -> dict[str, int]:
        found = {}
        for path, pk, _page in records_of(country).values():
            read(client, f"/{path}/{pk}/")
            with CaptureQueriesContext(connection) as captured:
                # The figures are kept from the first reading.
                assert read(client, f"/{path}/{pk}/").status == 200
            found[path] = len(captured)
        claim = core.Claim.objects.order_by("id").first()
        assert claim is not None
        with CaptureQueriesContext(connection) as captured:
            assert read(client, f"/claims/{claim.pk}/").status == 200
        return found | {"claims": len(captured)}

    few = statements()
    for n in range(60):
        country.claim(
            *[Act(1000 + n, 900, operator="KOFFI", act="PANSEMENT", category="SOINS")] * 5, insured="P1", policy="1",
            partner="BIASA", settled=date(2024, 1 + n % 12, 6),
        )  # fmt: skip
        country.membership(f"C{n}", "1", "PORT", "P1")
    country.save()
    many = statements()
    assert many == few
    assert max(few.values()) <= MOST, few


@pytest.mark.parametrize("name", PAGES)
def test_a_record_takes_few_statements_for_an_account_that_sees_all_countries(
    name: str, browser: Browser, togo: Records, benin: Records
) -> None:
    client, address = browser("superuser"), f"/{name}/{togo.rows[PAGES[name]].pk}/"
    read(client, address)
    with CaptureQueriesContext(connection) as captured:
        assert read(client, address).status == 200
    assert len(captured) <= MOST, [one["sql"][:90] for one in captured]


def test_the_first_reading_of_figures_takes_few_statements(country: SmallCountry) -> None:
    records = records_of(country)
    # The columns of the country are on disk from now on.
    client = signed_in(country.user)
    read(client, f"/acts/{records['act'][1]}/")
    for path, pk, _page in records.values():
        cache.clear()
        with CaptureQueriesContext(connection) as captured:
            read(client, f"/{path}/{pk}/")
        own = [one["sql"][:90] for one in captured if not re.match(r"BEGIN|COMMIT|SAVEPOINT|RELEASE", one["sql"])]
        assert len(own) <= MOST, (path, own)
