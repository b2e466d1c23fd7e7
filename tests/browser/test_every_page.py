"""What holds on every page that an account reaches by links from `/`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import NARROW, Visits
from tests.browser.site import READERS, Site
from tests.browser.texts import VISIBLE_TEXTS, english

# The dark theme changes colours alone.
RULES = {
    "light": {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}},
    "dark": {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}},
}
FITS = "document.scrollingElement.scrollWidth <= document.scrollingElement.clientWidth"
# Charts follow the width of their window a moment later.
FIT_MS = 2000
# Texts shown for one page: a list has the same mistake in each row.
MOST_TEXTS = 5


@pytest.fixture
def pages(sites: Callable[[str], Site]) -> list[tuple[str, str]]:
    """(role, address) of each route once."""
    found: dict[str, tuple[str, str]] = {}
    for role in READERS:
        for route, address in sites(role).pages().items():
            found.setdefault(route, (role, address))
    return list(found.values())


def each(visits: Visits, pages: list[tuple[str, str]], look: Callable[[Page], list[str]], **options: str) -> list[str]:
    """What `look` finds on each page, with its address."""
    opened: dict[str, Page] = {}
    found = []
    for role, address in pages:
        if role not in opened:
            opened[role] = visits.page(role, **options)  # type: ignore[arg-type]
        opened[role].goto(address)
        found += [f"{address}: {problem}" for problem in look(opened[role])]
    return found


def _fits(page: Page) -> bool:
    """Whether the page gets as narrow as its window, within a moment. The policy forbids Playwright's own waiting."""
    for _ in range(FIT_MS // 50):
        if page.evaluate(FITS):
            return True
        page.wait_for_timeout(50)
    return False


def nothing(problems: list[str]) -> None:
    assert not problems, "\n" + "\n".join(problems)


@pytest.mark.parametrize("role", READERS)
def test_every_link_leads_to_a_page_that_the_account_may_open(sites: Callable[[str], Site], role: str) -> None:
    nothing(sites(role).wrong())


def test_axe_finds_nothing_in_either_theme_and_no_page_is_wider_than_its_window(
    visits: Visits, pages: list[tuple[str, str]]
) -> None:
    axe = Axe()

    def look(page: Page) -> list[str]:
        problems = []
        for scheme, rules in RULES.items():
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            for rule in axe.run(page, options=rules).response["violations"]:
                places = ", ".join(str(node["target"]) for node in rule["nodes"][:3])
                problems.append(f"{scheme} {rule['id']} at {places}")
        # 640 px are a window of 1280 px at a zoom of 200 %.
        for width in (NARROW, 640):
            page.set_viewport_size({"width": width, "height": 900})
            if not _fits(page):
                problems.append(f"wider than {width} px")
        page.set_viewport_size({"width": 1280, "height": 900})
        return problems

    nothing(each(visits, pages, look))


def test_no_text_of_a_french_page_is_english(visits: Visits, pages: list[tuple[str, str]]) -> None:
    seen: set[str] = set()

    def look(page: Page) -> list[str]:
        assert page.locator("html").get_attribute("lang") == "fr"
        new = [text for text in english().in_texts(page.evaluate(VISIBLE_TEXTS)) if text not in seen]
        seen.update(new)
        return new[:MOST_TEXTS]

    nothing(each(visits, pages, look, language="fr"))


def test_the_first_press_of_tab_offers_to_skip_to_the_content(visits: Visits, pages: list[tuple[str, str]]) -> None:
    def look(page: Page) -> list[str]:
        page.keyboard.press("Tab")
        link = page.evaluate("document.activeElement.getAttribute('href')")
        return [] if link == "#content" and page.locator("#content").count() == 1 else [f"the first is {link}"]

    nothing(each(visits, pages[:5], look))
