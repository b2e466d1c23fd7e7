"""Every known column, its headers and its kind; recognising header row and kind of a file (DOMAIN §2, §3, §9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Literal

from common.keys import header_key, is_empty
from reading.problems import Problem

FileKind = Literal["stat", "recap", "premium"]
ColumnKind = Literal["text", "label", "name", "reference", "claim", "status", "amount", "date"]
Row = Sequence[str | None]

HEADER_SEARCH_ROWS = 20
# The rows that a search reads: a header that begins in the last of them may be two rows high.
HEAD_ROWS = HEADER_SEARCH_ROWS + 1
# As wide as a spreadsheet can be, and longer than any header: to look up five million fields, or one of ten megabytes,
# takes minutes.
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

# A sheet of premiums (DOMAIN §9), with the English headers of the template too.
PREMIUM_COLUMNS: tuple[Column, ...] = (
    _column(
        "employer", "label",
        "Employeur", "Nom employeur", "Client", "Entreprise", "Souscripteur", "Employer", "Company", need="value",
    ),
    _column("amount", "amount", "Prime", "Montant", "Prime annuelle", "Premium", "Amount", need="value"),
    _column("start", "date", "Début", "Du", "Date d'effet", "Start", "From"),
    _column("end", "date", "Fin", "Au", "Date d'échéance", "End", "To"),
    _column("period", "text", "Période", "Année", "Exercice", "Period", "Year"),
    _column("insured_count", "text", "Effectif", "Headcount"),
)  # fmt: skip

# The fields that show a file's kind (DOMAIN §3).
_KIND_FIELDS: dict[FileKind, frozenset[str]] = {
    "stat": frozenset({"claim_number", "act", "claimed_amount"}),
    "recap": frozenset({"claim_number", "claimed_amount", "reimbursed_amount"}),
    "premium": frozenset({"employer", "amount"}),
}
# The kinds of files about claims, between which a file without a named kind is recognised.
KINDS: tuple[FileKind, ...] = ("stat", "recap")
_COLUMNS: dict[FileKind, tuple[Column, ...]] = {
    "stat": STAT_COLUMNS, "recap": RECAP_COLUMNS, "premium": PREMIUM_COLUMNS,
}  # fmt: skip
# The field that every line of a file has.
MAIN_FIELD: dict[FileKind, str] = {"stat": "claim_number", "recap": "claim_number", "premium": "employer"}


def columns_of(kind: FileKind) -> tuple[Column, ...]:
    return _COLUMNS[kind]


def required_headers(kind: FileKind) -> list[str]:
    """The headers that a file of this kind must have, in their canonical spelling."""
    return [column.header for column in columns_of(kind) if column.column_required]


def telling_headers(kind: FileKind) -> list[str]:
    """The headers that show this kind, in their canonical spelling."""
    return [column.header for column in columns_of(kind) if column.field in _KIND_FIELDS[kind]]


def header_text_key(text: str | None) -> str:
    """The header key of a cell, "" for one that is absent."""
    return header_key(text[:LONGEST_HEADER]) if text else ""


_FIELD_OF: dict[FileKind, dict[str, str]] = {
    kind: {header_text_key(header): column.field for column in columns_of(kind) for header in column.headers}
    for kind in _COLUMNS
}


@dataclass(frozen=True)
class Layout:
    """Where the fields of a sheet stand.

    `header_row`: the header's last row, 0-based among the rows given. `positions` maps a field to the 0-based columns
    that have one of its headers (more than one: `raw` chooses by their values). `headers`: the text of each column's
    header, of whichever of the two rows it comes. `rows`: the header keys of the header's rows, one row or two, by
    which a repetition further down is known.
    `problems` name neither file nor sheet: the caller knows them.
    """

    kind: FileKind
    header_row: int = -1
    positions: dict[str, tuple[int, ...]] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    shows_kind: bool = False
    rows: tuple[tuple[str, ...], ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class _Header:
    """A header: its last row, its cells, the field positions in them, and its one or two rows."""

    last: int
    cells: tuple[str | None, ...]
    positions: dict[str, tuple[int, ...]]
    rows: tuple[Row, ...]


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


def _shows(positions: Mapping[str, tuple[int, ...]], kind: FileKind) -> bool:
    return _KIND_FIELDS[kind] <= positions.keys()


def _joined(upper: Row, lower: Row, kind: FileKind) -> tuple[str | None, ...]:
    """The cells of a header two rows high: the lower text, or where it is empty the known header above it.

    An unknown text above an empty cell is the title of a group or of the page. Neither is a field that the lower row
    has itself.
    """
    known, own = _FIELD_OF[kind], {_FIELD_OF[kind].get(header_text_key(cell)) for cell in lower}
    cells: list[str | None] = []
    for above, below in zip_longest(upper, lower):
        above_field = known.get(header_text_key(above))
        cells.append(above if not header_text_key(below) and above_field and above_field not in own else below)
    return tuple(cells)


def _continues_header(upper: Row, lower: Row, kind: FileKind) -> bool:
    """Whether `lower` may be the second row of a header that begins with `upper`, and is not the first line of data.

    A line of data has a claim number, an amount or a date under such a header. The second row of a header has nothing
    there, or a header, and at least one header that the first row does not have in the same column.
    """
    known, kinds = _FIELD_OF[kind], {column.field: column.kind for column in columns_of(kind)}
    adds = False
    for above, below in zip_longest(upper, lower):
        above_field, below_key = known.get(header_text_key(above)), header_text_key(below)
        if below_key in known:
            adds = adds or known[below_key] != above_field
        elif above_field and not is_empty(below) and kinds[above_field] in ("claim", "amount", "date"):
            return False
    return adds


def _pair(rows: Sequence[Row], upper: int, kind: FileKind) -> _Header:
    """`rows[upper]` and the row below it as one header."""
    cells = _joined(rows[upper], rows[upper + 1], kind)
    return _Header(upper + 1, cells, _positions(cells, kind), (rows[upper], rows[upper + 1]))


def _header_that_shows(rows: Sequence[Row], at: int, kind: FileKind) -> _Header:
    """The header around `rows[at]`, which shows the kind alone: with the row below it, with the one above, or alone."""
    if at + 1 < len(rows) and _continues_header(rows[at], rows[at + 1], kind):
        pair = _pair(rows, at, kind)
        if _shows(pair.positions, kind):
            return pair
    if at and any(header_text_key(cell) for cell in rows[at - 1]):
        return _pair(rows, at - 1, kind)
    return _Header(at, tuple(rows[at]), _positions(rows[at], kind), (rows[at],))


def _find_header(rows: Sequence[Row], kind: FileKind) -> _Header | None:
    """The first header among `rows` that shows the kind, one row or two; else the one with most known headers.

    None where no row has a known header.
    """
    single = [_positions(row, kind) for row in rows]
    nearest: _Header | None = None
    for at, positions in enumerate(single):
        if _shows(positions, kind):
            # Below the rows that are searched, only the lower row of a header that begins in them.
            if at == HEADER_SEARCH_ROWS and not single[at - 1]:
                return nearest
            return _header_that_shows(rows, at, kind)
        if at == HEADER_SEARCH_ROWS:
            return nearest
        candidates = [_Header(at, tuple(rows[at]), positions, (rows[at],))] if positions else []
        # A lower row that shows the kind alone takes what it lacks from the row above when its turn comes.
        if positions and at + 1 < len(rows) and single[at + 1] and not _shows(single[at + 1], kind):
            candidates.append(_pair(rows, at, kind))
        for candidate in candidates:
            if _shows(candidate.positions, kind):
                return candidate
            if nearest is None or len(candidate.positions) > len(nearest.positions):
                nearest = candidate
    return nearest


def recognise(rows: Sequence[Row], kind: FileKind) -> Layout:
    """Find the header of `kind` and where each field stands; it begins in the first 20 `rows` (DOMAIN §3, §4).

    Problem codes: `swapped` (the columns are those of the other kind), `no_header` (no known header at all;
    `expected`: the required headers), `missing_columns` (`columns`: every missing required one, canonical spelling).
    """
    rows = [row[:WIDEST] for row in rows[:HEAD_ROWS]]
    header = _find_header(rows, kind)
    if header is None or not _shows(header.positions, kind):
        for other in KINDS:
            swapped = _find_header(rows, other) if other != kind else None
            if swapped and _shows(swapped.positions, other):
                return Layout(kind, problems=(Problem("swapped", params={"kind": kind, "found": other}),))
    if header is None:
        return Layout(kind, problems=(Problem("no_header", params={"kind": kind, "expected": required_headers(kind)}),))
    missing = [
        column.header for column in columns_of(kind) if column.column_required and column.field not in header.positions
    ]
    if kind == "premium":
        missing += _missing_period(header.positions)
    problems: tuple[Problem, ...] = ()
    if missing:
        params = {"kind": kind, "columns": missing, "header_row": header.last + 1}
        problems = (Problem("missing_columns", params=params),)
    return Layout(
        kind,
        header_row=header.last,
        positions=header.positions,
        headers=tuple((cell or "").strip() for cell in header.cells),
        shows_kind=_shows(header.positions, kind),
        rows=tuple(tuple(header_text_key(cell) for cell in row) for row in header.rows),
        problems=problems,
    )


def _missing_period(positions: Mapping[str, tuple[int, ...]]) -> list[str]:
    """The headers that a sheet of premiums lacks: start and end, unless it has one column for both (DOMAIN §9)."""
    if "period" in positions:
        return []
    return [
        column.header
        for column in PREMIUM_COLUMNS
        if column.field in ("start", "end") and column.field not in positions
    ]


def repeated_header_rows(rows: Mapping[int, Row], layout: Layout) -> set[int]:
    """Which of `rows` (number → cells) repeat the header of `layout`, or one row of it (DOMAIN §4 "Files").

    A row repeats a row of the header when it has more than half of its titles and no other text in a column with a
    title. Of a header two rows high, the upper row counts only together with the row below it.
    """
    *above, lower = layout.rows
    titles = [key or upper for key, upper in zip_longest(lower, above[0], fillvalue="")] if above else lower
    repeated: set[int] = set()
    for number, row in rows.items():
        if _repeats(row, lower, titles):
            repeated.add(number)
        if above and (below := rows.get(number + 1)) is not None:
            same = _same_titles(row, above[0]), _same_titles(below, lower)
            if all(same) and 2 * sum(same) > _count_titles(above[0]) + _count_titles(lower):
                repeated |= {number, number + 1}
    return repeated


def _repeats(row: Row, keys: Sequence[str], titles: Sequence[str]) -> bool:
    return bool(_same_titles(row, titles)) and 2 * _same_titles(row, keys) > _count_titles(keys)


def _count_titles(keys: Sequence[str]) -> int:
    return sum(key != "" for key in keys)


def _same_titles(row: Row, keys: Sequence[str]) -> int:
    """How many cells of `row` repeat the title of their column; 0 where one of them has another text."""
    same = 0
    for cell, key in zip(row, keys, strict=False):
        if key and not is_empty(cell):
            if header_text_key(cell) != key:
                return 0
            same += 1
    return same


@dataclass(frozen=True)
class SheetChoice:
    """The sheets of a workbook to read, or the problems that keep it from being read."""

    sheets: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def choose_sheets(heads: Mapping[str, Sequence[Row]], *, kind: FileKind, named: str | None) -> SheetChoice:
    """Choose among the sheets of a workbook by their first rows (`heads`: sheet name → rows), DOMAIN §4 "Files".

    A stat workbook is read from the one sheet that shows the kind, or from the one `named`; a recap workbook from
    every sheet that shows it. Problem codes: `no_such_sheet`, `several_sheets` (both with `sheets`, the names), and
    those of `recognise`, for the sheet with most known headers.
    """
    layouts = {name: recognise(rows, kind) for name, rows in heads.items()}
    if named and kind == "stat":
        match = named if named in layouts else _same_name(named, list(layouts))
        if match is None:
            return SheetChoice(problems=(Problem("no_such_sheet", sheet=named, params={"sheets": list(layouts)}),))
        return SheetChoice((match,), _with_sheet(layouts[match], match))
    showing = tuple(name for name, layout in layouts.items() if layout.shows_kind)
    if kind == "stat" and len(showing) > 1:
        return SheetChoice(problems=(Problem("several_sheets", params={"sheets": list(showing)}),))
    if showing:
        return SheetChoice(showing, tuple(p for name in showing for p in _with_sheet(layouts[name], name)))
    if not layouts:
        return SheetChoice(problems=(Problem("empty_file"),))
    swapped = next((name for name, one in layouts.items() if one.problems and one.problems[0].code == "swapped"), None)
    nearest = swapped or max(layouts, key=lambda name: len(layouts[name].positions))
    if all(not _has_text(rows) for rows in heads.values()):
        return SheetChoice(problems=(Problem("empty_file"),))
    return SheetChoice((), _with_sheet(layouts[nearest], nearest))


def _same_name(named: str, names: list[str]) -> str | None:
    same = [name for name in names if name.strip().casefold() == named.strip().casefold()]
    return same[0] if len(same) == 1 else None


def _with_sheet(layout: Layout, sheet: str) -> tuple[Problem, ...]:
    return tuple(Problem(p.code, sheet=sheet, row=p.row, params=p.params) for p in layout.problems)


def _has_text(rows: Sequence[Row]) -> bool:
    return any(cell and cell.strip() for row in rows for cell in row)
