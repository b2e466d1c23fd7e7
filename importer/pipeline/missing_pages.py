"""Missing recap pages, as warnings: by the names of the pages, and by days without any recap row (DOMAIN §13). Pure.

A warning is a dict of its code and its figures, as JSON: `missing_pages` has `pages` (the names), `missing_days` has
`first` and `last` (ISO dates). Both have `claims`, `claimed` and `reimbursed` (hundredths): the claims that the recap
does not have; of all days for `missing_pages`, of these days for `missing_days`.
"""

from collections.abc import Iterable
from typing import Any

import polars as pl

from importer.pipeline.page_names import warnings_of_names
from importer.pipeline.reconcile import ABSENT, MISSING, Reconciliation

# Fewer claims can be missing on a day by chance, above all where a day has one or two.
LEAST_CLAIMS = 3

Warning = dict[str, Any]


def missing_page_warnings(reconciliation: Reconciliation, names: Iterable[str]) -> list[Warning]:
    """`names`: those of the recap pages."""
    figures = _figures(_absent(reconciliation))
    return [one | figures for one in warnings_of_names(names)] + missing_days(reconciliation)


def missing_days(reconciliation: Reconciliation) -> list[Warning]:
    """Runs of days of the common period on which the recap has no row, and most claims of the stat file are missing.

    The recap has rows before and after each run, because both ends of the common period lie within its dates: where a
    side simply ends, nothing is missing. Days without claims do not end a run.
    """
    absent = _absent(reconciliation)
    if absent.height < LEAST_CLAIMS:
        return []
    rows = reconciliation.recap
    days = rows.filter(pl.col("is_paid") & ~pl.col("unreadable"))["settlement_date"].unique().sort()
    claims = (
        reconciliation.lines.filter(pl.col("in_period"))
        .group_by("claim_number")
        .agg(day=pl.col("settlement_date").min())
        .filter(~pl.col("day").is_in(days.implode()))
        .join(absent, on="claim_number", how="left")
        .with_columns(run=pl.lit(days).search_sorted(pl.col("day")), is_absent=pl.col("stat_claimed").is_not_null())
    )
    found = []
    for _run, of_run in sorted(claims.partition_by("run", as_dict=True).items()):
        missing = of_run.filter("is_absent")
        if missing.height >= LEAST_CLAIMS and missing.height * 2 > of_run.height:
            first, last = (
                day.isoformat() for day in missing.select(a=pl.col("day").min(), b=pl.col("day").max()).row(0)
            )
            found.append({"code": "missing_days", "first": first, "last": last} | _figures(missing))
    return found


def _absent(reconciliation: Reconciliation) -> pl.DataFrame:
    """The claims of which the recap has no row at all."""
    return reconciliation.claims.filter((pl.col("category") == MISSING) & (pl.col("code") == ABSENT)).select(
        "claim_number", "stat_claimed", "stat_reimbursed"
    )


def _figures(claims: pl.DataFrame) -> Warning:
    # The sum of a whole file may need more than 64 bits, although each amount fits.
    claimed, reimbursed = (int(claims[f"stat_{name}"].cast(pl.Int128).sum() or 0) for name in ("claimed", "reimbursed"))
    return {"claims": claims.height, "claimed": claimed, "reimbursed": reimbursed}
