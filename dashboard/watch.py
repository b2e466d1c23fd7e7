"""The watch list with what people said of its rows: reading it, and marking a row *seen, explained* (DOMAIN §8)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Gone, Invalid
from core.data_versions import MARKS, renew
from core.models import Claim
from dashboard import links
from dashboard.answers import Answer, Payload, about, shown
from dashboard.board import Board
from dashboard.definitions import WATCH_RULES
from dashboard.indicators.watch_list import RULES, Row, as_row, rule_rows
from dashboard.models import WatchMark
from dashboard.numbers import money
from dashboard.periods import slot_end
from dashboard.tables import Table, TableColumn
from users import audit
from users.models import AuditAction

LONGEST_NOTE = 2000
# Much of the work of a rule occupies one core: a third thread fills the gaps of two.
_THREADS = 3


@dataclass(frozen=True)
class Found:
    """The rows of one rule that nobody has explained (`rule_rows`), and those that somebody has, with what was said."""

    rule: str
    rows: pl.DataFrame
    explained: list[tuple[Row, WatchMark]]

    def first(self, limit: int | None = None) -> list[Row]:
        rows = self.rows if limit is None else self.rows.head(limit)
        return [as_row(self.rule, one) for one in rows.iter_rows(named=True)]

    def amounts(self) -> dict[str, Decimal]:
        """Currency → reimbursed amount of all rows."""
        sums = self.rows.group_by("currency").agg(pl.col("cents").sum()).sort("currency")
        return {currency: money(cents) for currency, cents in sums.iter_rows()}


Marks = dict[str, dict[str, WatchMark]]


def marks_of(board: Board, *rules: str) -> Marks:
    """Rule → key of a row → what somebody said of it."""
    found: Marks = {rule: {} for rule in rules}
    marks = WatchMark.objects.visible_to(board.user).filter(rule__in=rules, country_id__in=board.query.countries)
    for mark in marks:
        found[mark.rule][mark.key] = mark
    return found


def found_rows(board: Board, rule: str, marks: Marks) -> Found:
    rows = rule_rows(board.data, board.period, rule=rule)
    explained = _explained(rows, rule, marks)
    return Found(rule, rows.filter(~pl.col("key").is_in([row.key for row, _mark in explained])), explained)


def _explained(rows: pl.DataFrame, rule: str, marks: Marks) -> list[tuple[Row, WatchMark]]:
    """The rows that somebody explained and that have not changed since."""
    marked = rows.filter(pl.col("key").is_in(list(marks[rule])))
    pairs = [(row, marks[rule][row.key]) for row in (as_row(rule, one) for one in marked.iter_rows(named=True))]
    return [(row, mark) for row, mark in pairs if mark.fingerprint == row.fingerprint]


def summary(board: Board) -> Answer:
    """Every rule with how many rows it finds and their amount in each currency."""
    marks = marks_of(board, *RULES)
    board.data.prepare()
    with ThreadPoolExecutor(_THREADS) as threads:
        found = list(threads.map(lambda rule: found_rows(board, rule, marks), RULES))
    payload = about(board, "watch_list", n=sum(one.rows.height for one in found)) | {
        "rules": [
            {
                "rule": one.rule,
                "title": str(WATCH_RULES[one.rule][0]),
                "definition": str(WATCH_RULES[one.rule][1]),
                "count": one.rows.height,
                "amounts": {currency: shown(amount) for currency, amount in one.amounts().items()},
                "explained": len(one.explained),
                "url": f"{links.API}/dashboard/watch-list/?rule={one.rule}&{links.asked(board.query)}",
            }
            for one in found
        ]
    }
    columns = [
        TableColumn("rule", _("Rule")),
        TableColumn("rows", _("Rows"), "integer"),
        TableColumn("currency", _("Currency")),
        TableColumn("amount", _("Reimbursed"), "money"),
    ]

    def table() -> Table:
        rows = [
            (str(WATCH_RULES[one.rule][0]), one.rows.height, currency, amount)
            for one in found
            for currency, amount in (one.amounts() or {"": Decimal("0.00")}).items()
        ]
        return Table(_("Watch list"), columns, rows)

    return Answer(payload, table)


def rows_of(board: Board, rule: str, *, limit: int, explained: bool = False) -> Answer:
    """The rows of one rule, the largest amount first, `limit` at most; the table has all of them.

    `explained`: in place of these the rows that people have explained, each with note, name and moment.
    """
    found = found_rows(board, rule, marks_of(board, rule))
    said = {row.key: mark for row, mark in found.explained} if explained else {}

    def first_rows(limit: int | None = None) -> list[Row]:
        return [row for row, _mark in found.explained][:limit] if explained else found.first(limit)

    first = first_rows(limit)
    names = _names(board, first)
    payload = about(board, f"watch_list.{rule}", n=found.rows.height) | {
        "rule": rule,
        "title": str(WATCH_RULES[rule][0]),
        "count": found.rows.height,
        "amounts": {currency: shown(amount) for currency, amount in found.amounts().items()},
        "explained": len(found.explained),
        "rows": [_row(board, row, names) | _said(said.get(row.key)) for row in first],
    }
    columns = [
        TableColumn("about", _("About")),
        TableColumn("lines", _("Lines"), "integer"),
        TableColumn("claims", _("Claims"), "integer"),
        TableColumn("amount", _("Reimbursed"), "money"),
        TableColumn("currency", _("Currency")),
        TableColumn("measure", _("Compared value"), "number"),
    ]

    def table() -> Table:
        every = first_rows()
        all_names = _names(board, every)
        rows = [
            (_words(row, all_names), row.lines, row.claim_count, row.amount, row.currency, row.measure) for row in every
        ]
        return Table(str(WATCH_RULES[rule][0]), columns, rows)

    return Answer(payload, table)


def _said(mark: WatchMark | None) -> Payload:
    if mark is None:
        return {}
    return {"note": mark.note, "explained_by": mark.user_name, "explained_at": mark.marked_at.isoformat()}


def _names(board: Board, rows: list[Row]) -> dict[str, dict[int, str]]:
    ids: dict[str, set[int]] = {}
    for row in rows:
        for kind, value in row.about.items():
            if isinstance(value, int) and kind != "claimed":
                ids.setdefault(kind, set()).add(value)
    return {kind: board.names(kind, wanted) for kind, wanted in ids.items()}


def _words(row: Row, names: dict[str, dict[int, str]]) -> str:
    return " · ".join(
        names.get(kind, {}).get(value, str(value)) if isinstance(value, int) else value
        for kind, value in row.about.items()
        if kind != "claimed"
    )


def _filters(board: Board, row: Row) -> dict[str, object]:
    """The filters of claim lines that leave those of the row."""
    filters: dict[str, object] = {"currency": row.currency}
    for kind, value in row.about.items():
        match kind:
            case "act_category":
                filters["category"] = value
            case "act_incident":
                filters |= {"incident_date_after": value, "incident_date_before": value}
            case "claimed":
                amount = money(int(value))
                filters |= {"claimed_amount_min": amount, "claimed_amount_max": amount}
            case "quarter":
                first = date.fromisoformat(str(value))
                filters["claim_settlement_date_after"] = max(first, board.period.start)
                filters["claim_settlement_date_before"] = min(slot_end(first, "quarter"), board.period.end)
            case _:
                filters[kind] = value
    return filters


def _row(board: Board, row: Row, names: dict[str, dict[int, str]]) -> Payload:
    about_it: dict[str, Any] = {}
    for kind, value in row.about.items():
        if kind == "claimed":
            about_it[kind] = shown(Decimal(value).scaleb(-2))
        elif isinstance(value, int):
            about_it[kind] = {"id": value, "name": names.get(kind, {}).get(value, "")}
        else:
            about_it[kind] = value
    is_claim = "claim" in row.about
    return {
        "key": row.key,
        "fingerprint": row.fingerprint,
        "about": about_it,
        "lines": row.lines,
        "claims": row.claims,
        "claim_count": row.claim_count,
        "amount": shown(row.amount),
        "currency": row.currency,
        "measure": shown(row.measure),
        "url": f"{links.API}/claims/{row.claims[0]}/" if is_claim else links.lines(board.query, **_filters(board, row)),
    }


def mark_seen(board: Board, *, rule: str, key: str, note: str) -> WatchMark:
    """Take a row off the list until it changes; who explained it and what they said is kept and audited.

    Raises Invalid without an explanation, Gone for a row that the list does not have.
    """
    note = note.strip()
    if not note:
        raise Invalid({"note": [_("Say why the row is in order.")]})
    if len(note) > LONGEST_NOTE:
        raise Invalid({"note": [_("At most %(limit)d characters.") % {"limit": LONGEST_NOTE}]})
    rows = rule_rows(board.data, board.period, rule=rule).filter(pl.col("key") == key)
    if rows.is_empty():
        raise Gone(_("The watch list has no such row. It may have changed: read the list again."))
    row = as_row(rule, rows.row(0, named=True))
    country_id = Claim.objects.visible_to(board.user).values_list("country_id", flat=True).get(pk=row.claims[0])
    with transaction.atomic():
        mark, _created = WatchMark.objects.update_or_create(
            country_id=country_id,
            rule=rule,
            key=key,
            defaults={
                "fingerprint": row.fingerprint,
                "note": note,
                "user": board.user,
                "user_name": board.user.display_name(),
            },
        )
        renew(country_id, [MARKS])
        audit.record(actor=board.user, action=AuditAction.STEER, target=mark, data={"rule": rule})
    return mark
