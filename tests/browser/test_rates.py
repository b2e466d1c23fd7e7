"""A coverage rate is typed on the page of a policy, stands before the observed one, and is given back."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import WIDE, Visits


def test_a_rate_is_typed_on_the_page_of_a_policy_and_given_back(visits: Visits) -> None:
    page = visits.page("ADMIN_TERRITORIAL", width=WIDE, language="en")
    found = page.request.get("/api/v1/policies/?typed_rate=false&without_rate=false&page_size=1").json()["results"]
    page.goto(f"/policies/{found[0]['id']}/")
    rates = page.locator("section", has=page.locator("h2#coverage")).locator("dl.facts")
    expect(rates).to_contain_text("observed")
    page.get_by_label("Rate to type, in per cent").fill("63")
    page.get_by_role("button", name="Type the rate", exact=True).click()
    expect(page.locator(".messages")).to_contain_text("The rate is typed.")
    expect(rates).to_contain_text("63")
    expect(rates.locator(".badge", has_text="typed").first).to_be_visible()
    page.goto("/policies/to-complete/")
    expect(page.locator("table.list")).to_contain_text(found[0]["number"])
    page.get_by_role("link", name=found[0]["number"], exact=True).click()
    page.get_by_role("button", name="Give back to the observed rate", exact=True).click()
    expect(page.locator(".messages")).to_contain_text("The observed rate is in force again.")
    expect(rates).not_to_contain_text("63")
