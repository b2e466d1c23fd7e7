"""The deactivation of a country is asked for and approved, and the country is activated again."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Page, expect

from tests.browser.conftest import WIDE, Visits
from tests.browser.stack import Account, Stack

# In the log the console shows a mail with its lines cut as a mail has them.
LINK = re.compile(r"/account/password/choose/\?\S+")
PASSWORD = "Baobab-tree-1960"


def second_admin(stack: Stack) -> Account:
    """A second global administrator, who chooses a password by the link of the invitation."""
    boss = stack.clients["SUPERUSER"]
    account = {"role": "ADMIN_GLOBAL", "email": "second-global@concord.example", "language": "en"}
    boss.call("POST", "/api/v1/users/", json=account)
    deadline = time.monotonic() + 60
    while not (found := LINK.search(stack.log().replace("=\n", "").replace("=3D", "="))):
        assert time.monotonic() < deadline, "the invitation was not sent"
        time.sleep(0.5)
    query = dict(part.split("=", 1) for part in found[0].partition("?")[2].replace("&amp;", "&").split("&"))
    boss.call(
        "POST",
        "/api/v1/auth/password/set/",
        json={"uid": query["uid"], "token": query["token"], "new_password": PASSWORD},
    )
    return Account("ADMIN_GLOBAL", account["email"], PASSWORD, "")


def open_country(page: Page, code: str) -> None:
    page.goto("/countries/")
    page.get_by_role("link", name=f"Pays {code}").click()


def test_two_global_administrators_deactivate_a_country_and_one_activates_it_again(visits: Visits) -> None:
    stack = visits.stack
    boss = stack.clients["SUPERUSER"]
    country = boss.call("POST", "/api/v1/countries/", json={"name": "Pays QZ", "code": "QZ"})
    other = second_admin(stack)
    asker = visits.page("ADMIN_GLOBAL", width=WIDE, language="en")
    open_country(asker, "QZ")
    asker.locator("#deactivation summary").click()
    asker.locator("#deactivation textarea").fill("The branch was sold.")
    asker.get_by_role("button", name="Ask for the deactivation").click()
    expect(asker.get_by_text("Approvals: 1 of 2 needed.")).to_be_visible()

    voter = visits.page(None, width=WIDE, language="en")
    voter.goto("/sign-in/")
    voter.locator("input[name=username]").fill(other.username)
    voter.locator("input[type=password]").fill(other.password)
    voter.locator("form:has(input[type=password]) [type=submit]").click()
    voter.get_by_role("link", name="Deactivation of Pays QZ").click()
    expect(voter.get_by_text("The branch was sold.")).to_be_visible()
    voter.get_by_role("button", name="Approve the deactivation").click()
    expect(voter.get_by_text("its accounts can no longer sign in").first).to_be_visible()
    assert boss.call("GET", f"/api/v1/countries/{country['id']}/")["is_active"] is False

    asker.reload()
    asker.get_by_role("button", name="Activate").click()
    expect(asker.get_by_text("“Pays QZ” is active.")).to_be_visible()
    expect(asker.get_by_text("Earlier requests")).to_be_visible()
    assert boss.call("GET", f"/api/v1/countries/{country['id']}/")["is_active"] is True
