"""How much a page costs on a slow line, and what the browser keeps."""

from __future__ import annotations

from playwright.sync_api import Page, Response

from tests.browser.conftest import Visits, sign_in

FIRST_PAGE_BYTES, CHART_BYTES = 150_000, 120_000
# Smaller files gain nothing from compression.
LEAST_COMPRESSED = 500


class Line:
    """The bytes that came over the line into a page, by address."""

    def __init__(self, page: Page) -> None:
        self.bytes: dict[str, int] = {}
        self.addresses: dict[str, str] = {}
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.responseReceived", self._received)
        session.on("Network.loadingFinished", self._finished)

    def _received(self, event: dict) -> None:  # type: ignore[type-arg]
        self.addresses[event["requestId"]] = event["response"]["url"]

    def _finished(self, event: dict) -> None:  # type: ignore[type-arg]
        address = self.addresses.get(event["requestId"], "")
        self.bytes[address] = self.bytes.get(address, 0) + event["encodedDataLength"]

    def total(self, *, charts: bool) -> int:
        return sum(count for address, count in self.bytes.items() if ("chart" in address.lower()) == charts)


def test_signing_in_and_the_home_page_are_light_and_charts_little_more(visits: Visits) -> None:
    page = visits.page(None)
    line = Line(page)
    sign_in(page, visits.stack.accounts["ADMIN_TERRITORIAL"], address=visits.stack.address)
    page.wait_for_load_state("networkidle")
    assert 0 < line.total(charts=False) < FIRST_PAGE_BYTES
    page.goto("/figures/")
    page.wait_for_load_state("networkidle")
    assert line.total(charts=True) < CHART_BYTES


def test_static_files_are_compressed_and_kept_for_ever(visits: Visits) -> None:
    page = visits.page()
    responses: list[Response] = []
    page.on("response", lambda response: responses.append(response))
    for address in ("/", "/figures/", "/imports/new/"):
        page.goto(address)
        page.wait_for_load_state("networkidle")
    static = [response for response in responses if "/static/" in response.url]
    assert static
    wrong = []
    for response in static:
        headers = response.all_headers()
        if "immutable" not in headers.get("cache-control", ""):
            wrong.append(f"not kept: {response.url}")
        is_text = headers.get("content-type", "").partition(";")[0] != "image/png"
        if is_text and len(response.body()) > LEAST_COMPRESSED and "content-encoding" not in headers:
            wrong.append(f"not compressed: {response.url}")
    assert wrong == []
