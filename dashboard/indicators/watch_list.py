"""What deserves a look? Rules over lines, partners and persons; a finding is no accusation (DOMAIN §8, Watch list)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from dashboard.numbers import money
from dashboard.periods import Period
from dashboard.queries import Data, pair_factor, pairs

LEAST_INSURED = 20
LEAST_LINES = 20
ROUND_CENTS = 5_000 * 100
CLAIMS_NAMED = 50


@dataclass(frozen=True)
class Row:
    """Something to look at: what it is about (kind of record → id), its lines, first claims and reimbursed amount.

    `key` names it for good; `fingerprint` changes when its claims or amounts do. `measure`: what the rule compares (a
    claimed amount per insured, a share, a number of lines), where it compares anything.
    """

    rule: str
    key: str
    fingerprint: str
    about: dict[str, int | str]
    lines: int
    claims: list[int]
    claim_count: int
    amount: Decimal
    currency: str
    measure: Decimal | None


def rule_rows(data: Data, period: Period, *, rule: str) -> pl.DataFrame:
    """What the rule finds in the period, the largest amount first: key, the columns that it is about, currency, lines,
    claims (list of ids), cents (reimbursed), measure. `as_row` makes a Row of one.
    """
    found = RULES[rule](data, period)
    about = about_of(found)
    # Dates and numbers as text, each under its name.
    texts = [pl.concat_str(pl.lit(f"{name}="), pl.col(name).cast(pl.String)) for name in about]
    return found.with_columns(key=pl.concat_str(*texts, "currency", separator="|")).sort(
        "cents", "key", descending=[True, False]
    )


def about_of(found: pl.DataFrame) -> list[str]:
    return [name for name in found.columns if name not in _MEASURED]


def as_row(rule: str, one: dict[str, Any]) -> Row:
    """A row of `rule_rows`, as a named tuple of its values."""
    content = f"{one['lines']}|{one['cents']}|{','.join(map(str, one['claims']))}"
    return Row(
        rule=rule,
        key=one["key"],
        fingerprint=hashlib.blake2b(content.encode(), digest_size=16).hexdigest(),
        about={
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in one.items()
            if name not in _MEASURED
        },
        lines=one["lines"],
        claims=one["claims"][:CLAIMS_NAMED],
        claim_count=len(one["claims"]),
        amount=money(one["cents"]),
        currency=one["currency"],
        measure=None if one["measure"] is None else Decimal(repr(one["measure"])).quantize(Decimal("0.0001")),
    )


_MEASURED = {"key", "currency", "lines", "claims", "cents", "measure"}


def _same_act_twice(data: Data, period: Period) -> pl.DataFrame:
    about = ["insured", "act", "partner", "act_incident", "claimed"]
    candidates = _repeated(data, period, ["insured", "act", "partner", "claimed"], day="act_incident")
    return _groups(candidates, about, pl.col("claim").n_unique() > 1)


def _invoice_of_two_families(data: Data, period: Period) -> pl.DataFrame:
    lines = data.lines_in(period, *_KEPT).drop_nulls("invoice")
    # Most invoices belong to one membership: only the others need their families.
    several = (
        lines.group_by("invoice")
        .agg(first=pl.col("membership").min(), last=pl.col("membership").max())
        .filter(pl.col("first") != pl.col("last"))["invoice"]
    )
    candidates = lines.filter(pl.col("invoice").is_in(several.implode())).join(data.roles, on="membership", how="left")
    return _groups(candidates, ["invoice"], pl.col("family").n_unique() > 1)


def _two_partners_on_one_day(data: Data, period: Period) -> pl.DataFrame:
    candidates = _repeated(data, period, ["insured", "act_category"], day="act_incident", differs="partner")
    about = ["insured", "act_category", "act_incident"]
    return _groups(candidates, about, pl.col("partner").n_unique() > 1)


def _dear_partner(data: Data, period: Period) -> pl.DataFrame:
    claims = data.claims_in(period, *_OF_CLAIMS)
    sums = claims.group_by("partner", "currency").agg(pl.col("claimed").sum())
    partners = sums.join(_people_of(claims), on=["partner", "currency"])
    lines = data.lines_in(period, "partner", "act_category")
    factor = pair_factor(lines["act_category"])
    main = (
        lines.select(pair=pairs(lines["partner"], lines["act_category"]))
        .group_by("pair")
        .len()
        .with_columns(partner=pl.col("pair") // factor, act_category=pl.col("pair") % factor)
        .sort("len", "act_category", descending=[True, False])
        .unique("partner", keep="first", maintain_order=True)
        .select("partner", "act_category")
    )
    compared = (
        data.with_country(partners.filter(pl.col("insured") >= LEAST_INSURED), "partner")
        .join(main, on="partner")
        .with_columns(measure=pl.col("claimed") / pl.col("insured"))
        .filter(_is_above(0.95, "act_category", "currency", "country"))
    )
    return _partners(claims, compared.with_columns(pl.col("measure") / 100))


def _people_of(claims: pl.DataFrame) -> pl.DataFrame:
    """partner, currency, insured: how many different persons have a claim there in the currency."""
    currencies = claims["currency"].unique()
    counts = []
    for currency in currencies:
        own = claims if len(currencies) == 1 else claims.filter(pl.col("currency") == currency)
        several = pairs(own["partner"], own["insured"]).unique() // pair_factor(own["insured"])
        partners = several.alias("partner").to_frame()
        counts.append(partners.group_by("partner").agg(insured=pl.len()).with_columns(currency=pl.lit(currency)))
    types = {"partner": pl.Int64, "insured": pl.UInt32, "currency": pl.String}
    found = pl.concat(counts) if counts else pl.DataFrame(schema=types)
    return found.with_columns(pl.col("currency").cast(claims["currency"].dtype))


def _above_coverage_rate(data: Data, period: Period) -> pl.DataFrame:
    """Claims with a line whose reimbursed / claimed is above the coverage rate in force + 0.01, with all their lines.

    `measure`: the highest ratio of such a line. A line with no claimed amount has no ratio.
    """
    reimbursed, claimed = pl.col("reimbursed"), pl.col("claimed")

    def is_above(rate: Any) -> pl.Expr:
        # In whole numbers: reimbursed / claimed > (rate + 1) / 100.
        return (claimed > 0) & (100 * reimbursed > (rate + 1) * claimed)

    lowest = data.rates["rate"].min()
    lines = (
        data.lines_in(period, "claim", "membership", "claimed", "reimbursed")
        # First those above the lowest rate of all: to find the rate of every line takes four times as long.
        .filter(is_above(lowest if lowest is not None else 0))
        .join(data.rates, on="membership")
        .filter(is_above(pl.col("rate")))
        .group_by("claim")
        .agg(measure=(reimbursed / claimed).max())
    )
    claims = data.claims_in(period, "claim", "currency", "lines", "reimbursed").join(lines, on="claim")
    return claims.select(
        "claim",
        "currency",
        pl.col("lines").cast(pl.Int64),
        claims=pl.concat_list("claim"),
        cents="reimbursed",
        measure="measure",
    )


def _incident_after_settlement(data: Data, period: Period) -> pl.DataFrame:
    claims = data.claims_in(period, "claim", "currency", "lines", "reimbursed", "incident", "settled").filter(
        pl.col("incident") > pl.col("settled")
    )
    return claims.select(
        "claim",
        "currency",
        pl.col("lines").cast(pl.Int64),
        claims=pl.concat_list("claim"),
        cents="reimbursed",
        measure=(pl.col("incident") - pl.col("settled")).dt.total_days().cast(pl.Float64),
    )


def _round_amounts(data: Data, period: Period) -> pl.DataFrame:
    lines = data.lines_in(period, "partner", "currency", "claimed")
    is_round = (pl.col("claimed") > 0) & (pl.col("claimed") % ROUND_CENTS == 0)
    # As a column: an expression would be computed for each partner by itself.
    shares = (
        lines.select("partner", "currency", is_round=is_round)
        .group_by("partner", "currency")
        .agg(pl.len(), measure=pl.col("is_round").mean())
    )
    compared = data.with_country(shares.filter(pl.col("len") >= LEAST_LINES), "partner").filter(
        _is_above(0.95, "currency", "country")
    )
    return _partners(data.claims_in(period, *_OF_CLAIMS), compared)


def _many_lines(data: Data, period: Period) -> pl.DataFrame:
    claims = data.claims_in(period, *_OF_CLAIMS, "country")
    days = claims["settled"].dt
    quarter = days.year().cast(pl.Int64) * 4 + days.quarter()
    person = pairs(claims["insured"], quarter).alias("person")
    people = (
        claims.select("lines", "country", person)
        .group_by("person")
        .agg(pl.col("country").first(), measure=pl.col("lines").sum())
        .with_columns(quarter=pl.col("person") % pair_factor(quarter))
        .filter(_is_above(0.99, "quarter", "country"))
        .select("person", "measure")
    )
    return (
        claims.with_columns(person)
        .filter(pl.col("person").is_in(people["person"].implode()))
        .join(people, on="person")
        .group_by("insured", pl.col("settled").dt.truncate("1q").alias("quarter"), "currency")
        .agg(*_SUMS_OF_CLAIMS, pl.col("measure").first().cast(pl.Float64))
    )


def _is_above(share: float, *peers: str) -> pl.Expr:
    """Whether `measure` is above this percentile of the rows that are the same in `peers`: those of one country."""
    return pl.col("measure") > pl.col("measure").quantile(share, interpolation="linear").over(*peers)


RULES: dict[str, Callable[[Data, Period], pl.DataFrame]] = {
    "same_act_twice": _same_act_twice,
    "invoice_of_two_families": _invoice_of_two_families,
    "two_partners_on_one_day": _two_partners_on_one_day,
    "dear_partner": _dear_partner,
    "above_coverage_rate": _above_coverage_rate,
    "incident_after_settlement": _incident_after_settlement,
    "round_amounts": _round_amounts,
    "many_lines": _many_lines,
}

_KEPT = [
    "claim", "settled", "membership", "insured", "partner", "currency", "act", "act_category", "invoice",
    "act_incident", "claimed", "reimbursed",
]  # fmt: skip


def _repeated(data: Data, period: Period, ids: Sequence[str], *, day: str, differs: str = "") -> pl.DataFrame:
    """The lines that may have the same `ids` and day as another one, few false ones among them; none has a null.

    `differs`: a column that is not the same on those lines.
    """
    digest = pl.col(day).to_physical().cast(pl.Int64)
    for name in ids:
        digest = digest * 1_000_003 + pl.col(name)
    # Null in any of them makes the digest null.
    lines = data.lines_in(period, *_KEPT)
    digests = lines.select(digest=digest)["digest"]
    # Sorting takes a third of the time of `is_duplicated`.
    in_order = digests.drop_nulls().sort()
    is_repeated = digests.is_in(in_order.filter(in_order == in_order.shift()).unique().implode())
    if not differs:
        return lines.filter(is_repeated)
    # The two columns alone first: filtering all of them would copy half of the lines.
    several = (
        pl.DataFrame({"digest": digests, "differs": lines[differs]})
        .filter(is_repeated)
        .group_by("digest")
        .agg(first=pl.col("differs").min(), last=pl.col("differs").max())
        .filter(pl.col("first") != pl.col("last"))
    )
    return lines.filter(digests.is_in(several["digest"].implode()))


def _groups(lines: pl.DataFrame, about: list[str], holds: pl.Expr) -> pl.DataFrame:
    """The lines by what they are about and currency, where `holds` does."""
    return (
        lines.group_by(*about, "currency")
        .agg(
            holds.alias("holds"),
            pl.len().cast(pl.Int64).alias("lines"),
            pl.col("claim").unique().sort().alias("claims"),
            pl.col("reimbursed").sum().alias("cents"),
        )
        .filter("holds")
        .drop("holds")
        .with_columns(measure=pl.lit(None, dtype=pl.Float64))
    )


def _partners(claims: pl.DataFrame, compared: pl.DataFrame) -> pl.DataFrame:
    """The partners of `compared` with all their claims."""
    return (
        claims.filter(pl.col("partner").is_in(compared["partner"].implode()))
        .group_by("partner", "currency")
        .agg(*_SUMS_OF_CLAIMS)
        .join(compared.select("partner", "currency", "measure"), on=["partner", "currency"])
    )


_OF_CLAIMS = ("claim", "settled", "insured", "partner", "currency", "claimed", "reimbursed", "lines")
_SUMS_OF_CLAIMS = (
    pl.col("lines").sum().cast(pl.Int64),
    pl.col("claim").sort().alias("claims"),
    pl.col("reimbursed").sum().alias("cents"),
)
