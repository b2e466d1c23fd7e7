"""The renewal sheet of a client, worked out by hand (DOMAIN §9)."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.test import Client

from tests.support.html import Page
from tests.support.responses import content_of
from tests.support.small_country import Act, SmallCountry
from users.models import User

pytestmark = pytest.mark.django_db

D = date


def browser(country: SmallCountry) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.get(country=country.country))
    return client


def sheet(country: SmallCountry, client: str = "PORT") -> dict[str, Any]:
    return country.get(f"dashboard/renewal/?client={country.client_named(client).pk}")


@pytest.fixture
def port() -> SmallCountry:
    """Four premiums, of which the last still runs: 40 days of 2024 are known."""
    country = SmallCountry()
    for year, amount, insured in ((2021, 100, None), (2022, 365, 10), (2023, 730, 20), (2024, 732, 25)):
        country.premium(amount, D(year, 1, 1), D(year, 12, 31), insured=insured)
    pharmacy = {"category": "PHARMACIE", "act": "PARACETAMOL"}
    scan = {"category": "IMAGERIE", "act": "SCANNER"}
    country.claim(Act(10, 10, **pharmacy), settled=D(2021, 12, 30))
    country.claim(Act(73, 73, **pharmacy), settled=D(2022, 6, 1))
    country.claim(Act(20, 20, **pharmacy), Act(80, 80, **scan), settled=D(2023, 2, 1), incident=D(2023, 1, 22))
    country.claim(Act(265, 265, **scan), settled=D(2023, 8, 1), insured="KOFI")
    country.claim(Act(30, 30, **pharmacy), settled=D(2024, 1, 5), incident=D(2024, 1, 1), insured="KOFI")
    country.claim(
        Act(5, 5, **pharmacy), Act(165, 165, **scan), settled=D(2024, 2, 9), incident=D(2024, 2, 9), partner="ESPOIR"
    )
    # Of another client.
    country.claim(Act(999, 999), settled=D(2024, 2, 9), client="GARE", insured="AMA")
    return country.save()


def test_the_last_three_premiums_stand_beside_each_other(port: SmallCountry) -> None:
    found = sheet(port)
    assert (found["as_of"], found["currency"], found["target"]) == ("2024-02-09", "XOF", "0.8000")
    columns = ("start", "amount", "insured_count", "earned_premium", "reimbursed", "loss_ratio", "consumed_share")
    assert [tuple(one[name] for name in columns) for one in found["premiums"]] == [
        ("2024-01-01", "732.00", 25, "80.00", "200.00", "2.5000", "0.2732"),
        ("2023-01-01", "730.00", 20, "730.00", "365.00", "0.5000", "0.5000"),
        ("2022-01-01", "365.00", 10, "365.00", "73.00", "0.2000", "0.2000"),
    ]
    assert [(one["insured_who_consumed"], one["claims"], one["is_whole"]) for one in found["premiums"]] == [
        (2, 2, True), (2, 2, True), (1, 1, True)
    ]  # fmt: skip
    assert found["premiums"][0]["time_passed"] == "0.1093"
    for one in found["premiums"]:
        path, _mark, query = one["url"].removeprefix("/api/v1/").partition("?")
        rows = port.get(f"{path}?{query}")["results"]
        assert sum(Decimal(row["reimbursed_amount"]) for row in rows) == Decimal(one["reimbursed"])


def test_a_premium_that_runs_is_compared_with_the_same_days_of_the_one_before(port: SmallCountry) -> None:
    found = sheet(port)
    assert found["period"] == {"start": "2024-01-01", "end": "2024-02-09"}
    assert found["previous_period"] == {"start": "2023-01-01", "end": "2023-02-09"}
    categories = found["categories"]
    assert (categories["exposure"], categories["previous_exposure"], categories["exposure_basis"]) == (
        25, 20, "headcount"
    )  # fmt: skip
    rows = {row["name"]: (row["lines"], row["frequency"], row["cost"], row["change"]) for row in categories["rows"]}
    assert rows == {
        "IMAGERIE": (1, "0.0400", "165.00", "85.00"),
        "PHARMACIE": (2, "0.0800", "17.50", "15.00"),
    }
    effects = {name: Decimal(value) for name, value in categories["effects"].items()}
    # 5 more insured at 5 a head: 1 + 4 of each 20.
    assert effects["exposure"] == Decimal("25.00")
    assert sum(effects.values()) == Decimal("100.00")
    assert [(row["name"], row["reimbursed"], row["share"]) for row in found["top_categories"]] == [
        ("IMAGERIE", "165.00", "0.8250"), ("PHARMACIE", "35.00", "0.1750")
    ]  # fmt: skip
    assert [(row["name"], row["reimbursed"]) for row in found["top_partners"]] == [
        ("ESPOIR", "170.00"), ("BIASA", "30.00")
    ]  # fmt: skip
    assert (found["delay"]["median"], found["delay"]["n"], found["n"]) == (2.0, 2, 2)


def test_large_claims_have_no_name_and_no_number(port: SmallCountry) -> None:
    port.country.pooling_threshold = Decimal(100)
    port.country.save()
    found = sheet(port)
    assert found["large_claims"] == [
        {
            "settled": "2024-02-09", "incident": "2024-02-09", "category": "IMAGERIE", "reimbursed": "170.00",
            "share": "0.8500", "above_threshold": True,
        },
        {
            "settled": "2024-01-05", "incident": "2024-01-01", "category": "PHARMACIE", "reimbursed": "30.00",
            "share": "0.1500", "above_threshold": False,
        },
    ]  # fmt: skip
    assert (found["premiums"][0]["pooled"], found["premiums"][0]["pooled_loss_ratio"]) == ("130.00", "1.6250")
    # 2023: Afi 100, Kofi 265.
    assert found["premiums"][1]["pooled"] == "200.00"
    page = browser(port).get(f"/clients/{port.client_named('PORT').pk}/renewal/").content.decode()
    for secret in ("AFI", "KOFI", *(claim["number"] for claim in port.get("claims/")["results"])):
        assert secret not in page


def test_a_client_without_a_premium_still_has_a_sheet(port: SmallCountry) -> None:
    found = sheet(port, "GARE")
    assert found["premiums"] == []
    assert found["period"] == {"start": "2023-02-10", "end": "2024-02-09"}
    assert found["reimbursed"] == "999.00"
    page = browser(port).get(f"/clients/{port.client_named('GARE').pk}/renewal/")
    assert page.status_code == 200
    assert "No premium of this client is known." in page.content.decode()


def test_a_client_whose_premium_has_not_begun_and_who_has_no_claim_has_a_sheet() -> None:
    country = SmallCountry()
    country.premium(365, D(2030, 1, 1), D(2030, 12, 31))
    (premium,) = sheet(country)["premiums"]
    assert (premium["earned_premium"], premium["loss_ratio"], premium["completed"]) == ("0.00", None, None)
    assert browser(country).get(f"/clients/{country.client_named('PORT').pk}/renewal/").status_code == 200


def test_the_workbook_has_a_sheet_for_each_table(port: SmallCountry) -> None:
    response = port.client.get(f"/api/v1/dashboard/renewal/?client={port.client_named('PORT').pk}&format=xlsx")
    book = openpyxl.load_workbook(io.BytesIO(content_of(response)))
    assert book.sheetnames == [
        "Renewal sheet", "Premiums", "Act categories", "Highest cost", "Large claims", "Delay"
    ]  # fmt: skip
    rows = list(book["Premiums"].values)
    assert len(rows) == 4
    assert [float(row[8]) for row in rows[1:]] == [2.5, 0.5, 0.2]


def test_the_page_shows_the_numbers_of_the_address(port: SmallCountry) -> None:
    page = browser(port).get(f"/clients/{port.client_named('PORT').pk}/renewal/").content.decode()
    rows = {row[0]: row[1:] for row in Page(page).rows if row}
    assert rows["Premium"] == ["01/01/2024 – 31/12/2024", "01/01/2023 – 31/12/2023", "01/01/2022 – 31/12/2022"]
    assert rows["S/P"] == ["250.0\N{NO-BREAK SPACE}%", "50.0\N{NO-BREAK SPACE}%", "20.0\N{NO-BREAK SPACE}%"]
    assert rows["Insured with a claim"] == ["2", "2", "1"]


def test_a_client_must_be_named_and_of_the_own_country(port: SmallCountry) -> None:
    other = SmallCountry("BJ")
    pk = port.client_named("PORT").pk
    assert port.client.get("/api/v1/dashboard/renewal/").status_code == 400
    assert port.client.get(f"/api/v1/dashboard/renewal/?client={pk}&partner=1").status_code == 400
    assert other.client.get(f"/api/v1/dashboard/renewal/?client={pk}").status_code == 403
    assert other.client.get("/api/v1/dashboard/renewal/?client=999999").status_code == 404
    assert browser(other).get(f"/clients/{pk}/renewal/").status_code == 403
    assert browser(other).get("/clients/999999/renewal/").status_code == 404


def test_the_page_of_a_client_shows_its_loss_ratio_and_leads_to_the_sheet(port: SmallCountry) -> None:
    pk = port.client_named("PORT").pk
    page = browser(port).get(f"/clients/{pk}/?start=2023-01-01&end=2023-12-31").content.decode()
    assert "50.0\N{NO-BREAK SPACE}%" in page
    assert f'href="/clients/{pk}/renewal/"' in page
