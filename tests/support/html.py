"""What a person reads on a page: its tables, cards and links, without the markup."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"input", "link", "meta", "br", "img", "hr"}


@dataclass
class Page(HTMLParser):
    """`rows`: the texts of the cells of each table row; `links`: (text, address); `text`: all words."""

    source: str
    rows: list[list[str]] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    cards: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self._cell: list[str] | None = None
        self._link: list[str] | None = None
        self._address = ""
        self._card: dict[str, str] | None = None
        self._part = ""
        self._silent = 0
        self.feed(self.source)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split(" "))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.tags.append((tag, named))
        if tag in ("script", "style"):
            self._silent += 1
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self._cell = []
        elif tag == "a":
            self._link, self._address = [], named.get("href", "")
        if tag == "li" and "data-key" in named:
            self._card = self.cards[named["data-key"], named["data-currency"]] = {}
        if self._card is not None and named.get("class", "").partition(" ")[0] in ("name", "value", "change"):
            self._part = named["class"].partition(" ")[0]
            if "href" in named:
                self._card["href"] = named["href"]

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._silent -= 1
        if tag in ("td", "th") and self._cell is not None:
            self.rows[-1].append("".join(self._cell).strip())
            self._cell = None
        elif tag == "a" and self._link is not None:
            self.links.append(("".join(self._link).strip(), self._address))
            self._link = None
        elif tag == "li":
            self._card = None
        if tag in ("span", "a"):
            self._part = ""

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        self.words.append(data.strip())
        if self._cell is not None:
            self._cell.append(data)
        if self._link is not None:
            self._link.append(data)
        if self._card is not None and self._part:
            self._card[self._part] = self._card.get(self._part, "") + data
