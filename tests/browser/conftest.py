"""Fixtures of the browser tests: `make browser` runs them in two processes, each with an installation and a browser."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, sync_playwright

from scripts.demo.server import BASE_DIR
from tests.browser.site import Site, crawl
from tests.browser.stack import Account, Stack, running_stack
from tests.browser.watching import Watch

LOCALES = {"en": "en-GB", "fr": "fr-FR"}
WIDE, NARROW = 1280, 360
HEIGHT = 900
TIMEOUT_MS = 20_000


# What the demo shows is compared before other tests add countries of their own to it; the longest file comes next.
ORDER = {"test_demo.py": 0, "test_every_page.py": 1}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: ORDER.get(item.path.name, len(ORDER)))


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with running_stack() as running:
        yield running


@pytest.fixture(scope="session")
def address(stack: Stack) -> str:
    return stack.address


def chromium_path() -> str:
    found = subprocess.run(
        ["/bin/sh", str(BASE_DIR / "scripts" / "chromium.sh")], check=True, stdout=subprocess.PIPE, text=True
    )
    return found.stdout.strip()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


def sign_in(page: Page, account: Account, *, address: str) -> None:
    """Signs in as a person does, from the first page."""
    page.goto(f"{address}/")
    form = page.locator("form", has=page.locator("input[type=password]"))
    form.locator("input[name=username]").fill(account.username)
    form.locator("input[type=password]").fill(account.password)
    form.locator("[type=submit]").first.click()
    page.wait_for_url(lambda url: "sign-in" not in url and "login" not in url)


@pytest.fixture(scope="session")
def signed_in(stack: Stack, chromium: Browser) -> Callable[..., StorageState]:
    """Role and language → the cookies of its account, which signs in once for all tests.

    The language of a session is the one that the visitor chose before signing in.
    """
    states: dict[tuple[str, str], StorageState] = {}

    def state(role: str, language: str = "en") -> StorageState:
        if (role, language) not in states:
            context = chromium.new_context(locale=LOCALES[language])
            context.add_cookies([{"name": "django_language", "value": language, "url": stack.address}])
            sign_in(context.new_page(), stack.accounts[role], address=stack.address)
            states[role, language] = context.storage_state()
            context.close()
        return states[role, language]

    return state


@pytest.fixture(scope="session")
def sites(stack: Stack, chromium: Browser, signed_in: Callable[..., StorageState]) -> Callable[[str], Site]:
    """Role → what it reaches."""
    found: dict[str, Site] = {}

    def site(role: str) -> Site:
        if role not in found:
            context = chromium.new_context(storage_state=signed_in(role))
            found[role] = crawl(context.request, address=stack.address)
            context.close()
        return found[role]

    return site


class Visits:
    """Opens pages as a role, in a width, a language and a colour scheme; the watch sees the problems of all of them."""

    def __init__(self, chromium: Browser, stack: Stack, signed_in: Callable[..., StorageState]) -> None:
        self.chromium, self.stack, self.signed_in = chromium, stack, signed_in
        self.watch = Watch()
        self.contexts: list[BrowserContext] = []

    def page(
        self,
        role: str | None = "ADMIN_TERRITORIAL",
        *,
        width: int = WIDE,
        language: str = "en",
        scheme: str = "light",
        **options: Any,
    ) -> Page:
        """A page in a context of its own. `role` None: nobody has signed in. `options`: those of a context."""
        context = self.chromium.new_context(
            base_url=self.stack.address,
            viewport={"width": width, "height": HEIGHT},
            locale=LOCALES[language],
            color_scheme=scheme,  # type: ignore[arg-type]
            storage_state=self.signed_in(role, language) if role else None,
            reduced_motion="reduce",
            **options,
        )
        context.set_default_timeout(TIMEOUT_MS)
        self.watch.attach(context)
        self.contexts.append(context)
        return context.new_page()

    def close(self) -> None:
        while self.contexts:
            self.contexts.pop().close()


@pytest.fixture
def visits(chromium: Browser, stack: Stack, signed_in: Callable[..., StorageState]) -> Iterator[Visits]:
    visits = Visits(chromium, stack, signed_in)
    yield visits
    visits.close()
    found = visits.watch.found()
    assert not found, "\n" + "\n".join(found)
