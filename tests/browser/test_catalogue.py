"""Two acts are merged after a preview, and the merge is undone."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import WIDE, Visits


def test_two_acts_are_merged_after_a_preview_and_the_merge_is_undone(visits: Visits) -> None:
    page = visits.page("SUPERUSER", width=WIDE, language="en")
    page.goto("/acts/?search=VERRES")
    page.locator("table.list tbody a").first.click()
    name = page.locator("h1").inner_text()
    page.locator("a[href$='/catalogue/']").click()
    page.locator("#id_q").fill("EXTRACTION")
    page.locator("form[role=search] button", has_text="Search").last.click()
    page.locator("input[name=other]").first.check()
    page.locator("button", has_text="Show what would move").click()
    expect(page.locator("h1")).to_have_text("Confirm the change")
    page.locator("main button", has_text="Confirm").click()
    expect(page.locator("h1")).to_have_text(name)
    expect(page.locator(".messages")).to_contain_text(f"became “{name}”")
    expect(page.locator("dl.facts").first).to_contain_text("EXTRACTION")
    page.goto("/acts/?search=EXTRACTION")
    expect(page.locator("table.list tbody tr")).to_have_count(1)
    page.goto("/catalogue-changes/")
    page.locator("table.list tbody a", has_text="Undo").first.click()
    page.locator("button", has_text="Undo the change").click()
    expect(page.locator(".messages")).to_contain_text(re.compile(r"Change \d+ was undone"))
    page.goto("/acts/?search=EXTRACTION")
    expect(page.locator("table.list tbody a").first).to_contain_text("EXTRACTION")
