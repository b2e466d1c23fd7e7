"""Observed coverage rates and deduced subscribers (DOMAIN §10), kept as claims and memberships come and go.

The observed rate of a policy or plan is the most frequent reimbursed / claimed of the lines of its settled claims (both
amounts > 0), rounded half up to 0.01; of several, the higher. How many lines have which rate is kept in rows of its own
(`PolicyRateCount`, `PlanRateCount`). An import and an undo add to them and take from them what their own lines are, so
they never read the other lines of the country. Rates are whole hundredths here and amounts whole cents, so nothing is
rounded twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from common.sql import INTEGER, TEXT, values_table
from core.data_versions import MEMBERSHIPS, renew
from core.models import (
    Claim,
    ClaimLine,
    ClaimStatus,
    Client,
    Insured,
    Membership,
    MembershipRole,
    Plan,
    PlanRateCount,
    Policy,
    PolicyRateCount,
)
from core.subscribers import shared_name

# One row of counts: the id of the policy or plan, and the rate in hundredths.
Rate = tuple[int, int]


@dataclass
class RateCounts:
    """How many lines have which rate, (id, hundredths) → lines, of policies and of plans. Negative: lines that go."""

    of_policies: Counter[Rate] = field(default_factory=Counter)
    of_plans: Counter[Rate] = field(default_factory=Counter)

    def add(self, *, policy: int, plan: int | None, hundredths: int, lines: int) -> None:
        self.of_policies[policy, hundredths] += lines
        if plan is not None:
            self.of_plans[plan, hundredths] += lines

    def plus(self, other: RateCounts) -> RateCounts:
        found = RateCounts(Counter(self.of_policies), Counter(self.of_plans))
        found.of_policies.update(other.of_policies)
        found.of_plans.update(other.of_plans)
        return found

    def minus(self, other: RateCounts) -> RateCounts:
        found = RateCounts(Counter(self.of_policies), Counter(self.of_plans))
        found.of_policies.subtract(other.of_policies)
        found.of_plans.subtract(other.of_plans)
        return found


def counted(claims: QuerySet[Claim]) -> RateCounts:
    """The rates of the lines of these claims, by policy and by the present plan of their membership. One statement."""
    ids, parameters = claims.order_by().values("pk").query.sql_with_params()
    # (200 r + c) / 2 c in whole numbers is 100 r / c rounded half up.
    sql = f"""
        SELECT policy_id, plan_id, (200 * r + c) / (2 * c), count(*) FROM (
            SELECT k.policy_id, m.plan_id, {_cents("l.reimbursed_amount")} AS r, {_cents("l.claimed_amount")} AS c
            FROM {_table(Claim)} k
            JOIN {_table(ClaimLine)} l ON l.claim_id = k.id
            JOIN {_table(Membership)} m ON m.id = k.membership_id
            WHERE k.status = %s AND l.reimbursed_amount > 0 AND l.claimed_amount > 0 AND k.id IN ({ids})
        ) AS lines GROUP BY 1, 2, 3
    """
    found = RateCounts()
    with connection.cursor() as cursor:
        cursor.execute(sql, [ClaimStatus.SETTLED.value, *parameters])
        for policy, plan, hundredths, lines in cursor.fetchall():
            found.add(policy=policy, plan=plan, hundredths=hundredths, lines=lines)
    return found


def apply(change: RateCounts) -> bool:
    """Add these counts to those that are kept, and renew the observed rates of their policies and plans.

    → whether any observed rate changed. The caller holds the country's lock.
    """
    policies = _apply(PolicyRateCount, "policy_id", change.of_policies)
    plans = _apply(PlanRateCount, "plan_id", change.of_plans)
    policies_changed = _observe(Policy, PolicyRateCount, "policy_id", policies)
    return _observe(Plan, PlanRateCount, "plan_id", plans) or policies_changed


def recompute(policy_ids: Iterable[int], plan_ids: Iterable[int] = ()) -> None:
    """Renew the observed rates of these policies and of all their plans, and their deduced subscribers.

    Reads all lines and memberships of the policies.

    For changes that move claims or memberships, or rename clients and persons. Call it after them, in their
    transaction, which holds the country's lock. `plan_ids`: plans whose policies are meant too. Renews the version of
    the memberships where a rate has changed, since figures read it with them.
    """
    plans = list(plan_ids)
    policies = set(policy_ids)
    if plans:
        policies |= set(Plan.objects.filter(pk__in=plans).values_list("policy_id", flat=True))
    if not policies:
        return
    kept = RateCounts()
    for policy, hundredths, lines in PolicyRateCount.objects.filter(among_ids(policies, "policy_id")).values_list(
        "policy_id", "hundredths", "lines"
    ):
        kept.of_policies[policy, hundredths] = lines
    for plan, hundredths, lines in PlanRateCount.objects.filter(among_ids(policies, "plan__policy_id")).values_list(
        "plan_id", "hundredths", "lines"
    ):
        kept.of_plans[plan, hundredths] = lines
    if apply(counted(Claim.objects.filter(among_ids(policies, "policy_id"))).minus(kept)):
        countries = Policy.objects.filter(among_ids(policies)).order_by().values_list("country_id", flat=True)
        for country_id in countries.distinct():
            renew(country_id, [MEMBERSHIPS])
    deduce_subscribers(policies)


def deduce_subscribers(policy_ids: Collection[int]) -> None:
    """Set the deduced subscribers of these policies from their memberships (DOMAIN §10); typed ones stay.

    Its one client; of several, what their names share before `/`; of none, its one principal.
    """
    if not policy_ids:
        return
    touched, ids = values_table("touched", {"id": (INTEGER, sorted(policy_ids))})
    memberships = f"{_table(Membership)} m JOIN {touched} ON m.policy_id = touched.id"
    clients: dict[int, list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT d.policy_id, c.name FROM (SELECT DISTINCT m.policy_id, m.client_id FROM {memberships}"
            f" WHERE m.client_id IS NOT NULL) AS d JOIN {_table(Client)} c ON c.id = d.client_id ORDER BY 1, c.id",
            ids,
        )
        for policy, name in cursor.fetchall():
            clients.setdefault(policy, []).append(name)
        cursor.execute(
            f"SELECT d.policy_id, i.name FROM (SELECT m.policy_id, min(m.insured_id) AS insured_id FROM {memberships}"
            " WHERE m.role = %s GROUP BY m.policy_id"
            f" HAVING count(DISTINCT m.insured_id) = 1) AS d JOIN {_table(Insured)} i ON i.id = d.insured_id",
            [*ids, MembershipRole.PRIMARY.value],
        )
        principals = dict(cursor.fetchall())
        cursor.execute(
            f"SELECT p.id, p.deduced_subscriber FROM {_table(Policy)} p JOIN {touched} ON p.id = touched.id", ids
        )
        changed = {}
        for policy, before in cursor.fetchall():
            names = clients.get(policy)
            now = shared_name(names) if names else principals.get(policy, "")
            if now != before:
                changed[policy] = now
        if changed:
            columns = {"id": (INTEGER, list(changed)), "name": (TEXT, list(changed.values()))}
            source, parameters = values_table("found", columns)
            cursor.execute(
                f"UPDATE {_table(Policy)} SET deduced_subscriber = found.name FROM {source}"
                f" WHERE {_table(Policy)}.id = found.id",
                parameters,
            )


def among_ids(ids: Collection[int], field: str = "pk") -> Q:
    """That `field` is one of these ids; their number is not limited by that of the parameters of a statement."""
    source, parameters = values_table("picked", {"id": (INTEGER, sorted(ids))})
    return Q(**{f"{field}__in": RawSQL(f"SELECT picked.id FROM {source}", parameters)})  # noqa: S611


def _apply(model: Any, column: str, change: Mapping[Rate, int]) -> list[int]:
    """→ the ids whose counts changed."""
    rows = [(id_, hundredths, lines) for (id_, hundredths), lines in change.items() if lines]
    if not rows:
        return []
    ids, hundredths, lines = (list(values) for values in zip(*rows, strict=True))
    source, parameters = values_table(
        "change", {column: (INTEGER, ids), "hundredths": (INTEGER, hundredths), "lines": (INTEGER, lines)}
    )
    table, touched = _table(model), sorted(set(ids))
    with connection.cursor() as cursor:
        cursor.execute(
            # Without a condition, SQLite would read ON CONFLICT as the beginning of a join condition.
            f"INSERT INTO {table} ({column}, hundredths, lines)"
            f" SELECT {column}, hundredths, lines FROM {source} WHERE true"
            f" ON CONFLICT ({column}, hundredths) DO UPDATE SET lines = {table}.lines + excluded.lines",
            parameters,
        )
        if min(lines) < 0:
            among, parameters = values_table("touched", {"id": (INTEGER, touched)})
            cursor.execute(
                f"DELETE FROM {table} WHERE lines = 0 AND {column} IN (SELECT touched.id FROM {among})", parameters
            )
    return touched


def _observe(model: Any, counts: Any, column: str, ids: list[int]) -> bool:
    """Set the observed rates of these rows from their counts; → whether any changed. Unchanged rows are not written."""
    if not ids:
        return False
    table = _table(model)
    touched, parameters = values_table("touched", {"id": (INTEGER, ids)})
    most = (
        f"(SELECT n.hundredths FROM {_table(counts)} n WHERE n.{column} = t.id"
        " ORDER BY n.lines DESC, n.hundredths DESC LIMIT 1)"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT t.id, {_cents('t.observed_rate')}, {most} FROM {table} t JOIN {touched} ON t.id = touched.id",
            parameters,
        )
        changed = [(id_, now) for id_, before, now in cursor.fetchall() if before != now]
        if changed:
            found = {"id": (INTEGER, [id_ for id_, _ in changed]), "rate": (INTEGER, [rate for _, rate in changed])}
            source, parameters = values_table("found", found)
            cursor.execute(
                f"UPDATE {table} SET observed_rate = found.rate / 100.0 FROM {source} WHERE {table}.id = found.id",
                parameters,
            )
    return bool(changed)


def _cents(column: str) -> str:
    return f"CAST(round({column} * 100) AS bigint)"


def _table(model: Any) -> str:
    return str(model._meta.db_table)
