"""Amounts of several currencies in the reporting currency, at the rate of each settlement date (DOMAIN §8, §14)."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from django.test import Client

from core.models import Claim as ClaimRow
from core.models import ClaimLine
from tests.support import figures, figures_consolidated
from tests.support.api_user import ApiUser, Json
from tests.support.responses import content_of
from tests.support.small_country import Act, SmallCountry
from users.models import Role, User

pytestmark = pytest.mark.django_db

RATES = "/api/v1/exchange-rates/"
SETTING = "/api/v1/reporting-currency/"
JANUARY, MARCH, APRIL = date(2024, 1, 10), date(2024, 3, 31), date(2024, 4, 1)


class Group:
    """Togo in XOF and Guinea in GNF, and a global administrator."""

    def __init__(self) -> None:
        self.togo, self.guinea = SmallCountry("TG", "XOF"), SmallCountry("GN", "GNF")
        user = User.objects.create_user(username="boss", email="boss@example.org", role=Role.ADMIN_GLOBAL)
        self.boss = ApiUser.for_user(user)

    def report_in(self, currency: str | None) -> None:
        assert self.boss.client.put(SETTING, {"currency": currency}, format="json").status_code == 200

    def rate(self, currency: str, start: str, rate: str) -> Any:
        return self.boss.client.post(RATES, {"currency": currency, "from": start, "rate": rate})

    def ask(self, path: str, **params: Any) -> Json:
        return self.boss.get(f"dashboard/{path}?" + "&".join(f"{name}={value}" for name, value in params.items()))

    def block(self, path: str = "portfolio/", **params: Any) -> Json:
        return dict(self.ask(path, **params)["consolidated"])


@pytest.fixture
def group() -> Group:
    """655 957 XOF in January; 86 000 GNF on 31 March, 93 000 GNF on 1 April; 1 000 GNF in January."""
    group = Group()
    group.togo.claim(Act(1_311_914, 655_957), settled=JANUARY, insured="AFI")
    group.guinea.claim(Act(172_000, 86_000), settled=MARCH, insured="KOFI", client="MINE", partner="DONKA")
    group.guinea.claim(Act(186_000, 93_000), settled=APRIL, insured="KOFI", client="MINE", partner="DONKA")
    group.guinea.claim(Act(2_000, 1_000), settled=JANUARY, insured="AMA", client="MINE", partner="DONKA")
    group.togo.save()
    group.guinea.save()
    group.report_in("EUR")
    assert group.rate("GNF", "2024-03-01", "8600").status_code == 201
    assert group.rate("GNF", "2024-04-01", "9300").status_code == 201
    return group


@pytest.fixture
def cast_browser() -> Callable[[User], Client]:
    def signed_in(user: User) -> Client:
        client = Client(headers={"accept-language": "en"})
        client.force_login(user)
        return client

    return signed_in


def values(block: Json) -> dict[str, Any]:
    return {one["key"]: one["value"] for one in block["indicators"]}


def test_each_claim_counts_at_the_rate_of_its_settlement_date(group: Group) -> None:
    block = group.block()
    # 1 000 + 10 + 10 euros reimbursed, of twice as much; three claims of two persons have a rate.
    assert values(block) == {
            "claimed": "2040.00", "reimbursed": "1020.00", "reimbursement_rate": "0.5000", "cost_per_claim": "340.00",
            "cost_per_insured": "510.00",
        }  # fmt: skip
    assert block["currency"] == "EUR"
    assert [one["n"] for one in block["indicators"]] == [3] * 5


def test_the_block_names_the_rates_used_and_counts_what_has_none(group: Group) -> None:
    block = group.block()
    assert [
        (one["currency"], one["from"], one["rate"], one["is_fixed"], one["claims"]) for one in block["rates"]
    ] == [
        ("XOF", None, "655.957", True, 1), ("GNF", "2024-03-01", "8600", False, 1),
        ("GNF", "2024-04-01", "9300", False, 1),
    ]  # fmt: skip
    assert [one["text"] for one in block["rates"]][:2] == ["1 EUR = 655.957 XOF", "1 EUR = 8600 GNF"]
    assert block["rates"][1]["first_settlement"] == block["rates"][1]["last_settlement"] == "2024-03-31"
    assert block["without_rate"] == [{"currency": "GNF", "claims": 1, "claimed": "2000.00", "reimbursed": "1000.00"}]


def test_the_blocks_by_currency_stay_as_they_are(group: Group) -> None:
    with_block = group.ask("portfolio/")
    group.report_in(None)
    without = group.ask("portfolio/")
    assert without.pop("consolidated") is None
    with_block.pop("consolidated")
    assert with_block == without


def test_the_countries_stand_beside_each_other_in_one_currency(group: Group) -> None:
    found = [(one["name"], one["claims"], one["reimbursed"], one["share"]) for one in group.block()["countries"]]
    assert found == [("Country TG", 1, "1000.00", "0.9804"), ("Country GN", 2, "20.00", "0.0196")]


def test_the_period_before_has_its_own_rates(group: Group) -> None:
    block = group.block(start="2024-04-01", end="2024-04-30")
    reimbursed = block["indicators"][1]
    assert (reimbursed["value"], reimbursed["previous"]) == ("10.00", "10.00")
    assert reimbursed["evolution"]["type"] == "same"
    assert [one["from"] for one in block["rates"]] == ["2024-04-01"]
    assert [one["from"] for one in block["previous_rates"]] == ["2024-03-01"]


def test_a_series_converts_each_day_of_a_slot_at_its_own_rate(group: Group) -> None:
    block = group.block("series/", indicator="reimbursed,claims", start="2024-01-01", end="2024-06-30")
    (series,) = block["series"]
    assert series["values"] == ["1000.00", "0.00", "10.00", "10.00", "0.00", "0.00"]
    assert len(block["rates"]) == 3
    quarters = group.block("series/", indicator="cost_per_claim", start="2020-01-01", end="2024-06-30")
    assert quarters["series"][0]["values"][-2:] == ["505.00", "10.00"]
    assert group.ask("series/", indicator="claims")["consolidated"] is None


def test_a_ranking_ranks_the_records_of_all_countries(group: Group) -> None:
    block = group.block("rankings/", by="client")
    assert [(one["rank"], one["name"], one["reimbursed"], one["claims"]) for one in block["rows"]] == [
        (1, "PORT", "1000.00", 1),
        (2, "MINE", "20.00", 2),
    ]
    assert block["total"]["reimbursed"] == "1020.00"
    assert block["rows"][1]["cumulative_share"] == "1.0000"
    assert block["without_rate"][0]["claims"] == 1
    acts = group.block("rankings/", by="act")
    # One act of the shared catalogue, used in both countries.
    assert [(one["reimbursed"], one["claims"], one["insured"]) for one in acts["rows"]] == [("1020.00", 3, 2)]


def test_a_sum_is_rounded_half_up_once_at_its_end() -> None:
    group = Group()
    for _ in range(3):
        group.guinea.claim(Act(1, 1), settled=JANUARY)
    group.guinea.save()
    group.report_in("EUR")
    group.rate("GNF", "2024-01-01", "200")
    # Each is half a cent, which alone would be one cent.
    assert values(group.block())["reimbursed"] == "0.02"


def test_both_francs_are_compared_through_the_euro() -> None:
    group = Group()
    group.togo.claim(Act(1000, 1000), settled=JANUARY)
    group.togo.claim(Act(10, 10), settled=JANUARY, currency="EUR")
    group.togo.save()
    group.report_in("XAF")
    block = group.block()
    assert values(block)["reimbursed"] == "7559.57"
    assert {one["text"] for one in block["rates"]} == {"1 XAF = 1 XOF", "1 EUR = 655.957 XAF"}


def test_a_changed_rate_changes_the_answer_at_once(group: Group) -> None:
    assert values(group.block())["reimbursed"] == "1020.00"
    (row, *_rest) = group.boss.get("exchange-rates/?ordering=start")["results"]
    assert group.boss.client.patch(f"{RATES}{row['id']}/", {"rate": "4300"}).status_code == 200
    assert values(group.block())["reimbursed"] == "1030.00"
    assert group.rate("GNF", "2024-01-01", "1000").status_code == 201
    assert values(group.block())["reimbursed"] == "1031.00"
    assert group.boss.client.delete(f"{RATES}{row['id']}/").status_code == 204
    assert values(group.block())["reimbursed"] == "1097.00"
    group.report_in("GNF")
    # Of this reporting currency no rate is typed.
    assert values(group.block())["reimbursed"] == "180000.00"
    assert group.block()["without_rate"][0]["currency"] == "XOF"


def test_an_account_of_a_country_never_sees_the_block(group: Group) -> None:
    for path, more in (("portfolio/", {}), ("series/", {"indicator": "claimed"}), ("rankings/", {"by": "client"})):
        assert "consolidated" not in group.togo.figures(path, **more)
    text = group.togo.client.get("/api/v1/dashboard/portfolio/?format=csv")
    assert "EUR" not in content_of(text).decode()


def test_the_files_have_the_block_and_its_rates(group: Group) -> None:
    portfolio = content_of(group.boss.client.get("/api/v1/dashboard/portfolio/?format=csv")).decode("utf-8-sig")
    assert any("1020.00" in line.replace(",", ".") and "EUR" in line for line in portfolio.splitlines())
    assert "655.957" in portfolio.replace(",", ".")
    ranking = content_of(group.boss.client.get("/api/v1/dashboard/rankings/?by=client&format=xlsx"))
    sheet = openpyxl.load_workbook(BytesIO(ranking)).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert {row[1] for row in rows[1:] if row[0] == "consolidated"} == {"EUR"}
    assert {row[1] for row in rows[1:] if row[0] == "by currency"} == {"XOF", "GNF"}
    series = content_of(group.boss.client.get("/api/v1/dashboard/series/?indicator=reimbursed&format=csv"))
    assert "EUR, " in series.decode("utf-8-sig").splitlines()[0]


def test_the_pages_of_figures_show_the_block_with_its_note(
    group: Group, cast_browser: Callable[[User], Client]
) -> None:
    client = cast_browser(group.boss.user)
    overview = client.get("/figures/").content.decode()
    assert "Consolidated in" in overview
    assert "1 EUR = 655.957 XOF (fixed; settled 10/01/2024 – 10/01/2024)" in overview
    assert "1 EUR = 9300 GNF (from 01/04/2024; settled 01/04/2024 – 01/04/2024)" in overview
    assert "Left out, because there is no rate of its day: 1 claim" in overview
    assert "Countries in" in overview
    for path in ("/figures/trends/", "/figures/rankings/?by=partner", "/figures/rankings/?by=act"):
        page = client.get(path).content.decode()
        assert "Consolidated: " in page, path
        assert "1 EUR = 8600 GNF" in page, path
    assert "Consolidated" not in client.get("/figures/trends/?show=claims").content.decode()
    own = cast_browser(group.togo.user)
    for path in ("/figures/", "/figures/trends/", "/figures/rankings/"):
        assert "onsolidated" not in own.get(path).content.decode()
    group.report_in("XOF")
    # One currency, which is the reporting currency: the block would repeat the others.
    togo = client.get(f"/figures/?country={group.togo.country.pk}").content.decode()
    assert "Consolidated" not in togo


def test_the_blocks_equal_a_slow_reference_claim_by_claim() -> None:
    group, rng = Group(), random.Random(7)
    for number in range(120):
        country = group.togo if number % 3 else group.guinea
        reimbursed = rng.randrange(-500, 90_000)
        country.claim(
            Act(abs(reimbursed) * 2, reimbursed),
            settled=date(2024, 1, 1) + timedelta(days=rng.randrange(150)),
            insured=rng.choice(["AFI", "KOFI", "AMA"]),
            partner=rng.choice(["BIASA", "DONKA", "SOURA"]),
            currency=rng.choice(["", "", "USD"]),
        )
    group.togo.save()
    group.guinea.save()
    group.report_in("EUR")
    for start, gnf, usd in (("2024-02-03", "9301.123456", "1.0837"), ("2024-03-20", "9288.7", "1.09")):
        group.rate("GNF", start, gnf)
        group.rate("USD", start, usd)
    claims = figures.read([group.togo.country.pk, group.guinea.country.pk]).claims
    whole, without = figures_consolidated.summed("EUR", claims, lambda one: "")
    block = group.block()
    found = values(block)
    assert (found["claimed"], found["reimbursed"], block["indicators"][0]["n"]) == whole[""]
    assert {one["currency"]: (one["claims"], Decimal(one["reimbursed"])) for one in block["without_rate"]} == without
    assert set(without) == {"GNF", "USD"}
    by_partner, _without = figures_consolidated.summed("EUR", claims, lambda one: one.partner)
    rows = group.block("rankings/", by="partner")["rows"]
    assert {one["id"]: (one["claimed"], one["reimbursed"], one["claims"]) for one in rows} == by_partner
    by_month, _without = figures_consolidated.summed("EUR", claims, lambda one: one.settled.month)
    series = group.block("series/", indicator="claimed,reimbursed", start="2024-01-01", end="2024-05-31")["series"]
    claimed, reimbursed = (one["values"] for one in series)
    assert dict(zip(range(1, 6), zip(claimed, reimbursed, strict=True), strict=True)) == {
        month: by_month.get(month, ("0.00", "0.00", 0))[:2] for month in range(1, 6)
    }
    assert ClaimLine.objects.count() == ClaimRow.objects.count() == 120
