"""Pairs of the review list are answered, and the answers are in the history."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW, WIDE, Visits

PAIR = re.compile(r"/review/\d+/$")


def open_pair(page: Page, kind: str) -> str:
    """The address of the first pair of the kind that waits, opened from the home page."""
    page.goto("/")
    page.locator(f"a[href$='/review/?state=waiting&kind={kind}']").click()
    page.locator("tr[data-pair] a").first.click()
    page.wait_for_url(PAIR)
    expect(page.locator("table.pair thead mark").first).to_be_visible()
    return page.url


def rows_with(page: Page, state: str, address: str) -> int:
    page.goto(f"/review/?state={state}&ordering=-decided_at")
    pair = address.rstrip("/").rpartition("/")[2]
    return page.locator(f"tr[data-pair='{pair}'] .badge.is-{state}").count()


def test_a_pair_is_answered_with_different_and_is_in_the_history(visits: Visits) -> None:
    page = visits.page("CHEF_DEPT_TECH", width=NARROW, language="fr")
    pair = open_pair(page, "operator")
    page.locator("form:has(input[name=decision][value=different]) button").click()
    page.wait_for_url(lambda url: url != pair)
    assert rows_with(page, "different", pair) == 1
    assert rows_with(page, "waiting", pair) == 0


def test_a_pair_is_merged_after_a_preview_and_is_in_the_history(visits: Visits) -> None:
    page = visits.page("ADMIN_TERRITORIAL", width=WIDE, language="en")
    pair = open_pair(page, "client")
    kept = page.locator("input[name=keep]:checked").get_attribute("value")
    page.locator("form:has(input[name=step]) button").click()
    expect(page.locator("#preview")).to_be_visible()
    page.locator("form:has(input[name=decision][value=same]) button").click()
    page.wait_for_url(lambda url: url != pair)
    assert rows_with(page, "same", pair) == 1
    page.goto(f"/clients/{kept}/")
    expect(page.locator("h1")).to_be_visible()
