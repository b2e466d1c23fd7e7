"""The observed rates and deduced subscribers that an import changes (DOMAIN §10), in the transaction of its write.

The new lines are counted from the plan's own frames; of the country's other lines, only those are read that the import
replaces, or whose membership gets another plan.
"""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from core import rates
from core.data_versions import MEMBERSHIPS, renew
from core.models import Claim, Membership
from importer.pipeline.plan import Plan

# The frame with the provisional ids of its columns (column → table) replaced.
Resolve = Callable[..., pl.DataFrame]


@dataclass(frozen=True)
class RatesBefore:
    """`gone`: the rates of the lines that are replaced or get another plan. `moved`: claims of the latter, by id."""

    gone: rates.RateCounts
    moved: list[int]


def rates_before(plan: Plan) -> RatesBefore:
    """What must be known before the import changes lines and memberships."""
    changed = plan.updated_memberships
    replanned = changed.filter(pl.col("plan_id").ne_missing(pl.col("plan_id_before")))["id"].to_list()
    replaced = plan.replaced["id"].to_list()
    moved: list[int] = []
    if replanned:
        claims = Claim.objects.filter(rates.among_ids(replanned, "membership_id")).order_by()
        moved = sorted(set(claims.values_list("pk", flat=True)) - set(replaced))
    return RatesBefore(_counted([*replaced, *moved]), moved)


def keep_rates(plan: Plan, before: RatesBefore, country_id: int, resolve: Resolve) -> None:
    """Bring the observed rates and deduced subscribers up to date, once everything else is written."""
    change = _of_new_lines(plan, resolve).plus(_counted(before.moved)).minus(before.gone)
    if rates.apply(change):
        # Figures read the rates with the memberships.
        renew(country_id, [MEMBERSHIPS])
    rates.deduce_subscribers(_policies_with_new_people(plan, resolve))


def _counted(claims: list[int]) -> rates.RateCounts:
    return rates.counted(Claim.objects.filter(rates.among_ids(claims))) if claims else rates.RateCounts()


def _of_new_lines(plan: Plan, resolve: Resolve) -> rates.RateCounts:
    claimed, reimbursed = pl.col("claimed_cents"), pl.col("reimbursed_cents")
    counts = (
        plan.lines.filter(claimed > 0, reimbursed > 0)
        .select("claim_id", hundredths=(200 * reimbursed + claimed) // (2 * claimed))
        .join(
            plan.claims.filter(pl.col("status") == "settled").select("policy_id", "membership_id", claim_id="id"),
            on="claim_id",
        )
        .group_by("policy_id", "membership_id", "hundredths")
        .len()
    )
    plans = _plans_of(counts["membership_id"].unique(), plan)
    sums = resolve(
        counts.join(plans, on="membership_id", how="left")
        .group_by("policy_id", "plan_id", "hundredths")
        .agg(pl.col("len").sum().cast(pl.Int64)),
        policy_id="policies",
        plan_id="plans",
    )
    found = rates.RateCounts()
    for policy, plan_id, hundredths, lines in sums.iter_rows():
        found.add(policy=policy, plan=plan_id, hundredths=hundredths, lines=lines)
    return found


def _plans_of(memberships: pl.Series, plan: Plan) -> pl.DataFrame:
    """membership_id, plan_id: the plans that these memberships have after the import."""
    written = pl.concat(
        frame.select(pl.col("id").alias("membership_id"), "plan_id")
        for frame in (plan.new["memberships"], plan.updated_memberships)
    )
    others = memberships.filter((memberships > 0) & ~memberships.is_in(written["membership_id"].implode())).to_list()
    if not others:
        return written
    rows = Membership.objects.filter(rates.among_ids(others)).order_by().values_list("pk", "plan_id")
    return pl.concat([written, pl.DataFrame(list(rows), schema=written.schema, orient="row")])


def _policies_with_new_people(plan: Plan, resolve: Resolve) -> set[int]:
    """The policies whose clients, principals or names of principals the import may have changed."""
    changed = plan.updated_memberships.filter(pl.col("role") != pl.col("role_before")).select(membership_id="id")
    policies = pl.concat(
        [
            plan.new["memberships"].select("policy_id"),
            plan.claims.join(changed, on="membership_id", how="semi").select("policy_id"),
        ]
    ).unique()
    found = set(resolve(policies, policy_id="policies")["policy_id"].to_list())
    if plan.completed.height:
        memberships = Membership.objects.filter(rates.among_ids(plan.completed["id"].to_list(), "insured_id"))
        found |= set(memberships.order_by().values_list("policy_id", flat=True).distinct())
    return found
