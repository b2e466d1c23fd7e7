"""Every figure of the dashboard against the reference in plain Python, for every scope and role (DOMAIN §8)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from file_handling.models import ImportSession
from samples import make_pair
from tests.support import figures as reference
from tests.support.api_user import ApiUser
from tests.support.compared_figures import Json, Question, ask_all, compare_portfolio, compare_triangle
from users.models import Country, Role, User

pytestmark = pytest.mark.django_db

# Two years of two countries with two currencies, which start on different days; a third country shares a currency.
PAIRS: list[tuple[str, dict[str, Any]]] = [
    ("TG", {"claims": 60, "seed": 11, "start": date(2023, 2, 1), "days": 200}),
    ("TG", {"claims": 500, "seed": 12, "start": date(2024, 1, 1), "days": 300}),
    ("BJ", {"claims": 120, "seed": 31, "start": date(2024, 2, 1), "days": 90}),
    ("GN", {"claims": 40, "seed": 21, "start": date(2023, 6, 10), "days": 150}),
    ("GN", {"claims": 70, "seed": 22, "start": date(2024, 3, 5), "days": 330}),
]
CURRENCIES = {"TG": "XOF", "BJ": "XOF", "GN": "GNF"}
# Sessions so many days old: one of each age.
AGES = [100, 75, 61, 45, 5]
SCOPES = ("client", "policy", "insured", "family", "partner", "operator", "act", "act_category")
PERIODS = [
    (date(2024, 2, 15), date(2024, 3, 10)),
    (date(2024, 1, 17), date(2024, 4, 2)),
    (date(2024, 1, 1), date(2024, 12, 31)),
    (date(2021, 5, 1), date(2025, 1, 31)),
]


@dataclass
class World:
    countries: dict[str, Country]
    users: dict[str, ApiUser]
    portfolios: dict[str, reference.Portfolio]

    def question(self, name: str, code: str = "", **more: Any) -> Question:
        """A question about all that the account sees, or about one country, whose answers it compares with."""
        user = self.users[name]

        def ask(path: str, **params: Any) -> Json:
            return user.get(f"dashboard/{path}?" + "&".join(f"{key}={value}" for key, value in params.items()))

        whole = self.portfolios[code]
        start, end = reference.span(whole) or (date.min, date.max)
        countries = tuple(sorted(one.pk for key, one in self.countries.items() if code in ("", key)))
        return Question(ask, whole, whole, start, end, countries, **more)


@pytest.fixture(scope="module")
def world(database: None, tmp_path_factory: pytest.TempPathFactory) -> World:
    admins = {code: ApiUser(code) for code in CURRENCIES}
    for code, currency in CURRENCIES.items():
        Country.objects.filter(code=code).update(currency_code=currency)
    for (code, options), age in zip(PAIRS, AGES, strict=True):
        session = import_pair(admins[code], tmp_path_factory.mktemp("pair"), world_seed=7, fmt="csv", **options)
        day = timezone.now() - timedelta(days=age)
        ImportSession.objects.filter(pk=session).update(created_at=day)
    countries = {code: admin.country for code, admin in admins.items()}
    users = {
        "togo_admin": admins["TG"],
        "guinea_admin": admins["GN"],
        "togo_head": _account("head", Role.CHEF_DEPT_TECH, countries["TG"]),
        "togo_operator": _account("operator", Role.RESP_OPERATEUR, countries["TG"]),
        "global_admin": _account("global", Role.ADMIN_GLOBAL, None),
        "superuser": _account("super", Role.SUPERUSER, None),
    }
    ids = {code: [country.pk] for code, country in countries.items()} | {"": [one.pk for one in countries.values()]}
    return World(countries, users, {code: reference.read(wanted) for code, wanted in ids.items()})


def import_pair(admin: ApiUser, folder: Path, **options: Any) -> int:
    files = make_pair(folder, **options)["files"]

    def upload(name: str) -> SimpleUploadedFile:
        return SimpleUploadedFile(name, (folder / name).read_bytes())

    outcome = admin.import_pair(upload(files["stat"]), [upload(name) for name in files["recaps"]])
    assert outcome.status == "DONE_WITH_ERRORS", outcome.message
    return outcome.id


def _account(name: str, role: Role, country: Country | None) -> ApiUser:
    user = User.objects.create_user(username=name, email=f"{name}@example.org", role=role, country=country)
    return ApiUser.for_user(user)


def _in_scope(question: Question, kind: str, id_: int) -> Question:
    return replace(question, scope=reference.in_scope(question.whole, kind, id_), scope_kind=kind, scope_id=id_)


def _ids(portfolio: reference.Portfolio, kind: str) -> list[int]:
    """The record with the most claims, and one that has few."""
    counts: Counter[int] = Counter()
    for claim in portfolio.claims:
        ids = {getattr(line, kind) for line in claim.lines} if hasattr(claim.lines[0], kind) else {getattr(claim, kind)}
        counts.update(ids - {None})
    ordered = [id_ for id_, _count in counts.most_common()]
    return [ordered[0], ordered[-len(ordered) // 3]]


def test_every_figure_of_all_countries_is_that_of_the_reference(world: World) -> None:
    question = world.question("global_admin")
    assert question.ask("period/")["period"] == {"start": question.start.isoformat(), "end": question.end.isoformat()}
    assert question.currencies == ["XOF", "GNF"]
    ask_all(question)


@pytest.mark.parametrize("period", PERIODS, ids=lambda days: f"{(days[1] - days[0]).days + 1} days")
def test_every_figure_of_any_period_is_that_of_the_reference(world: World, period: tuple[date, date]) -> None:
    start, end = period
    ask_all(replace(world.question("superuser"), start=start, end=end))


@pytest.mark.parametrize("kind", SCOPES)
def test_every_figure_of_a_scope_is_that_of_the_reference(world: World, kind: str) -> None:
    question = world.question("global_admin")
    for id_, (start, end) in zip(_ids(question.whole, kind), [(question.start, question.end), PERIODS[2]], strict=True):
        ask_all(_in_scope(replace(question, start=start, end=end), kind, id_))


@pytest.mark.parametrize("name", ["togo_admin", "togo_head", "togo_operator"])
def test_an_account_gets_the_figures_of_its_own_country_whatever_country_it_asks_for(world: World, name: str) -> None:
    question = world.question(name, "TG")
    ask_all(question)
    other = replace(question, ask=lambda path, **params: question.ask(path, country="GN", **params))
    compare_portfolio(other)
    compare_triangle(other)
    # A record of another country narrows its figures to nothing.
    partner = world.portfolios["GN"].claims[0].partner
    foreign = _in_scope(question, "partner", partner)
    assert not foreign.scope.claims
    compare_portfolio(foreign)


@pytest.mark.parametrize("named", ["GN", "gn", "id"])
def test_a_global_account_gets_the_figures_of_the_country_that_it_names(world: World, named: str) -> None:
    question = world.question("global_admin", "GN")
    country = world.countries["GN"].pk if named == "id" else named
    ask_all(replace(question, ask=lambda path, **params: question.ask(path, country=country, **params)))


def test_an_account_of_another_country_gets_other_figures(world: World) -> None:
    ask_all(world.question("guinea_admin", "GN"))


def test_the_pairs_have_what_the_figures_are_about(world: World) -> None:
    """Otherwise the comparisons would compare nothing with nothing."""
    answers = {path: world.users["togo_admin"].get(f"dashboard/{path}") for path in (
        "triangle/", "left-out/", "delay/", "quality/?by=operator", "frequency/?start=2024-01-01&end=2024-10-26"
    )}  # fmt: skip
    triangle = answers["triangle/"]
    assert {row["state"] for row in triangle["projection"]} == {"estimated", "too_young", "left_out"}
    assert triangle["back_test"]["rows"]
    assert {row["age"] for row in answers["left-out/"]["rows"]} == {"61-90", "91+"}
    assert len({row["category"] for row in answers["left-out/"]["rows"]}) == 6
    assert all(month["left_out"] for month in answers["left-out/"]["reconciliation"][-3:])
    assert all(band["claims"] for band in answers["delay/"]["bands"][:3])
    assert {row["share_left_out"] > "0" for row in answers["quality/?by=operator"]["rows"]} == {True}
    effects = answers["frequency/?start=2024-01-01&end=2024-10-26"]["effects"]
    assert all(effects[name] != "0.00" for name in ("exposure", "frequency", "cost"))


# ------------------------------------------------------------------------------------------------ shapes
ABOUT = {
    "definition", "basis", "period", "previous_period", "countries", "scope", "currencies", "n", "left_out",
}  # fmt: skip


def test_the_shapes_of_the_answers_are_those_that_clients_rely_on(world: World) -> None:
    ask = world.question("togo_admin", "TG").ask
    portfolio = ask("portfolio/")
    assert set(portfolio) == ABOUT | {"indicators"}
    assert all(
        set(one) == {"key", "unit", "currency", "value", "previous", "evolution", "n", "basis", "url"}
        for one in portfolio["indicators"]
    )
    assert [one["key"] for one in portfolio["indicators"]] == [
        "claims", "lines", "claimed", "reimbursed", "reimbursement_rate", "cost_per_claim", "cost_per_insured",
        "insured_who_consumed", "insured_who_consumed_primary", "insured_who_consumed_spouse",
        "insured_who_consumed_child", "insured_who_consumed_other", "known_insured", "known_insured_primary",
        "known_insured_spouse", "known_insured_child", "known_insured_other", "active_clients", "active_policies",
        "active_partners", "active_operators", "new_clients", "new_insured", "new_partners",
        "clients_without_premium",
    ]  # fmt: skip
    units = {one["key"]: one["unit"] for one in portfolio["indicators"]}
    assert units["claims"] == "count"
    assert units["reimbursed"] == "XOF"
    assert units["reimbursement_rate"] == "ratio"
    assert set(portfolio["indicators"][0]["evolution"]) == {"type", "percent"}

    series = ask("series/", indicator="claims,reimbursed")
    assert set(series) == ABOUT | {"unit", "slots", "series"}
    assert set(series["slots"][0]) == {"start", "end", "is_cut"}
    assert [set(one) for one in series["series"]] == [{"key", "unit", "currency", "values", "url"}] * 2
    assert isinstance(series["series"][0]["values"][0], int)
    assert isinstance(series["series"][1]["values"][0], str)

    ranking = ask("rankings/", by="client")
    assert set(ranking) == ABOUT | {"by", "currency", "rows", "count", "total"}
    assert set(ranking["rows"][0]) == {
        "rank", "id", "name", "reimbursed", "claimed", "share", "cumulative_share", "claims", "insured",
        "cost_per_insured", "evolution", "previous_rank", "url",
    }  # fmt: skip
    assert set(ranking["total"]) == {
        "reimbursed", "claimed", "share", "claims", "insured", "cost_per_insured", "evolution", "url"
    }  # fmt: skip

    delay = ask("delay/")
    assert set(delay) == ABOUT | {"median", "p90", "bands"}
    assert [band["key"] for band in delay["bands"]] == ["0-7", "8-30", "31-90", "91+", "negative", "unknown"]
    assert set(delay["bands"][0]) == {"key", "claims", "share", "url"}

    triangle = ask("triangle/")
    assert set(triangle) == ABOUT | {
        "currency", "months", "cumulative", "link_ratios", "completion", "projection", "back_test"
    }  # fmt: skip
    assert set(triangle["projection"][0]) == {"month", "claims", "paid", "ultimate", "outstanding", "state", "url"}
    assert set(triangle["back_test"]) == {"as_of", "rows", "expected", "came"}

    left_out = ask("left-out/")
    assert set(left_out) == ABOUT | {"as_of", "currency", "rows", "reconciliation"}
    assert set(left_out["rows"][0]) == {"category", "age", "claims", "amount", "url"}
    assert set(left_out["reconciliation"][0]) == {
        "month", "imported", "left_out", "imported_amount", "left_out_amount", "rate_claims", "rate_amount",
        "url",
    }  # fmt: skip


def test_money_of_two_currencies_stands_in_two_blocks(world: World) -> None:
    answer = world.question("global_admin").ask("rankings/", by="act_category")
    assert [block["currency"] for block in answer["blocks"]] == answer["currencies"] == ["XOF", "GNF"]
    assert {name: answer[name] for name in answer["blocks"][0]} == answer["blocks"][0]
    money = [one for one in world.question("global_admin").ask("portfolio/")["indicators"] if one["key"] == "claimed"]
    assert [one["currency"] for one in money] == ["XOF", "GNF"]
