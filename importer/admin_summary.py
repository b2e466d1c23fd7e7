"""A session's summary (DOMAIN §5) and what it wrote, as blocks of labelled figures for people."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from file_handling.models import FindingCategory, ImportSession

_FINDINGS = dict(FindingCategory.choices)


@dataclass(frozen=True)
class Figure:
    """One line of the table. `category`: that of the findings behind the number, where it has any."""

    label: str
    value: str
    category: str = ""


@dataclass(frozen=True)
class Block:
    title: str
    figures: list[Figure]


def summary_blocks(session: ImportSession) -> list[Block]:
    """Empty until the session is reconciled. Amounts in the session's currency."""
    summary: dict[str, Any] | None = session.summary
    if not summary:
        return []
    return [
        Block(_("Read"), _read(summary)),
        Block(_("Claims of the period"), _claims(summary)),
        Block(_("On which stat and recap agree"), _agreed(summary, session.currency)),
        Block(_("Written"), _written(summary, session)),
    ]


def _read(summary: dict[str, Any]) -> list[Figure]:
    stat, recap, outside = summary["stat"], summary["recap"], summary["out_of_period"]
    first, last = (formats.date_format(date.fromisoformat(day), "SHORT_DATE_FORMAT") for day in summary["period"])
    return [
        Figure(_("Common period"), f"{first} – {last}"),
        Figure(_("Stat lines"), _number(stat["lines"])),
        Figure(_("Unreadable stat lines"), _number(stat["unreadable_lines"]), "unreadable_line"),
        Figure(_("Stat lines outside the period"), _number(outside["lines"]), "out_of_period"),
        Figure(_("Recap rows"), _number(recap["rows_after_dedup"])),
        Figure(_("Repeated recap rows left out"), _number(recap["duplicate_rows_removed"])),
        Figure(_("Unpaid recap rows"), _number(recap["unpaid"]), "unpaid"),
        Figure(
            _("Recap rows that the stat file does not have"), _number(summary["claims"]["recap_only"]), "recap_only"
        ),
    ]


def _claims(summary: dict[str, Any]) -> list[Figure]:
    names = {
        "conform": pgettext("category of a claim", "conform"),
        "cancelled": pgettext("category of a claim", "cancelled"),
    }
    figures = [Figure(_("All"), _number(summary["claims"]["total"]))]
    for category, count in sorted(summary["claims"]["by_category"].items(), key=lambda one: -one[1]):
        label = str(names.get(category) or _FINDINGS.get(category, category))
        figures.append(Figure(_capital(label), _number(count), category if category in _FINDINGS else ""))
    return figures


def _agreed(summary: dict[str, Any], currency: str) -> list[Figure]:
    importable = summary["importable"]
    return [
        Figure(_("Claims"), _number(importable["claims"])),
        Figure(_("Lines"), _number(importable["lines"])),
        Figure(_("Claimed"), f"{_amount(importable['claimed'])} {currency}".strip()),
        Figure(_("Reimbursed"), f"{_amount(importable['reimbursed'])} {currency}".strip()),
        Figure(_("Tolerance"), f"{_amount(summary['tolerance'])} {currency}".strip()),
    ]


def _written(summary: dict[str, Any], session: ImportSession) -> list[Figure]:
    labels = {
        "insured": _("New insured"),
        "clients": _("New clients"),
        "policies": _("New policies"),
        "plans": _("New plans"),
        "memberships": _("New memberships"),
        "partners": _("New providers"),
        "invoices": _("New invoices"),
        "payments": _("New payments"),
        "operators": _("New operators"),
        "act_categories": _("New act categories"),
        "acts": _("New acts"),
    }
    entities, outcome = summary.get("entities", {}), session.outcome
    return [
        Figure(_("Claims created"), _number(session.claims_created_count)),
        Figure(_("Claims replaced"), _number(outcome.get("claims_to_replace", 0))),
        Figure(_("Claims already there"), _number(outcome.get("claims_skipped", 0))),
        Figure(_("Claims that differ from what is there"), _number(outcome.get("claims_in_conflict", 0)), "conflict"),
        *(Figure(label, _number(entities[name])) for name, label in labels.items() if name in entities),
    ]


def category_counts(counts: Iterable[tuple[str, int]]) -> list[tuple[str, str, int]]:
    """(category, its name, how many findings) in the order of FindingCategory."""
    found = dict(counts)
    return [(value, _capital(str(label)), found[value]) for value, label in FindingCategory.choices if value in found]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _number(value: int) -> str:
    return formats.number_format(value, force_grouping=True)


def _amount(value: Any) -> str:
    return formats.number_format(Decimal(str(value)), decimal_pos=2, force_grouping=True)
