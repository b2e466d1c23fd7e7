"""Claims left out and the quality of entry once more, in plain loops (DOMAIN §8). Shares no code with `dashboard`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from common.keys import label_key, reference_key
from core import models as core
from file_handling.models import Finding
from tests.support.figures import ZERO, Portfolio, ratio, within

# The categories of DOMAIN §5 that are not imported, and claims that differ from what is there (§6).
CATEGORIES = (
    "unreadable", "divergent_in_recap", "inconsistent", "incomplete", "amount_gap", "missing_in_recap", "conflict",
)  # fmt: skip


@dataclass(frozen=True)
class LeftOut:
    """The latest finding of a claim number. `lines`: the keys of its stat lines, by kind of record."""

    country: int
    number: str
    category: str
    settled: date | None
    amount: Decimal
    currency: str
    as_of: date
    lines: tuple[dict[str, str | None], ...]


# Scope → field of a source line and the key by which it names the record.
_FIELDS: dict[str, tuple[str, Callable[[str], str]]] = {
    "client": ("employer", label_key), "policy": ("policy_number", reference_key), "partner": ("partner", label_key),
    "operator": ("operator", label_key), "act": ("act", label_key), "act_category": ("act_category", label_key),
}  # fmt: skip
_MODELS: dict[str, Any] = {
    "client": core.Client, "policy": core.Policy, "partner": core.Partner, "operator": core.Operator, "act": core.Act,
    "act_category": core.ActCategory,
}  # fmt: skip


def left_out_in_scope(left_out: list[LeftOut], kind: str, id_: int) -> list[LeftOut]:
    """The claims with a line that has the key of the record, and these lines of them. No act has an alias here."""
    record = _MODELS[kind].objects.get(pk=id_)
    country = getattr(record, "country_id", None)
    found = []
    for one in left_out:
        lines = tuple(line for line in one.lines if line[kind] == record.key)
        if lines and country in (None, one.country):
            found.append(replace(one, lines=lines))
    return found


def read_left_out(countries: Iterable[int]) -> list[LeftOut]:
    """The claims that are not in the country now, whatever imported or cancelled them since their finding."""
    latest: dict[tuple[int, str], Finding] = {}
    rows = Finding.objects.filter(session__country_id__in=list(countries), category__in=CATEGORIES)
    for finding in rows.select_related("session").order_by("session_id", "pk"):
        latest[finding.session.country_id, finding.claim_number] = finding
    found = []
    for (country, number), finding in latest.items():
        if not number or core.Claim.objects.filter(country_id=country, number=number).exists():
            continue
        amount = finding.recap_reimbursed if finding.recap_reimbursed is not None else finding.stat_reimbursed
        found.append(
            LeftOut(
                country=country,
                number=number,
                category=finding.category,
                settled=_settled(finding.lines),
                amount=ZERO if amount is None else amount,
                currency=finding.session.currency,
                as_of=finding.session.created_at.date(),
                lines=tuple(
                    {kind: _key(line[name], key) for kind, (name, key) in _FIELDS.items()}
                    for line in finding.lines
                    if line["side"] == "stat"
                ),
            )
        )
    return found


def _settled(lines: list[dict[str, Any]]) -> date | None:
    """The last date of the stat lines, of the recap rows where no stat line has one."""
    for side in ("stat", "recap"):
        days = [_day(line["settlement_date"]) for line in lines if line["side"] == side]
        if any(days):
            return max(day for day in days if day)
    return None


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


def _key(text: str | None, key: Callable[[str], str]) -> str | None:
    return key(text or "") or None


def by_age(left_out: list[LeftOut], currency: str, today: date) -> list[dict[str, Any]]:
    amounts: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for one in left_out:
        if one.currency == currency:
            days = (today - one.as_of).days
            age = "0-30" if days <= 30 else "31-60" if days <= 60 else "61-90" if days <= 90 else "91+"
            amounts[one.category, age].append(one.amount)
    return [
        {"category": category, "age": age, "claims": len(found), "amount": f"{sum(found, ZERO):.2f}"}
        for (category, age), found in sorted(amounts.items())
    ]


def reconciliation(
    portfolio: Portfolio, left_out: list[LeftOut], start: date, end: date, currency: str
) -> list[dict[str, Any]]:
    """By month of settlement; a claim left out without a date is in none."""
    months: dict[str, tuple[list[Decimal], list[Decimal]]] = defaultdict(lambda: ([], []))
    for claim in within(portfolio, start, end):
        if claim.currency == currency:
            months[f"{claim.settled:%Y-%m}"][0].append(claim.reimbursed)
    for one in left_out:
        if one.currency == currency and one.settled and start <= one.settled <= end:
            months[f"{one.settled:%Y-%m}"][1].append(one.amount)
    rows = []
    for month, (imported, missing) in sorted(months.items()):
        money, money_missing = sum(imported, ZERO), sum(missing, ZERO)
        rows.append(
            {
                "month": month,
                "imported": len(imported),
                "left_out": len(missing),
                "imported_amount": f"{money:.2f}",
                "left_out_amount": f"{money_missing:.2f}",
                "rate_claims": ratio(len(imported), len(imported) + len(missing)),
                "rate_amount": ratio(money, money + money_missing),
            }
        )
    return rows


def quality(
    portfolio: Portfolio, left_out: list[LeftOut], start: date, end: date, by: str
) -> dict[tuple[int, str], dict[str, Any]]:
    """(country, label key) of each operator or partner, or (0, month) → the row of the API but for id and name."""
    lines: dict[Any, list[int]] = defaultdict(list)
    missing: dict[Any, list[tuple[int, str]]] = defaultdict(list)
    keys = {
        "operator": dict(core.Operator.objects.values_list("pk", "key")),
        "partner": dict(core.Partner.objects.values_list("pk", "key")),
    }
    for claim in within(portfolio, start, end):
        for line in claim.lines:
            id_ = line.operator if by == "operator" else claim.partner
            if by == "month":
                lines[0, f"{claim.settled:%Y-%m}"].append(claim.id)
            elif id_ is not None:
                lines[claim.country, keys[by][id_]].append(claim.id)
    for at, one in enumerate(left_out):
        if one.settled and start <= one.settled <= end:
            for line in one.lines:
                if by == "month":
                    missing[0, f"{one.settled:%Y-%m}"].append((at, one.category))
                elif line[by] is not None:
                    missing[one.country, str(line[by])].append((at, one.category))
    return {
        key: {
            "lines": len(lines[key]) + len(missing[key]),
            "claims": len(set(lines[key])) + len({at for at, _category in missing[key]}),
            "lines_left_out": len(missing[key]),
            "claims_left_out": len({at for at, _category in missing[key]}),
            "share_left_out": ratio(len(missing[key]), len(lines[key]) + len(missing[key])),
            "by_category": dict(Counter(category for _at, category in missing[key])),
        }
        for key in {*lines, *missing}
    }
