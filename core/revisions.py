"""What a claim said before an import replaced it (DOMAIN §6), in words that a person reads."""

from dataclasses import dataclass
from typing import Any

from django.contrib.admin.utils import display_for_field
from django.core.exceptions import ValidationError
from django.db.models import ForeignKey, Model

from core.models import Claim, ClaimLine, ClaimRevision

_NOTHING = "–"
_FACTS = (
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
# Of a claim line, as people read them: here and in the administration pages.
LINE_COLUMNS = (
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
_NUMBERS = frozenset({"claimed_amount", "reimbursed_amount"})


@dataclass(frozen=True)
class Told:
    """`facts`: label and text of each figure of the claim. `columns`: label of each column of its lines, and whether it
    holds amounts; `lines`: their cells, with that too.
    """

    facts: list[tuple[str, str]]
    columns: list[tuple[str, bool]]
    lines: list[list[tuple[str, bool]]]


def told(revision: ClaimRevision) -> Told:
    """In the language in use. What the revision does not say is a dash."""
    before: dict[str, Any] = revision.before
    return Told(
        facts=[(_label(Claim, name), _text(Claim, name, before)) for name in _FACTS],
        columns=[(_label(ClaimLine, name), name in _NUMBERS) for name in LINE_COLUMNS],
        lines=[
            [(_text(ClaimLine, name, line), name in _NUMBERS) for name in LINE_COLUMNS]
            for line in before.get("lines", [])
        ],
    )


def _label(model: type[Model], name: str) -> str:
    label = str(_field(model, name).verbose_name)
    return label[:1].upper() + label[1:]


def _text(model: type[Model], name: str, said: dict[str, Any]) -> str:
    field = _field(model, name)
    if isinstance(field, ForeignKey):
        # The name that it had; a record without one, such as a session, by its number.
        return str(said.get(name) or said.get(field.attname) or _NOTHING)
    try:
        value = field.to_python(said.get(name))
    except ValidationError:
        return str(said[name])
    return str(display_for_field(value, field, _NOTHING))


def _field(model: type[Model], name: str) -> Any:
    return model._meta.get_field(name)
