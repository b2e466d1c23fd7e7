"""A page as a reader sees it: its texts, links and totals."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.test import Client

from tests.support.responses import content_of


@dataclass(frozen=True)
class Page:
    status: int
    source: str

    @cached_property
    def main(self) -> str:
        """Without the header, which every page has."""
        return self.source[self.source.find("<main") :] if "<main" in self.source else self.source

    @cached_property
    def text(self) -> str:
        """The text of the main part, white space made single."""
        return _plain(self.main)

    @cached_property
    def links(self) -> list[tuple[str, str]]:
        """(address, text) of every link of the main part."""
        found = re.findall(r'<a\b[^>]*href="([^"]*)"[^>]*>(.*?)</a>', self.main, flags=re.DOTALL)
        return [(html.unescape(address), _plain(text)) for address, text in found]

    def leads_to(self, start: str) -> list[str]:
        """The addresses of the links that begin with `start`, in the order of the page."""
        return [address for address, _text in self.links if address.startswith(start)]

    @property
    def body_rows(self) -> int:
        """The number of rows of the first table."""
        body = self.source.partition("<tbody>")[2].partition("</tbody>")[0]
        return body.count("<tr")

    @property
    def totals(self) -> list[str]:
        return [_plain(one) for one in re.findall(r'<p class="totals">(.*?)</p>', self.source, flags=re.DOTALL)]

    @property
    def chips(self) -> list[str]:
        part = self.source.partition('<ul class="chips"')[2].partition("</ul>")[0]
        return [_plain(one).removesuffix("×").strip() for one in re.findall(r"<li>(.*?)</li>", part, flags=re.DOTALL)]

    def kept(self) -> dict[str, str]:
        """The hidden inputs of the forms that read."""
        return dict(re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)">\s*\n?</li>', self.source))


def _plain(source: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", source))).strip().replace("\xa0", " ")


def read(client: Client, address: str, language: str = "en") -> Page:
    response: Any = client.get(address, headers={"accept-language": language})
    return Page(response.status_code, content_of(response).decode())
