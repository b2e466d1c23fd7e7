"""The run-off triangle: published results, and which months are estimated, too young or left out (DOMAIN §8)."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from itertools import pairwise

import pandas as pd
import pytest

from dashboard.indicators.triangle import chain_ladder
from tests.support.api_user import Json
from tests.support.figures_triangle import chain_ladder as plain_chain_ladder
from tests.support.small_country import Act, SmallCountry

pytestmark = pytest.mark.django_db

# Cumulative payments by origin and development year. Taylor and Ashe (1983), as used by Mack (1993).
TAYLOR_ASHE = [
    [357_848, 1_124_788, 1_735_330, 2_218_270, 2_745_596, 3_319_994, 3_466_336, 3_606_286, 3_833_515, 3_901_463],
    [352_118, 1_236_139, 2_170_033, 3_353_322, 3_799_067, 4_120_063, 4_647_867, 4_914_039, 5_339_085],
    [290_507, 1_292_306, 2_218_525, 3_235_179, 3_985_995, 4_132_918, 4_628_910, 4_909_315],
    [310_608, 1_418_858, 2_195_047, 3_757_447, 4_029_929, 4_381_982, 4_588_268],
    [443_160, 1_136_350, 2_128_333, 2_897_821, 3_402_672, 3_873_311],
    [396_132, 1_333_217, 2_180_715, 2_985_752, 3_691_712],
    [440_832, 1_288_463, 2_419_861, 3_483_130],
    [359_480, 1_421_128, 2_864_498],
    [376_686, 1_363_294],
    [344_014],
]
# Reinsurance Association of America (1991), as used by Mack (1994).
RAA = [
    [5_012, 8_269, 10_907, 11_805, 13_539, 16_181, 18_009, 18_608, 18_662, 18_834],
    [106, 4_285, 5_396, 10_666, 13_782, 15_599, 15_496, 16_169, 16_704],
    [3_410, 8_992, 13_873, 16_141, 18_735, 22_214, 22_863, 23_466],
    [5_655, 11_555, 15_766, 21_266, 23_425, 26_083, 27_067],
    [1_092, 9_565, 15_836, 22_169, 25_955, 26_180],
    [1_513, 6_445, 11_702, 12_935, 15_852],
    [557, 4_020, 10_946, 12_314],
    [1_351, 6_947, 13_112],
    [3_133, 5_395],
    [2_063],
]
# Published with them, all-year volume-weighted: link ratios, and what is still to come.
PUBLISHED = {
    "taylor_ashe": (
        TAYLOR_ASHE,
        [3.4906, 1.7473, 1.4574, 1.1739, 1.1038, 1.0863, 1.0539, 1.0766, 1.0177],
        [0, 94_634, 469_511, 709_638, 984_889, 1_419_459, 2_177_641, 3_920_301, 4_278_972, 4_625_811],
        18_680_856,
    ),
    "raa": (
        RAA,
        [2.9994, 1.6235, 1.2709, 1.1717, 1.1134, 1.0419, 1.0333, 1.0169, 1.0092],
        [0, 154, 617, 1_636, 2_747, 3_649, 5_435, 10_907, 10_650, 16_339],
        52_135,
    ),
}


def triangle(rows: list[list[int]]) -> pd.DataFrame:
    return pd.DataFrame([[*row, *[None] * (len(rows) - len(row))] for row in rows], dtype="float64")


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_chain_ladder_has_the_published_results(name: str) -> None:
    rows, links, outstanding, total = PUBLISHED[name]
    ladder = chain_ladder(triangle(rows))
    assert [round(link, 4) for link in ladder.link_ratios if link] == links
    assert [round(one) for one in ladder.outstanding] == outstanding
    assert round(ladder.outstanding.sum()) == total
    assert ladder.completion[-1] == 1.0


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_reference_of_these_tests_has_the_published_results_too(name: str) -> None:
    rows, _links, outstanding, total = PUBLISHED[name]
    cells: list[list[Fraction | None]] = [[*map(Fraction, row), *[None] * (len(rows) - len(row))] for row in rows]
    ladder = plain_chain_ladder(cells)
    assert [round(one) for one in ladder.outstanding] == outstanding
    assert round(sum(ladder.outstanding)) == total


def test_a_window_takes_the_latest_origins_that_have_both_ages() -> None:
    ladder = chain_ladder(triangle(TAYLOR_ASHE), window=3)
    three = TAYLOR_ASHE[-4:-1]
    assert ladder.link_ratios[0] == pytest.approx(sum(row[1] for row in three) / sum(row[0] for row in three))
    # Of the last ages, fewer origins are known than the window has.
    assert round(ladder.link_ratios[-1] or 0, 4) == 1.0177


def test_a_link_ratio_that_no_origin_tells_counts_as_one() -> None:
    ladder = chain_ladder(pd.DataFrame([[0.0, 0.0, 50.0], [0.0, 0.0, None], [100.0, None, None]]))
    assert ladder.link_ratios == [None, None]
    assert list(ladder.outstanding) == [0.0, 0.0, 0.0]


# ------------------------------------------------------------------------------------------------ of claims


def month(at: int) -> date:
    """The 10th of month number `at`; 0 is January 2022."""
    return date(2022 + at // 12, at % 12 + 1, 10)


def add(country: SmallCountry, incident: int, *payments: tuple[int, int, int]) -> None:
    """Claims that happened in the month `incident`: (settled so many months later, how many, reimbursed of each)."""
    for later, count, amount in payments:
        for _at in range(count):
            country.claim(Act(amount, amount), incident=month(incident), settled=month(incident + later))


@pytest.fixture(scope="module")
def answer(database: None) -> Json:
    """20 months of incidents, each with 30 claims settled at once, 10 a month later and 4 after four months."""
    country = SmallCountry()
    add(country, -1, (1, 5, 100))
    for incident in range(20):
        at_once = 15 if incident == 9 else 30
        # The first months grow less, so that a window of 12 can be told from all months.
        later = [(1, 10, 50 if incident < 5 else 100), (4, 4, 100)]
        add(country, incident, (0, at_once, 100), *(one for one in later if incident + one[0] < 20))
    country.claim(Act(700, 700), incident=None, settled=month(3))
    country.claim(Act(300, 300), incident=month(6), settled=month(4))
    return country.save().figures("triangle/")


def test_cells_are_cumulated_by_month_of_incident_and_months_until_settlement(answer: Json) -> None:
    assert (answer["months"][0], answer["months"][-1], len(answer["months"])) == ("2022-01", "2023-08", 20)
    assert answer["cumulative"][0][:5] == ["3000.00", "3500.00", "3500.00", "3500.00", "3900.00"]
    assert answer["cumulative"][18] == ["3000.00", "4000.00", *[None] * 18]
    assert answer["cumulative"][19] == ["3000.00", *[None] * 19]
    assert all(sum(cell is not None for cell in row) == 20 - at for at, row in enumerate(answer["cumulative"]))


def test_link_ratios_are_of_the_last_twelve_months_that_have_both_ages(answer: Json) -> None:
    # Months 7 to 18: eleven from 3,000 to 4,000, and one from 1,500 to 2,500.
    first = (11 * 4000 + 2500) / (11 * 3000 + 1500)
    # Months 4 to 15: one from 3,500 to 3,900, ten from 4,000 to 4,400, and one from 2,500 to 2,900.
    fourth = (3900 + 10 * 4400 + 2900) / (3500 + 10 * 4000 + 2500)
    assert answer["link_ratios"][:5] == [f"{first:.4f}", "1.0000", "1.0000", f"{fourth:.4f}", "1.0000"]
    assert set(answer["link_ratios"][5:]) == {"1.0000"}
    assert answer["completion"][:5] == [f"{1 / first / fourth:.4f}", *[f"{1 / fourth:.4f}"] * 3, "1.0000"]
    assert all(a <= b for a, b in pairwise(map(float, answer["completion"])))


def test_months_are_estimated_only_with_three_months_of_age_and_thirty_claims(answer: Json) -> None:
    states = {row["month"]: row for row in answer["projection"]}
    assert states["2021-12"]["state"] == "left_out"
    assert [states[name]["state"] for name in ("2023-05", "2023-06", "2023-07", "2023-08")] == [
        "estimated", "too_young", "too_young", "too_young"
    ]  # fmt: skip
    # Old enough, but of 29 claims.
    assert (states["2022-10"]["claims"], states["2022-10"]["state"]) == (29, "too_young")
    for row in answer["projection"]:
        is_estimated = row["state"] == "estimated"
        assert ((row["ultimate"] is not None), (row["outstanding"] is not None)) == (is_estimated, is_estimated)
    # 4,000 × (50,800 / 46,000 − 1).
    assert (states["2023-05"]["ultimate"], states["2023-05"]["outstanding"]) == ("4417.39", "417.39")
    assert answer["left_out"] == {"no_incident_date": 1, "settled_before_incident": 1}


def test_the_back_test_compares_what_the_method_said_six_months_ago_with_what_came(answer: Json) -> None:
    test = answer["back_test"]
    assert test["as_of"] == "2023-02"
    # Three months old then, paid 4,000; of the months before, 36,000 had become 40,000 a month later.
    assert test["rows"][-1] == {"month": "2022-11", "expected": "444.44", "came": "400.00"}
    assert test["rows"][-2] == {"month": "2022-09", "expected": "0.00", "came": "0.00"}
    assert (test["expected"], test["came"]) == ("444.44", "400.00")


def test_a_back_test_shows_a_method_that_was_wrong() -> None:
    country = SmallCountry("BJ")
    for incident in range(12):
        add(country, incident, (0, 30, 100))
    # Eight claims of the second month came as late as eight months after it.
    add(country, 1, (8, 8, 300))
    test = country.save().figures("triangle/")["back_test"]
    assert test["as_of"] == "2022-06"
    assert {row["month"]: (row["expected"], row["came"]) for row in test["rows"]} == {
        "2022-01": ("0.00", "0.00"), "2022-02": ("0.00", "2400.00"), "2022-03": ("0.00", "0.00"),
    }  # fmt: skip
    assert (test["expected"], test["came"]) == ("0.00", "2400.00")


def test_a_client_s_months_are_those_of_the_data_and_not_of_its_own_claims() -> None:
    country = SmallCountry("BJ")
    add(country, 0, (0, 1, 100))
    add(country, 11, (0, 1, 100))
    for _at in range(30):
        country.claim(Act(100, 100), client="GARE", incident=month(5), settled=month(6))
    client = country.client_named("GARE").pk
    found = country.save().figures("triangle/", client=client)
    assert (found["months"][0], found["months"][-1]) == ("2022-01", "2022-12")
    (own,) = [row for row in found["projection"] if row["month"] == "2022-06"]
    # Six months old, and not left out because the client had no claim before.
    assert (own["state"], own["outstanding"]) == ("estimated", "0.00")


def test_a_settlement_that_is_dated_centuries_early_makes_no_triangle_of_centuries() -> None:
    country = SmallCountry("BJ")
    country.claim(incident=date(1900, 1, 1), settled=date(1900, 1, 2))
    add(country, 0, (0, 1, 100))
    found = country.save().figures("triangle/")
    assert (len(found["months"]), found["months"][-1]) == (240, "2022-01")
    assert found["projection"][0]["state"] == "left_out"
