"""Every figure leads to the list behind it: its rows are counted and summed, and come to the figure (DOMAIN §8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from statistics import median
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from core.models import Claim
from samples import make_pair
from tests.support.api_user import ApiUser, Json
from tests.support.small_country import Act, SmallCountry
from users.models import Role, User

pytestmark = pytest.mark.django_db

BY = ("client", "policy", "partner", "insured", "family", "operator", "act", "act_category")
OF_LINES = ("operator", "act", "act_category")
KEYS = (
    "claims,lines,claimed,reimbursed,known_insured,insured_who_consumed,insured_who_consumed_child,active_policies,"
    "new_insured"
)
PARTS = {"start": "2024-03-01", "end": "2024-06-20"}


@dataclass
class List:
    """The rows of a list, through all of its pages."""

    rows: list[Json]

    def sum(self, field: str) -> str:
        return f"{sum((Decimal(row[field]) for row in self.rows), Decimal(0)):.2f}"

    @cached_property
    def claims(self) -> int:
        """Distinct claims: the rows are claims, or lines that name theirs."""
        return len({row["claim"]["id"] if "claim" in row else row["id"] for row in self.rows})

    @property
    def amounts(self) -> tuple[str, str]:
        return self.sum("claimed_amount"), self.sum("reimbursed_amount")


class Reader:
    """Asks questions as one account and follows the links in their answers."""

    def __init__(self, user: ApiUser, **scope: Any) -> None:
        self.user = user
        self.scope = scope
        self.links = 0

    def ask(self, path: str, **params: Any) -> Json:
        named = {**self.scope, **params}
        return self.user.get(f"dashboard/{path}?" + "&".join(f"{name}={value}" for name, value in named.items()))

    def blocks(self, path: str, **params: Any) -> Iterator[Json]:
        answer = self.ask(path, **params)
        yield from answer.get("blocks", [answer])

    def follow(self, url: str) -> List:
        self.links += 1
        path = url.removeprefix("/api/v1/")
        if not path.startswith("dashboard/"):
            return List(self.user.all(path))
        first = self.user.get(path)
        return List([*first["rows"], *(r for page in range(2, first.get("pages", 1) + 1)
                                       for r in self.user.get(f"{path}&page={page}")["rows"])])  # fmt: skip


@pytest.fixture(scope="module")
def users(database: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, ApiUser]:
    """An imported country and one whose claims have what the watch list looks for."""
    admin = ApiUser("TG")
    folder = tmp_path_factory.mktemp("pair")
    files = make_pair(folder, claims=70, seed=5, world_seed=7, start=date(2024, 1, 1), days=250, fmt="csv")["files"]
    uploads = [SimpleUploadedFile(name, (folder / name).read_bytes()) for name in [files["stat"], *files["recaps"]]]
    assert admin.import_pair(uploads[0], uploads[1:]).status == "DONE_WITH_ERRORS"
    boss = User.objects.create_user(username="all", email="all@example.org", role=Role.ADMIN_GLOBAL)
    return {"admin": admin, "global": ApiUser.for_user(boss), "watched": watched_country()}


def watched_country() -> SmallCountry:
    """Claims that every rule of the watch list finds something in, in two currencies."""
    country = SmallCountry("GN", "GNF")
    day = date(2024, 5, 6)
    for partner in ("BIASA", "ESPOIR"):
        country.claim(Act(7000, 6000, invoice="F1"), incident=day, partner=partner)
        country.claim(Act(7000, 6000, invoice="F1"), incident=day, partner=partner, insured="KOFI", settled=day)
    country.claim(Act(7000, 6000), Act(7000, 6000), incident=day, settled=date(2024, 6, 1))
    country.claim(Act(7000, 6000), incident=date(2024, 8, 1))
    country.claim(Act(7000, 6000), incident=day, currency="XOF")
    for at in range(25):
        for partner, claimed in (("BIASA", 5000), ("ESPOIR", 4999)):
            country.claim(Act(claimed, 900 + at), partner=partner, insured=f"P{at}", settled=day + timedelta(days=at))
    return country.save()  # type: ignore[return-value]


def insured_country(code: str, currency: str) -> SmallCountry:
    """Clients that have a premium for all claims, for some, in another currency, and none; claims of no client."""
    country = SmallCountry(code, currency)
    for month in range(1, 9):
        day = date(2024, month, 12)
        for at, client in enumerate(("PORT", "GARE", "MINE", "RADIO", None)):
            paid = 1000 * month + 100 * at
            country.claim(Act(paid + 50, paid), client=client, settled=day, incident=day - timedelta(days=30))
            country.claim(Act(paid, paid), client=client, settled=day + timedelta(days=9), currency="EUR")
    country.premium(90_000, date(2024, 1, 1), date(2024, 12, 31))
    country.premium(20_000, date(2024, 2, 1), date(2024, 3, 12), client="GARE")
    country.premium(20_000, date(2024, 6, 1), date(2024, 12, 31), client="GARE")
    country.premium(70_000, date(2024, 1, 1), date(2024, 12, 31), client="MINE", currency="EUR")
    return country.save()


def check_portfolio(reader: Reader, **period: Any) -> None:
    of_lines = reader.scope.keys() & set(OF_LINES)
    for one in reader.ask("portfolio/", **period)["indicators"]:
        found, key, value = reader.follow(one["url"]), one["key"], one["value"]
        if one["unit"] == "count":
            assert value == (found.claims if key == "claims" else len(found.rows)), one
            continue
        claimed, reimbursed = found.amounts
        assert one["n"] == found.claims
        if key in ("claimed", "reimbursed"):
            assert value == (claimed if key == "claimed" else reimbursed), one
        elif key == "reimbursement_rate":
            assert value == _quotient(reimbursed, Decimal(claimed), "0.0001"), one
        elif key == "cost_per_claim":
            assert value == _quotient(reimbursed, found.claims, "0.01"), one
        else:
            assert key == "cost_per_insured"
            claims = [row["claim"]["id"] for row in found.rows] if of_lines else [row["id"] for row in found.rows]
            people = Claim.objects.filter(pk__in=claims).values("insured_id").distinct().count()
            assert value == _quotient(reimbursed, people, "0.01"), one


def _quotient(part: str, whole: int | Decimal, places: str) -> str | None:
    return str((Decimal(part) / whole).quantize(Decimal(places), ROUND_HALF_UP)) if whole else None


def check_series(reader: Reader, **period: Any) -> None:
    for one in reader.ask("series/", indicator=KEYS, **period)["series"]:
        found, key = reader.follow(one["url"]), one["key"]
        if key in ("claimed", "reimbursed"):
            assert sum(map(Decimal, one["values"])) == Decimal(found.sum(f"{key}_amount"))
        elif key in ("claims", "lines", "new_insured"):
            assert sum(one["values"]) == (found.claims if key == "claims" else len(found.rows))
        elif key == "known_insured":
            assert one["values"][-1] == len(found.rows)
        else:
            assert max(one["values"]) <= len(found.rows) <= sum(one["values"])


def check_rankings(reader: Reader, by: str, limit: int = 1000, **period: Any) -> None:
    for block in reader.blocks("rankings/", by=by, limit=limit, **period):
        for row in [block["total"], *block["rows"]]:
            found = reader.follow(row["url"])
            assert (row["claimed"], row["reimbursed"]) == found.amounts, row
            assert row["claims"] == found.claims


def check_delay(reader: Reader, **period: Any) -> None:
    for band in reader.ask("delay/", **period)["bands"]:
        assert reader.follow(band["url"]).claims == band["claims"], band


def check_frequency(reader: Reader, **period: Any) -> None:
    for block in reader.blocks("frequency/", **period):
        for row in block["rows"]:
            found = reader.follow(row["url"])
            assert (len(found.rows), found.sum("reimbursed_amount")) == (row["lines"], row["reimbursed"]), row


def check_concentration(reader: Reader, **period: Any) -> None:
    for block in reader.blocks("concentration/", **period):
        path = block["url"].removeprefix("/api/v1/")
        ranking = reader.user.get(f"{path}&limit=1000")
        (own,) = [one for one in ranking.get("blocks", [ranking]) if one["currency"] == block["currency"]]
        assert own["count"] == block["insured"]


def check_triangle(reader: Reader, **period: Any) -> None:
    for block in reader.blocks("triangle/", **period):
        for row in block["projection"]:
            found = reader.follow(row["url"])
            assert (found.claims, found.sum("reimbursed_amount")) == (row["claims"], row["paid"]), row


def check_prices(reader: Reader, **period: Any) -> None:
    for block in reader.blocks("prices/", **period):
        for row in block["rows"]:
            found = reader.follow(row["url"])
            middle = median(Decimal(one["claimed_amount"]) for one in found.rows)
            assert (len(found.rows), f"{middle:.2f}") == (row["n"], row["median"])


def check_left_out(reader: Reader, **period: Any) -> None:
    for block in reader.blocks("left-out/", **period):
        for row in block["rows"]:
            found = reader.follow(row["url"])
            assert (len(found.rows), found.sum("amount")) == (row["claims"], row["amount"])
            assert {one["category"] for one in found.rows} == {row["category"]}
        for month in block["reconciliation"]:
            found = reader.follow(month["url"])
            assert (found.claims, found.sum("reimbursed_amount")) == (month["imported"], month["imported_amount"])


def check_quality(reader: Reader, by: str, **period: Any) -> None:
    for row in reader.ask("quality/", by=by, **period)["rows"]:
        if row["url"] is None:
            assert row["lines"] == row["lines_left_out"]
            continue
        found = reader.follow(row["url"])
        assert len(found.rows) == row["lines"] - row["lines_left_out"]
        assert found.claims == row["claims"] - row["claims_left_out"]


def check_loss_ratio(reader: Reader, by: str, **period: Any) -> None:
    for block in reader.blocks("loss-ratio/", by=by, limit=1000, **period):
        rows = [block["total"], *block["rows"]]
        for row, details in zip(rows, [block["total_details"], *block["details"]], strict=True):
            found = reader.follow(row["url"])
            assert (found.claims, found.sum("reimbursed_amount")) == (details["n"], row["reimbursed_covered"]), row
            assert reader.follow(details["outside_url"]).sum("reimbursed_amount") == row["reimbursed_outside"], row
        found, without = reader.follow(block["without_premium_url"]), block["without_premium"]
        assert found.sum("reimbursed_amount") == without["reimbursed"], block["without_premium_url"]
        assert len({row["client"]["id"] for row in found.rows}) == without["clients"]
        covered = {row["id"]: row["reimbursed_covered"] for row in block["rows"]}
        assert {row["id"] for row in block["ranking"]} == covered.keys()
        for row in block["ranking"]:
            assert reader.follow(row["url"]).sum("reimbursed_amount") == covered[row["id"]], row
        for point in block["rolling"]:
            assert reader.follow(point["url"]).sum("reimbursed_amount") == point["reimbursed_covered"], point
        for month in block["by_incident"]["rows"]:
            assert reader.follow(month["url"]).sum("reimbursed_amount") == month["reimbursed"], month


def check_watch_list(reader: Reader, **period: Any) -> set[str]:
    """→ the rules that have rows."""
    with_rows = set()
    for rule in reader.ask("watch-list/", **period)["rules"]:
        rows = reader.user.get(rule["url"].removeprefix("/api/v1/"))["rows"]
        assert len(rows) == rule["count"]
        sums: dict[str, Decimal] = {}
        for row in rows:
            with_rows.add(rule["rule"])
            sums[row["currency"]] = sums.get(row["currency"], Decimal(0)) + Decimal(row["amount"])
            if "claim" in row["about"]:
                claim = reader.user.get(row["url"].removeprefix("/api/v1/"))
                assert (claim["reimbursed_amount"], len(claim["lines"])) == (row["amount"], row["lines"])
                continue
            found = reader.follow(row["url"])
            assert (len(found.rows), found.sum("reimbursed_amount")) == (row["lines"], row["amount"]), row
            assert sorted({one["claim"]["id"] for one in found.rows})[:50] == row["claims"]
        assert {currency: f"{amount:.2f}" for currency, amount in sums.items()} == rule["amounts"]
    return with_rows


def check_all(reader: Reader, *, limit: int = 1000, **period: Any) -> None:
    check_portfolio(reader, **period)
    check_series(reader, **period)
    for by in BY:
        check_rankings(reader, by, limit, **period)
    check_delay(reader, **period)
    check_frequency(reader, **period)
    check_concentration(reader, **period)
    check_triangle(reader, **period)
    check_prices(reader, **period)
    if not reader.scope.keys() & {"insured", "family"}:
        check_left_out(reader, **period)
        for by in ("operator", "partner", "month"):
            check_quality(reader, by, **period)


def test_every_figure_of_a_country_is_the_sum_of_the_list_behind_it(users: dict[str, ApiUser]) -> None:
    reader = Reader(users["admin"])
    check_all(reader)
    check_watch_list(reader)
    assert reader.links > 200


def test_every_figure_of_a_part_of_the_time_and_several_countries_is_the_sum_of_its_list(
    users: dict[str, ApiUser],
) -> None:
    check_all(Reader(users["global"]), limit=10, **PARTS)
    check_all(Reader(users["global"], country="TG"), limit=3, **PARTS)


@pytest.mark.parametrize("kind", BY)
def test_every_figure_of_a_scope_is_the_sum_of_the_list_behind_it(users: dict[str, ApiUser], kind: str) -> None:
    first = users["admin"].get(f"dashboard/rankings/?by={kind}")["rows"][1]["id"]
    check_all(Reader(users["admin"], **{kind: first}), limit=4, start="2024-02-10", end="2024-08-31")


@pytest.mark.parametrize("by", ["client", "country"])
def test_every_sum_of_the_loss_ratio_is_that_of_the_claims_that_it_leads_to(users: dict[str, ApiUser], by: str) -> None:
    togo, cameroon = insured_country("T1", "XOF"), insured_country("C1", "XAF")
    (in_francs,) = [one for one in togo.figures("loss-ratio/", by=by)["blocks"] if one["currency"] == "XOF"]
    assert in_francs["without_premium"]["clients"] == 2
    assert Decimal(in_francs["total"]["reimbursed_outside"]) > 0
    check_loss_ratio(Reader(togo), by, start="2024-03-13", end="2024-05-31")
    check_loss_ratio(Reader(users["global"]), by, start="2024-02-20", end="2024-06-12")
    check_loss_ratio(Reader(users["global"], country="C1"), by)
    check_loss_ratio(Reader(cameroon, client=cameroon.client_named("GARE").pk), by)


def test_every_rule_of_the_watch_list_leads_to_its_lines(users: dict[str, ApiUser]) -> None:
    assert check_watch_list(Reader(users["watched"])) == {
        "same_act_twice", "invoice_of_two_families", "two_partners_on_one_day", "dear_partner", "above_coverage_rate",
        "incident_after_settlement", "round_amounts", "many_lines",
    }  # fmt: skip
    check_watch_list(Reader(users["watched"]), start="2024-05-10", end="2024-06-10")
    check_watch_list(Reader(users["global"]), start="2024-04-10", end="2024-06-20")
    assert check_watch_list(Reader(users["watched"], act_category=users["watched"].category("PHARMACIE").pk))  # type: ignore[attr-defined]
    check_prices(Reader(users["watched"]))


def test_figures_of_files_and_sessions_lead_to_their_lists(users: dict[str, ApiUser]) -> None:
    reader = Reader(users["admin"])
    files = reader.ask("files/")
    assert len(reader.follow(files["url"]).rows) == files["total_files"] > 0
    sessions = reader.ask("import-sessions/")
    assert len(reader.follow(sessions["url"]).rows) == sessions["total_sessions"] == 1
    for one in sessions["by_status"]:
        assert len(reader.follow(one["url"]).rows) == one["count"], one
