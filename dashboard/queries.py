"""A question about some countries, a period and a scope (DOMAIN §8) → the claims and lines that it is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Literal

import polars as pl

from dashboard.columns import Columns
from dashboard.periods import Period
from dashboard.premiums import PREMIUM_SCHEMA

ScopeKind = Literal["", "client", "policy", "insured", "family", "partner", "operator", "act", "act_category"]
# Scopes of single lines: of a claim that has other lines too, only those in the scope count.
OF_LINES = ("operator", "act", "act_category")
SCOPES = ("client", "policy", "insured", "family", "partner", *OF_LINES)


@dataclass(frozen=True)
class Scope:
    """One client, policy, insured, family (its heading membership), partner, operator, act or act category."""

    kind: ScopeKind = ""
    id: int = 0


@dataclass(frozen=True)
class Query:
    """`countries`: ids. `scope` narrows them."""

    countries: tuple[int, ...]
    period: Period
    scope: Scope = field(default_factory=Scope)


def _no_premiums() -> pl.DataFrame:
    return pl.DataFrame(schema=PREMIUM_SCHEMA)


class Data:
    """Claims, lines and memberships of a scope, of all time (schemas: `dashboard.columns`).

    In the scope of an operator, act or category a claim is what its lines of that scope come to.
    """

    def __init__(self, columns: Columns, scope: Scope, premiums: Callable[[], pl.DataFrame] = _no_premiums) -> None:
        """`premiums`: reads those of the countries when they are first needed (`dashboard.premiums`)."""
        self.scope = scope
        self._premiums = premiums
        self._columns = columns
        self._countries: dict[str, pl.DataFrame] = {}

    @cached_property
    def lines(self) -> pl.DataFrame:
        return self._in_scope(self._columns.lines)

    @cached_property
    def claims(self) -> pl.DataFrame:
        if self.scope.kind not in OF_LINES:
            return self._in_scope(self._columns.claims)
        own = ("claim", "claimed", "reimbursed", "lines")
        same = [name for name in self._columns.claims.columns if name in self.lines.columns and name not in own]
        sums = self.lines.group_by("claim", maintain_order=True).agg(
            pl.col(same).first(), pl.col("claimed", "reimbursed").sum(), pl.len().alias("lines")
        )
        rest = self._columns.claims.select("claim", "country", "number")
        return sums.join(rest, on="claim", maintain_order="left").select(self._columns.claims.columns)

    @cached_property
    def premiums(self) -> pl.DataFrame:
        """The premiums of all clients, or of the client that is the scope. Only clients have premiums (DOMAIN §9)."""
        premiums = self._premiums()
        return premiums.filter(pl.col("client") == self.scope.id) if self.scope.kind == "client" else premiums

    def prepare(self) -> None:
        """Make claims and lines now, so that threads which use them ask the database nothing."""
        _made = self.claims, self.lines

    @cached_property
    def memberships(self) -> pl.DataFrame:
        """Memberships of the scope; `first_settled` is the first settlement within it."""
        memberships = self._columns.memberships
        if self.scope.kind in ("", "client", "policy", "insured", "family"):
            return self._in_scope(memberships)
        first = self.claims.group_by("membership").agg(first_settled=pl.col("settled").min())
        return memberships.drop("first_settled").join(first, on="membership").select(memberships.columns)

    @cached_property
    def roles(self) -> pl.DataFrame:
        """membership, role, family."""
        return self._columns.memberships.select("membership", "role", "family")

    @cached_property
    def rates(self) -> pl.DataFrame:
        """membership, rate: the coverage rate in force in hundredths; memberships without one are left out."""
        return self._columns.memberships.select("membership", "rate").drop_nulls()

    @cached_property
    def people(self) -> pl.DataFrame:
        """membership, insured, role."""
        return self._columns.memberships.select("membership", "insured", "role")

    def with_country(self, frame: pl.DataFrame, kind: str) -> pl.DataFrame:
        """The frame with the `country` of the records of its column `kind` (partner, insured)."""
        countries = self._columns.claims["country"]
        if countries.min() == countries.max():
            return frame.with_columns(country=pl.lit(countries.min(), dtype=pl.Int64))
        if kind not in self._countries:
            self._countries[kind] = self._columns.claims.select(kind, "country").unique(kind)
        return frame.join(self._countries[kind], on=kind)

    def settled_span(self, period: Period, currency: str) -> Period | None:
        """First and last settlement in the period of all claims of the currency, whatever the scope; None: no claim."""
        return span_of(_within(self._columns.claims, period, ("settled",), currency))

    def claims_in(self, period: Period, *columns: str, currency: str = "") -> pl.DataFrame:
        """The claims of the period, all `columns` unless some are named, of one currency if one is named."""
        return _within(self.claims, period, columns, currency)

    def lines_in(self, period: Period, *columns: str, currency: str = "") -> pl.DataFrame:
        """The lines of the claims of the period, likewise."""
        return _within(self.lines, period, columns, currency)

    def _in_scope(self, frame: pl.DataFrame) -> pl.DataFrame:
        kind, id_ = self.scope.kind, self.scope.id
        if not kind:
            return frame
        if kind == "family":
            of_family = self._columns.memberships.filter(pl.col("family") == id_)["membership"]
            return frame.filter(pl.col("membership").is_in(of_family.implode()))
        return frame.filter(pl.col(kind) == id_)


def _within(frame: pl.DataFrame, period: Period, columns: tuple[str, ...], currency: str) -> pl.DataFrame:
    """The rows that were settled in the period. A condition that all rows fulfil is not applied: it would copy them."""
    span = span_of(frame)
    conditions = []
    if span is not None and (span.start < period.start or span.end > period.end):
        conditions.append(pl.col("settled").is_between(period.start, period.end))
    if currency and not _is_only(frame, currency):
        conditions.append(pl.col("currency") == currency)
    rows = frame.lazy().filter(*conditions) if conditions else frame.lazy()
    # Named columns alone are read and copied.
    return (rows.select(columns) if columns else rows).collect()


def _is_only(frame: pl.DataFrame, currency: str) -> bool:
    first = frame["currency"]
    return first.is_empty() or bool((first == currency).all())


def pairs(first: pl.Series, second: pl.Series) -> pl.Series:
    """One number for each pair of ids: rows are grouped by it in a fraction of the time that two columns take.

    `pair // factor` is the first id, `pair % factor` the second, with the factor of `pair_factor(second)`.
    """
    return first * pair_factor(second) + second


def pair_factor(second: pl.Series) -> int:
    largest = second.max()
    return 1 + (largest if isinstance(largest, int) else 0)


def currencies_of(claims: pl.DataFrame) -> list[str]:
    """The currencies of the claims, the one of most claims first."""
    counts = claims.group_by("currency").len().sort("len", "currency", descending=[True, False])
    return counts["currency"].to_list()


def span_of(claims: pl.DataFrame) -> Period | None:
    """From the first to the last settlement date: the default period."""
    first, last = claims["settled"].min(), claims["settled"].max()
    return Period(first, last) if isinstance(first, date) and isinstance(last, date) else None
