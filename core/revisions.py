"""The values of a claim before an import replaced it (DOMAIN §6), as labelled texts for a page."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.admin.utils import display_for_field
from django.core.exceptions import ValidationError
from django.db.models import ForeignKey, Model
from django.utils.text import capfirst

from common.formats import format_amount
from core.models import Claim, ClaimLine, ClaimRevision

_NOTHING = "–"
_CLAIM_FIELDS = (
    "status",
    "settlement_date",
    "incident_date",
    "claimed_amount",
    "reimbursed_amount",
    "currency",
    "insured",
    "policy",
    "client",
    "partner",
    "line_count",
    "file",
    "import_session",
    "recap_file",
    "recap_sheet",
    "recap_row",
)
# The fields of a claim line, in the order of the tables here and in the admin.
LINE_FIELDS = (
    "position",
    "act",
    "category",
    "claimed_amount",
    "reimbursed_amount",
    "settlement_date",
    "file",
    "sheet",
    "row",
    "status",
    "incident_date",
    "invoice",
    "payment",
    "operator",
    "guarantee",
    "note",
)
_AMOUNTS = frozenset({"claimed_amount", "reimbursed_amount"})


@dataclass(frozen=True)
class RevisionView:
    """An earlier version of a claim as texts in the active language; an absent value is a dash.

    `facts`: label and text of each value of the claim. `columns`: label of each column of its lines, and whether the
    column holds amounts. `lines`: for each line its cells, as text and whether the text is an amount.
    """

    facts: list[tuple[str, str]]
    columns: list[tuple[str, bool]]
    lines: list[list[tuple[str, bool]]]


def revision_view(revision: ClaimRevision) -> RevisionView:
    before: dict[str, Any] = revision.before
    currency = str(before.get("currency") or "")
    return RevisionView(
        facts=[(_label(Claim, name), _text(Claim, name, before, currency)) for name in _CLAIM_FIELDS],
        columns=[(_label(ClaimLine, name), name in _AMOUNTS) for name in LINE_FIELDS],
        lines=[
            [(_text(ClaimLine, name, line, currency), name in _AMOUNTS) for name in LINE_FIELDS]
            for line in before.get("lines", [])
        ],
    )


@dataclass(frozen=True)
class Cell:
    """`differs`: whether the version that replaced this one has another value."""

    text: str
    is_number: bool
    differs: bool


@dataclass(frozen=True)
class ComparedVersion:
    """An earlier version beside the one that replaced it. `facts`: label and cell; `lines` likewise, by position.

    `missing_lines`: lines that only the newer version has.
    """

    revision: ClaimRevision
    facts: list[tuple[str, Cell]]
    columns: list[tuple[str, bool]]
    lines: list[list[Cell]]
    missing_lines: int


def compared(newest: ClaimRevision, earlier: list[ClaimRevision]) -> list[ComparedVersion]:
    """Each earlier version against the next newer one. `newest`: the values of today (`as_revision`)."""
    versions = []
    newer = revision_view(newest)
    for revision in earlier:
        view = revision_view(revision)
        facts = [
            (label, Cell(text, is_number=False, differs=text != now))
            for (label, text), (_label, now) in zip(view.facts, newer.facts, strict=True)
        ]
        lines = [
            [
                Cell(text, is_number, differs=at >= len(newer.lines) or text != newer.lines[at][column][0])
                for column, (text, is_number) in enumerate(line)
            ]
            for at, line in enumerate(view.lines)
        ]
        missing = max(0, len(newer.lines) - len(view.lines))
        versions.append(ComparedVersion(revision, facts, view.columns, lines, missing))
        newer = view
    return versions


def as_revision(claim: Claim, lines: list[ClaimLine]) -> ClaimRevision:
    """The values of a claim as it is now, in the shape of an earlier version; not stored.

    `lines` in their order. All references of claim and lines must be loaded.
    """
    before = _values(claim, _CLAIM_FIELDS) | {"lines": [_values(line, LINE_FIELDS) for line in lines]}
    return ClaimRevision(claim=claim, number=claim.number, before=before)


def _values(row: Model, names: tuple[str, ...]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in names:
        field = _field(type(row), name)
        if not isinstance(field, ForeignKey):
            values[name] = getattr(row, name)
            continue
        values[field.attname] = getattr(row, field.attname)
        # A session has no name of its own, so an earlier version has its id alone.
        if name != "import_session":
            values[name] = str(getattr(row, name) or "")
    return values


def _label(model: type[Model], name: str) -> str:
    label = str(_field(model, name).verbose_name)
    return capfirst(label)


def _text(model: type[Model], name: str, values: dict[str, Any], currency: str) -> str:
    field = _field(model, name)
    if isinstance(field, ForeignKey):
        # The name that the record had then; the id of a record without a name, such as a session.
        return str(values.get(name) or values.get(field.attname) or _NOTHING)
    try:
        value = field.to_python(values.get(name))
    except ValidationError:
        return str(values[name])
    if isinstance(value, Decimal):
        return format_amount(value, currency, with_currency=True)
    return str(display_for_field(value, field, _NOTHING))


def _field(model: type[Model], name: str) -> Any:
    return model._meta.get_field(name)
