"""`make screenshots`: writes every page in both languages into docs/screenshots, some also at the width of a phone."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")
django.setup()

from playwright.sync_api import Browser, Page, StorageState, sync_playwright  # noqa: E402

from scripts.demo import story  # noqa: E402
from tests.browser.conftest import LOCALES, NARROW, WIDE, chromium_path, sign_in  # noqa: E402
from tests.browser.palette import reduce_colours  # noqa: E402
from tests.browser.site import crawl  # noqa: E402
from tests.browser.stack import Stack, running_stack  # noqa: E402

TARGET = Path(settings.BASE_DIR) / "docs" / "screenshots"
# The first reader sees what belongs to a country, the second what belongs to all.
READERS = ("ADMIN_TERRITORIAL", "SUPERUSER")
# Pages that people open on a phone.
ON_A_PHONE = ("home", "figures", "imports", "imports-new", "import", "claim", "search")
# A picture longer than this shows nothing more of the page.
MOST_HEIGHT = 1800
WAIT_MS = 700


def name_of(address: str, route: str) -> str:
    """The name of a picture: the words of its address; numbers stand for one record of its kind."""
    words = [word for word in urlsplit(address).path.split("/") if word]
    if not words:
        return "home"
    if any(word.isdigit() for word in words):
        words[0] = f"{words[0][:-3]}y" if words[0].endswith("ies") else words[0].removesuffix("s")
    return "-".join(word for word in words if not word.isdigit())


def wanted(stack: Stack, browser: Browser, states: dict[tuple[str, str], StorageState]) -> dict[str, tuple[str, str]]:
    """Name of the picture → role and address; the pages of the demo's main sessions before any other."""
    found: dict[str, tuple[str, str]] = {"sign-in": ("", "/sign-in/")}
    main, review = stack.sessions[story.MAIN]["id"], stack.sessions["review"]["id"]
    found["import"] = (READERS[0], f"/imports/{main}/")
    found["import-in-review"] = (READERS[0], f"/imports/{review}/")
    found["import-findings"] = (READERS[0], f"/imports/{main}/findings/?category=amount_gap")
    for role in READERS:
        context = browser.new_context(storage_state=states[role, "en"])
        site = crawl(context.request, address=stack.address)
        context.close()
        for route, address in site.pages().items():
            found.setdefault(name_of(address, route), (role, address.removeprefix(stack.address)))
    return found


def picture(page: Page, address: str, target: Path) -> None:
    answer = page.goto(address)
    if answer is None or not answer.ok:
        raise SystemExit(f"{address}: {answer.status if answer else 'no answer'}")
    page.wait_for_timeout(WAIT_MS)
    height = min(page.evaluate("document.scrollingElement.scrollHeight"), MOST_HEIGHT)
    width = page.viewport_size["width"] if page.viewport_size else WIDE
    page.screenshot(
        path=target, full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height}, animations="disabled"
    )


def main() -> None:
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir(parents=True)
    with running_stack() as stack, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        states = {}
        for role in READERS:
            for language, locale in LOCALES.items():
                context = browser.new_context(locale=locale)
                context.add_cookies([{"name": "django_language", "value": language, "url": stack.address}])
                sign_in(context.new_page(), stack.accounts[role], address=stack.address)
                states[role, language] = context.storage_state()
                context.close()
        pages = wanted(stack, browser, states)
        for language, locale in LOCALES.items():
            for width, ending in ((WIDE, ""), (NARROW, "-phone")):
                contexts: dict[str, Page] = {}
                for name, (role, address) in pages.items():
                    if width == NARROW and name not in ON_A_PHONE:
                        continue
                    if role not in contexts:
                        context = browser.new_context(
                            base_url=stack.address,
                            locale=locale,
                            viewport={"width": width, "height": 900},
                            storage_state=states[role, language] if role else None,
                            reduced_motion="reduce",
                        )
                        contexts[role] = context.new_page()
                    picture(contexts[role], address, TARGET / f"{name}{ending}.{language}.png")
                for page in contexts.values():
                    page.context.close()
        plain = browser.new_page()
        for path in sorted(TARGET.iterdir()):
            reduce_colours(path, page=plain)
        browser.close()
    total = sum(path.stat().st_size for path in TARGET.iterdir())
    print(f"{len(list(TARGET.iterdir()))} pictures, {total / 1e6:.1f} MB, in {TARGET}")


if __name__ == "__main__":
    main()
