"""The watch list: its rules, and the rows of one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.page_links import Place, page_of
from dashboard.presenters import texts
from dashboard.presenters.shares import ONE_OF

Payload = dict[str, Any]

_KINDS: dict[str, Callable[[], str]] = {
    **ONE_OF,
    "invoice": lambda: _("Invoice"),
    "claim": lambda: _("Claim"),
    "act_incident": lambda: _("Incident"),
    "incident": lambda: _("Incident"),
    "quarter": lambda: _("Quarter"),
    "claimed": lambda: _("Claimed amount"),
}
# What the number is that a rule compares. The other rules compare nothing.
_MEASURES: dict[str, Callable[[Any, str], tuple[str, str]]] = {
    "dear_partner": lambda value, currency: (
        _("Claimed per insured"),
        texts.rounded(value, currency, with_currency=True),
    ),
    "round_amounts": lambda value, _currency: (_("Share of round amounts"), texts.percent(value)),
    "above_coverage_rate": lambda value, _currency: (_("Highest rate of a line"), texts.percent(value)),
    "incident_after_settlement": lambda value, _currency: (_("Days after settlement"), texts.decimals(value, 0)),
    "many_lines": lambda value, _currency: (_("Lines in the quarter"), texts.decimals(value, 0)),
}


@dataclass(frozen=True)
class Rule:
    key: str
    title: str
    definition: str
    count: str
    amounts: str
    explained: int
    href: str
    is_current: bool


@dataclass(frozen=True)
class Watched:
    """A row: `about`: (kind, text) of what it is about; `key` names it for good."""

    key: str
    about: list[tuple[str, str]]
    lines: str
    claims: str
    amount: str
    measure: tuple[str, str] | None
    href: str
    note: str = ""
    explained_by: str = ""
    explained_at: datetime | None = None


def rules(payload: Payload, current: str, place: Place) -> list[Rule]:
    return [
        Rule(
            key=one["rule"],
            title=one["title"],
            definition=one["definition"],
            count=texts.count(one["count"]),
            amounts=amounts(one["amounts"]),
            explained=one["explained"],
            href=place.link(rule=one["rule"], explained=""),
            is_current=one["rule"] == current,
        )
        for one in payload["rules"]
    ]


def amounts(found: dict[str, str]) -> str:
    """The amounts of all currencies; a dash for none."""
    shown = [texts.money(amount, currency, with_currency=True) for currency, amount in found.items()]
    return ", ".join(shown) or texts.NOTHING


def watched(payload: Payload) -> list[Watched]:
    return [
        Watched(
            key=row["key"],
            about=[_about(kind, value, row["currency"]) for kind, value in row["about"].items()],
            lines=texts.count(row["lines"]),
            claims=texts.count(row["claim_count"]),
            amount=texts.money(row["amount"], row["currency"], with_currency=True),
            measure=None
            if row["measure"] is None or payload["rule"] not in _MEASURES
            else _MEASURES[payload["rule"]](row["measure"], row["currency"]),
            href=page_of(row["url"]),
            note=row.get("note", ""),
            explained_by=row.get("explained_by", ""),
            explained_at=datetime.fromisoformat(row["explained_at"]) if "explained_at" in row else None,
        )
        for row in payload["rows"]
    ]


def _about(kind: str, value: Any, currency: str) -> tuple[str, str]:
    label = _KINDS[kind]() if kind in _KINDS else kind
    if isinstance(value, dict):
        return label, value["name"] or str(value["id"])
    if kind == "claimed":
        return label, texts.money(value, currency, with_currency=True)
    if kind == "quarter":
        first = date.fromisoformat(value)
        return label, texts.slot({"start": first.isoformat()}, "quarter")
    return label, texts.day(value)


def finding(payload: Payload) -> str:
    """How much there is to look at in all."""
    return ngettext("%(rows)s row to look at", "%(rows)s rows to look at", payload["n"]) % {
        "rows": texts.count(payload["n"])
    }
