"""How large is the business? Claims, money and people of a period, and their series (DOMAIN §8, Portfolio)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from dashboard.indicators import loss_ratio as loss_ratios
from dashboard.numbers import mean, money, ratio
from dashboard.periods import Period, Slot
from dashboard.queries import Data, pair_factor, pairs

ROLES = ("primary", "spouse", "child", "other")
MONEY = ("claimed", "reimbursed", "cost_per_claim", "cost_per_insured")
RATIOS = ("reimbursement_rate",)
BY_CURRENCY = (*MONEY, *RATIOS)
CONSUMERS = ("insured_who_consumed", *(f"insured_who_consumed_{role}" for role in ROLES))
KNOWN = ("known_insured", *(f"known_insured_{role}" for role in ROLES))
ACTIVE = {
    "active_clients": "client",
    "active_policies": "policy",
    "active_partners": "partner",
    "active_operators": "operator",
}
NEW = {"new_clients": "client", "new_insured": "insured", "new_partners": "partner"}
KEYS = (
    "claims", "lines", "claimed", "reimbursed", "reimbursement_rate", "cost_per_claim", "cost_per_insured",
    *CONSUMERS, *KNOWN, *ACTIVE, *NEW, "clients_without_premium",
)  # fmt: skip
# Also over time: a stock, and a ratio of each slot. Only countries and clients have premiums: elsewhere both are None.
OF_PREMIUMS = ("premium_in_force", "loss_ratio")
SERIES_KEYS = (*KEYS, *OF_PREMIUMS)

Value = int | Decimal | None


@dataclass(frozen=True)
class Series:
    """The values of one indicator, one for each slot; `n`: claims behind each. Money is in currency units.

    `currency` is empty for counts, which have no currency.
    """

    key: str
    currency: str
    values: Sequence[Value]
    n: Sequence[int]


def portfolio_series(
    data: Data, slots: Sequence[Slot | Period], *, keys: Iterable[str], currencies: Sequence[str]
) -> list[Series]:
    """Each indicator of `keys` (see SERIES_KEYS) over the slots, those of money and ratios once for each currency.

    An empty slot of a flow is 0, of a ratio None; known insured are those known on the slot's last day, and the premium
    in force is that of its last day.
    """
    found: list[Series] = []
    numbers = _Numbers(data, slots)
    for key in keys:
        if key in OF_PREMIUMS:
            found += [
                Series(key, currency, numbers.of_premiums(key, currency), numbers.claims_of(currency))
                for currency in currencies
            ]
        elif key in BY_CURRENCY:
            found += [Series(key, currency, *numbers.of_currency(key, currency)) for currency in currencies]
        else:
            found.append(Series(key, "", numbers.counts(key), numbers.counts("claims")))
    return found


class _Numbers:
    """What the indicators are made of, each computed when it is first needed and then kept."""

    def __init__(self, data: Data, slots: Sequence[Slot | Period]) -> None:
        self.data = data
        self.slots = slots
        self.whole = Period(slots[0].start, slots[-1].end)
        self._claims: pl.DataFrame | None = None
        self._sums: dict[tuple[int, str], dict[str, int]] | None = None
        self._counts: dict[str, list[int]] = {}
        self._consumers: pl.DataFrame | None = None

    def claims(self) -> pl.DataFrame:
        if self._claims is None:
            self._claims = self._with_slot(self.data.claims_in(self.whole, *_CLAIM_COLUMNS))
        return self._claims

    def _with_slot(self, frame: pl.DataFrame) -> pl.DataFrame:
        if len(self.slots) == 1:
            return frame.with_columns(slot=pl.lit(0, dtype=pl.Int32))
        starts = pl.Series([slot.start for slot in self.slots], dtype=pl.Date)
        at = starts.search_sorted(frame["settled"], side="right").cast(pl.Int32) - 1
        return frame.with_columns(slot=at)

    def sums(self, slot: int, currency: str) -> dict[str, int]:
        """claims, lines, claimed, reimbursed (cents), insured of one slot and currency."""
        if self._sums is None:
            table = (
                self.claims()
                .group_by("slot", "currency")
                .agg(
                    pl.len().cast(pl.Int64).alias("claims"),
                    pl.col("lines").sum().cast(pl.Int64),
                    pl.col("claimed", "reimbursed").sum(),
                    pl.col("insured").n_unique().cast(pl.Int64),
                )
            )
            self._sums = {(row["slot"], row["currency"]): row for row in table.iter_rows(named=True)}
        return self._sums.get((slot, currency), _NOTHING)

    def of_currency(self, key: str, currency: str) -> tuple[list[Value], list[int]]:
        sums = [self.sums(at, currency) for at in range(len(self.slots))]
        return [_money_value(key, one) for one in sums], [one["claims"] for one in sums]

    def claims_of(self, currency: str) -> list[int]:
        return [self.sums(at, currency)["claims"] for at in range(len(self.slots))]

    def of_premiums(self, key: str, currency: str) -> list[Value]:
        if self.data.scope.kind not in ("", "client"):
            return [None] * len(self.slots)
        if key == "premium_in_force":
            premiums = loss_ratios.of_currency(self.data, currency)
            return [money(loss_ratios.in_force(premiums, slot.end)) for slot in self.slots]
        found = loss_ratios.Covered(self.data, self.whole.end, currency)
        points = loss_ratios.points(found, [(slot.start, slot.end) for slot in self.slots])
        return [point.loss_ratio for point in points]

    def _without_premium(self) -> list[int]:
        """Clients with a claim in the slot and no premium with a day in it."""
        active = self.claims().select("slot", "client").drop_nulls().unique()
        counts = []
        for at, slot in enumerate(self.slots):
            clients = active.filter(pl.col("slot") == at)["client"]
            days = Period(slot.start, slot.end)
            insured = loss_ratios.overlapping(self.data.premiums, days)["client"].unique()
            counts.append(len(clients) - int(clients.is_in(insured.implode()).sum()))
        return counts

    def counts(self, key: str) -> list[int]:
        if key not in self._counts:
            self._counts[key] = self._count(key)
        return self._counts[key]

    def _count(self, key: str) -> list[int]:
        if key in ("claims", "lines"):
            table = self.claims().group_by("slot").agg(pl.len().alias("claims"), pl.col("lines").sum())
            return self._by_slot(table, key)
        if key in CONSUMERS:
            people = self.consumers()
            role = key.removeprefix("insured_who_consumed").lstrip("_")
            people = people.filter(pl.col("role") == role) if role else people
            return self._by_slot(people.group_by("slot").agg(pl.col("insured").n_unique()), "insured")
        if key in KNOWN:
            return self._known(key.removeprefix("known_insured").lstrip("_"))
        if key in NEW:
            return self._new(NEW[key])
        if key == "clients_without_premium":
            return self._without_premium()
        name = ACTIVE[key]
        rows = (
            self._with_slot(self.data.lines_in(self.whole, "settled", "operator"))
            if name == "operator"
            else self.claims()
        )
        rows = rows.select("slot", name).drop_nulls()
        return self._by_slot(rows.group_by("slot").agg(pl.col(name).n_unique()), name)

    def consumers(self) -> pl.DataFrame:
        """slot, insured, role: each person once for each membership under which they have a claim in the slot."""
        if self._consumers is None:
            claims = self.claims()
            pair = pairs(claims["slot"].cast(pl.Int64), claims["membership"]).unique()
            factor = pair_factor(claims["membership"])
            people = pl.DataFrame({"slot": (pair // factor).cast(pl.Int32), "membership": pair % factor})
            self._consumers = people.join(self.data.people, on="membership", how="left")
        return self._consumers

    def _known(self, role: str) -> list[int]:
        memberships = self.data.memberships
        if role:
            memberships = memberships.filter(pl.col("role") == role)
        firsts = memberships["first_settled"].drop_nulls().sort()
        ends = pl.Series([slot.end for slot in self.slots], dtype=pl.Date)
        return [int(count) for count in firsts.search_sorted(ends, side="right").to_list()]

    def _new(self, name: str) -> list[int]:
        firsts = self.data.claims.select(name, "settled").drop_nulls(name).group_by(name).agg(pl.col("settled").min())
        inside = self._with_slot(firsts.filter(pl.col("settled").is_between(self.whole.start, self.whole.end)))
        return self._by_slot(inside.group_by("slot").agg(pl.len().alias("new")), "new")

    def _by_slot(self, table: pl.DataFrame, column: str) -> list[int]:
        found = dict(table.select("slot", column).iter_rows())
        return [int(found.get(at, 0)) for at in range(len(self.slots))]


_CLAIM_COLUMNS = (
    "settled", "currency", "membership", "insured", "client", "policy", "partner", "claimed", "reimbursed", "lines",
)  # fmt: skip
_NOTHING = {"claims": 0, "lines": 0, "claimed": 0, "reimbursed": 0, "insured": 0}


def _money_value(key: str, sums: dict[str, int]) -> Value:
    match key:
        case "claimed" | "reimbursed":
            return money(sums[key])
        case "reimbursement_rate":
            return ratio(sums["reimbursed"], sums["claimed"])
        case "cost_per_claim":
            return mean(sums["reimbursed"], sums["claims"])
        case "cost_per_insured":
            return mean(sums["reimbursed"], sums["insured"])
    raise KeyError(key)
