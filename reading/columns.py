"""Every known column, its headers and its kind; recognising the header row and the kind of a file (DOMAIN §2, §3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from common.keys import header_key
from reading.problems import Problem

FileKind = Literal["stat", "recap"]
ColumnKind = Literal["text", "label", "name", "reference", "claim", "status", "amount", "date"]
Row = Sequence[str | None]

HEADER_SEARCH_ROWS = 20
# As wide as a spreadsheet can be, and longer than any header: asking five million fields, or one of ten megabytes,
# whether they are headers takes minutes.
WIDEST = 16_384
LONGEST_HEADER = 1_000


@dataclass(frozen=True)
class Column:
    """A column of an export. `headers`: the canonical spelling first, then the accepted variants."""

    field: str
    kind: ColumnKind
    headers: tuple[str, ...]
    column_required: bool = False
    value_required: bool = False

    @property
    def header(self) -> str:
        return self.headers[0]


def _column(field_: str, kind: ColumnKind, *headers: str, need: Literal["", "column", "value"] = "") -> Column:
    return Column(field_, kind, headers, column_required=need != "", value_required=need == "value")


STAT_COLUMNS: tuple[Column, ...] = (
    _column("employer", "label", "Nom Employeur", need="column"),
    _column("card_number", "reference", "Broker_SunuId"),
    _column("broker", "text", "Broker Name"),
    _column("beneficiary", "name", "Nom bénéficiaire", need="value"),
    _column("plan", "label", "Acte_Contraté_Assuré", "Acte Contracté Assuré"),
    _column("insured_status", "status", "Statut Assuré", need="column"),
    _column("policy_number", "reference", "Numero de police", "Numero police", need="value"),
    _column("main_insured", "name", "Nom Assuré Principal", "Nom Assures Principal", need="column"),
    _column("partner", "label", "Nom du partenaire", "Nom partenaire", need="value"),
    _column("partner_address", "text", "Adresse du Partenaire"),
    _column("partner_country", "text", "Pays du partenaire"),
    _column("claim_number", "claim", "Numero de sinistre", need="value"),
    _column("claim_status", "status", "Statut", need="column"),
    _column("incident_date", "date", "Date de sinistre", "Date sinistre", need="column"),
    _column("settlement_date", "date", "Date de règlement", need="value"),
    _column("act_category", "label", "Categorie d'acte", "Catégorie d'acte", need="value"),
    _column("guarantee", "text", "Famille Acte"),
    _column("act", "label", "Nom Acte", need="column"),
    _column("claimed_amount", "amount", "Montant facturé", need="value"),
    _column("reimbursed_amount", "amount", "Montant remboursé", need="value"),
    _column("payment_reference", "reference", "N°cheque/Autre_Moyent_de_payement", "N°cheque/Autre_Moyen_de_payement"),
    _column("note", "text", "Note Générale"),
    _column("invoice_number", "reference", "Numero de Facture"),
    _column("operator", "label", "Modifié par"),
)

RECAP_COLUMNS: tuple[Column, ...] = (
    _column("claim_number", "claim", "reglementId", "id_reglement", need="value"),
    _column("settlement_date", "date", "date_reglement", "Date de règlement", need="column"),
    _column("claimed_amount", "amount", "totalmttreclame", need="value"),
    _column("reimbursed_amount", "amount", "totalmttrembourse", need="value"),
    _column("beneficiary", "name", "beneficiaire"),
    _column("partner", "label", "partnerId"),
    _column("main_insured", "name", "Assurés_principal"),
    _column("employer", "label", "Employeur"),
    _column("policy_number", "reference", "N°_police"),
    _column("cheque_number", "reference", "N°_Cheque"),
    _column("payment_method", "text", "autres_Moyen_de_payement"),
    _column("invoice_number", "reference", "NumFacture"),
    _column("note", "text", "Note"),
)

# Which columns tell a file's kind (DOMAIN §3).
_TELLING: dict[FileKind, frozenset[str]] = {
    "stat": frozenset({"claim_number", "act", "claimed_amount"}),
    "recap": frozenset({"claim_number", "claimed_amount", "reimbursed_amount"}),
}
_OTHER: dict[FileKind, FileKind] = {"stat": "recap", "recap": "stat"}


def columns_of(kind: FileKind) -> tuple[Column, ...]:
    return STAT_COLUMNS if kind == "stat" else RECAP_COLUMNS


def header_text_key(text: str | None) -> str:
    """The header key of a cell, "" for one that is absent."""
    return header_key(text[:LONGEST_HEADER]) if text else ""


_FIELD_OF: dict[FileKind, dict[str, str]] = {
    kind: {header_text_key(header): column.field for column in columns_of(kind) for header in column.headers}
    for kind in ("stat", "recap")
}


@dataclass(frozen=True)
class Layout:
    """Where the fields of a sheet stand.

    `header_row` is 0-based among the rows given; `positions` maps a field to the 0-based columns bearing one of its
    headers (more than one: `sources` decides by their values); `headers` are the header cells as they stand.
    `problems` name neither file nor sheet: the caller knows them.
    """

    kind: FileKind
    header_row: int = -1
    positions: dict[str, tuple[int, ...]] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    shows_kind: bool = False
    problems: tuple[Problem, ...] = ()


def _positions(row: Row, kind: FileKind) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    known = _FIELD_OF[kind]
    keys = [header_text_key(cell) for cell in row]
    for index, key in enumerate(keys):
        name = known.get(key)
        if name is not None:
            found[name] = (*found.get(name, ()), index)
    if kind == "stat" and "card_number" not in found and "employer" in found:
        after = found["employer"][0] + 1
        if after < len(keys) and keys[after] == "" and any(keys[after + 1 :]):
            found["card_number"] = (after,)
    return found


def _shows(positions: dict[str, tuple[int, ...]], kind: FileKind) -> bool:
    return _TELLING[kind] <= positions.keys()


def recognise(rows: Sequence[Row], kind: FileKind) -> Layout:
    """Find the header row of `kind` among the first 20 `rows` of a sheet and where each field stands (DOMAIN §3, §4).

    Problem codes: `swapped` (the columns are those of the other kind), `no_header` (no known header at all;
    `expected`: the required headers), `missing_columns` (`columns`: every missing required one, canonical spelling).
    """
    rows = [row[:WIDEST] for row in rows[:HEADER_SEARCH_ROWS]]
    candidates = [_positions(row, kind) for row in rows]
    index = next((i for i, found in enumerate(candidates) if _shows(found, kind)), None)
    if index is None:
        other = _OTHER[kind]
        if any(_shows(_positions(row, other), other) for row in rows):
            return Layout(kind, problems=(Problem("swapped", params={"kind": kind, "found": other}),))
        index = max(range(len(rows)), key=lambda i: len(candidates[i]), default=None)
    required = [column for column in columns_of(kind) if column.column_required]
    if index is None or not candidates[index]:
        expected = [column.header for column in required]
        return Layout(kind, problems=(Problem("no_header", params={"kind": kind, "expected": expected}),))
    found = candidates[index]
    missing = [column.header for column in required if column.field not in found]
    problems: tuple[Problem, ...] = ()
    if missing:
        problems = (Problem("missing_columns", params={"kind": kind, "columns": missing, "header_row": index + 1}),)
    headers = tuple((cell or "").strip() for cell in rows[index])
    return Layout(kind, index, found, headers, _shows(found, kind), problems)


@dataclass(frozen=True)
class SheetChoice:
    """Which sheets of a workbook are read, and what keeps it from being read."""

    sheets: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def choose_sheets(heads: Mapping[str, Sequence[Row]], *, kind: FileKind, named: str | None) -> SheetChoice:
    """Choose among the sheets of a workbook by their first rows (`heads`: sheet name → rows), DOMAIN §4 "Files".

    A stat workbook is read from the one sheet that shows the kind, or from the one `named`; a recap workbook from
    every sheet that shows it. Problem codes: `no_such_sheet`, `several_sheets` (both with `sheets`, the names), and
    those of `recognise`, for the sheet that comes nearest.
    """
    layouts = {name: recognise(rows, kind) for name, rows in heads.items()}
    if named and kind == "stat":
        match = named if named in layouts else _same_name(named, list(layouts))
        if match is None:
            return SheetChoice(problems=(Problem("no_such_sheet", sheet=named, params={"sheets": list(layouts)}),))
        return SheetChoice((match,), _placed(layouts[match], match))
    showing = tuple(name for name, layout in layouts.items() if layout.shows_kind)
    if kind == "stat" and len(showing) > 1:
        return SheetChoice(problems=(Problem("several_sheets", params={"sheets": list(showing)}),))
    if showing:
        return SheetChoice(showing, tuple(p for name in showing for p in _placed(layouts[name], name)))
    if not layouts:
        return SheetChoice(problems=(Problem("empty_file"),))
    swapped = next((name for name, one in layouts.items() if one.problems and one.problems[0].code == "swapped"), None)
    nearest = swapped or max(layouts, key=lambda name: len(layouts[name].positions))
    if all(not _has_text(rows) for rows in heads.values()):
        return SheetChoice(problems=(Problem("empty_file"),))
    return SheetChoice((), _placed(layouts[nearest], nearest))


def _same_name(named: str, names: list[str]) -> str | None:
    same = [name for name in names if name.strip().casefold() == named.strip().casefold()]
    return same[0] if len(same) == 1 else None


def _placed(layout: Layout, sheet: str) -> tuple[Problem, ...]:
    return tuple(Problem(p.code, sheet=sheet, row=p.row, params=p.params) for p in layout.problems)


def _has_text(rows: Sequence[Row]) -> bool:
    return any(cell and cell.strip() for row in rows for cell in row)
