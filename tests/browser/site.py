"""The pages that an account reaches by following links from `/`, as addresses by route."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

from django.urls import Resolver404, resolve
from playwright.sync_api import APIRequestContext

# Together these roles reach every page: the first what belongs to a country, the second what belongs to all.
READERS = ("ADMIN_TERRITORIAL", "SUPERUSER")
# Addresses followed for each route (one for each set of parameters), and links away from `/`.
OF_EACH_ROUTE = 5
DEPTH = 6
# The administration and the API have tests of their own: here only the links to them are followed.
_NOT_PAGES = ("admin/", "api/", "static/", "health/", "live/")


@dataclass(frozen=True)
class Answer:
    address: str
    route: str
    status: int
    is_page: bool
    linked_from: str


@dataclass
class Site:
    answers: list[Answer] = field(default_factory=list)

    def wrong(self) -> list[str]:
        """Links that lead to anything but a good answer."""
        return [f"{one.status} {one.address} on {one.linked_from}" for one in self.answers if one.status != 200]

    def pages(self) -> dict[str, str]:
        """Route → address of the first page with it, without the administration."""
        found: dict[str, str] = {}
        for one in self.answers:
            if one.is_page and one.status == 200 and not one.route.startswith(_NOT_PAGES):
                found.setdefault(one.route, one.address)
        return found


class _Links(HTMLParser):
    """The addresses that a person can follow: links, and forms that only read."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "a" and values.get("href"):
            self.found.append(values["href"] or "")
        if tag == "form" and (values.get("method") or "get").lower() == "get":
            self.found.append(values.get("action") or "")


def route_of(path: str) -> str:
    try:
        match = resolve(path)
    except Resolver404:
        return f"unknown: {path}"
    # Each part of the figures, each act of a session and each topic of the help is a page of its own.
    words = ",".join(value for value in match.kwargs.values() if isinstance(value, str) and not value.isdigit())
    return f"{match.route} {words}".strip()


def crawl(request: APIRequestContext, *, address: str) -> Site:
    """Follows the links of one account, in breadth: of each route the first OF_EACH_ROUTE with different parameters."""
    site, seen = Site(), {f"{address}/"}
    kinds: set[tuple[str, ...]] = set()
    counts: Counter[str] = Counter()
    queue = deque([(f"{address}/", "", 0)])
    while queue:
        at, linked_from, depth = queue.popleft()
        parts = urlsplit(at)
        route = route_of(parts.path)
        answer = request.get(at, max_redirects=5)
        is_page = answer.headers.get("content-type", "").startswith("text/html")
        site.answers.append(Answer(at, route, answer.status, is_page, linked_from))
        if not is_page or depth == DEPTH or route.startswith(_NOT_PAGES):
            continue
        links = _Links()
        links.feed(answer.text())
        for link in links.found:
            target = urljoin(answer.url, link).partition("#")[0]
            to = urlsplit(target)
            if f"{to.scheme}://{to.netloc}" != address or target in seen:
                continue
            to_route = route_of(to.path)
            kind = (to_route, *sorted({name for name, value in parse_qsl(to.query) if value}))
            most = 1 if to_route.startswith(_NOT_PAGES) else OF_EACH_ROUTE
            if kind not in kinds and counts[to_route] < most:
                kinds.add(kind)
                counts[to_route] += 1
                seen.add(target)
                queue.append((target, parts.path, depth + 1))
    return site
