"""Two records of one person are merged on the page, and split again."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import WIDE, Visits
from tests.browser.stack import Stack

ROLE = "CHEF_DEPT_TECH"


def two_principals(page: Page) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two principals of one policy who may be merged."""
    families = page.request.get("/api/v1/families/?page_size=200").json()["results"]
    by_policy: dict[int, list[dict[str, Any]]] = {}
    for family in families:
        by_policy.setdefault(family["policy"]["id"], []).append(family)
    for heads in by_policy.values():
        for first in heads:
            for second in heads:
                if first["principal"]["id"] == second["principal"]["id"]:
                    continue
                details = [
                    page.request.get(f"/api/v1/insured/{one['principal']['id']}/").json() for one in (first, second)
                ]
                cards = {one["card_number"] for one in details if one["card_number"]}
                if len(cards) < 2:
                    return details[0], details[1]
    raise AssertionError("no two records without two cards")


def confirm(page: Page, password: str, button: str) -> None:
    """The preview, then the own password."""
    expect(page.locator("#preview")).to_be_visible()
    page.get_by_label("Your password").fill(password)
    page.get_by_role("button", name=button).click()
    expect(page.locator(".alert, .messages").first).to_contain_text("The correction was made")


def test_two_records_of_a_person_are_merged_and_split(visits: Visits, stack: Stack) -> None:
    page = visits.page(ROLE, width=WIDE, language="en")
    page.goto("/")
    kept, other = two_principals(page)
    password = stack.accounts[ROLE].password
    page.goto(f"/insured/{kept['id']}/")
    page.get_by_role("link", name="Merge with another record").click()
    page.get_by_label("Name or card number").fill(other["name"])
    page.locator("#content").get_by_role("button", name="Search").click()
    page.locator(f"input[name=insured][value='{other['id']}']").check()
    page.get_by_role("button", name="Preview").click()
    confirm(page, password, "Merge the records")
    expect(page.get_by_text("Also written")).to_be_visible()
    assert page.request.get(f"/api/v1/insured/{other['id']}/").status == 404

    page.get_by_role("link", name="Split off a record").click()
    page.locator(f"input[name=insured][value='{other['id']}']").check()
    page.get_by_role("button", name="Preview").click()
    confirm(page, password, "Split it off")
    assert page.request.get(f"/api/v1/insured/{other['id']}/").json()["name"] == other["name"]
    page.goto(f"/families/changes/?insured={kept['id']}")
    rows = page.locator("table.list tbody tr")
    expect(rows.nth(0)).to_contain_text("split off")
    expect(rows.nth(1)).to_contain_text("merged")
