"""The figures at their edges: nothing, one day, ties, records that are missing, and data that changes (DOMAIN §8)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.support.api_user import ApiUser, Json
from tests.support.pairs import Cells, line, matching_pair, row
from tests.support.small_country import DAY, Act, SmallCountry
from users.models import Role, User

pytestmark = pytest.mark.django_db

JUNE = {"start": "2024-06-01", "end": "2024-06-30"}
MAY_20 = date(2024, 5, 20)


def values(answer: Json) -> dict[tuple[str, str | None], Any]:
    return {(one["key"], one["currency"]): one["value"] for one in answer["indicators"]}


def names(answer: Json) -> list[tuple[int, str]]:
    return [(one["rank"], one["name"]) for one in answer["rows"]]


# ------------------------------------------------------------------------------------------------ what counts


def test_a_cancelled_claim_counts_nowhere() -> None:
    country = SmallCountry()
    country.claim(insured="AFI", client="PORT", settled=MAY_20, status="cancelled")
    country.claim(insured="AFI", client="PORT")
    country.claim(insured="KOFI", client="GARE", partner="OTHER", status="cancelled", incident=DAY)
    country.save()
    found = values(country.figures("portfolio/"))
    counts = ("claims", "lines", "active_clients", "active_partners", "active_operators", "insured_who_consumed")
    assert [found[key, None] for key in counts] == [1] * 6
    # Its only settled claim is the first one ever, also where an earlier one was cancelled.
    assert [country.figure(key, **JUNE)["value"] for key in ("new_clients", "new_insured", "new_partners")] == [1] * 3
    assert country.figures("period/")["period"] == {"start": "2024-06-15", "end": "2024-06-15"}
    assert names(country.figures("rankings/", by="client")) == [(1, "PORT")]
    assert sum(band["claims"] for band in country.figures("delay/", start="2024-05-01")["bands"]) == 1
    (month,) = country.figures("left-out/")["reconciliation"]
    assert month.pop("url")
    assert month == {
            "month": "2024-06", "imported": 1, "left_out": 0, "imported_amount": "4000.00", "left_out_amount": "0.00",
            "rate_claims": "1.0000", "rate_amount": "1.0000",
        }  # fmt: skip


def test_money_of_two_currencies_of_one_country_is_never_added() -> None:
    country = SmallCountry()
    country.claim(Act(5000, 4000))
    country.claim(Act(700, 600), currency="GNF", insured="KOFI")
    country.claim(Act(300, 100), currency="GNF", insured="KOFI")
    country.save()
    found = values(country.figures("portfolio/"))
    assert found["claims", None] == 3
    assert (found["reimbursed", "XOF"], found["reimbursed", "GNF"]) == ("4000.00", "700.00")
    assert (found["cost_per_claim", "XOF"], found["cost_per_claim", "GNF"]) == ("4000.00", "350.00")
    assert (found["reimbursement_rate", "XOF"], found["reimbursement_rate", "GNF"]) == ("0.8000", "0.7000")
    for path, more in (("rankings/", {"by": "client"}), ("frequency/", {}), ("triangle/", {}), ("left-out/", {})):
        answer = country.figures(path, **more)
        # The currency of most claims comes first.
        assert [block["currency"] for block in answer["blocks"]] == answer["currencies"] == ["GNF", "XOF"]
    totals = {one["currency"]: one["total"] for one in country.figures("rankings/", by="act")["blocks"]}
    assert {currency: one["reimbursed"] for currency, one in totals.items()} == {"GNF": "700.00", "XOF": "4000.00"}
    series = country.figures("series/", indicator="claims,claimed")["series"]
    assert [(one["currency"], one["values"]) for one in series] == [
        (None, [3]), ("GNF", ["1000.00"]), ("XOF", ["5000.00"])
    ]  # fmt: skip


def test_claims_without_client_act_operator_or_incident_are_counted_apart() -> None:
    country = SmallCountry()
    country.claim(client=None, insured="KOFI", policy="2", incident=date(2024, 6, 10))
    country.claim(Act(1000, 500, act=None), Act(2000, 1500, operator=None))
    country.save()
    assert country.figure("active_clients")["value"] == 1
    for by, claims, reimbursed in (("client", 1, "4000.00"), ("act", 1, "500.00"), ("operator", 1, "1500.00")):
        answer = country.figures("rankings/", by=by)
        assert answer["left_out"] == {"claims": claims, "reimbursed": reimbursed}
        assert answer["total"]["reimbursed"] == "6000.00"
    assert [row["share"] for row in country.figures("rankings/", by="client")["rows"]] == ["0.3333"]
    delay = country.figures("delay/")
    assert (delay["n"], delay["median"], delay["left_out"]) == (1, 5.0, {"negative": 0, "unknown": 1})
    assert country.figures("triangle/")["left_out"] == {"no_incident_date": 1, "settled_before_incident": 0}


def test_a_negative_delay_is_counted_apart_and_has_no_share() -> None:
    country = SmallCountry()
    for days in (-40, -1, 0, 7, 8, 31, 91):
        country.claim(incident=DAY - timedelta(days=days))
    country.save()
    delay = country.figures("delay/")
    assert [(band["key"], band["claims"], band["share"]) for band in delay["bands"]] == [
        ("0-7", 2, "0.4000"), ("8-30", 1, "0.2000"), ("31-90", 1, "0.2000"), ("91+", 1, "0.2000"),
        ("negative", 2, None), ("unknown", 0, None),
    ]  # fmt: skip
    assert (delay["n"], delay["median"], delay["p90"]) == (5, 8.0, 67.0)


def test_in_the_scope_of_an_act_a_claim_is_its_lines_of_that_act() -> None:
    country = SmallCountry()
    country.claim(Act(5000, 4000), Act(9000, 8000, act="SCANNER", category="IMAGERIE"), Act(100, 50))
    country.claim(Act(9000, 8000, act="SCANNER", category="IMAGERIE"), insured="KOFI", client="GARE")
    country.save()
    found = values(country.figures("portfolio/", act=country.act("PARACETAMOL", "PHARMACIE").pk))
    assert (found["claims", None], found["lines", None], found["reimbursed", "XOF"]) == (1, 2, "4050.00")
    assert (found["known_insured", None], found["new_clients", None]) == (1, 1)


# ------------------------------------------------------------------------------------------------ periods


def test_an_empty_period_has_flows_of_zero_and_ratios_of_nothing() -> None:
    country = SmallCountry()
    country.claim(settled=MAY_20)
    country.save()
    empty = {"start": "2025-02-01", "end": "2025-02-28"}
    portfolio = country.figures("portfolio/", **empty)
    found = values(portfolio)
    assert (found["claims", None], found["claimed", "XOF"], found["known_insured", None]) == (0, "0.00", 1)
    ratios = ("reimbursement_rate", "cost_per_claim", "cost_per_insured")
    assert [found[key, "XOF"] for key in ratios] == [None, None, None]
    assert {one["evolution"]["type"] for one in portfolio["indicators"] if one["key"] == "claims"} == {"none"}
    series = country.figures("series/", indicator="claims,reimbursement_rate,known_insured", **empty)["series"]
    assert [set(one["values"]) for one in series] == [{0}, {None}, {1}]
    ranking = country.figures("rankings/", by="client", **empty)
    assert (ranking["rows"], ranking["count"], ranking["total"]["share"]) == ([], 0, None)
    delay = country.figures("delay/", **empty)
    assert (delay["n"], delay["median"], delay["p90"]) == (0, None, None)
    assert {band["share"] for band in delay["bands"]} == {None}
    assert country.figures("concentration/", **empty)["share_without_claim"] == "1.0000"
    assert country.figures("triangle/", **empty)["months"] == []
    assert country.figures("prices/", **empty)["rows"] == []
    assert country.figures("left-out/", **empty)["reconciliation"] == []


def test_a_country_without_claims_has_no_default_period_and_empty_figures() -> None:
    country = SmallCountry()
    assert country.figures("period/")["period"] is None
    found = values(country.figures("portfolio/"))
    assert (found["claims", None], found["reimbursed", "XOF"], found["reimbursement_rate", "XOF"]) == (0, "0.00", None)
    for path in ("frequency/", "concentration/", "delay/", "triangle/", "prices/", "left-out/", "watch-list/"):
        assert country.figures(path)["n"] == 0
    assert country.figures("concentration/")["share_without_claim"] is None


def test_the_default_period_is_from_the_first_to_the_last_settlement_of_what_the_account_sees() -> None:
    country, other = SmallCountry("TG"), SmallCountry("GN", "GNF")
    for day in (date(2024, 6, 15), date(2023, 2, 3), date(2024, 9, 30)):
        country.claim(settled=day)
    other.claim(settled=date(2021, 1, 1))
    country.save()
    other.save()
    own = {"start": "2023-02-03", "end": "2024-09-30"}
    assert country.figures("portfolio/")["period"] == country.figures("period/")["period"] == own
    # It is that of all that the account sees, not that of the scope.
    assert country.figures("portfolio/", client=country.client_named("GARE").pk)["period"] == own
    user = User.objects.create_user(username="all", email="all@example.org", role=Role.ADMIN_GLOBAL)
    boss = ApiUser.for_user(user)
    assert boss.get("dashboard/portfolio/")["period"] == {"start": "2021-01-01", "end": "2024-09-30"}
    assert boss.get("dashboard/portfolio/?country=TG")["period"] == own
    # One end alone: the other one is that of the data.
    assert country.figures("portfolio/", start="2024-01-01")["period"] == {"start": "2024-01-01", "end": "2024-09-30"}
    assert country.figures("portfolio/", end="2024-01-01")["period"] == {"start": "2023-02-03", "end": "2024-01-01"}


def test_a_period_of_one_day_is_compared_with_the_day_before() -> None:
    country = SmallCountry()
    country.claim()
    country.claim(settled=DAY - timedelta(days=1))
    country.claim(settled=DAY - timedelta(days=2))
    country.save()
    answer = country.figures("portfolio/", start=DAY, end=DAY)
    assert answer["previous_period"] == {"start": "2024-06-14", "end": "2024-06-14"}
    claims = answer["indicators"][0]
    assert (claims["value"], claims["previous"]) == (1, 1)
    assert claims["evolution"] == {"type": "same", "percent": "0.00"}
    series = country.figures("series/", indicator="claims", start=DAY, end=DAY)
    assert (series["unit"], series["series"][0]["values"]) == ("day", [1])
    assert series["slots"] == [{"start": "2024-06-15", "end": "2024-06-15", "is_cut": False}]


@pytest.mark.parametrize(
    ("start", "end", "unit", "slots"),
    [
        ("2024-06-05", "2024-07-05", "day", [("2024-06-05", False), ("2024-07-05", False)]),
        # From a Wednesday to a Tuesday.
        ("2024-06-05", "2024-07-09", "week", [("2024-06-05", True), ("2024-07-08", True)]),
        ("2024-06-03", "2024-07-07", "week", [("2024-06-03", False), ("2024-07-01", False)]),
        ("2024-01-15", "2024-06-30", "month", [("2024-01-15", True), ("2024-06-01", False)]),
        ("2024-01-01", "2026-12-31", "month", [("2024-01-01", False), ("2026-12-01", False)]),
        ("2024-01-01", "2027-01-01", "quarter", [("2024-01-01", False), ("2027-01-01", True)]),
        ("2024-02-01", "2027-06-30", "quarter", [("2024-02-01", True), ("2027-04-01", False)]),
    ],
)
def test_slots_are_aligned_to_the_calendar_and_the_cut_ones_say_so(
    start: str, end: str, unit: str, slots: list[tuple[str, bool]]
) -> None:
    answer = SmallCountry().figures("series/", indicator="claims", start=start, end=end)
    found = [(slot["start"], slot["is_cut"]) for slot in answer["slots"]]
    assert (answer["unit"], [found[0], found[-1]]) == (unit, slots)
    # Whole slots lie between them.
    assert all(not is_cut for _start, is_cut in found[1:-1])
    assert (answer["slots"][0]["start"], answer["slots"][-1]["end"]) == (start, end)


def test_a_slot_that_the_period_cuts_has_the_claims_of_the_period_alone() -> None:
    country = SmallCountry()
    for day in (date(2024, 1, 14), date(2024, 1, 15), date(2024, 6, 30), date(2024, 7, 1)):
        country.claim(settled=day, insured=f"AFI {day}")
    country.save()
    answer = country.figures("series/", indicator="claims,known_insured", start="2024-01-15", end="2024-06-30")
    flow, stock = (one["values"] for one in answer["series"])
    assert flow == [1, 0, 0, 0, 0, 1]
    # Who was known before the period stays known.
    assert stock == [2, 2, 2, 2, 2, 3]


# ------------------------------------------------------------------------------------------------ comparisons


@pytest.mark.parametrize(
    ("now", "before", "type_", "percent"),
    [(3, 2, "up", "50.00"), (1, 3, "down", "66.67"), (2, 2, "same", "0.00"), (1, 0, "new", None), (0, 0, "none", None)],
)
def test_an_evolution_has_a_type_and_a_percentage_without_sign(
    now: int, before: int, type_: str, percent: str | None
) -> None:
    country = SmallCountry()
    for _at in range(now):
        country.claim()
    for _at in range(before):
        country.claim(settled=MAY_20)
    country.save()
    claims = country.figures("portfolio/", **JUNE)["indicators"][0]
    assert claims["evolution"] == {"type": type_, "percent": percent}
    assert (claims["value"], claims["previous"]) == (now, before)


def test_equal_amounts_share_a_rank_and_the_next_rank_leaves_a_gap() -> None:
    country = SmallCountry()
    for name, amount in (("B", 500), ("A", 700), ("D", 500), ("C", 100)):
        country.claim(Act(1000, amount), client=name)
    country.claim(Act(1000, 10), client="C", settled=MAY_20)
    country.save()
    ranking = country.figures("rankings/", by="client", **JUNE)
    # Ties are in the order of their ids.
    assert names(ranking) == [(1, "A"), (2, "B"), (2, "D"), (4, "C")]
    assert [row["cumulative_share"] for row in ranking["rows"]] == ["0.3889", "0.6667", "0.9444", "1.0000"]
    assert [row["previous_rank"] for row in ranking["rows"]] == [None, None, None, 1]
    assert [row["evolution"]["type"] for row in ranking["rows"]] == ["new", "new", "new", "up"]
    first = country.figures("rankings/", by="client", limit=2, **JUNE)
    assert (names(first), first["count"]) == ([(1, "A"), (2, "B")], 4)


def test_a_client_without_claims_has_figures_of_nothing() -> None:
    country = SmallCountry()
    country.claim()
    country.save()
    client = country.client_named("GARE").pk
    found = values(country.figures("portfolio/", client=client))
    assert set(found.values()) == {0, "0.00", None}
    assert country.figures("rankings/", by="partner", client=client)["rows"] == []
    assert country.figures("frequency/", client=client)["effects"] is None
    assert country.figures("watch-list/", client=client)["n"] == 0


def test_the_change_of_cost_parts_into_exposure_frequency_and_cost() -> None:
    """Known insured 1 → 2; lines for each of them 1 → 1; cost 4,000 → 5,000: 4,000 + 0 + 2,000."""
    country = SmallCountry()
    country.claim(settled=MAY_20)
    country.claim(Act(8000, 5000))
    country.claim(Act(8000, 5000), insured="KOFI")
    country.save()
    answer = country.figures("frequency/", start="2024-05-26", end="2024-06-25")
    assert answer["previous_period"] == {"start": "2024-04-25", "end": "2024-05-25"}
    assert (answer["known_insured"], answer["previous_known_insured"]) == (2, 1)
    (category,) = answer["rows"]
    assert (category["frequency"], category["cost"], category["change"]) == ("1.0000", "5000.00", "6000.00")
    assert category["effects"] == {"exposure": "4000.00", "frequency": "0.00", "cost": "2000.00"}


def test_a_family_is_ranked_under_the_membership_of_its_principal() -> None:
    country = SmallCountry()
    country.claim(Act(1000, 100), insured="AFI")
    country.claim(Act(1000, 200), insured="CELINE", principal="AFI")
    country.claim(Act(1000, 250), insured="KOFI")
    # The same persons on another policy are another family.
    country.claim(Act(1000, 20), insured="AFI", policy="2")
    country.save()
    ranking = country.figures("rankings/", by="family")
    assert [(row["name"], row["reimbursed"], row["insured"]) for row in ranking["rows"]] == [
        ("AFI", "300.00", 2), ("KOFI", "250.00", 1), ("AFI", "20.00", 1)
    ]  # fmt: skip
    (first,) = [row["id"] for row in ranking["rows"] if row["reimbursed"] == "300.00"]
    found = values(country.figures("portfolio/", family=first))
    assert (found["claims", None], found["known_insured", None], found["insured_who_consumed_child", None]) == (2, 2, 1)


def test_prices_of_two_countries_with_one_currency_are_compared_within_each() -> None:
    """A price that is usual in one country is not dear because another country is cheaper."""
    togo, benin = SmallCountry("TG"), SmallCountry("BJ")
    for country, claimed in ((togo, 1000), (benin, 9000)):
        for partner in ("A", "B"):
            for _at in range(10):
                country.claim(Act(claimed, 500), partner=f"{partner} {country.country.code}")
        country.save()
    user = User.objects.create_user(username="all", email="all@example.org", role=Role.ADMIN_GLOBAL)
    rows = ApiUser.for_user(user).get("dashboard/prices/")["rows"]
    assert [(row["country_median"], row["index"], row["potential"]) for row in rows] == [
        ("1000.00", "1.0000", "0.00"), ("1000.00", "1.0000", "0.00"),
        ("9000.00", "1.0000", "0.00"), ("9000.00", "1.0000", "0.00"),
    ]  # fmt: skip


def test_a_partner_far_above_its_peers_is_to_look_at() -> None:
    country = SmallCountry()
    for at, claimed in enumerate((1000, 1000, 1100, 1100, 1200, 1200, 1300, 5000)):
        for _line in range(10):
            country.claim(Act(claimed, 500), partner=f"P{at}")
    for _line in range(9):
        country.claim(Act(90_000, 500), partner="FEW LINES")
    country.save()
    answer = country.figures("prices/")
    dear = answer["rows"][0]
    assert (dear["partner"]["name"], dear["n"], dear["to_look_at"]) == ("P7", 10, True)
    assert (dear["median"], dear["country_median"], dear["index"]) == ("5000.00", "1150.00", "4.3478")
    assert dear["potential"] == "38500.00"
    assert [row["to_look_at"] for row in answer["rows"]] == [True] + [False] * 7
    assert answer["left_out"] == {"lines_of_few": 9}


@pytest.mark.parametrize("partners", [1, 2, 7])
def test_a_partner_that_costs_what_its_peers_cost_is_not_dear(partners: int) -> None:
    country = SmallCountry()
    for partner in range(partners):
        for at in range(33):
            country.claim(Act(7301 if at % 2 else 4999), insured=f"P{at}", partner=f"PARTNER {partner}")
    rules = {one["rule"]: one["count"] for one in country.save().figures("watch-list/")["rules"]}
    assert (rules["dear_partner"], rules["round_amounts"], rules["many_lines"]) == (0, 0, 0)


def test_the_cost_per_insured_of_a_partner_with_two_currencies_is_that_of_each_currency() -> None:
    country = SmallCountry()
    for at in range(20):
        country.claim(Act(3000), insured=f"P{at}", partner="DEAR")
        country.claim(Act(1000), insured=f"P{at}", partner="CHEAP")
        country.claim(Act(10), insured=f"OTHER {at}", partner="DEAR", currency="EUR")
    (row,) = country.save().figures("watch-list/", rule="dear_partner")["rows"]
    assert (row["about"]["partner"]["name"], row["currency"], row["measure"]) == ("DEAR", "XOF", "3000.0000")


# ------------------------------------------------------------------------------------------------ data that changes


@pytest.mark.django_db(transaction=True)
class TestFiguresFollowAtOnce:
    PAIR = matching_pair(line("A1", operator="KOFFI"), line("A2", "9000", "8000", operator="AMA"))

    @staticmethod
    def figures(api: ApiUser) -> tuple[Any, ...]:
        """Of every kind of kept data: claims, lines, memberships, findings."""
        found = values(api.get("dashboard/portfolio/"))
        left_out = api.get("dashboard/left-out/")
        ranking = api.get("dashboard/rankings/?by=operator")
        return (
            found["claims", None],
            found["reimbursed", "XOF"],
            found["known_insured", None],
            [(row["name"], row["reimbursed"]) for row in ranking["rows"]],
            left_out["n"],
        )

    def test_an_import_an_update_and_an_undo_change_figures_that_are_kept(self) -> None:
        api = ApiUser()
        nothing = (0, "0.00", 0, [], 0)
        assert self.figures(api) == nothing
        first = api.import_pair(*self.PAIR)
        both = (2, "12000.00", 1, [("AMA", "8000.00"), ("KOFFI", "4000.00")], 0)
        assert self.figures(api) == both

        # The same again changes nothing.
        api.import_pair(*self.PAIR)
        assert self.figures(api) == both

        # A claim that differs is left alone and listed: it is a claim of the country, so it is not left out.
        changed = matching_pair(line("A2", "9000", "7000", operator="AMA", settlement_date="03/07/2024"))
        differs = api.import_pair(*changed)
        assert differs.findings_in("conflict")
        assert self.figures(api) == both

        update = api.import_pair(*changed, on_conflict="update")
        assert update.status == "DONE", update.message
        assert self.figures(api) == (2, "11000.00", 1, [("AMA", "7000.00"), ("KOFFI", "4000.00")], 0)
        months = api.get("dashboard/series/?indicator=claims&start=2024-01-01&end=2024-12-31")["series"][0]["values"]
        assert (months[5], months[6]) == (1, 1)

        for outcome in (update, first):
            assert api.steer(outcome.id, "revert").status_code == 200
        after = self.figures(api)
        assert after[0] == len(api.claims())
        assert after[1] == f"{sum(float(claim['reimbursed_amount']) for claim in api.claims().values()):.2f}"

    def test_an_undo_takes_away_all_that_its_session_created(self) -> None:
        api = ApiUser()
        outcome = api.import_pair(*self.PAIR)
        assert self.figures(api)[0] == 2
        assert api.steer(outcome.id, "revert").status_code == 200
        assert self.figures(api) == (0, "0.00", 0, [], 0)
        assert api.get("dashboard/period/")["period"] is None

    def test_a_review_changes_what_is_left_out_and_nothing_else(self) -> None:
        api = ApiUser()
        lines, rows = self.PAIR
        session = api.run(api.send([*lines, line("A3")], [*rows, row("A3", "7000")], dry_run="true"))
        assert session.status == "REVIEW", session.message
        assert self.figures(api) == (0, "0.00", 0, [], 1)
        assert api.steer(session.id, "commit").status_code in (200, 202)
        api.run(session.id)
        assert self.figures(api)[0::4] == (2, 1)

    def test_what_a_deleted_session_left_out_is_no_longer_counted(self) -> None:
        api = ApiUser()
        lines, rows = self.PAIR
        outcome = api.import_pair([*lines, line("A3")], [*rows, row("A3", "7000")])
        before = self.figures(api)
        assert before[4] == 1
        assert api.client.delete(f"/api/v1/import-sessions/{outcome.id}/").status_code in (200, 204)
        # Claims outlive their session; what was not imported is known to the session alone.
        assert self.figures(api) == (*before[:4], 0)

    @pytest.mark.parametrize("status", ["settled", "cancelled"])
    def test_a_claim_that_a_later_session_imports_is_no_longer_left_out(self, status: str) -> None:
        api = ApiUser()
        keep = (line("A1"), row("A1"))
        gap = [line("A2"), line("A2")]
        first = api.import_pair([keep[0], *gap], [keep[1], row("A2", "7000")])
        assert first.numbers("amount_gap") == ["A2"]
        (listed,) = api.get("dashboard/left-out/claims/")["rows"]
        assert (listed["claim_number"], listed["amount"]) == ("A2", "4000.00")
        later = _settled(gap) if status == "settled" else _cancelled(gap)
        outcome = api.import_pair([keep[0], *later[0]], [keep[1], *later[1]])
        assert outcome.status == "DONE", outcome.message
        assert api.claim("A2")["status"] == status
        assert api.get("dashboard/left-out/")["n"] == 0
        assert api.get("dashboard/left-out/claims/")["rows"] == []

    def test_the_latest_finding_of_a_claim_counts(self) -> None:
        api = ApiUser()
        keep = (line("A1"), row("A1"))
        api.import_pair([keep[0], line("A2")], [keep[1], row("A2", "7000")])
        assert api.get("dashboard/left-out/")["rows"][0]["category"] == "amount_gap"
        api.import_pair([keep[0], line("A2", "6000", "5500")], [keep[1]])
        (only,) = api.get("dashboard/left-out/")["rows"]
        assert (only["category"], only["claims"], only["amount"]) == ("missing_in_recap", 1, "5500.00")


def _settled(lines: list[Cells]) -> tuple[list[Cells], list[Cells]]:
    return matching_pair(*lines)


def _cancelled(lines: list[Cells]) -> tuple[list[Cells], list[Cells]]:
    undone = [
        one | {"claim_status": "Annulée", "claimed_amount": "-5000", "reimbursed_amount": "-4000"} for one in lines
    ]
    return [*lines, *undone], []
