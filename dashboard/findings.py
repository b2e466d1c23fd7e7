"""Claims that were not imported, as columns: one file for each session, made of its findings (see `columns`).

The latest finding of a claim number counts, as long as the number is not a claim of the country now (DOMAIN §8).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

import polars as pl
from django.utils.translation import gettext as _

from common.errors import Invalid
from common.keys import label_key, reference_key
from common.money import cents_of
from core.data_versions import findings_of, tokens_of
from core.models import Act, ActAlias, ActCategory, ActCategoryAlias, Client, Operator, Partner, Policy
from dashboard.columns import Columns, Versions, keep, kept
from dashboard.queries import Scope
from file_handling.models import Finding, FindingCategory, ImportSession

CATEGORIES = (
    FindingCategory.UNREADABLE,
    FindingCategory.DIVERGENT_IN_RECAP,
    FindingCategory.INCONSISTENT,
    FindingCategory.INCOMPLETE,
    FindingCategory.AMOUNT_GAP,
    FindingCategory.MISSING_IN_RECAP,
    FindingCategory.CONFLICT,
)
CLAIM_SCHEMA: dict[str, pl.DataType] = {
    "finding": pl.Int64(), "session": pl.Int64(), "number": pl.String(), "category": pl.String(),
    "settled": pl.Date(), "amount": pl.Int64(),
}  # fmt: skip
# Scope → field of a line and its key. A person has no single key: a card or one of several spellings.
_KEYS: dict[str, tuple[str, Callable[[str], str]]] = {
    "client": ("employer", label_key),
    "policy": ("policy_number", reference_key),
    "partner": ("partner", label_key),
    "operator": ("operator", label_key),
    "act": ("act", label_key),
    "act_category": ("act_category", label_key),
}
NO_SCOPE = Scope()
LINE_SCHEMA: dict[str, pl.DataType] = {"finding": pl.Int64(), **dict.fromkeys(_KEYS, pl.String())}


def left_out(
    columns: Columns, country_ids: Sequence[int], scope: Scope = NO_SCOPE, versions: Versions | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The claims left out now that have a stat line in the scope, and these lines. See `_left_out`.

    A line is in the scope of a record when it has the record's key. Raises Invalid for the scope of a person or family.
    """
    claims, lines = _left_out(columns, country_ids, versions or Versions(country_ids))
    if not scope.kind:
        return claims, lines
    if scope.kind not in _KEYS:
        raise Invalid({scope.kind: [_("Claims left out are not matched to persons. Leave this parameter out.")]})
    keys = pl.DataFrame(list(_keys_of(scope)), schema={"country": pl.Int64(), scope.kind: pl.String()}, orient="row")
    on = [scope.kind] if keys["country"].has_nulls() else ["country", scope.kind]
    inside = lines.join(claims.select("finding", "country"), on="finding").join(keys, on=on, how="semi").drop("country")
    return claims.join(inside, on="finding", how="semi", maintain_order="left"), inside


def _keys_of(scope: Scope) -> Iterable[tuple[int | None, str]]:
    """Country and key by which lines name the record; acts and categories are those of all countries."""
    match scope.kind:
        case "act":
            aliases = ActAlias.objects.filter(act_id=scope.id).values_list("key", flat=True)
            return [(None, key) for key in {*Act.objects.filter(pk=scope.id).values_list("key", flat=True), *aliases}]
        case "act_category":
            others = ActCategoryAlias.objects.filter(category_id=scope.id).values_list("key", flat=True)
            named = ActCategory.objects.filter(pk=scope.id).values_list("key", flat=True)
            return [(None, key) for key in {*named, *others}]
    model: Any = {"client": Client, "policy": Policy, "partner": Partner, "operator": Operator}[scope.kind]
    return list(model.objects.filter(pk=scope.id).values_list("country_id", "key"))


