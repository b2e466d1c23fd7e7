"""Stat lines against recap rows, claim by claim (DOMAIN §5). Pure: from frames to a `Reconciliation`.

Amounts are Int64 hundredths (`*_cents`). Typed frames are those of `values.py`; the recap frame has its duplicate rows
removed already (`values.dedupe_recap`).
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from common.money import decimal_string
from importer.pipeline.key_length import limit_key_length

CONFORM, CANCELLED = "conform", "cancelled"
UNREADABLE, DIVERGENT, INCONSISTENT, INCOMPLETE = "unreadable", "divergent_in_recap", "inconsistent", "incomplete"
AMOUNT_GAP, MISSING = "amount_gap", "missing_in_recap"
# The code of a claim that the recap does not have at all.
ABSENT = "absent"
IMPORTED = (CONFORM, CANCELLED)
# Also the order in which a report lists them.
NOT_IMPORTED = (UNREADABLE, DIVERGENT, INCONSISTENT, INCOMPLETE, AMOUNT_GAP, MISSING)

IDENTITY = {  # what a claim's lines must agree on, and under which key (DOMAIN §5, `inconsistent`)
    "beneficiary": "beneficiary_key",
    "policy_number": "policy_key",
    "employer": "employer_key",
    "partner": "partner_key",
}
MOST_CENTS = 10**15 - 1  # fifteen digits; no single amount comes near it (common.money)
MUST_HAVE = ("beneficiary", "policy_number", "partner")
_CODES = {"policy_number": "policy"}  # a finding's code holds 40 characters, and a claim may lack everything at once

Range = tuple[date, date]


class NoCommonPeriod(Exception):
    """The two files have no settlement day in common; a side without a single readable date has no range."""

    def __init__(self, stat_range: Range | None, recap_range: Range | None) -> None:
        super().__init__("no common period")
        self.stat_range, self.recap_range = stat_range, recap_range


@dataclass(frozen=True)
class Reconciliation:
    """The result of a pair.

    `lines`: the stat frame, with `in_period` (Boolean).
    `recap`: the recap frame, with `in_period`.
    `claims`: one row per claim of the period: claim_number, category, code (how the category holds), n_lines,
    stat_claimed, stat_reimbursed, recap_claimed, recap_reimbursed (cents; null where there is none), recap_file,
    recap_sheet, recap_row, other_date (settlement date of a recap row outside the period).
    `recap_only`: the recap rows of the period whose claim the stat file does not have.
    """

    tolerance_cents: int
    period: Range
    lines: pl.DataFrame
    recap: pl.DataFrame
    duplicates_removed: int
    claims: pl.DataFrame
    recap_only: pl.DataFrame

    def importable_lines(self) -> pl.DataFrame:
        """The lines, in the period, of the claims that may be imported, with `category` and place of the recap row."""
        wanted = self.claims.filter(pl.col("category").is_in(IMPORTED)).select(
            "claim_number",
            "category",
            # A cancelled claim may have a recap row outside the period, which did not settle it.
            *(
                pl.when(pl.col("category") == CONFORM).then(c).alias(c)
                for c in ("recap_file", "recap_sheet", "recap_row")
            ),
        )
        # One pass over whole lines and one over claim numbers alone; a join of the whole lines would be slower.
        lines = self.lines.filter(pl.col("in_period") & pl.col("claim_number").is_in(wanted["claim_number"].implode()))
        beside = lines.select("claim_number").join(wanted, on="claim_number", how="left", maintain_order="left")
        return lines.hstack(beside.drop("claim_number"))

    def unpaid(self) -> pl.DataFrame:
        return self.recap.filter(~pl.col("is_paid") & ~pl.col("unreadable"))

    def out_of_period(self) -> pl.DataFrame:
        return self.lines.filter(~pl.col("unreadable") & ~pl.col("in_period"))

    def unreadable_lines(self) -> pl.DataFrame:
        return self.lines.filter(pl.col("unreadable"))

    def summary(self) -> dict[str, Any]:
        """The summary of the session without `entities`, which plan and writer add."""
        counts = self.claims.group_by("category").len()
        by_category = dict(zip(counts["category"].to_list(), counts["len"].to_list(), strict=True))
        importable = self.claims.filter(pl.col("category").is_in(IMPORTED))
        outside = self.out_of_period()
        return {
            "tolerance": decimal_string(self.tolerance_cents),
            "period": [day.isoformat() for day in self.period],
            "stat": {"lines": self.lines.height, "unreadable_lines": self.unreadable_lines().height},
            "recap": {
                "rows_after_dedup": self.recap.height,
                "duplicate_rows_removed": self.duplicates_removed,
                "unpaid": self.unpaid().height,
            },
            "claims": {
                "total": self.claims.height,
                "by_category": {c: by_category[c] for c in (*IMPORTED, *NOT_IMPORTED) if c in by_category},
                "recap_only": self.recap_only.height,
            },
            "out_of_period": {"lines": outside.height, "claims": outside["claim_number"].n_unique()},
            "importable": {
                "claims": importable.height,
                "lines": int(importable["n_lines"].sum()),
                "claimed": decimal_string(_total(importable["stat_claimed"])),
                "reimbursed": decimal_string(_total(importable["stat_reimbursed"])),
            },
        }


def reconcile(
    *, stat: pl.DataFrame, recap: pl.DataFrame, duplicates_removed: int, tolerance_cents: int
) -> Reconciliation:
    """Give every claim of the common period its category (DOMAIN §5, rules 3 to 7).

    Raises NoCommonPeriod when the readable lines of both sides share no day.
    """
    stat, recap = limit_key_length(stat, ["claim_number"]), limit_key_length(recap, ["claim_number"])
    period = common_period(stat, recap)
    inside = pl.col("settlement_date").is_between(*period)
    lines = stat.with_columns(in_period=(~pl.col("unreadable") & inside).fill_null(False))
    rows = recap.with_columns(in_period=(pl.col("is_paid") & ~pl.col("unreadable") & inside).fill_null(False))

    claims = (
        _claims_of(lines)
        .join(_recap_by_claim(rows), on="claim_number", how="left")
        .with_columns(pl.col("paid_rows", "period_rows").fill_null(0))
    )
    claims = _categorise(claims, tolerance_cents).sort("first_line")
    known = lines.select("claim_number").drop_nulls().unique()
    recap_only = rows.filter(pl.col("in_period")).join(known, on="claim_number", how="anti", maintain_order="left")
    return Reconciliation(
        tolerance_cents=tolerance_cents,
        period=period,
        lines=lines,
        recap=rows,
        duplicates_removed=duplicates_removed,
        claims=claims,
        recap_only=recap_only,
    )


def common_period(stat: pl.DataFrame, recap: pl.DataFrame) -> Range:
    """From the later of the two first settlement dates to the earlier of the two last, both included (DOMAIN §5.4)."""
    stat_range = _range(stat, ~pl.col("unreadable"))
    recap_range = _range(recap, pl.col("is_paid") & ~pl.col("unreadable"))
    if stat_range is None or recap_range is None:
        raise NoCommonPeriod(stat_range, recap_range)
    first, last = max(stat_range[0], recap_range[0]), min(stat_range[1], recap_range[1])
    if first > last:
        raise NoCommonPeriod(stat_range, recap_range)
    return first, last


def _range(frame: pl.DataFrame, readable: pl.Expr) -> Range | None:
    days = frame.select(pl.col("settlement_date").filter(readable)).to_series()
    first, last = days.min(), days.max()
    if not isinstance(first, date) or not isinstance(last, date):
        return None
    return first, last


def _sum(column: str) -> pl.Expr:
    # A sum that no database column can hold is cut to the limit, which no recap row can equal.
    return pl.col(column).cast(pl.Int128).sum().clip(-MOST_CENTS, MOST_CENTS).cast(pl.Int64)


def _total(cents: pl.Series) -> int:
    # The sum of a whole file may need more than 64 bits, although each amount fits.
    return int(cents.cast(pl.Int128).sum() or 0)


def _claims_of(lines: pl.DataFrame) -> pl.DataFrame:
    """One row per claim: its sums over the period, where its lines disagree, whether a line cannot be read."""
    # Only these columns: a filter copies every column of a frame.
    columns = (
        "claim_number", "in_period", "unreadable", "claimed_cents", "reimbursed_cents",
        "is_cancelled", "category_key",
    )  # fmt: skip
    numbered = (
        lines.select(*columns, *IDENTITY.values()).with_row_index("line").filter(pl.col("claim_number").is_not_null())
    )
    disagreements = [
        (pl.col(key).min() != pl.col(key).max()).fill_null(False).alias(f"many_{field}")
        for field, key in IDENTITY.items()
    ]
    absences = [pl.col(IDENTITY[field]).is_null().all().alias(f"no_{field}") for field in MUST_HAVE]
    period_sums = (
        numbered.filter(pl.col("in_period"))
        .group_by("claim_number")
        .agg(
            pl.col("line").min().alias("first_period_line"),
            pl.len().alias("n_lines"),
            _sum("claimed_cents").alias("stat_claimed"),
            _sum("reimbursed_cents").alias("stat_reimbursed"),
            pl.col("is_cancelled").any().alias("has_cancelled"),
            pl.col("category_key").is_null().any().alias("no_act_category"),
            *disagreements,
            *absences,
        )
    )
    broken = (
        numbered.filter(pl.col("unreadable"))
        .group_by("claim_number")
        .agg(pl.col("line").min().alias("first_broken_line"))
    )
    flags = [f"many_{f}" for f in IDENTITY] + [f"no_{f}" for f in MUST_HAVE] + ["has_cancelled", "no_act_category"]
    return period_sums.join(broken, on="claim_number", how="full", coalesce=True).with_columns(
        pl.col(flags).fill_null(False),
        pl.col("n_lines").fill_null(0),
        has_broken_line=pl.col("first_broken_line").is_not_null(),
        first_line=pl.min_horizontal("first_period_line", "first_broken_line"),
    )


def _recap_by_claim(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per claim number of the recap: its paid rows, those in the period, whether a row is unpaid."""
    paid = pl.col("is_paid") & ~pl.col("unreadable")
    inside = pl.col("in_period")
    columns = (
        "in_period", "is_paid", "unreadable", "settlement_date", "claimed_cents",
        "reimbursed_cents", "file", "sheet", "row",
    )  # fmt: skip
    return (
        rows.select("claim_number", *columns)
        .filter(pl.col("claim_number").is_not_null())
        .group_by("claim_number")
        .agg(
            paid.sum().alias("paid_rows"),
            inside.sum().alias("period_rows"),
            (~pl.col("is_paid") & ~pl.col("unreadable")).any().alias("has_unpaid"),
            pl.col("unreadable").any().alias("has_broken_row"),
            pl.col("settlement_date").filter(paid & ~inside).first().alias("other_date"),
            # Used only when there is one paid row: several make the claim divergent.
            pl.col("claimed_cents").filter(paid).first().alias("recap_claimed"),
            pl.col("reimbursed_cents").filter(paid).first().alias("recap_reimbursed"),
            pl.col("file").filter(paid).first().alias("recap_file"),
            pl.col("sheet").filter(paid).first().alias("recap_sheet"),
            pl.col("row").filter(paid).first().alias("recap_row"),
        )
    )


