"""The figures, as each role reads them: period, scope, language, and from a figure to the list behind it."""

from __future__ import annotations

import itertools
import re
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from scripts.demo import story
from tests.browser.conftest import NARROW, WIDE, Visits
from tests.browser.stack import ROLES, Stack
from tests.browser.test_imports import outcome_of, outcome_on

EVERYBODY = list(itertools.product(ROLES, (WIDE, NARROW), ("en", "fr")))


def card(page: Page, key: str) -> str:
    return page.locator(f".figure[data-key={key}] .value").first.inner_text()


def amount(text: str) -> Decimal:
    """The amount of an English text, without its currency."""
    return Decimal(re.sub(r"[^\d.-]", "", text))


def period_of(stack: Stack) -> dict[str, str]:
    start, end = stack.pairs[story.MAIN].expected["figures"]["period"]
    return {"start": start, "end": end}


def open_year(page: Page, stack: Stack) -> None:
    """The figures of Togo in the year of the main pair, by the form."""
    period = period_of(stack)
    page.goto("/figures/")
    if page.locator("#id_country").count():
        page.select_option("#id_country", label="Togo")
    page.fill("#id_start", period["start"])
    page.fill("#id_end", period["end"])
    page.locator("form.filters button[type=submit]").click()
    expect(page).to_have_url(re.compile(f"start={period['start']}"))


@pytest.mark.parametrize(("role", "width", "language"), EVERYBODY)
def test_a_reader_chooses_a_period_and_a_scope_and_gets_from_a_figure_to_its_list(
    visits: Visits, role: str, width: int, language: str
) -> None:
    page = visits.page(role, width=width, language=language)
    page.goto("/")
    page.locator("header nav a[href='/figures/']").click()
    open_year(page, visits.stack)
    claims = visits.stack.pairs[story.MAIN].expected["figures"]["portfolio"]["claims"]
    assert int(re.sub(r"\D", "", card(page, "claims"))) == claims

    # A scope: the first client of the ranking.
    page.locator("nav.parts a[href*='/rankings/']").click()
    page.locator("table tbody tr a").first.click()
    expect(page).to_have_url(re.compile("(client=|/clients/)"))

    # From a figure to its list.
    open_year(page, visits.stack)
    page.locator(".figure[data-key=claims] a.value").first.click()
    expect(page).to_have_url(re.compile("/claims/"))
    expect(page.locator("table tbody tr").first).to_be_visible()


def test_a_preset_and_the_language_stay_in_the_address(visits: Visits) -> None:
    page = visits.page("RESP_OPERATEUR")
    page.goto("/figures/")
    page.locator(".presets a").last.click()
    address = page.url
    assert "?" in address
    page.locator("button[name=language][value=fr]").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    assert page.url == address
    page.locator("button[name=language][value=en]").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_the_figures_of_a_year_are_those_of_its_files(visits: Visits) -> None:
    page = visits.page("ADMIN_TERRITORIAL")
    open_year(page, visits.stack)
    expected = visits.stack.pairs[story.MAIN].expected["figures"]["portfolio"]
    for key in ("claims", "lines", "insured_who_consumed", "active_clients", "active_policies", "active_partners"):
        assert int(re.sub(r"\D", "", card(page, key))) == expected[key], key
    for key in ("claimed", "reimbursed"):
        assert amount(card(page, key)) == Decimal(expected[key]), key


def test_the_ranking_of_clients_is_that_of_the_files(visits: Visits) -> None:
    period = period_of(visits.stack)
    page = visits.page("ADMIN_TERRITORIAL")
    page.goto(f"/figures/rankings/?by=client&start={period['start']}&end={period['end']}")
    expected = [one["name"] for one in visits.stack.pairs[story.MAIN].expected["figures"]["rankings"]["client"]]
    shown = page.locator("table").first.locator("tbody tr a").all_inner_texts()
    assert [name for name in shown if name in expected][:5] == expected[:5]


def test_the_outcome_of_an_import_is_that_of_its_files(visits: Visits) -> None:
    page = visits.page("ADMIN_TERRITORIAL")
    page.goto(f"/imports/{visits.stack.sessions[story.MAIN]['id']}/")
    assert outcome_on(page) == outcome_of(visits.stack.pairs[story.MAIN], "imported")


def test_without_javascript_every_figure_is_a_table(visits: Visits) -> None:
    page = visits.page("RESP_OPERATEUR", java_script_enabled=False)
    open_year(page, visits.stack)
    links = page.locator("nav.parts a")
    addresses = [links.nth(index).get_attribute("href") or "" for index in range(links.count())]
    assert len(addresses) > 8
    for address in addresses[1:]:
        page.goto(address)
        assert page.locator("main table, main .empty, main .figures").count() > 0, address
        assert page.locator("figure.chart:not([hidden])").count() == 0
