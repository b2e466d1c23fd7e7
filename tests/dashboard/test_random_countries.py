"""Random small countries, scopes and periods: every figure against the slow reference (DOMAIN §8)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.support import figures as reference
from tests.support.api_user import ApiUser
from tests.support.compared_figures import BY, Json, Question, ask_all
from tests.support.small_country import Act, SmallCountry
from users.models import Role, User

FIRST = date(2023, 11, 20)
# Few of each, so that claims meet in the same records, days and amounts.
ACTS = st.builds(
    Act,
    claimed=st.sampled_from([5000, 10_000, 4999, 0, -5000, 7301]),
    reimbursed=st.sampled_from([4000, 0, 7301, -4000, 333]),
    act=st.sampled_from(["PARACETAMOL", "SCANNER", "CONSULTATION", None]),
    category=st.sampled_from(["PHARMACIE", "IMAGERIE"]),
    operator=st.sampled_from(["AMA", "KOFFI", None]),
    invoice=st.sampled_from(["F1", "F2", None]),
)
DAYS = st.integers(0, 250).map(lambda days: FIRST + timedelta(days=days)) | st.sampled_from([FIRST, date(2024, 2, 29)])
PEOPLE = st.sampled_from([("AFI", None), ("SENA", "AFI"), ("CELINE", "AFI"), ("KOFI", None), ("OLD MAN", "KOFI")])
CLAIM = st.fixed_dictionaries(
    {
        "acts": st.lists(ACTS, min_size=1, max_size=3),
        "settled": DAYS,
        "delay": st.sampled_from([0, 5, 8, 31, 45, 100, -3, None]),
        "person": PEOPLE,
        "client": st.sampled_from(["PORT", "GARE", None]),
        "policy": st.sampled_from(["1", "2"]),
        "partner": st.sampled_from(["BIASA", "ESPOIR", "LA PAIX"]),
        "currency": st.sampled_from(["", "", "", "EUR"]),
        "status": st.sampled_from(["settled"] * 9 + ["cancelled"]),
        # The same claim many times makes partners with many lines and months with many claims.
        "copies": st.sampled_from([1, 1, 1, 2, 12, 32]),
    }
)
COUNTRIES = st.lists(st.lists(CLAIM, max_size=8), min_size=1, max_size=2)
# The premiums of a client, one after the other: days before it, its length, its amount and its headcount.
PREMIUM = st.tuples(
    st.integers(0, 90), st.sampled_from([1, 29, 100, 365, 366, 730]), st.sampled_from(["1000", "0.01", "77777.77"]),
    st.sampled_from([None, 1, 40]),
)  # fmt: skip
PREMIUMS = st.fixed_dictionaries({client: st.lists(PREMIUM, max_size=3) for client in ("PORT", "GARE", "NO CLAIMS")})
TERMS = st.tuples(st.sampled_from(["0.8", "1.2345"]), st.sampled_from([None, "5000", "20000.5"]))
PERIODS = st.tuples(st.integers(-60, 260), st.sampled_from([1, 14, 60, 119, 120, 200, 366, 1200]))


def make(
    code: str, currency: str, claims: list[dict[str, Any]], premiums: dict[str, list[Any]], terms: tuple[str, Any]
) -> SmallCountry:
    country = SmallCountry(code, currency)
    target, threshold = terms
    country.country.target_loss_ratio = Decimal(target)
    country.country.pooling_threshold = None if threshold is None else Decimal(threshold)
    country.country.save()
    for client, own in premiums.items():
        day = FIRST - timedelta(days=120)
        for gap, length, amount, insured in own:
            start = day + timedelta(days=gap)
            day = start + timedelta(days=length)
            country.premium(amount, start, day - timedelta(days=1), client=client, insured=insured)
    for one in claims:
        name, principal = one["person"]
        for copy in range(one["copies"]):
            # Copies are of several people, as many as the rules for providers ask for.
            suffix = f" {copy}" if copy else ""
            country.claim(
                *one["acts"],
                settled=one["settled"],
                incident=None if one["delay"] is None else one["settled"] - timedelta(days=one["delay"]),
                insured=name + suffix,
                principal=None if principal is None else principal + suffix,
                **{key: one[key] for key in ("client", "policy", "partner", "currency", "status")},
            )
    return country.save()


class RandomCountries(TestCase):
    """Every example in a transaction of its own."""

    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(
        claims=COUNTRIES,
        premiums=PREMIUMS,
        terms=TERMS,
        period=PERIODS,
        scope=st.sampled_from(["", "client", *BY]),
        pick=st.integers(0, 1000),
    )
    def test_every_figure_is_that_of_the_reference(
        self,
        claims: list[list[dict[str, Any]]],
        premiums: dict[str, list[Any]],
        terms: tuple[str, Any],
        period: tuple[int, int],
        scope: str,
        pick: int,
    ) -> None:
        cache.clear()
        made = [
            make(code, currency, own, premiums, terms)
            for (code, currency), own in zip((("TG", "XOF"), ("BJ", "XOF")), claims, strict=False)
        ]
        user = User.objects.create_user(username="all", email="all@example.org", role=Role.ADMIN_GLOBAL)
        reader = ApiUser.for_user(user)

        def ask(path: str, **params: Any) -> Json:
            return reader.get(f"dashboard/{path}?" + "&".join(f"{name}={value}" for name, value in params.items()))

        countries = tuple(country.country.pk for country in made)
        whole = reference.read(countries)
        start = FIRST + timedelta(days=period[0])
        question = Question(ask, whole, whole, start, start + timedelta(days=period[1] - 1), countries)
        ask_all(question)
        ids = sorted(_ids(whole, scope)) if scope else []
        if ids:
            id_ = ids[pick % len(ids)]
            ask_all(Question(ask, whole, reference.in_scope(whole, scope, id_), *question.days, countries, scope, id_))


def _ids(portfolio: reference.Portfolio, kind: str) -> set[int]:
    if kind in ("operator", "act", "act_category"):
        found = {getattr(line, kind) for claim in portfolio.claims for line in claim.lines}
    else:
        found = {getattr(claim, kind) for claim in portfolio.claims}
    return found - {None}


pytestmark = pytest.mark.django_db
