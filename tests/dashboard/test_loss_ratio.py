"""Premiums and S/P with figures worked out by hand (DOMAIN §9)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.support.api_user import ApiUser, Json
from tests.support.responses import content_of
from tests.support.small_country import Act, SmallCountry
from users.models import Role, User

pytestmark = pytest.mark.django_db

D = date
YEAR = {"start": "2023-01-01", "end": "2023-12-31"}
FIXED = {
    "id", "name", "currency", "reimbursed_covered", "earned_premium", "loss_ratio", "consumed_share",
    "reimbursed_outside", "url",
}  # fmt: skip


def loss_ratio(reader: ApiUser, **params: Any) -> Json:
    query = "&".join(f"{name}={value}" for name, value in params.items())
    return reader.get(f"dashboard/loss-ratio/?{query}")


def values(row: Json) -> tuple[Any, ...]:
    return (row["reimbursed_covered"], row["earned_premium"], row["loss_ratio"], row["reimbursed_outside"])


def followed(country: ApiUser, url: str) -> Decimal:
    """The sum of the list that a figure leads to."""
    path, _mark, query = url.removeprefix("/api/v1/").partition("?")
    rows = country.get(f"{path}?{query}&page_size=1000")["results"]
    return sum((Decimal(row["reimbursed_amount"]) for row in rows), Decimal("0.00"))


def everyone() -> ApiUser:
    return ApiUser.for_user(User.objects.create_user(username="all", email="all@example.org", role=Role.ADMIN_GLOBAL))


def spent(country: SmallCountry, amount: int, day: date, **more: Any) -> None:
    country.claim(Act(amount, amount), settled=day, **more)


# ------------------------------------------------------------------------------------------------ earned premium


def test_the_rows_have_the_shape_that_clients_rely_on() -> None:
    country = SmallCountry()
    country.premium(365, D(2023, 1, 1), D(2023, 12, 31))
    spent(country, 73, D(2023, 5, 1))
    spent(country, 5, D(2023, 5, 1), client="GARE", insured="KOFI")
    country.save()
    answer = loss_ratio(country, **YEAR)
    assert [set(row) for row in answer["rows"]] == [FIXED]
    assert set(answer["total"]) == FIXED
    assert answer["without_premium"] == {"clients": 1, "reimbursed": "5.00"}
    (row,) = answer["rows"]
    assert (row["name"], row["currency"]) == ("PORT", "XOF")
    assert values(row) == ("73.00", "365.00", "0.2000", "0.00")
    assert (answer["total"]["id"], answer["n"], answer["definition"]) == (None, 1, "loss_ratio")
    by_country = loss_ratio(country, by="country", **YEAR)
    assert [(row["id"], row["name"], *values(row)) for row in by_country["rows"]] == [
        (country.country.pk, country.country.name, "73.00", "365.00", "0.2000", "0.00")
    ]


@pytest.mark.parametrize(
    ("start", "end", "earned"),
    [
        ("2023-01-01", "2023-01-31", "31.00"),
        ("2023-12-31", "2024-06-01", "1.00"),
        ("2022-12-01", "2023-01-01", "1.00"),
        ("2023-02-10", "2023-02-10", "1.00"),
        ("2020-01-01", "2026-01-01", "365.00"),
    ],
)
def test_a_part_of_the_time_earns_a_part_of_the_premium_both_ends_included(start: str, end: str, earned: str) -> None:
    country = SmallCountry()
    country.premium(365, D(2023, 1, 1), D(2023, 12, 31))
    (row,) = loss_ratio(country, start=start, end=end)["rows"]
    assert values(row) == ("0.00", earned, "0.0000", "0.00")


def test_a_leap_year_has_366_days_to_earn() -> None:
    country = SmallCountry()
    country.premium(366, D(2024, 1, 1), D(2024, 12, 31))
    country.premium(366, D(2023, 3, 1), D(2024, 2, 29), client="GARE")
    february = loss_ratio(country, start="2024-02-01", end="2024-02-29")
    assert {row["name"]: row["earned_premium"] for row in february["rows"]} == {"PORT": "29.00", "GARE": "29.00"}
    assert february["total"]["earned_premium"] == "58.00"


def test_earned_premium_is_exact_until_it_is_rounded_half_up_at_the_end() -> None:
    country = SmallCountry()
    # A third of 100 each: 33.33 is shown for each, and 100.00 for the three together.
    for client in ("A", "B", "C"):
        country.premium(100, D(2023, 1, 1), D(2023, 1, 3), client=client)
    answer = loss_ratio(country, start="2023-01-02", end="2023-01-02")
    assert [row["earned_premium"] for row in answer["rows"]] == ["33.33"] * 3
    assert answer["total"]["earned_premium"] == "100.00"
    country.premium("0.01", D(2023, 6, 1), D(2023, 6, 2), client="HALF")
    assert loss_ratio(country, start="2023-06-01", end="2023-06-01")["total"]["earned_premium"] == "0.01"


# ------------------------------------------------------------------------------------------------ S and premiums


def test_claims_before_and_after_the_premium_are_outside_it() -> None:
    """A premium that starts after the first claim of its client."""
    country = SmallCountry()
    country.premium(306, D(2023, 3, 1), D(2023, 12, 31))
    spent(country, 10, D(2023, 2, 28))
    spent(country, 20, D(2023, 3, 1))
    spent(country, 40, D(2023, 12, 31))
    spent(country, 80, D(2024, 1, 1))
    country.save()
    answer = loss_ratio(country)
    assert answer["period"] == {"start": "2023-02-28", "end": "2024-01-01"}
    (row,) = answer["rows"]
    assert values(row) == ("60.00", "306.00", "0.1961", "90.00")
    assert row["consumed_share"] == "0.1961"
    assert followed(country, row["url"]) == Decimal(60)
    assert followed(country, answer["details"][0]["outside_url"]) == Decimal(90)
    # In January alone it has no premium at all.
    answer = loss_ratio(country, start="2023-01-01", end="2023-02-28")
    assert answer["rows"] == []
    assert answer["total"]["loss_ratio"] is None
    assert answer["without_premium"] == {"clients": 1, "reimbursed": "10.00"}
    assert followed(country, answer["without_premium_url"]) == Decimal(10)


def test_two_premiums_back_to_back_are_one_row() -> None:
    country = SmallCountry()
    country.premium(365, D(2023, 1, 1), D(2023, 12, 31))
    country.premium(732, D(2024, 1, 1), D(2024, 12, 31))
    spent(country, 50, D(2023, 12, 31))
    spent(country, 100, D(2024, 1, 1))
    spent(country, 25, D(2023, 2, 1))
    country.save()
    (row,) = loss_ratio(country, start="2023-12-02", end="2024-01-30")["rows"]
    # 30 days at 1 and 30 days at 2 a day; of the premiums, 175 of 1,097 are consumed.
    assert values(row) == ("150.00", "90.00", "1.6667", "0.00")
    assert row["consumed_share"] == "0.1595"
    details = loss_ratio(country, start="2023-12-02", end="2024-01-30")["details"][0]
    # 365 and 60 of 1,097.
    assert (details["premiums"], details["time_passed"]) == (2, "0.3874")
    (row,) = loss_ratio(country, start="2024-01-01", end="2024-12-31")["rows"]
    assert values(row) == ("100.00", "732.00", "0.1366", "0.00")


def test_a_client_without_a_premium_and_claims_without_a_client_are_counted_apart() -> None:
    country = SmallCountry()
    country.premium(1000, D(2024, 6, 1), D(2024, 6, 30))
    spent(country, 500, D(2024, 6, 15))
    spent(country, 30, D(2024, 6, 15), client="GARE", insured="KOFI")
    spent(country, 3, D(2024, 6, 15), client="MARCHE", insured="AMA")
    spent(country, 9, D(2024, 6, 15), client=None, insured="YAO")
    country.save()
    answer = loss_ratio(country, start="2024-06-01", end="2024-06-30")
    assert values(answer["total"]) == ("500.00", "1000.00", "0.5000", "0.00")
    assert answer["without_premium"] == {"clients": 2, "reimbursed": "33.00"}
    assert answer["no_client"] == {"claims": 1, "reimbursed": "9.00"}
    assert answer["left_out"] == {"no_client": 1, "clients_without_premium": 2, "premiums_before_data": 0}
    june = {"start": "2024-06-01", "end": "2024-06-30"}
    found = country.figure("clients_without_premium", **june)
    assert (found["value"], country.figure("active_clients", **june)["value"]) == (2, 3)
    path, _mark, query = found["url"].removeprefix("/api/v1/").partition("?")
    assert [row["name"] for row in country.get(f"{path}?{query}")["results"]] == ["GARE", "MARCHE"]


def test_a_premium_without_claims_is_earned_too() -> None:
    country = SmallCountry()
    country.premium(300, D(2024, 6, 1), D(2024, 6, 30))
    country.premium(300, D(2024, 6, 1), D(2024, 6, 30), client="GARE")
    spent(country, 300, D(2024, 6, 15))
    country.save()
    answer = loss_ratio(country, start="2024-06-01", end="2024-06-30")
    assert [(row["name"], row["loss_ratio"]) for row in answer["rows"]] == [("PORT", "1.0000"), ("GARE", "0.0000")]
    assert values(answer["total"]) == ("300.00", "600.00", "0.5000", "0.00")


def test_a_cancelled_claim_is_in_no_loss_ratio() -> None:
    country = SmallCountry()
    country.premium(300, D(2024, 6, 1), D(2024, 6, 30))
    spent(country, 300, D(2024, 6, 15), status="cancelled")
    spent(country, 30, D(2024, 6, 15))
    country.save()
    assert loss_ratio(country, start="2024-06-01", end="2024-06-30")["total"]["loss_ratio"] == "0.1000"


def test_money_of_several_currencies_is_never_added() -> None:
    togo, guinea = SmallCountry(), SmallCountry("GN", "GNF")
    togo.premium(300, D(2024, 6, 1), D(2024, 6, 30))
    guinea.premium(3000, D(2024, 6, 1), D(2024, 6, 30))
    spent(togo, 150, D(2024, 6, 15))
    spent(togo, 7, D(2024, 6, 15), currency="GNF")
    spent(guinea, 600, D(2024, 6, 15))
    togo.save()
    guinea.save()
    answer = loss_ratio(everyone(), by="country", start="2024-06-01", end="2024-06-30")
    blocks = {block["currency"]: block for block in answer["blocks"]}
    assert values(blocks["XOF"]["total"]) == ("150.00", "300.00", "0.5000", "0.00")
    assert values(blocks["GNF"]["total"]) == ("600.00", "3000.00", "0.2000", "0.00")
    # Togo has a claim in francs of Guinea, and no premium in them.
    assert blocks["GNF"]["without_premium"] == {"clients": 1, "reimbursed": "7.00"}
    assert [(row["name"], row["currency"]) for row in blocks["GNF"]["rows"]] == [(guinea.country.name, "GNF")]
    own = loss_ratio(togo, start="2024-06-01", end="2024-06-30")
    assert [block["currency"] for block in own["blocks"]] == ["GNF", "XOF"]


def test_a_country_with_premiums_alone_still_has_its_block() -> None:
    togo, guinea = SmallCountry(), SmallCountry("GN", "GNF")
    guinea.premium(3000, D(2024, 6, 1), D(2024, 6, 30))
    spent(togo, 150, D(2024, 6, 15))
    togo.save()
    answer = loss_ratio(everyone(), start="2024-06-01", end="2024-06-30")
    totals = {block["currency"]: values(block["total"]) for block in answer["blocks"]}
    assert totals["GNF"] == ("0.00", "3000.00", "0.0000", "0.00")


def test_nobody_sees_the_premiums_of_another_country() -> None:
    togo, guinea = SmallCountry(), SmallCountry("GN", "GNF")
    premium = guinea.premium(3000, D(2024, 6, 1), D(2024, 6, 30), client="SECRET")
    spent(guinea, 600, D(2024, 6, 15), client="SECRET")
    guinea.save()
    for query in ({}, {"country": "GN"}, {"client": premium.client_id}, {"by": "country"}):
        answer = loss_ratio(togo, start="2024-06-01", end="2024-06-30", **query)
        assert (answer["rows"], answer["total"]["earned_premium"]) == ([], "0.00")


# ------------------------------------------------------------------------------------------------ terms


def test_large_claims_are_pooled_for_each_insured_in_each_year_of_the_premium() -> None:
    country = SmallCountry()
    country.premium(1096, D(2022, 3, 1), D(2025, 2, 28))
    spent(country, 900, D(2022, 5, 1))
    spent(country, 300, D(2023, 2, 28))
    spent(country, 700, D(2023, 3, 1))
    spent(country, 80, D(2023, 3, 1), insured="KOFI")
    country.save()
    assert loss_ratio(country, start="2022-03-01", end="2025-02-28")["details"][0]["pooled"] is None
    country.country.pooling_threshold = Decimal(500)
    country.country.save()
    details = loss_ratio(country, start="2022-03-01", end="2025-02-28")["details"][0]
    # Afi 1,200 and 700, each year up to 500; Kofi 80.
    assert (details["pooled"], details["pooled_loss_ratio"]) == ("1080.00", "0.9854")


def test_clients_are_ranked_by_what_they_cost_above_the_target() -> None:
    country = SmallCountry()
    for client, amount in (("LARGE", 10_000), ("SMALL", 100), ("GOOD", 1000)):
        country.premium(amount, D(2024, 6, 1), D(2024, 6, 30), client=client)
    for client, amount in (("LARGE", 8500), ("SMALL", 300), ("GOOD", 700)):
        spent(country, amount, D(2024, 6, 15), client=client, insured=client)
    country.save()
    june = {"start": "2024-06-01", "end": "2024-06-30"}
    ranking = loss_ratio(country, **june)["ranking"]
    assert [(one["rank"], one["name"], one["excess"], one["target"]) for one in ranking] == [
        (1, "LARGE", "500.00", "0.8000"), (2, "SMALL", "220.00", "0.8000"), (3, "GOOD", "-100.00", "0.8000")
    ]  # fmt: skip
    country.country.target_loss_ratio = Decimal("0.85")
    country.country.save()
    # The change of the target is seen at once.
    ranking = loss_ratio(country, **june)["ranking"]
    assert [(one["name"], one["excess"]) for one in ranking] == [
        ("SMALL", "215.00"), ("LARGE", "0.00"), ("GOOD", "-150.00")
    ]  # fmt: skip


def test_a_changed_premium_is_seen_at_once() -> None:
    country = SmallCountry()
    spent(country, 300, D(2024, 6, 15))
    country.save()
    june = {"start": "2024-06-01", "end": "2024-06-30"}
    assert loss_ratio(country, **june)["rows"] == []
    country.premium(300, D(2024, 6, 1), D(2024, 6, 30))
    assert loss_ratio(country, **june)["total"]["loss_ratio"] == "1.0000"


# ------------------------------------------------------------------------------------------------ over time


def test_the_rolling_twelve_months_end_with_each_month_and_need_all_of_their_data() -> None:
    country = SmallCountry()
    country.premium(730, D(2023, 1, 1), D(2024, 12, 30))
    spent(country, 100, D(2023, 1, 10))
    spent(country, 10, D(2023, 12, 31))
    spent(country, 1, D(2024, 2, 29))
    country.save()
    points = loss_ratio(country, start="2023-11-15", end="2024-02-29")["rolling"]
    assert [(one["start"], one["end"]) for one in points] == [
        ("2022-12-01", "2023-11-30"), ("2023-01-01", "2023-12-31"), ("2023-02-01", "2024-01-31"),
        ("2023-03-01", "2024-02-29"),
    ]  # fmt: skip
    assert [(one["reimbursed_covered"], one["earned_premium"], one["loss_ratio"]) for one in points] == [
        ("100.00", "334.00", None), ("110.00", "365.00", "0.3014"), ("10.00", "365.00", "0.0274"),
        ("11.00", "366.00", "0.0301"),
    ]  # fmt: skip
    assert [one["is_whole"] for one in points] == [False, True, True, True]
    assert [followed(country, one["url"]) for one in points] == [100, 110, 10, 11]


def test_premium_in_force_is_carried_forward_and_an_empty_slot_of_the_ratio_is_null() -> None:
    country = SmallCountry()
    country.premium(28, D(2024, 2, 2), D(2024, 2, 29))
    country.premium(31, D(2024, 3, 1), D(2024, 3, 31))
    spent(country, 14, D(2024, 2, 10))
    spent(country, 1, D(2024, 1, 31))
    country.save()
    answer = country.figures(
        "series/", indicator="premium_in_force,loss_ratio,clients_without_premium", start="2024-01-01", end="2024-06-01"
    )
    series = {one["key"]: one["values"] for one in answer["series"]}
    assert series["premium_in_force"] == ["0.00", "28.00", "31.00", "0.00", "0.00", "0.00"]
    assert series["loss_ratio"] == [None, "0.5000", "0.0000", None, None, None]
    assert series["clients_without_premium"] == [1, 0, 0, 0, 0, 0]


def test_the_loss_ratio_by_incident_date_is_completed_by_the_triangle_of_the_country() -> None:
    country = SmallCountry()
    country.premium(366, D(2024, 1, 1), D(2024, 12, 31))
    # Of each month, half is settled at once and half in the next month: 30 claims of two clients.
    for month in range(1, 8):
        for at in range(30):
            client = "PORT" if at < 10 else "GARE"
            settled = D(2024, month, 20) if at % 2 else D(2024, month + 1, 5)
            country.claim(
                Act(3, 3), settled=settled, incident=D(2024, month, 2), client=client, insured=f"{client} {at}"
            )
    country.save()
    port = country.client_named("PORT").pk
    answer = loss_ratio(country, client=port, start="2024-01-01", end="2024-07-31")["by_incident"]
    # Settled by July: July has half of its 30 and is too young, as June and May are; January to April are whole.
    assert [(row["month"], row["reimbursed"], row["completion"]) for row in answer["rows"]] == [
        ("2024-01", "30.00", "1.0000"), ("2024-02", "30.00", "1.0000"), ("2024-03", "30.00", "1.0000"),
        ("2024-04", "30.00", "1.0000"), ("2024-05", "30.00", None), ("2024-06", "30.00", None),
        ("2024-07", "15.00", None),
    ]  # fmt: skip
    assert (answer["reimbursed"], answer["completed"], answer["earned_premium"]) == ("120.00", "120.00", "121.00")
    assert (answer["loss_ratio"], answer["months_left_out"], answer["claims_left_out"]) == ("0.9917", 3, 0)
    assert [followed(country, row["url"]) for row in answer["rows"]] == [30] * 6 + [15]


def test_a_month_that_is_still_to_be_settled_is_completed() -> None:
    country = SmallCountry()
    country.premium(366, D(2024, 1, 1), D(2024, 12, 31))
    # January and February: 30 claims at once and 30 claims 4 months later; March has only the first 30 yet.
    for month in (1, 2, 3):
        for at in range(30):
            country.claim(Act(1, 1), settled=D(2024, month, 20), incident=D(2024, month, 2), insured=f"I{at}")
            if month < 3:
                late = D(2024, month + 4, 20)
                country.claim(Act(1, 1), settled=late, incident=D(2024, month, 2), insured=f"I{at}")
    country.save()
    answer = loss_ratio(country, start="2024-01-01", end="2024-06-30")["by_incident"]
    assert [(row["month"], row["completion"], row["completed"]) for row in answer["rows"]][:4] == [
        ("2024-01", "1.0000", "60.00"), ("2024-02", "1.0000", "60.00"), ("2024-03", "0.5000", "60.00"),
        ("2024-04", None, None),
    ]  # fmt: skip
    # 180 of the 91 that January to March earn.
    assert (answer["reimbursed"], answer["completed"], answer["loss_ratio"]) == ("150.00", "180.00", "1.9780")


# ------------------------------------------------------------------------------------------------ headcount


def test_frequency_divides_by_the_typed_headcount_where_every_client_with_claims_has_one() -> None:
    country = SmallCountry()
    country.premium(100, D(2024, 6, 1), D(2024, 6, 30), insured=50)
    country.premium(100, D(2024, 6, 1), D(2024, 6, 30), client="NO CLAIMS", insured=30)
    country.claim(Act(), Act(), settled=D(2024, 6, 15))
    country.save()
    june = {"start": "2024-06-01", "end": "2024-06-30"}
    answer = country.figures("frequency/", **june)
    assert (answer["exposure"], answer["exposure_basis"], answer["known_insured"]) == (80, "headcount", 1)
    assert answer["rows"][0]["frequency"] == "0.0250"
    port = country.client_named("PORT").pk
    assert country.figures("frequency/", client=port, **june)["rows"][0]["frequency"] == "0.0400"
    # A provider has no headcount.
    partner = country.partner("BIASA").pk
    assert country.figures("frequency/", partner=partner, **june)["exposure_basis"] == "known_insured"
    country.claim(settled=D(2024, 6, 16), client="GARE", insured="KOFI")
    country.save()
    answer = country.figures("frequency/", **june)
    assert (answer["exposure"], answer["exposure_basis"]) == (2, "known_insured")


def test_two_periods_are_compared_on_one_basis() -> None:
    country = SmallCountry()
    country.premium(100, D(2024, 6, 1), D(2024, 6, 30), insured=50)
    spent(country, 10, D(2024, 5, 15))
    spent(country, 10, D(2024, 6, 15))
    country.save()
    june = {"start": "2024-06-01", "end": "2024-06-30"}
    assert country.figures("frequency/", **june)["exposure_basis"] == "known_insured"
    country.premium(100, D(2024, 5, 1), D(2024, 5, 31), insured=40)
    answer = country.figures("frequency/", **june)
    assert (answer["exposure"], answer["previous_exposure"], answer["exposure_basis"]) == (50, 40, "headcount")
    assert answer["effects"] == {"exposure": "2.50", "frequency": "-2.50", "cost": "0.00"}


# ------------------------------------------------------------------------------------------------ parameters, files


def test_parameters_that_mean_nothing_here_are_refused() -> None:
    country = SmallCountry()
    for query in ("by=policy", "partner=1", "limit=0", "end=2023-01-01&start=2024-01-01", "nothing=1"):
        response = country.client.get(f"/api/v1/dashboard/loss-ratio/?{query}")
        assert response.status_code == 400, query


def test_the_files_have_every_client() -> None:
    country = SmallCountry()
    for at in range(3):
        country.premium(30, D(2024, 6, 1), D(2024, 6, 30), client=f"CLIENT {at}")
    june = "start=2024-06-11&end=2024-06-20&limit=1"
    answer = country.get(f"dashboard/loss-ratio/?{june}")
    assert (len(answer["rows"]), answer["count"]) == (1, 3)
    content = content_of(country.client.get(f"/api/v1/dashboard/loss-ratio/?{june}&format=csv"))
    lines = content.decode("utf-8-sig").splitlines()
    assert len(lines) == 4
    assert lines[1].split(";")[2:6] == ["CLIENT 0", "0.00", "10.00", "0.0000"]
    for kind in ("xlsx", "parquet"):
        assert content_of(country.client.get(f"/api/v1/dashboard/loss-ratio/?{june}&format={kind}"))


def test_a_premium_that_starts_before_the_data_says_that_its_consumption_is_not_whole() -> None:
    country = SmallCountry()
    country.premium(366, D(2024, 1, 1), D(2024, 12, 31))
    spent(country, 10, D(2024, 3, 1))
    spent(country, 10, D(2024, 3, 1) + timedelta(days=40))
    country.save()
    answer = loss_ratio(country)
    assert answer["details"][0]["premiums_before_data"] == 1
    assert answer["left_out"]["premiums_before_data"] == 1
