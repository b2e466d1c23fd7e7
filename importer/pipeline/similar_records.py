"""New records whose name is nearly that of another: listed for people to judge (DOMAIN §6, §12)."""

from typing import NamedTuple

import polars as pl

from importer.pipeline.country import Snapshot
from importer.pipeline.plan import Plan
from importer.pipeline.similar_names import similar_pairs

# Kind of pair → the table of its records. Other names of a record are compared, too.
NAMED = {"client": "clients", "partner": "partners", "operator": "operators"}


class SimilarPair(NamedTuple):
    """Two keys that are nearly the same, the new one first. `policy_key`: of two persons, their policy; else empty."""

    kind: str
    policy_key: str
    new: str
    other: str


def similar_records(plan: Plan, snapshot: Snapshot) -> list[SimilarPair]:
    """New clients, providers, operators and insured of one policy whose name is nearly that of another."""
    found: list[SimilarPair] = []
    for kind, table in NAMED.items():
        new = plan.new[table]["key"].to_list()
        known = new + snapshot[table]["key"].to_list() + snapshot[f"{kind}_aliases"]["key"].to_list()
        found += [SimilarPair(kind, "", *pair) for pair in similar_pairs(new=new, known=known)]
    members = pl.concat(
        [
            snapshot["memberships"].select("policy_id", "insured_id"),
            plan.new["memberships"].select("policy_id", "insured_id"),
        ]
    ).unique()
    names = pl.concat(
        [
            plan.new["insured"].select("id", "name_key", is_new=pl.lit(True)),
            snapshot["insured"].select("id", "name_key", is_new=pl.lit(False)),
        ]
    )
    policies = pl.concat(
        [plan.new["policies"].select("id", policy_key="key"), snapshot["policies"].select("id", policy_key="key")]
    )
    by_policy = (
        members.join(names, left_on="insured_id", right_on="id")
        .group_by("policy_id")
        .agg(new=pl.col("name_key").filter("is_new").unique(), known=pl.col("name_key").unique())
        .filter(pl.col("new").list.len() > 0)
        .join(policies, left_on="policy_id", right_on="id")
        .sort("policy_id")
    )
    for policy_key, new, known in by_policy.select("policy_key", "new", "known").iter_rows():
        pairs = similar_pairs(new=sorted(new), known=sorted(known))
        found += [SimilarPair("insured", policy_key, *pair) for pair in pairs]
    return found