def _left_out(columns: Columns, country_ids: Sequence[int], versions: Versions) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The claims left out now, and their stat lines.

    Claims: finding, session, number, category, settled (the last settlement date that its rows give, or null), amount
    (cents: the recap's reimbursed amount, else the stat's), country, currency, as_of (the session's date). Lines:
    finding, and the keys of client, policy, partner, operator, act and act_category (null where the line gives none).
    """
    sessions = {row.pk: row for row in _sessions(country_ids)}
    claims, lines = [], []
    for session in sessions.values():
        frames = _of_session(session, versions.tokens[session.country_id].get(findings_of(session.pk)))
        claims.append(frames["claims"])
        lines.append(frames["lines"])
    if not claims:
        return pl.DataFrame(schema=CLAIM_SCHEMA | _ADDED), pl.DataFrame(schema=LINE_SCHEMA)
    facts = pl.DataFrame(
        [(row.pk, row.country_id, row.currency, row.created_at.date()) for row in sessions.values()],
        schema={"session": pl.Int64(), **_ADDED},
        orient="row",
    )
    latest = (
        pl.concat(claims)
        .join(facts, on="session")
        .sort("session", "finding", descending=True)
        .unique(subset=["country", "number"], keep="first", maintain_order=True)
        .join(columns.numbers, on=["country", "number"], how="anti")
    )
    return latest, pl.concat(lines).join(latest.select("finding"), on="finding", how="semi")


def amounts_left_out(sessions: Sequence[ImportSession]) -> dict[int, int]:
    """Session id → amount (cents) of the claims that it left out, whatever became of them later.

    A conflict is a claim of the country, so it is not left out.
    """
    tokens = tokens_of({session.country_id for session in sessions})
    amounts: dict[int, int] = {}
    for session in sessions:
        claims = _of_session(session, tokens[session.country_id].get(findings_of(session.pk)))["claims"]
        left = claims.filter(pl.col("category") != FindingCategory.CONFLICT.value).unique("number", keep="first")
        amounts[session.pk] = int(left["amount"].sum())
    return amounts


_ADDED: dict[str, pl.DataType] = {"country": pl.Int64(), "currency": pl.String(), "as_of": pl.Date()}


def _sessions(country_ids: Iterable[int]) -> Iterable[ImportSession]:
    return ImportSession.objects.filter(country_id__in=country_ids).only("pk", "country_id", "currency", "created_at")


def _of_session(session: ImportSession, token: str | None) -> dict[str, pl.DataFrame]:
    part = findings_of(session.pk)
    if token is not None:
        found = kept(session.country_id, part, token)
        if found is not None:
            return found
    frames = _from_database(session.pk)
    if token is not None:
        keep(session.country_id, part, token, frames)
    return frames


def _from_database(session_id: int) -> dict[str, pl.DataFrame]:
    rows = Finding.objects.filter(session_id=session_id, category__in=CATEGORIES).exclude(claim_number="")
    claims, lines = [], []
    values = ("pk", "claim_number", "category", "recap_reimbursed", "stat_reimbursed", "lines")
    for id_, number, category, recap, stat, source_lines in rows.order_by("pk").values_list(*values).iterator():
        source = json.loads(source_lines) if isinstance(source_lines, str) else source_lines
        amount = recap if recap is not None else stat
        claims.append((id_, session_id, number, category, _settled(source), 0 if amount is None else cents_of(amount)))
        lines += [
            (id_, *(_key(line.get(name), key) for name, key in _KEYS.values()))
            for line in source
            if line.get("side") == "stat"
        ]
    return {
        "claims": pl.DataFrame(claims, schema=CLAIM_SCHEMA, orient="row"),
        "lines": pl.DataFrame(lines, schema=LINE_SCHEMA, orient="row"),
    }


def _settled(lines: list[dict[str, Any]]) -> date | None:
    """The last settlement date of the stat lines, else of the recap rows; None where none can be read."""
    for side in ("stat", "recap"):
        days = [day for line in lines if line.get("side") == side and (day := _day(line.get("settlement_date")))]
        if days:
            return max(days)
    return None


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _key(text: str | None, key: Callable[[str], str]) -> str | None:
    return (key(text) or None) if text else None
