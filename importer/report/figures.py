"""A session's summary (DOMAIN §5) and what it wrote, as labelled figures: the same in page, report and message."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from common.formats import format_amount, format_count, format_period
from file_handling.models import FindingCategory

_FINDINGS = dict(FindingCategory.choices)


@dataclass(frozen=True)
class Figure:
    """A number, an amount of the session's currency (Decimal) or the days of a period (first, last).

    `category`: that of the findings behind it, where it has any.
    """

    label: str
    value: int | Decimal | tuple[date, date]
    category: str = ""


@dataclass(frozen=True)
class Block:
    title: str
    figures: list[Figure]


def blocks(summary: dict[str, Any] | None, outcome: dict[str, Any], *, is_written: bool) -> list[Block]:
    """The figures of a session by subject, from the fields of its row. Empty until it is reconciled."""
    if not summary:
        return []
    return [
        Block(_("Read"), _read(summary)),
        Block(_("Claims of the period"), _claims(summary)),
        Block(_("Stat and recap agree"), _agreed(summary)),
        Block(_("Written") if is_written else _("Planned, not written"), _written(summary, outcome)),
    ]


def figure_text(value: int | Decimal | tuple[date, date], currency: str = "") -> str:
    """A figure in the active language, an amount with its currency."""
    if isinstance(value, tuple):
        return format_period(*value)
    if isinstance(value, Decimal):
        return format_amount(value, currency, with_currency=True)
    return format_count(value)


def category_name(category: str) -> str:
    """The name of a claim's category (DOMAIN §5), its first letter a capital."""
    names = {
        "conform": pgettext("category of a claim", "conform"),
        "cancelled": pgettext("category of a claim", "cancelled"),
    }
    return capfirst(str(names.get(category) or _FINDINGS.get(category, category)))


def category_counts(counts: Iterable[tuple[str, int]]) -> list[tuple[str, str, int]]:
    """(category, its name, how many findings) in the order of FindingCategory."""
    found = dict(counts)
    return [(value, capfirst(str(label)), found[value]) for value, label in FindingCategory.choices if value in found]


def _read(summary: dict[str, Any]) -> list[Figure]:
    stat, recap, claims = summary["stat"], summary["recap"], summary["claims"]
    first, last = map(date.fromisoformat, summary["period"])
    return [
        Figure(_("Common period"), (first, last)),
        Figure(_("Stat lines"), stat["lines"]),
        Figure(_("Unreadable stat lines"), stat["unreadable_lines"], "unreadable_line"),
        Figure(_("Stat lines outside the period"), summary["out_of_period"]["lines"], "out_of_period"),
        Figure(_("Recap rows"), recap["rows_after_dedup"]),
        Figure(_("Repeated recap rows left out"), recap["duplicate_rows_removed"]),
        Figure(_("Unpaid recap rows"), recap["unpaid"], "unpaid"),
        Figure(_("Recap rows missing in the stat file"), claims["recap_only"], "recap_only"),
    ]


def _claims(summary: dict[str, Any]) -> list[Figure]:
    claims = summary["claims"]
    most_first = sorted(claims["by_category"].items(), key=lambda one: -one[1])
    return [
        Figure(_("All"), claims["total"]),
        *(
            Figure(category_name(category), count, category if category in _FINDINGS else "")
            for category, count in most_first
        ),
    ]


def _agreed(summary: dict[str, Any]) -> list[Figure]:
    agreed = summary["importable"]
    return [
        Figure(_("Claims"), agreed["claims"]),
        Figure(_("Lines"), agreed["lines"]),
        Figure(_("Claimed"), Decimal(agreed["claimed"])),
        Figure(_("Reimbursed"), Decimal(agreed["reimbursed"])),
        Figure(_("Tolerance"), Decimal(summary["tolerance"])),
    ]


def _written(summary: dict[str, Any], outcome: dict[str, Any]) -> list[Figure]:
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
    entities = summary.get("entities", {})
    return [
        Figure(_("Claims created"), outcome.get("claims_to_create", 0)),
        Figure(_("Claims replaced"), outcome.get("claims_to_replace", 0)),
        Figure(_("Claims already imported"), outcome.get("claims_skipped", 0)),
        Figure(_("Claims that differ from the imported ones"), outcome.get("claims_in_conflict", 0), "conflict"),
        Figure(_("Claim lines written"), outcome.get("lines_to_write", 0)),
        *(Figure(label, entities[name]) for name, label in labels.items() if name in entities),
        Figure(_("Memberships updated"), outcome.get("memberships_updated", 0)),
        Figure(_("Insured completed"), outcome.get("insured_completed", 0)),
    ]
