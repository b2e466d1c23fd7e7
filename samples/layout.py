"""Layouts of a file: where the cells of a table stand on a sheet or in a CSV file (DOMAIN §2 to §4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Literal

from samples.spelling import Cell, Merged

# Other headers that DOMAIN §2 and §3 accept.
VARIANTS: dict[str, tuple[str, ...]] = {
    "Acte_Contraté_Assuré": ("Acte Contracté Assuré",),
    "Numero de police": ("Numero police", "Numéro de Police"),
    "Nom Assuré Principal": ("Nom Assures Principal",),
    "Nom du partenaire": ("Nom partenaire",),
    "Date de sinistre": ("Date sinistre",),
    "Categorie d'acte": ("Catégorie d'acte", "Catégorie d\u2019acte"),
    "N°cheque/Autre_Moyent_de_payement": ("N°cheque/Autre_Moyen_de_payement",),
    "reglementId": ("id_reglement",),
    "date_reglement": ("Date de règlement",),
}
# Spellings with the same header key.
RESPELLINGS: tuple[Callable[[str], str], ...] = (
    str.upper,
    str.lower,
    lambda header: header.replace(" ", "_"),
    lambda header: f"  {header} ",
    str,
    str,
)
TITLES = (
    "ÉTAT DES SINISTRES RÉGLÉS",
    "Direction technique",
    "Édité le 15/01/2024",
    "Document confidentiel",
    "Exercice clos",
    "Page 1",
)
UNKNOWN_COLUMNS = ("Âge", "Zone", "Code interne", "Colonne1", "Visa")
SEPARATORS = (",", "\t", "|", ";")
ENCODINGS = ("cp1252", "utf-8", "utf-8-sig")
CARD_HEADER, EMPLOYER_HEADER = "Broker_SunuId", "Nom Employeur"


@dataclass(frozen=True, slots=True)
class Table:
    kind: Literal["stat", "recap"]
    headers: Sequence[str]
    rows: list[list[Cell]]
    date_columns: tuple[int, ...]
    date_pattern: str


Merge = tuple[int, int, int, int]
"""First row, first column, last row and last column of a merged area, from 0."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of the cells of `table`. `columns` are indexes into its headers; beyond them, an unknown column.

    `upper_headers`, with their merged areas in `header_merges`, make the header two rows high. The header comes again
    after each row of `repeat_after`, below a blank row.
    """

    table: Table
    columns: list[int]
    headers: list[str]
    separator: str
    encoding: str
    titles: list[str] = field(default_factory=list)
    upper_headers: list[str] = field(default_factory=list)
    header_merges: list[Merge] = field(default_factory=list)
    blank_after: frozenset[int] = frozenset()
    repeat_after: frozenset[int] = frozenset()
    other_sheets: list[tuple[str, list[list[Cell]]]] = field(default_factory=list)
    table_comes_last: bool = False
    bare_equals: bool = False
    """Writes `="00123"` into CSV without a second pair of quotes, as many exports do."""

    def grid(self) -> tuple[list[list[Cell]], list[Merge]]:
        """Every row of the sheet, titles and blank rows included, all of one width; and the merged areas."""
        width = len(self.headers)
        rows: list[list[Cell]] = [[title] + [None] * (width - 1) for title in self.titles]
        merges: list[Merge] = []
        self._add_header(rows, merges)
        known = len(self.table.headers)
        for index, row in enumerate(self.table.rows):
            # A row that only merged cells reach stays without a cell of its own.
            unknown = None if all(cell is None for cell in row) else f"z{index % 7}"
            cells = [row[column] if column < known else unknown for column in self.columns]
            for place, cell in enumerate(cells):
                if isinstance(cell, Merged):
                    merges.append((len(rows), place, len(rows) + cell.height - 1, place))
                    cells[place] = cell.cell
            rows.append(cells)
            if index in self.blank_after or index in self.repeat_after:
                rows.append([None] * width)
            if index in self.repeat_after:
                self._add_header(rows, merges)
        return rows, merges

    def _add_header(self, rows: list[list[Cell]], merges: list[Merge]) -> None:
        top = len(rows)
        merges += [(top + r1, c1, top + r2, c2) for r1, c1, r2, c2 in self.header_merges]
        if self.upper_headers:
            rows.append(list(self.upper_headers))
        rows.append(list(self.headers))

    def breaks(self) -> list[int]:
        """The indexes of the rows after which another row can come without cutting a merged area."""
        free, last = [], -1
        for index, row in enumerate(self.table.rows):
            last = max([last, *(index + cell.height - 1 for cell in row if isinstance(cell, Merged))])
            if last <= index:
                free.append(index)
        return free


def plain_layout(table: Table) -> Layout:
    return Layout(
        table=table,
        columns=list(range(len(table.headers))),
        headers=list(table.headers),
        separator=";",
        encoding="cp1252" if table.kind == "stat" else "utf-8-sig",
    )


def shuffled_layout(layout: Layout, rng: Random, turn: int) -> Layout:
    """Titles, other columns, headers, separators and encodings; files of successive turns take the latter in turn."""
    table = layout.table
    known = len(table.headers)
    unknown = rng.sample(UNKNOWN_COLUMNS, rng.randint(1, 3))
    columns = list(range(known + len(unknown)))
    rng.shuffle(columns)
    headers = {column: _header(table.headers[column], rng) for column in range(known)}
    headers |= {known + extra: name for extra, name in enumerate(unknown)}
    if table.kind == "stat":
        # In some exports the header of the card is empty: the place after the employer is then the only mark.
        employer, card = table.headers.index(EMPLOYER_HEADER), table.headers.index(CARD_HEADER)
        columns.remove(card)
        columns.insert(columns.index(employer) + 1, card)
        headers[card] = ""
    titles: list[str] = rng.sample(TITLES, rng.randint(1, 4))
    titles.insert(rng.randint(0, len(titles)), "")
    other: list[tuple[str, list[list[Cell]]]] = []
    if table.kind == "stat":
        legend: list[list[Cell]] = [
            ["Code", "Signification"],
            ["A", "Assuré principal"],
            ["C", "Conjoint"],
            ["E", "Enfant"],
        ]
        other.append(("Légende", legend))
    free = layout.breaks()
    return replace(
        layout,
        titles=titles,
        columns=columns,
        headers=[headers[column] for column in columns],
        blank_after=frozenset(index for index in free if rng.random() < 0.02),
        other_sheets=other,
        table_comes_last=rng.random() < 0.5,
        separator=SEPARATORS[turn % len(SEPARATORS)],
        encoding=ENCODINGS[turn % len(ENCODINGS)],
    )


def _header(header: str, rng: Random) -> str:
    return rng.choice(RESPELLINGS)(rng.choice((header, header, *VARIANTS.get(header, ()))))
