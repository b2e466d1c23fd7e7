"""An import from the files to the records and back, as the accounts that may import do it."""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from samples import make_pair
from samples.kinds import IMPORTED
from scripts.demo.pairs import TOGO_SEED, SamplePair
from tests.browser.conftest import NARROW, WIDE, Visits
from tests.browser.stack import CLAIMS

CLAIMS_OF_A_PAIR = 40
# A run takes seconds, longer on a machine that does other things too.
RUN_MS = 120_000
ENDED = re.compile("^(?!PENDING|PROCESSING)")
# How many pairs were made, so that each has claim numbers of its own.
MADE = pytest.StashKey[int]()

IMPORTERS = [
    ("ADMIN_TERRITORIAL", WIDE, "en"),
    ("CHEF_DEPT_TECH", NARROW, "fr"),
    ("SUPERUSER", WIDE, "fr"),
]


@pytest.fixture
def fresh_pair(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[], SamplePair]:
    """Makes a pair that no import has seen, of people whom the country knows."""

    def make() -> SamplePair:
        number = request.config.stash[MADE] = request.config.stash.get(MADE, 0) + 1
        expected = make_pair(
            tmp_path,
            claims=CLAIMS_OF_A_PAIR,
            seed=900_000 + number,
            pages=2,
            start=dt.date(2020, 1, 1),
            days=60,
            world_seed=TOGO_SEED,
            world_claims=CLAIMS,
        )
        files = expected["files"]
        return SamplePair(tmp_path / files["stat"], [tmp_path / page for page in files["recaps"]], expected)

    return make


def drop(page: Page, files: list[Path]) -> None:
    """Drops the files on the page, as from a file manager."""
    contents = [{"name": file.name, "data": base64.b64encode(file.read_bytes()).decode()} for file in files]
    dropped = page.evaluate_handle(
        """contents => {
            const transfer = new DataTransfer();
            for (const { name, data } of contents) {
                const bytes = Uint8Array.from(atob(data), character => character.charCodeAt(0));
                transfer.items.add(new File([bytes], name));
            }
            return transfer;
        }""",
        contents,
    )
    for event in ("dragenter", "dragover", "drop"):
        page.dispatch_event("#drop", event, {"dataTransfer": dropped})


def remove_all(page: Page) -> None:
    """Removes the files that an earlier test sent and did not import: the page offers them again."""
    page.wait_for_load_state("networkidle")
    while page.locator("#rows .remove").count():
        count = page.locator("#rows .remove").count()
        page.locator("#rows .remove").first.click()
        expect(page.locator("#rows .remove")).to_have_count(count - 1)


def choose_country(page: Page) -> None:
    """Accounts of all countries name one."""
    if page.locator("select#country").count():
        page.select_option("#country", label="Togo")


def wait_until_ended(page: Page) -> str:
    """Watches the page of a session, without touching it, until the run has ended; → the status."""
    expect(page.locator("#state")).to_have_attribute("data-status", ENDED, timeout=RUN_MS)
    return page.locator("#state").get_attribute("data-status") or ""


def number_in(text: Locator) -> int:
    """The number of a cell, in whatever way the language groups its digits."""
    return int(re.sub(r"\D", "", text.inner_text()))


def outcome_on(page: Page) -> dict[str, int]:
    """Part of the outcome → number of claims, as the page of the session shows them."""
    rows = page.locator("#outcome tr[data-part]").all()
    return {row.get_attribute("data-part") or "": number_in(row.locator("td.number").first) for row in rows}


def outcome_of(pair: SamplePair, part: str) -> dict[str, int]:
    """The same by the pair; `part`: the name for the claims that are imported, or would be."""
    left_out = {name: count for name, count in pair.expected["claims"]["by_category"].items() if name not in IMPORTED}
    return {part: pair.expected["importable"]["claims"], **left_out}


@pytest.mark.parametrize(("role", "width", "language"), IMPORTERS)
def test_files_are_dropped_compared_looked_at_written_and_taken_back(
    visits: Visits, fresh_pair: Callable[[], SamplePair], role: str, width: int, language: str
) -> None:
    pair = fresh_pair()
    by_category = pair.expected["claims"]["by_category"]
    page = visits.page(role, width=width, language=language)
    page.goto("/")
    page.locator("header nav a[href='/imports/new/']").click()
    choose_country(page)
    remove_all(page)
    drop(page, [pair.stat, *pair.recaps])
    expect(page.locator("#rows .badge.good")).to_have_count(3)
    page.locator("input[name=dry_run][value=true]").check()
    page.locator("#start").click()
    page.wait_for_url(re.compile(r"/imports/\d+/$"))
    session = page.url

    # Watched to its end: the page shows it by itself.
    assert wait_until_ended(page) == "REVIEW"
    assert outcome_on(page) == outcome_of(pair, "agreed")

    # Findings of one category, and one of them with both sides.
    page.locator("#outcome a[href*='category=amount_gap']").click()
    expect(page.locator("tbody tr")).to_have_count(by_category["amount_gap"])
    page.locator("tbody tr a").first.click()
    expect(page.locator("#compared .differs").first).to_be_visible()
    in_file = page.locator("#side-stat th.place a").first
    in_file.click()
    expect(page).to_have_url(re.compile("/preview/"))

    # What was reviewed is written.
    page.goto(session)
    page.locator("form[action$='/commit/'] button").click()
    expect(page).to_have_url(session)
    assert wait_until_ended(page) == "DONE_WITH_ERRORS"

    # And taken back, after a look at what goes.
    page.locator("[data-act=revert]").click()
    importable = pair.expected["importable"]
    assert number_in(page.locator("[data-removed=claims]")) == importable["claims"]
    page.locator("button.danger").click()
    expect(page).to_have_url(session)
    expect(page.locator("#state")).to_have_attribute("data-status", "REVERTED")


