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
is: `types` (column → text, id, money, ratio, integer, number or date), `currency` (codes), `indicator` (its key),
`definition` (in the active language), `basis`, `period`.
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
from dashboard.definitions import INDICATORS
from dashboard.indicators.loss_ratio import BY
from dashboard.loss_ratio_answers import loss_ratio
from dashboard.tables import Kind, Table
from users.models import User

_IDS = (
    "finding",
    "session",
    "country",
    "claim",
    "membership",
    "insured",
    "client",
    "policy",
    "partner",
    "act",
    "act_category",
    "operator",
    "invoice",
)
_MONEY = ("claimed", "reimbursed", "amount")
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
    return _records(board, board.left_out[0], "left_out")


def indicator(user: User, name: str, **params: str) -> pd.DataFrame:
    """An answer of the dashboard by its address: `portfolio`, `series`, `frequency`, `rankings`, `concentration`,
    `delay`, `triangle`, `loss-ratio`, `prices`, `left-out`, `quality`, `watch-list`. Columns as in its Parquet file.

    `params` are those of the API; of `series`, `indicator` names the keys, with commas between. Raises KeyError for
    another name, Invalid for parameters that are not understood.
    """
    own, make = _ANSWERS[name]
    board = _board(user, params, also=own)
    answer = make(board, params)
    table = answer.table()
    frame = _table_frame(table)
    frame.attrs |= {
        "types": {column.name: column.kind for column in table.columns},
        "indicator": answer.payload["definition"],
        "definition": str(INDICATORS[answer.payload["definition"]].definition),
        "basis": answer.payload["basis"],
        "period": answer.payload["period"],
        "currency": answer.payload["currencies"],
    }
    return frame


def _series(board: Board, params: Mapping[str, str]) -> Answer:
    return answers.series(board, [key for key in params.get("indicator", "").split(",") if key])


def _by(params: Mapping[str, str]) -> Any:
    return asking.choice(params, "by", BY, default="client")


_ANSWERS: dict[str, tuple[tuple[str, ...], Any]] = {
    "portfolio": ((), lambda board, params: answers.portfolio(board)),
    "series": (("indicator",), _series),
    "frequency": ((), lambda board, params: answers.frequency(board)),
    "rankings": (("by",), lambda board, params: answers.rankings(board, params["by"], limit=1)),
    "concentration": ((), lambda board, params: answers.concentration(board)),
    "delay": ((), lambda board, params: answers.delay(board)),
    "triangle": ((), lambda board, params: answers.triangle(board)),
    "loss-ratio": (("by",), lambda board, params: loss_ratio(board, _by(params), limit=1)),
    "prices": ((), lambda board, params: answers.prices(board, limit=1)),
    "left-out": ((), lambda board, params: answers.left_out_by_age(board)),
    "quality": (("by",), lambda board, params: answers.quality(board, params["by"])),
    "watch-list": (("rule",), lambda board, params: watch.rows_of(board, params["rule"], limit=1)),
}


def _board(user: User, params: Mapping[str, str], *, also: tuple[str, ...] = ()) -> Board:
    return Board(user=user, asked=asking.read(user, params, also=also), today=timezone.now().date())


def _records(board: Board, records: pl.DataFrame, indicator: str) -> pd.DataFrame:
    """Cents as decimals of currency units; missing ids stay integers."""
    types = {name: _type_of(name, records.schema[name]) for name in records.columns}
    columns: dict[str, Any] = {}
    for name, kind in types.items():
        values = records[name].to_list()
        if kind == "money":
            columns[name] = pd.Series([Decimal(cents).scaleb(-2) for cents in values], dtype="object")
        elif kind in ("id", "integer"):
            columns[name] = pd.array(values, dtype="Int64")
        else:
            columns[name] = values
    frame = pd.DataFrame(columns, columns=records.columns)
    frame.attrs |= {
        "types": types,
        "indicator": indicator,
        "definition": str(INDICATORS[indicator].definition),
        "basis": "settlement_date",
        "period": _days(board.period.start, board.period.end),
        "currency": board.currencies,
    }
    return frame


def _type_of(name: str, dtype: pl.DataType) -> str:
    if name in _MONEY:
        return "money"
    if name in _IDS:
        return "id"
    if dtype == pl.Date:
        return "date"
    return "integer" if dtype.is_integer() else "text"


def _days(start: date, end: date) -> dict[str, str]:
    return {"start": start.isoformat(), "end": end.isoformat()}


def _table_frame(table: Table) -> pd.DataFrame:
    frame = pd.DataFrame(list(table.rows), columns=[column.name for column in table.columns])
    for column in table.columns:
        if column.kind in _INTEGERS:
            frame[column.name] = frame[column.name].astype("Int64")
    return frame
