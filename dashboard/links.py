"""The list behind a figure: its address in the API, whose rows come to the figure (DOMAIN §8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from dashboard.periods import Period, slot_end
from dashboard.queries import OF_LINES, Query, Scope

API = "/api/v1"
# What the filters of claims and claim lines call a scope.
_FILTER = {"act_category": "category"}


def claims(query: Query, **filters: object) -> str:
    """Settled claims of the period within the query's scope; in a scope of lines those that have such a line."""
    return _address("claims", query, {**_settled(query.period), **_scope(query.scope), **filters})


def amounts(query: Query, **filters: object) -> str:
    """The rows whose amounts are summed: claims, or in a scope of lines the lines."""
    if query.scope.kind in OF_LINES:
        return lines(query, **filters)
    return claims(query, **filters)


def month(query: Query, first: date, *, of_lines: bool = False, **filters: object) -> str:
    """The amounts of one month of settlement, as far as it is in the period; `of_lines`: the lines in any scope."""
    days = Period(max(first, query.period.start), min(slot_end(first, "month"), query.period.end))
    return (lines if of_lines else amounts)(replace(query, period=days), **filters)


def incidents(query: Query, first: date, **filters: object) -> str:
    """The amounts of what happened in one month and was settled in the period, but not before that month."""
    days = Period(max(first, query.period.start), query.period.end)
    name = "claim_incident_date" if query.scope.kind in OF_LINES else "incident_date"
    happened = {f"{name}_after": first, f"{name}_before": slot_end(first, "month")}
    return amounts(replace(query, period=days), **happened, **filters)


def lines(query: Query, **filters: object) -> str:
    """Lines of the settled claims of the period."""
    settled = {
        "claim_settlement_date_after": query.period.start,
        "claim_settlement_date_before": query.period.end,
        "claim_status": "settled",
    }
    return _address("claim-lines", query, {**settled, **_scope(query.scope), **filters})


def having_claims(records: str, query: Query, *, first: bool = False, until: bool = False, role: str = "") -> str:
    """Clients, policies, insured … with a settled claim of the period in the scope.

    `first`: their first claim is in the period; `until`: the claim may be of any day to the period's end.
    """
    name = "first_claim" if first else "claims"
    filters: dict[str, object] = {} if until else {f"{name}_after": query.period.start}
    filters[f"{name}_before"] = query.period.end
    if role:
        filters["claims_role"] = role
    if query.scope.kind:
        filters[f"claims_{_FILTER.get(query.scope.kind, query.scope.kind)}"] = query.scope.id
    return _address(records, query, filters)


def known(query: Query, role: str = "") -> str:
    """Memberships known on the last day of the period."""
    filters: dict[str, object] = {"role": role} if role else {}
    if query.scope.kind in ("partner", *OF_LINES):
        return having_claims("memberships", query, until=True) + (f"&role={role}" if role else "")
    filters["first_settlement_date_before"] = query.period.end
    return _address("memberships", query, {**filters, **_scope(query.scope)})


def without_premium(query: Query) -> str:
    """Clients with a settled claim of the period in the scope, and no premium with a day in the period."""
    days = {"without_premium_after": query.period.start, "without_premium_before": query.period.end}
    return having_claims("clients", query) + "&" + urlencode(_texts(days))


def loss_ratio(query: Query) -> str:
    """S/P by client of the same question; only a client narrows it."""
    scope = query.scope if query.scope.kind == "client" else Scope()
    return f"{API}/dashboard/loss-ratio/?{asked(replace(query, scope=scope))}"


def covered_incidents(query: Query, days: Period, **filters: object) -> str:
    """Claims that happened on days of one month, each of which a premium covers, settled from that month on."""
    settled = Period(min(days.start.replace(day=1), query.period.end), query.period.end)
    happened = {"incident_date_after": days.start, "incident_date_before": days.end, "incident_premium": "covered"}
    return claims(replace(query, period=settled), **happened, **filters)


def left_out(query: Query, *, category: str, age: str, currency: str) -> str:
    """The claims left out of one category and age."""
    scope: dict[str, object] = {query.scope.kind: query.scope.id} if query.scope.kind else {}
    return _address(
        "dashboard/left-out/claims", query, {"category": category, "age": age, "currency": currency, **scope}
    )


def asked(query: Query) -> str:
    """The query string that asks the dashboard the same question."""
    filters: dict[str, object] = {"start": query.period.start, "end": query.period.end}
    if query.scope.kind:
        filters[query.scope.kind] = query.scope.id
    return _address("", query, filters).partition("?")[2]


def _settled(period: Period) -> dict[str, object]:
    return {"status": "settled", "settlement_date_after": period.start, "settlement_date_before": period.end}


def _scope(scope: Scope) -> dict[str, object]:
    return {_FILTER.get(scope.kind, scope.kind): scope.id} if scope.kind else {}


def _address(records: str, query: Query, filters: dict[str, object]) -> str:
    # Of several countries none is named: the list shows all that the caller may see.
    if len(query.countries) == 1:
        filters = {"country": query.countries[0], **filters}
    return f"{API}/{records}/?{urlencode(_texts(filters))}"


def _texts(filters: dict[str, Any]) -> dict[str, object]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in filters.items()}
