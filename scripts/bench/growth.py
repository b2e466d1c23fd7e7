"""How the times of the dashboard, the lists and the pages grow with the number of claims: a table and a picture.

`python -m scripts.bench.growth PICTURE.svg FIGURES.json …` with the files that `make bench ONLY=dashboard` leaves in
`data/bench` for several FIGURE_CLAIMS; the table is printed as Markdown.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pygal
from pygal.style import CleanStyle

# The addresses of the picture, one of each kind: nobody can tell a hundred lines apart.
DRAWN = {
    "dashboard/portfolio/": "portfolio",
    "dashboard/triangle/": "triangle",
    "dashboard/watch-list/": "watch list",
    "dashboard/rankings/?by=insured": "ranking of insured",
    "dashboard/left-out/": "left out",
    "claims/": "claims",
    "claims/?search=clinique": "search of claims",
    "/figures/": "page of figures",
    "/claims/": "page of claims",
}
# A logarithmic axis has no zero.
LEAST_MS = 1.0

Times = dict[tuple[str, str], dict[int, tuple[float, float]]]


def times_of(answers: Sequence[dict[str, Any]]) -> Times:
    """(address, account) → claims → milliseconds cold and cached.

    Ids and cursors differ between the sizes, so the addresses are compared without them.
    """
    found: Times = {}
    for answer in answers:
        for one in answer["addresses"]:
            key = (_without_ids(one["address"]), one["account"])
            found.setdefault(key, {})[answer["rows"]["claims"]] = (one["cold"], one["cached"])
    return found


def _without_ids(address: str) -> str:
    path, _mark, query = address.partition("?")
    path = "/".join("{id}" if part.isdigit() else part for part in path.split("/"))
    values = (pair.partition("=") for pair in query.split("&")) if query else ()
    shown = [f"{name}={_without_number(name, value)}" for name, _mark, value in values]
    return f"{path}?{'&'.join(shown)}" if shown else path


def _without_number(name: str, value: str) -> str:
    if name == "cursor":
        return "…"
    if name == "q":
        # A name or a claim number, each of which ends with a number.
        return f"{value.rstrip('0123456789')}…"
    return "…" if value.isdigit() and name not in ("page", "category") else value


def table(times: Times, sizes: Sequence[int]) -> str:
    """A row for each address: milliseconds cold / cached for each number of claims."""
    head = " | ".join(f"{size:,}" for size in sizes)
    lines = [f"| `GET` | account | {head} |", f"|---|---|{'---|' * len(sizes)}"]
    for (address, account), found in times.items():
        cells = " | ".join(_cell(found.get(size)) for size in sizes)
        lines.append(f"| `{address}` | {account} | {cells} |")
    return "\n".join(lines)


def _cell(measured: tuple[float, float] | None) -> str:
    return "–" if measured is None else " / ".join(f"{ms:,.0f}" for ms in measured)


def picture(times: Times, sizes: Sequence[int]) -> bytes:
    """An SVG without scripts: milliseconds cold over the number of claims, both by powers of ten."""
    chart = pygal.XY(
        js=[],
        style=CleanStyle,
        width=900,
        height=520,
        logarithmic=True,
        xrange=(sizes[0], sizes[-1]),
        title="First reading, in milliseconds, by number of claims (one country)",
        x_title="claims",
        y_title="ms",
        x_labels=list(sizes),
        x_value_formatter=lambda value: f"{value:,.0f}",
        value_formatter=lambda value: f"{value:,.0f}",
        legend_at_bottom=True,
        legend_at_bottom_columns=3,
    )
    for address, name in DRAWN.items():
        found = times.get((address, "territorial"), {})
        chart.add(name, [(size, max(found[size][0], LEAST_MS)) for size in sizes if size in found])
    root = chart.render_tree()
    for parent in list(root.iter()):
        for script in parent.findall("script"):
            parent.remove(script)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def main(arguments: Sequence[str]) -> int:
    target, *paths = arguments
    answers = sorted((json.loads(Path(path).read_text()) for path in paths), key=lambda one: one["rows"]["claims"])
    sizes = [one["rows"]["claims"] for one in answers]
    times = times_of(answers)
    print(table(times, sizes))
    Path(target).write_bytes(picture(times, sizes))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
