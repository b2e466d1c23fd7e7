"""The claims left out, a page at a time: the list behind `left-out/`."""

from __future__ import annotations

from typing import Any

import polars as pl
from django.utils.translation import gettext as _

from common.errors import Gone
from dashboard import links
from dashboard.answers import Answer, about, shown
from dashboard.board import Board
from dashboard.indicators.left_out import aged
from dashboard.numbers import money
from dashboard.tables import Table, TableColumn
from file_handling.models import Finding

PAGE_ROWS = 200
MOST_PAGES = 10_000


def claims_left_out(board: Board, *, category: str = "", age: str = "", currency: str = "", page: int = 1) -> Answer:
    """One row for each claim number, the oldest session first; observations only for accounts that see sessions.

    Empty filters narrow nothing. Raises Gone for a page beyond the last.
    """
    rows = aged(board.left_out[0], today=board.today)
    for name, value in (("category", category), ("age", age), ("currency", currency)):
        if value:
            rows = rows.filter(pl.col(name) == value)
    rows = rows.sort("as_of", "finding")
    pages = max(1, -(-rows.height // PAGE_ROWS))
    if page > pages:
        raise Gone(_("There is no such page."))
    shown_rows = rows.slice((page - 1) * PAGE_ROWS, PAGE_ROWS)
    observations = _observations(board, shown_rows["finding"].to_list())
    payload = about(board, "left_out", n=rows.height) | {
        "as_of": board.today.isoformat(),
        "count": rows.height,
        "page": page,
        "pages": pages,
        "amounts": {
            currency: shown(money(cents))
            for currency, cents in rows.group_by("currency").agg(pl.col("amount").sum()).sort("currency").iter_rows()
        },
        "rows": [
            {
                "claim_number": one["number"],
                "category": one["category"],
                "age": one["age"],
                "settlement_date": None if one["settled"] is None else one["settled"].isoformat(),
                "amount": shown(money(one["amount"])),
                "currency": one["currency"],
                "session": one["session"],
                "finding": one["finding"],
                "observation": observations.get(one["finding"], ""),
                "url": f"{links.API}/import-sessions/{one['session']}/findings/",
            }
            for one in shown_rows.iter_rows(named=True)
        ],
    }

    def table() -> Table:
        columns = [
            TableColumn("claim_number", _("Claim")),
            TableColumn("category", _("Category")),
            TableColumn("age", _("Age in days")),
            TableColumn("settlement_date", _("Settlement date"), "date"),
            TableColumn("amount", _("Amount"), "money"),
            TableColumn("currency", _("Currency")),
            TableColumn("session", _("Import session"), "integer"),
        ]
        values = rows.select("number", "category", "age", "settled", "amount", "currency", "session")
        cells: list[tuple[Any, ...]] = [
            (number_, category, age, settled, money(amount), currency, session)
            for number_, category, age, settled, amount, currency, session in values.iter_rows()
        ]
        return Table(_("Claims left out"), columns, cells)

    return Answer(payload, table)


def _observations(board: Board, ids: list[int]) -> dict[int, str]:
    findings = Finding.objects.visible_to(board.user).filter(pk__in=ids)
    return {finding.pk: finding.observation for finding in findings.only("category", "code", "details")}
