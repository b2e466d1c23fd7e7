"""What a page of figures shows: cards, and panels with charts and a table. Plain values, which the templates render."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from django.utils.html import format_html

from dashboard.definitions import INDICATORS, Indicator

# A chart with more lines is no longer read.
MOST_LINES = 4
MOST_COLUMNS_BESIDE = 4
LONG_TABLE = 12

Kind = Literal["line", "bar", "stacked", "horizontal"]


@dataclass(frozen=True)
class Cell:
    """`css`: further classes, such as the step of a shade."""

    text: str
    href: str = ""
    is_number: bool = False
    is_head: bool = False
    css: str = ""

    @property
    def html(self) -> str:
        """The element. A template for each of some thousand cells would take most of the time of a page."""
        content = format_html('<a href="{}">{}</a>', self.href, self.text) if self.href else self.text
        if self.is_head:
            return format_html('<th scope="row">{}</th>', content)
        classes = " ".join(name for name in ("number" if self.is_number else "", self.css) if name)
        return (
            format_html('<td class="{}">{}</td>', classes, content) if classes else format_html("<td>{}</td>", content)
        )


def name(text: str, href: str = "") -> Cell:
    """The cell that names its row."""
    return Cell(text, href, is_head=True)


def number(text: str, href: str = "", css: str = "") -> Cell:
    return Cell(text, href, is_number=True, css=css)


@dataclass(frozen=True)
class Head:
    text: str
    is_number: bool = False


def heads(*texts: str, numbers: int) -> list[Head]:
    """The heads of the columns, of which the last `numbers` have numbers."""
    return [Head(text, is_number=at >= len(texts) - numbers) for at, text in enumerate(texts)]


@dataclass(frozen=True)
class Rows:
    """A table. `foot`: its last row, such as the total."""

    caption: str
    heads: Sequence[Head]
    rows: Sequence[Sequence[Cell]]
    foot: Sequence[Cell] = ()
    css: str = ""


@dataclass(frozen=True)
class Chart:
    """`title`: what the chart shows; its text for people who do not see it. `series`: of `line`.

    `unit`: of the axis, written at its end; `%` where the values are shares from 0 to 1.
    """

    key: str
    title: str
    kind: Kind
    labels: Sequence[str]
    series: Sequence[dict[str, Any]]
    unit: str = ""

    @property
    def id(self) -> str:
        return f"chart-{self.key}"

    @property
    def data(self) -> dict[str, Any]:
        """What the script draws."""
        return {
            "kind": self.kind,
            "labels": list(self.labels),
            "series": list(self.series),
            "unit": self.unit,
            "title": self.title,
        }

    @property
    def css(self) -> str:
        """The height of its box: horizontal bars need a line each."""
        if self.kind != "horizontal":
            return ""
        return "tall" if len(self.labels) > 10 else "medium"


def line(title: str, values: Iterable[Any], texts: Iterable[str]) -> dict[str, Any]:
    """A line or a group of bars: its name, the numbers to draw and their texts. A missing value is drawn as a gap."""
    return {
        "name": title,
        "values": [None if value is None else float(value) for value in values],
        "texts": list(texts),
    }


@dataclass(frozen=True)
class Panel:
    """A figure with everything that belongs to it.

    `question`: what it answers; `finding`: what its numbers say, its title; `statistic`: what they are, in which unit
    and of which period; `downloads`: (type, address).
    """

    key: str
    question: str
    finding: str
    statistic: str
    table: Rows
    charts: Sequence[Chart] = ()
    indicator: Indicator | None = None
    notes: Sequence[str] = ()
    downloads: Sequence[tuple[str, str]] = ()

    @property
    def is_narrow(self) -> bool:
        """Whether the table fits beside the chart."""
        return len(self.charts) == 1 and len(self.table.heads) <= MOST_COLUMNS_BESIDE

    @property
    def has_long_table(self) -> bool:
        """Whether the table repeats a line point by point: the script closes it, and a click opens it."""
        is_lines = bool(self.charts) and all(chart.kind == "line" for chart in self.charts)
        return is_lines and not self.is_narrow and len(self.table.rows) > LONG_TABLE


@dataclass(frozen=True)
class Card:
    """One indicator of the portfolio."""

    key: str
    currency: str
    title: str
    value: str
    change: str
    is_good: bool | None
    href: str
    indicator: Indicator
    behind: str = ""

    @property
    def css(self) -> str:
        return "" if self.is_good is None else "good" if self.is_good else "bad"


@dataclass(frozen=True)
class Group:
    title: str
    cards: Sequence[Card] = field(default_factory=list)


def indicator_of(payload: dict[str, Any]) -> Indicator:
    return INDICATORS[payload["definition"]]
