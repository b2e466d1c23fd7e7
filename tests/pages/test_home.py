"""The home page: what waits, the key figures and the last imports of each role, and nothing of another country."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common.formats import format_amount, format_count
from core import models as core
from file_handling.models import ImportSession, SessionStatus
from tests.support.api_user import ApiUser
from tests.support.browser import Browser
from tests.support.cast import Cast
from tests.support.pairs import line, matching_pair, row
from tests.support.records import Records, make_session
from tests.support.small_country import Act, SmallCountry
from users.models import AuditEntry, Country, Role, User

HEADERS = {"accept-language": "en"}


@pytest.fixture(autouse=True)
def _no_kept_answers(db: None, own_storage: object) -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def words(page: Any) -> str:
    """The text of a page, with single spaces."""
    text = re.sub(r"<[^>]+>", " ", page.content.decode())
    return re.sub(r"[ \n]+", " ", text)


def signed_in(user: User) -> Client:
    client = Client(headers=HEADERS)
    client.force_login(user)
    return client


def account(role: Role, country: Country | None, name: str = "somebody") -> User:
    return User.objects.create_user(username=name, email=f"{name}@example.org", role=role, country=country)


# ------------------------------------------------------------------------------------------------ who sees what


@pytest.mark.parametrize(
    ("name", "sees", "sees_not"),
    [
        ("superuser", ["What waits for you", "By country", "Last imports"], ["Quality of entry"]),
        ("global_admin", ["What waits in the countries", "By country", "Last imports"], ["New import", "Quality of"]),
        ("togo_admin", ["What waits for you", "Last imports", "New import"], ["By country", "Quality of entry"]),
        ("togo_head", ["What waits for you", "Last imports", "New import"], ["By country", "Quality of entry"]),
        ("togo_operator", ["Key figures"], ["What waits", "Last imports", "New import", "By country", "Import 1"]),
    ],
)
def test_each_role_sees_its_parts(
    name: str, sees: list[str], sees_not: list[str], togo: Records, benin: Records, browser: Browser
) -> None:
    text = words(browser(name).get("/"))
    assert [part for part in sees if part not in text] == []
    assert [part for part in sees_not if part in text] == []


@pytest.mark.parametrize("name", ["togo_admin", "togo_head", "togo_operator"])
def test_an_account_of_a_country_sees_nothing_of_another(
    name: str, togo: Records, benin: Records, browser: Browser
) -> None:
    for status in ("REVIEW", "AWAITING_SHEET", "ERROR"):
        make_session(user=benin.session.user, country=benin.session.country, status=status, uploaded_by_name="SOSSA")
    text = browser(name).get("/").content.decode()
    assert benin.mark not in text
    assert "SOSSA" not in text
    assert "Bénin" not in text
    assert f"/imports/{benin.session.pk}/" not in text
    assert re.findall(r"/imports/(\d+)/", text) in ([], [str(togo.session.pk)])


@pytest.mark.parametrize(
    ("name", "whom"),
    [
        ("homeless_admin", "Ask a global administrator to give your account a country."),
        ("homeless_head", "Ask the territorial administrator of your country, or a global administrator"),
        ("homeless_operator", "Ask the territorial administrator of your country, or a global administrator"),
    ],
)
def test_an_account_without_a_country_reads_whom_to_ask(name: str, whom: str, togo: Records, browser: Browser) -> None:
    text = words(browser(name).get("/"))
    assert whom in text
    assert "Key figures" not in text
    assert "Import " not in text


def test_the_home_page_takes_no_form_and_ends_with_the_country(cast: Cast, browser: Browser) -> None:
    client = browser("togo_admin")
    assert client.post("/").status_code == 405
    cast.togo.is_active = False
    cast.togo.save()
    assert client.get("/").headers["Location"] == "/sign-in/?next=%2F"


@pytest.mark.django_db
def test_without_any_import_the_first_steps_are_shown_to_those_who_import() -> None:
    country = Country.objects.create(name="Togo", code="TG")
    admin = words(signed_in(account(Role.ADMIN_TERRITORIAL, country, "admin")).get("/"))
    assert "Import your first pair" in admin
    assert "Key figures" not in admin
    operator = words(signed_in(account(Role.RESP_OPERATEUR, country, "operator")).get("/"))
    assert "There are no figures yet" in operator
    assert "Import your first pair" not in operator


@pytest.mark.django_db
def test_without_any_country_a_global_role_is_led_to_create_one() -> None:
    text = signed_in(account(Role.ADMIN_GLOBAL, None)).get("/").content.decode()
    assert 'href="/countries/new/"' in text


# ------------------------------------------------------------------------------------------------ what waits


def waiting(client: Client) -> list[tuple[str, str]]:
    """(status, number of the import) of the list of what waits."""
    text = client.get("/").content.decode()
    return re.findall(r'<li><span class="badge is-(\w+)">[^<]*</span>\s*<a href="/imports/(\d+)/">', text)


def test_imports_that_wait_are_listed_those_to_review_first_and_a_head_sees_only_own_ones(
    cast: Cast, browser: Browser
) -> None:
    made = {
        status: make_session(user=cast.togo_head, country=cast.togo, status=status)
        for status in (SessionStatus.ERROR, SessionStatus.REVIEW, SessionStatus.AWAITING_SHEET, SessionStatus.DONE)
    }
    old = make_session(user=cast.togo_head, country=cast.togo, status=SessionStatus.ERROR)
    ImportSession.objects.filter(pk=old.pk).update(created_at=timezone.now() - timezone.timedelta(days=31))
    expected = [(status.lower(), str(made[status].pk)) for status in ("REVIEW", "AWAITING_SHEET", "ERROR")]  # type: ignore[index]
    assert waiting(browser("togo_head")) == expected
    assert waiting(browser("togo_admin")) == expected
    assert waiting(browser("superuser")) == expected
    assert waiting(browser("rival_head")) == []
    assert waiting(browser("benin_admin")) == []
    assert "Nothing waits" in words(browser("rival_head").get("/"))


def test_more_than_five_imports_that_wait_are_counted(cast: Cast, browser: Browser) -> None:
    for _ in range(7):
        make_session(user=cast.togo_head, country=cast.togo, status=SessionStatus.REVIEW)
    assert len(waiting(browser("togo_admin"))) == 5
    assert "All 7 imports that wait" in words(browser("togo_admin").get("/"))


def test_pairs_that_wait_on_the_review_list_are_counted_by_kind(
    cast: Cast, togo: Records, benin: Records, browser: Browser
) -> None:
    waits = togo.rows["review-pairs"]
    other = core.Client.objects.create(country=cast.togo, name="PORTE", key="PORTE")
    core.ReviewPair.objects.filter(pk=waits.pk).update(other_id=other.pk)

    for name in ("togo_head", "togo_admin", "superuser", "global_admin"):
        page = browser(name).get("/")
        assert "clients 1 pair of names is nearly the same" in words(page)
        assert 'href="/review/?state=waiting&amp;kind=client"' in page.content.decode()
    for name in ("togo_operator", "benin_head"):
        assert "nearly the same" not in words(browser(name).get("/"))


# ------------------------------------------------------------------------------------------------ figures


def small_country() -> SmallCountry:
    country = SmallCountry("TG", "XOF")
    for number, (day, claimed, paid) in enumerate(
        [(date(2022, 3, 1), 1000, 900), (date(2024, 1, 1), 10000, 8000), (date(2024, 12, 31), 2500, 2000)]
    ):
        country.claim(Act(claimed=claimed, reimbursed=paid), settled=day, number=f"N{number}", insured=f"P{number}")
    country.save()
    return country


@pytest.mark.django_db(transaction=True)
def test_the_key_figures_are_those_of_the_api_for_the_last_twelve_months_of_the_data() -> None:
    country = small_country()
    text = words(signed_in(country.user).get("/"))
    assert "The last twelve months of the data. Settled from 01/01/2024 to 31/12/2024." in text
    answer = country.figures("portfolio/", start="2024-01-01", end="2024-12-31")
    shown = {one["key"]: one for one in answer["indicators"]}
    assert shown["claims"]["value"] == 2
    assert f"Claims {format_count(2)}" in text
    for key, title in (("claimed", "Claimed"), ("reimbursed", "Reimbursed")):
        amount = format_amount(Decimal(shown[key]["value"]), "XOF", with_currency=True)
        assert f"{title} {amount}" in text
    assert "Reimbursement rate 80.0\N{NO-BREAK SPACE}%" in text
    assert "Change against 31/12/2022 to 31/12/2023." in text
    assert "no claim in the period before" in text


@pytest.mark.django_db(transaction=True)
def test_a_change_is_shown_with_its_direction_and_whether_it_is_welcome() -> None:
    country = SmallCountry("TG", "XOF")
    for number, (day, paid) in enumerate([(date(2023, 6, 1), 1000), (date(2024, 6, 1), 1500), (date(2024, 12, 31), 0)]):
        country.claim(Act(claimed=2000, reimbursed=paid), settled=day, number=f"N{number}")
    country.save()
    page = signed_in(country.user).get("/")
    assert '<span class="change bad">▲ 50.0\N{NO-BREAK SPACE}%</span>' in page.content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_loss_ratio_is_shown_with_its_change_and_leads_to_its_page() -> None:
    country = small_country()
    client = signed_in(country.user)
    assert "S/P" not in words(client.get("/"))
    country.claim(Act(claimed=1000, reimbursed=800), settled=date(2023, 6, 1), number="N8")
    country.save()

    # Earned in the last twelve months: 20,000, for claims of 10,000.
    country.premium(20000, date(2024, 1, 1), date(2024, 12, 31))
    text = words(client.get("/"))
    assert "S/P 50.0\N{NO-BREAK SPACE}% no premium in the period before" in text
    answer = country.figures("loss-ratio/", start="2024-01-01", end="2024-12-31")
    assert answer["total"]["loss_ratio"] == "0.5000"

    country.premium(4000, date(2023, 1, 1), date(2023, 12, 31))
    page = client.get("/")
    # 800 of 4,000 are 20 %.
    assert "S/P 50.0\N{NO-BREAK SPACE}% ▲ 150.0\N{NO-BREAK SPACE}%" in words(page)
    assert "no premium" not in words(page)
    content = page.content.decode()
    link = 'href="/figures/loss-ratio/?start=2024-01-01&amp;end=2024-12-31"'
    assert f"<a {link}>S/P</a>" in content
    assert '<span class="change bad">▲ 150.0' in content
    assert "50.0\N{NO-BREAK SPACE}%" in words(client.get("/figures/loss-ratio/?start=2024-01-01&end=2024-12-31"))


@pytest.mark.django_db(transaction=True)
def test_the_loss_ratio_of_each_currency_is_that_of_its_own_premiums_alone() -> None:
    countries = {}
    for code, currency in (("TG", "XOF"), ("GN", "GNF"), ("BJ", "EUR")):
        countries[code] = country = SmallCountry(code, currency)
        country.claim(Act(claimed=7000, reimbursed=7000), number=f"{code}1", client="PORT", settled=date(2024, 6, 15))
        country.save()
    countries["TG"].premium(28000, date(2024, 6, 15), date(2024, 6, 15))
    countries["GN"].premium(10000, date(2024, 6, 15), date(2024, 6, 15))
    reader = signed_in(account(Role.ADMIN_GLOBAL, None))
    blocks = re.split(r"<h3>", reader.get("/").content.decode())[1:]
    shown = {
        block.partition("<")[0]: re.findall(r">S/P</a></span><span class=\"value\">([^<]*)<", block) for block in blocks
    }
    percent = "\N{NO-BREAK SPACE}%"
    assert sorted(shown.values()) == [[], [f"25.0{percent}"], [f"70.0{percent}"]]
    assert "S/P 25.0" in words(signed_in(countries["TG"].user).get("/"))
    assert "S/P" not in words(signed_in(countries["BJ"].user).get("/"))


@pytest.mark.django_db(transaction=True)
def test_amounts_of_two_currencies_are_never_added() -> None:
    for code, currency in (("TG", "XOF"), ("GN", "GNF")):
        country = SmallCountry(code, currency)
        country.claim(Act(claimed=7000, reimbursed=7000), number=f"{code}1")
        country.save()
    page = signed_in(account(Role.ADMIN_GLOBAL, None)).get("/")
    text = words(page)
    assert "Reimbursed 7,000\N{NO-BREAK SPACE}F\N{NO-BREAK SPACE}CFA" in text
    assert "Reimbursed 7,000\N{NO-BREAK SPACE}GNF" in text
    assert "14,000" not in text
    assert 'href="/figures/?country=TG"' in page.content.decode()


@pytest.mark.django_db(transaction=True)
def test_claims_left_out_wait_with_their_amount_and_operators_are_shown_to_their_manager() -> None:
    api = ApiUser()
    lines, rows = matching_pair(line("S-1", operator="KOFFI"), line("S-2", "9000", "8000", operator="AMA"))
    api.import_pair([*lines, line("S-3", operator="KOFFI")], [*rows, row("S-3", "7000")])
    assert "1 claim is not imported" in words(signed_in(api.user).get("/"))
    manager = account(Role.RESP_OPERATEUR, api.country, "manager")
    before = AuditEntry.objects.count()
    text = words(signed_in(manager).get("/"))
    assert "Quality of entry" in text
    assert "KOFFI 2 1 50.0\N{NO-BREAK SPACE}%" in text
    assert "1 claim is not imported" not in text
    entry = AuditEntry.objects.get(pk__gt=AuditEntry.objects.order_by("-pk")[AuditEntry.objects.count() - before].pk)
    assert (entry.actor, entry.country, entry.data["part"]) == (manager, api.country, "dashboard/home")


@pytest.mark.django_db(transaction=True)
def test_the_figures_follow_the_next_import_at_once() -> None:
    country = small_country()
    client = signed_in(country.user)
    assert "Claims 2 " in words(client.get("/"))
    country.claim(Act(claimed=500, reimbursed=500), settled=date(2024, 6, 1), number="N9")
    country.save()
    assert "Claims 3 " in words(client.get("/"))


# ------------------------------------------------------------------------------------------------ size and language


@pytest.mark.parametrize("name", ["superuser", "global_admin", "togo_admin", "togo_head", "togo_operator"])
def test_the_page_takes_few_statements_however_much_there_is(
    name: str, cast: Cast, togo: Records, benin: Records, browser: Browser
) -> None:
    for number in range(12):
        make_session(user=cast.togo_head, country=cast.togo, status="REVIEW")
        Country.objects.create(name=f"Land {number}", code="Q" + chr(65 + number))
    client = browser(name)
    client.get("/")
    with CaptureQueriesContext(connection) as statements:
        assert client.get("/").status_code == 200
    assert len(statements) <= 12, [one["sql"][:120] for one in statements]


def test_the_page_is_french_for_a_french_reader(togo: Records, browser: Browser) -> None:
    text = words(browser("togo_admin").get("/", headers={"accept-language": "fr"}))
    assert "Sinistres" in text
    assert "Remboursé" in text
    assert "Claims" not in text