@pytest.mark.parametrize(("role", "width", "language"), IMPORTERS[:2])
def test_the_same_without_javascript(
    visits: Visits, fresh_pair: Callable[[], SamplePair], role: str, width: int, language: str
) -> None:
    pair = fresh_pair()
    page = visits.page(role, width=width, language=language, java_script_enabled=False)
    page.goto("/imports/new/")
    page.set_input_files("#stat_file", pair.stat)
    page.set_input_files("#recap_file", pair.recaps)
    page.locator("input[name=dry_run][value=true]").check()
    page.locator("#new-import button[type=submit]").last.click()
    session = page.url
    assert re.search(r"/imports/\d+/$", session)
    _look_again_until(page, "REVIEW")
    page.locator("form[action$='/commit/'] button").click()
    _look_again_until(page, "DONE_WITH_ERRORS")
    page.locator("#outcome a[href*='category=amount_gap']").click()
    assert page.locator("tbody tr").count() == pair.expected["claims"]["by_category"]["amount_gap"]
    page.locator("tbody tr a").first.click()
    assert page.locator("#compared .differs").count() > 0
    page.goto(session)
    page.locator("[data-act=revert]").click()
    page.locator("button.danger").click()
    assert page.locator("#state").get_attribute("data-status") == "REVERTED"


def _look_again_until(page: Page, status: str) -> None:
    for _ in range(RUN_MS // 500):
        seen = page.locator("#state").get_attribute("data-status")
        if seen == status:
            return
        assert seen in ("PENDING", "PROCESSING"), seen
        page.wait_for_timeout(500)
        page.goto(page.url)
    raise AssertionError(f"the session never was {status}")


def test_a_line_that_breaks_costs_one_file_which_is_sent_again(
    visits: Visits, fresh_pair: Callable[[], SamplePair]
) -> None:
    pair = fresh_pair()
    visits.watch.allow(r"net::ERR_INTERNET_DISCONNECTED")
    page = visits.page("ADMIN_TERRITORIAL")
    page.goto("/imports/new/")
    sent: list[str] = []

    def break_the_second(route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        sent.append(route.request.url)
        if len(sent) == 2:
            route.abort("internetdisconnected")
        else:
            route.continue_()

    remove_all(page)
    page.route("**/api/v1/files/", break_the_second)
    drop(page, [pair.stat, *pair.recaps])
    expect(page.locator("#rows .badge.good")).to_have_count(3, timeout=60_000)
    assert len(sent) == 4
    page.locator("#start").click()
    page.wait_for_url(re.compile(r"/imports/\d+/$"))
    assert wait_until_ended(page) == "DONE_WITH_ERRORS"


def test_a_file_that_is_no_claim_file_is_shown_at_once_and_the_rest_still_starts(
    visits: Visits, fresh_pair: Callable[[], SamplePair], tmp_path: Path
) -> None:
    pair = fresh_pair()
    visits.watch.allow(r"40[0-9] ")
    other = tmp_path / "menu.csv"
    other.write_text("plat;prix\nriz;1500\n", encoding="utf-8")
    page = visits.page("ADMIN_TERRITORIAL")
    page.goto("/imports/new/")
    remove_all(page)
    drop(page, [other, pair.stat, *pair.recaps])
    expect(page.locator("#rows .badge.good")).to_have_count(3)
    expect(page.locator("#rows .badge.bad")).to_have_count(1)
    expect(page.locator("#start")).to_be_disabled()
    page.locator("#rows tr", has_text="menu.csv").locator(".remove").click()
    expect(page.locator("#start")).to_be_enabled()


def test_every_action_of_the_new_import_is_reached_by_keyboard(visits: Visits) -> None:
    page = visits.page("ADMIN_TERRITORIAL")
    page.goto("/imports/new/")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.name"))
    assert {"chosen-files", "chosen-folder", "dry_run", "on_conflict"} <= reached


def test_every_action_of_a_session_in_review_is_reached_by_keyboard(visits: Visits) -> None:
    page = visits.page("CHEF_DEPT_TECH")
    page.goto(f"/imports/{visits.stack.sessions['review']['id']}/")
    wanted = page.locator("main form button, main a[href]").count()
    reached = set()
    for _ in range(wanted + 60):
        page.keyboard.press("Tab")
        place = page.evaluate(
            "[...document.querySelectorAll('main form button, main a[href]')].indexOf(document.activeElement)"
        )
        reached.add(place)
    hidden = page.locator("details:not([open]) a[href]").count()
    assert len(reached - {-1}) == wanted - hidden
