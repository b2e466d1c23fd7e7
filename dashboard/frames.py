"""Records and figures as pandas DataFrames, for analysts in a notebook or a script.

    from users.models import User
    from dashboard import frames

    ama = User.objects.get(username="ama")
    claims = frames.claims(ama, start="2025-01-01", end="2025-12-31")
    claims.groupby("client")["reimbursed"].sum().nlargest(10)
    costs = frames.indicator(ama, "rankings", by="client", country="TG")
    costs.attrs["definition"]

Each function takes the account that asks, whose country decides what the frame holds (DOMAIN §1), and the parameters of
the API. Amounts are decimals in currency units, days are dates, ids are nullable integers. `attrs` says what the frame
is: `currency` (codes), `definition`, `basis`, `period`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import polars as pl
from django.utils import timezone

from dashboard import answers, asking, watch
from dashboard.answers import Answer
from dashboard.board import Board
from dashboard.tables import Kind, Table
from users.models import User

_IDS = ("claim", "membership", "insured", "client", "policy", "partner", "act", "act_category", "operator", "invoice")
_MONEY = ("claimed", "reimbursed")
_INTEGERS: tuple[Kind, ...] = ("integer",)


def claims(user: User, **params: str) -> pd.DataFrame:
    """Settled claims of the period and scope, a row each.

    Columns: claim (id), number, country (id), settled, incident, membership, insured, client, policy, partner (ids),
    currency, claimed, reimbursed, lines.
    """
    board = _board(user, params)
    return _records(board, board.data.claims_in(board.period), "claims")


def lines(user: User, **params: str) -> pd.DataFrame:
    """Lines of the settled claims of the period and scope, a row each.

    Columns: those of a claim but its number, and act, act_category, operator, invoice (ids), act_incident (the line's
    own incident date).
    """
    board = _board(user, params)
    return _records(board, board.data.lines_in(board.period), "lines")


def findings(user: User, **params: str) -> pd.DataFrame:
    """Claims left out now, a row each, whatever the period.

    Columns: finding, session (ids), number, category, settled, amount, country (id), currency, as_of (the session's
    date).
    """
    board = _board(user, params)
    frame = board.left_out[0]
    return _described(_decimals(frame, ("amount",)), board, "left_out")


def indicator(user: User, name: str, **params: str) -> pd.DataFrame:
    """An answer of the dashboard by its address: `portfolio`, `series`, `frequency`, `rankings`, `concentration`,
    `delay`, `triangle`, `prices`, `left-out`, `quality`, `watch-list`. Columns as in its Parquet file.

    `params` are those of the API; of `series`, `indicator` names the keys, with commas between. Raises KeyError for
    another name, Invalid for parameters that are not understood.
    """
    own, make = _ANSWERS[name]
    board = _board(user, params, also=own)
    answer = make(board, params)
    frame = _table_frame(answer.table())
    frame.attrs |= {
        "definition": answer.payload["definition"],
        "basis": answer.payload["basis"],
        "period": answer.payload["period"],
        "currency": answer.payload["currencies"],
    }
    return frame


def _series(board: Board, params: Mapping[str, str]) -> Answer:
    return answers.series(board, [key for key in params.get("indicator", "").split(",") if key])


_ANSWERS: dict[str, tuple[tuple[str, ...], Any]] = {
    "portfolio": ((), lambda board, params: answers.portfolio(board)),
    "series": (("indicator",), _series),
    "frequency": ((), lambda board, params: answers.frequency(board)),
    "rankings": (("by",), lambda board, params: answers.rankings(board, params["by"], limit=1)),
    "concentration": ((), lambda board, params: answers.concentration(board)),
    "delay": ((), lambda board, params: answers.delay(board)),
    "triangle": ((), lambda board, params: answers.triangle(board)),
    "prices": ((), lambda board, params: answers.prices(board, limit=1)),
    "left-out": ((), lambda board, params: answers.left_out_by_age(board)),
    "quality": (("by",), lambda board, params: answers.quality(board, params["by"])),
    "watch-list": (("rule",), lambda board, params: watch.rows_of(board, params["rule"], limit=1)),
}


def _board(user: User, params: Mapping[str, str], *, also: tuple[str, ...] = ()) -> Board:
    return Board(user=user, asked=asking.read(user, params, also=also), today=timezone.now().date())


def _records(board: Board, frame: pl.DataFrame, definition: str) -> pd.DataFrame:
    return _described(_decimals(frame, _MONEY), board, definition)


def _decimals(frame: pl.DataFrame, amounts: tuple[str, ...]) -> pd.DataFrame:
    """Cents as decimals of currency units; missing ids stay integers."""
    columns: dict[str, Any] = {}
    for name in frame.columns:
        values = frame[name].to_list()
        if name in amounts:
            columns[name] = pd.Series([Decimal(cents).scaleb(-2) for cents in values], dtype="object")
        elif name in _IDS:
            columns[name] = pd.array(values, dtype="Int64")
        else:
            columns[name] = values
    return pd.DataFrame(columns, columns=frame.columns)


def _described(frame: pd.DataFrame, board: Board, definition: str) -> pd.DataFrame:
    frame.attrs |= {
        "definition": definition,
        "basis": "settlement_date",
        "period": _days(board.period.start, board.period.end),
        "currency": board.currencies,
    }
    return frame


def _days(start: date, end: date) -> dict[str, str]:
    return {"start": start.isoformat(), "end": end.isoformat()}


def _table_frame(table: Table) -> pd.DataFrame:
    frame = pd.DataFrame(list(table.rows), columns=[column.name for column in table.columns])
    for column in table.columns:
        if column.kind in _INTEGERS:
            frame[column.name] = frame[column.name].astype("Int64")
    return frame
