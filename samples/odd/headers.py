"""Kinds of odd headers: titles above, two rows, the header again further down."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from samples.layout import TITLES, Layout, Merge
from samples.odd.kind import Arrange, OddKind

_GROUP_TITLES = ("Identification", "Contrat et garantie", "Prestataire et soins", "Montants en FCFA", "Divers")
# The columns by which a reader knows the kind of a file.
_IDENTIFYING = (
    "Numero de sinistre",
    "Nom Acte",
    "Montant facturé",
    "reglementId",
    "totalmttreclame",
    "totalmttrembourse",
)


def _titles(layout: Layout, rng: Random, turn: int) -> Layout:
    lines: list[str] = rng.sample(TITLES, 4)
    return replace(layout, titles=[*lines, "", *lines[:2], ""])


def _two_rows(*, all_titles_above: bool) -> Arrange:
    """Some titles are merged down, the other columns are below group titles that are merged across.

    `all_titles_above`: the upper row alone has the columns by which the kind of the file is known.
    """

    def arrange(layout: Layout, rng: Random, turn: int) -> Layout:
        below = set() if all_titles_above else {_IDENTIFYING[1], _IDENTIFYING[4]}
        merged_down = [
            not header or header in set(_IDENTIFYING) - below or (header not in below and rng.random() < 0.3)
            for header in layout.headers
        ]
        upper, lower = [""] * len(layout.headers), [""] * len(layout.headers)
        merges: list[Merge] = []
        groups = 0
        for column, header in enumerate(layout.headers):
            if merged_down[column]:
                upper[column] = header
                merges.append((0, column, 1, column))
                continue
            lower[column] = header
            if column == 0 or merged_down[column - 1]:
                last = next((n for n in range(column, len(merged_down)) if merged_down[n]), len(merged_down)) - 1
                upper[column] = _GROUP_TITLES[groups % len(_GROUP_TITLES)]
                groups += 1
                if last > column:
                    merges.append((0, column, 0, last))
        return replace(layout, upper_headers=upper, headers=lower, header_merges=merges)

    return arrange


def _repeated(layout: Layout, rng: Random, turn: int) -> Layout:
    free = layout.breaks()[:-1]
    every = rng.randint(3, 9)
    return replace(layout, repeat_after=frozenset(free[every - 1 :: every] or free[:1]))


def _two_rows_repeated(layout: Layout, rng: Random, turn: int) -> Layout:
    return _repeated(_two_rows(all_titles_above=False)(layout, rng, turn), rng, turn)


KINDS = (
    OddKind(name="header-titles", description="title rows and blank rows above the header", arrange=_titles),
    OddKind(
        name="header-two-rows",
        description="a header of two rows: group titles above some columns, other titles merged down",
        arrange=_two_rows(all_titles_above=False),
    ),
    OddKind(
        name="header-two-rows-titles-above",
        description="the same; the upper row alone has the columns by which the kind of the file is known",
        arrange=_two_rows(all_titles_above=True),
    ),
    OddKind(
        name="header-repeated",
        description="the header again every few rows, after a blank row",
        arrange=_repeated,
    ),
    OddKind(
        name="header-two-rows-repeated",
        description="a header of two rows, again every few rows",
        arrange=_two_rows_repeated,
    ),
)
