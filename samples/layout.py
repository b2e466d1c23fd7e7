"""Odd layouts: the same rows, placed as some exports and some people place them (DOMAIN §2 to §4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from samples.spelling import Cell

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


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the cells of `table` go. `columns` are indexes into its headers; beyond them, an unknown column."""

    table: Table
    titles: list[str]
    columns: list[int]
    headers: list[str]
    blank_after: frozenset[int]
    other_sheets: list[tuple[str, list[list[Cell]]]]
    table_comes_last: bool
    separator: str
    encoding: str

    def grid(self) -> Iterator[list[Cell]]:
        """Every row of the sheet from the first, titles and blank rows included, all of one width."""
        width = len(self.headers)
        for title in self.titles:
            yield [title] + [None] * (width - 1)
        yield list(self.headers)
        known = len(self.table.headers)
        for index, row in enumerate(self.table.rows):
            yield [row[column] if column < known else f"z{index % 7}" for column in self.columns]
            if index in self.blank_after:
                yield [None] * width


def odd_layout(table: Table, rng: Random, turn: int) -> Layout:
    """A layout drawn for `table`; files of successive turns take the separators and encodings in turn."""
    known = len(table.headers)
    unknown = rng.sample(UNKNOWN_COLUMNS, rng.randint(1, 3))
    columns = list(range(known + len(unknown)))
    rng.shuffle(columns)
    headers = {column: _header(table.headers[column], rng) for column in range(known)}
    headers |= {known + extra: name for extra, name in enumerate(unknown)}
    if table.kind == "stat":
        # Some exports leave the card's header empty; its place beside the employer is then all that tells it.
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
    return Layout(
        table=table,
        titles=titles,
        columns=columns,
        headers=[headers[column] for column in columns],
        blank_after=frozenset(index for index in range(len(table.rows)) if rng.random() < 0.02),
        other_sheets=other,
        table_comes_last=rng.random() < 0.5,
        separator=SEPARATORS[turn % len(SEPARATORS)],
        encoding=ENCODINGS[turn % len(ENCODINGS)],
    )


def _header(header: str, rng: Random) -> str:
    return rng.choice(RESPELLINGS)(rng.choice((header, header, *VARIANTS.get(header, ()))))
