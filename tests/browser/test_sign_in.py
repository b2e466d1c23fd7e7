"""Signing in, for each role, in each width and language."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, WIDE, Visits, sign_in
from tests.browser.stack import ROLES


@pytest.mark.parametrize("role", ROLES)
def test_each_role_signs_in_and_sees_its_home_page(visits: Visits, role: str) -> None:
    page = visits.page(None)
    sign_in(page, visits.stack.accounts[role], address=visits.stack.address)
    # In the language of the account.
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile("Welcome|Bienvenue"))


@pytest.mark.parametrize(("width", "language"), [(WIDE, "fr"), (NARROW, "en"), (NARROW, "fr")])
def test_the_language_chosen_before_signing_in_is_that_of_the_pages(visits: Visits, width: int, language: str) -> None:
    page = visits.page(None, width=width, language="en" if language == "fr" else "fr")
    page.goto("/")
    assert page.locator("html").get_attribute("lang") != language
    page.locator(f"button[name=language][value={language}]").click()
    sign_in(page, visits.stack.accounts["ADMIN_TERRITORIAL"], address=visits.stack.address)
    assert page.locator("html").get_attribute("lang") == language


def test_a_wrong_password_is_refused_in_words_and_lets_the_person_try_again(visits: Visits) -> None:
    page = visits.page(None)
    visits.watch.allow("40[03] ")
    page.goto("/")
    form = page.locator("form", has=page.locator("input[type=password]"))
    form.locator("input[name=username]").fill(visits.stack.accounts["RESP_OPERATEUR"].username)
    form.locator("input[type=password]").fill("not the password")
    form.locator("[type=submit]").first.click()
    expect(page.locator(".errorlist, .errors, [role=alert]").first).to_be_visible()
    sign_in(page, visits.stack.accounts["RESP_OPERATEUR"], address=visits.stack.address)
