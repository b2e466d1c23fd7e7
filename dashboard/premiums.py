"""The premiums of a question: rows that its account may see → a frame (DOMAIN §9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from core.models import Premium
from users.models import Country, User

ID = pl.Int64()
# `cents`: the amount; `start`, `end`: both included; `headcount`: the number of insured that was typed, or null.
PREMIUM_SCHEMA: dict[str, pl.DataType] = {
    "premium": ID, "country": ID, "client": ID, "currency": pl.String(), "cents": pl.Int64(), "start": pl.Date(),
    "end": pl.Date(), "headcount": ID,
}  # fmt: skip
_FIELDS = ("pk", "country_id", "client_id", "currency", "amount", "start", "end", "insured_count")


@dataclass(frozen=True)
class Terms:
    """What a country wants of its loss ratio. `threshold`: in cents; None: large claims are not pooled."""

    target: Fraction
    threshold: int | None


def premiums_of(user: User, country_ids: Iterable[int]) -> pl.DataFrame:
    """The premiums of the countries, by client and start (PREMIUM_SCHEMA)."""
    rows = Premium.objects.visible_to(user).filter(country_id__in=list(country_ids)).order_by("client_id", "start")
    return pl.DataFrame(
        [
            (pk, country, client, currency, int(amount.scaleb(2)), start, end, count)
            for pk, country, client, currency, amount, start, end, count in rows.values_list(*_FIELDS)
        ],
        schema=PREMIUM_SCHEMA,
        orient="row",
    )


def terms_of(countries: Iterable[Country]) -> Mapping[int, Terms]:
    """Country id → its target and its pooling threshold."""
    return {
        one.pk: Terms(
            target=Fraction(one.target_loss_ratio),
            threshold=None if one.pooling_threshold is None else int(one.pooling_threshold.scaleb(2)),
        )
        for one in countries
    }
