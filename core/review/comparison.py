"""The two records of a pair beside each other: each fact, with a mark where they differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.utils.translation import gettext as _

from common.formats import format_amount, format_count, format_day
from core.models import ReviewKind
from core.review.facts import Amounts, RecordFacts, Role


@dataclass(frozen=True)
class Piece:
    """A part of a text. `differs`: the other text does not have it."""

    text: str
    differs: bool


@dataclass(frozen=True)
class Row:
    """One fact of both records, each as the lines of a cell."""

    label: str
    cells: Sequence[Sequence[str]]
    differs: bool


def marked_names(one: str, other: str) -> list[list[Piece]]:
    """Both names in pieces, of which those that only one of them has are marked."""
    found: list[list[Piece]] = [[], []]
    for tag, start, end, other_start, other_end in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        for pieces, text in zip(found, (one[start:end], other[other_start:other_end]), strict=True):
            if text:
                pieces.append(Piece(text, tag != "equal"))
    return found


def compared(kind: ReviewKind, one: RecordFacts, other: RecordFacts) -> list[Row]:
    """The facts of both records, without those that neither has."""
    both = (one, other)

    def row(label: str, cells: Iterable[Sequence[str]], *, counts: bool = False) -> Row:
        shown = [list(filter(None, cell)) for cell in cells]
        # Records that are one have different claims as well, so a number is no difference to look at.
        return Row(label, shown, not counts and shown[0] != shown[1])

    rows = [row(_("Also known as"), (facts.other_names for facts in both))]
    if kind == ReviewKind.INSURED:
        rows += [
            row(_("Card number"), ([facts.card_number] for facts in both)),
            row(_("Role"), ([_role(one) for one in facts.roles] for facts in both)),
        ]
    if kind == ReviewKind.PARTNER:
        rows += [
            row(_("Address"), ([facts.address] for facts in both)),
            row(_("Country of the provider"), ([facts.partner_country] for facts in both)),
        ]
    rows.append(row(_("Claims"), ([format_count(facts.claims)] for facts in both), counts=True))
    if kind in (ReviewKind.CLIENT, ReviewKind.INSURED):
        rows.append(row(_("Policies"), ([format_count(facts.policies)] for facts in both), counts=True))
    rows += [
        row(
            label,
            (
                [format_amount(getattr(one, name), one.currency, with_currency=True) for one in facts.amounts]
                for facts in both
            ),
            counts=True,
        )
        for label, name in ((_("Claimed"), "claimed"), (_("Reimbursed"), "reimbursed"))
    ]
    rows += [
        row(label, ([format_day(day) if (day := getattr(facts, name)) else ""] for facts in both), counts=True)
        for label, name in (
            (_("First settlement date"), "first_settlement_date"),
            (_("Last settlement date"), "last_settlement_date"),
        )
    ]
    rows.append(row(_("Files"), ([name for _id, name in facts.files] for facts in both), counts=True))
    return [one for one in rows if any(one.cells)]


def _role(one: Role) -> str:
    principal = _("of %(name)s") % {"name": one.principal} if one.principal else ""
    return " · ".join(filter(None, (one.policy, one.role, principal)))


def _money(one: Amounts, name: str) -> str:
    return format_amount(getattr(one, name), one.currency, with_currency=True)