def _categorise(claims: pl.DataFrame, tolerance_cents: int) -> pl.DataFrame:
    """Rule 6: the first category that holds, and `code`, the way in which it holds."""
    has_row = pl.col("period_rows") > 0
    gap_claimed = (pl.col("stat_claimed") - pl.col("recap_claimed")).abs() >= tolerance_cents
    gap_reimbursed = (pl.col("stat_reimbursed") - pl.col("recap_reimbursed")).abs() >= tolerance_cents
    nets_to_zero = (pl.col("stat_claimed").abs() < tolerance_cents) & (
        pl.col("stat_reimbursed").abs() < tolerance_cents
    )
    unreadable = pl.col("has_broken_line") | pl.col("has_broken_row").fill_null(False)
    inconsistent = pl.any_horizontal(*(f"many_{f}" for f in IDENTITY))
    incomplete = pl.any_horizontal(*(f"no_{f}" for f in MUST_HAVE), "no_act_category")
    category = (
        pl.when(unreadable)
        .then(pl.lit(UNREADABLE))
        .when(pl.col("paid_rows") > 1)
        .then(pl.lit(DIVERGENT))
        .when(inconsistent)
        .then(pl.lit(INCONSISTENT))
        .when(incomplete)
        .then(pl.lit(INCOMPLETE))
        .when(has_row & (gap_claimed | gap_reimbursed))
        .then(pl.lit(AMOUNT_GAP))
        .when(has_row)
        .then(pl.lit(CONFORM))
        .when(pl.col("has_cancelled") & nets_to_zero)
        .then(pl.lit(CANCELLED))
        .otherwise(pl.lit(MISSING))
    )
    code = (
        pl.when(category == UNREADABLE)
        .then(
            pl.when(pl.col("has_broken_line") & pl.col("has_broken_row").fill_null(False))
            .then(pl.lit("both"))
            .when(pl.col("has_broken_line"))
            .then(pl.lit("stat"))
            .otherwise(pl.lit("recap"))
        )
        .when(category == INCONSISTENT)
        .then(_joined({f"many_{f}": _CODES.get(f, f) for f in IDENTITY}))
        .when(category == INCOMPLETE)
        .then(_joined({f"no_{f}": _CODES.get(f, f) for f in (*MUST_HAVE, "act_category")}))
        .when(category == AMOUNT_GAP)
        .then(
            pl.when(gap_claimed & gap_reimbursed)
            .then(pl.lit("both"))
            .when(gap_claimed)
            .then(pl.lit("claimed"))
            .otherwise(pl.lit("reimbursed"))
        )
        .when(category == MISSING)
        .then(
            pl.when(pl.col("paid_rows") > 0)
            .then(pl.lit("dated_outside"))
            .when(pl.col("has_unpaid").fill_null(False))
            .then(pl.lit("unpaid"))
            .otherwise(pl.lit(ABSENT))
        )
        .otherwise(pl.lit(""))
    )
    return claims.with_columns(category=category, code=code)


def _joined(flags: dict[str, str]) -> pl.Expr:
    """The names of the flags that hold, with commas between."""
    named = [pl.when(pl.col(flag)).then(pl.lit(name)) for flag, name in flags.items()]
    return pl.concat_list(named).list.drop_nulls().list.join(",")
