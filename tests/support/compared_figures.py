"""Comparisons of the answers of the dashboard's API with the reference (`tests.support.figures`), figure by figure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from core import models as core
from tests.support import figures as reference
from tests.support import figures_left_out, figures_to_look_at, figures_triangle
from tests.support.figures import Portfolio
from users.models import Country

Json = dict[str, Any]
Ask = Callable[..., Json]
BY = ("client", "policy", "partner", "insured", "family", "operator", "act", "act_category")


@dataclass(frozen=True)
class Question:
    """`whole`: all that the account sees; `scope`: the part of it that is asked about; `countries`: their ids."""

    ask: Ask
    whole: Portfolio
    scope: Portfolio
    start: date
    end: date
    countries: tuple[int, ...]
    scope_kind: str = ""
    scope_id: int = 0

    @property
    def days(self) -> tuple[date, date]:
        return self.start, self.end

    @property
    def currencies(self) -> list[str]:
        own = Country.objects.filter(pk__in=self.countries).order_by("pk").values_list("currency_code", flat=True)
        return reference.currencies(self.scope, *self.days) or list(dict.fromkeys(own))

    def answer(self, path: str, **params: Any) -> Json:
        scope = {self.scope_kind: self.scope_id} if self.scope_kind else {}
        answer = self.ask(path, start=self.start, end=self.end, **scope, **params)
        assert answer["period"] == {"start": self.start.isoformat(), "end": self.end.isoformat()}
        return answer


def ask_all(question: Question) -> None:
    """Compare every figure of every address."""
    compare_portfolio(question)
    compare_series(question)
    for by in BY:
        compare_ranking(question, by)
    compare_concentration(question)
    compare_frequency(question)
    compare_delay(question)
    compare_triangle(question)
    compare_prices(question)
    for rule in figures_to_look_at.RULES:
        compare_rule(question, rule)
    if question.scope_kind not in ("insured", "family"):
        compare_left_out(question)
        for by in ("operator", "partner", "month"):
            compare_quality(question, by)


def blocks_of(answer: Json) -> dict[str, Json]:
    """Currency → block; the first block stands in the answer itself, too."""
    blocks = answer.get("blocks", [answer])
    assert all(answer[name] == value for name, value in blocks[0].items())
    assert [block["currency"] for block in blocks][: len(answer["currencies"])] == answer["currencies"]
    return {block["currency"]: block for block in blocks}


def _only(row: Json, names: Any) -> Json:
    return {name: row[name] for name in names}


def compare_portfolio(question: Question) -> None:
    answer = question.answer("portfolio/")
    assert answer["currencies"] == question.currencies
    before = reference.previous(*question.days)
    assert answer["previous_period"] == {"start": before[0].isoformat(), "end": before[1].isoformat()}
    now, then = (
        reference.portfolio_values(question.scope, *days, question.currencies) for days in (question.days, before)
    )
    found = {(one["key"], one["currency"]): one for one in answer["indicators"]}
    assert {key: one["value"] for key, one in found.items()} == now
    assert {key: one["previous"] for key, one in found.items()} == then
    assert {key: one["evolution"] for key, one in found.items()} == {
        key: reference.evolution(value, then[key]) for key, value in now.items()
    }
    claims = reference.within(question.scope, *question.days)
    counts = {currency: sum(1 for one in claims if one.currency == currency) for currency in question.currencies}
    assert {one["n"] for (_key, currency), one in found.items() if currency is None} == {len(claims)}
    assert all(one["n"] == counts[currency] for (_key, currency), one in found.items() if currency)
    assert answer["n"] == len(claims)


def compare_series(question: Question) -> None:
    keys = sorted({key for key, _currency in reference.portfolio_values(question.scope, *question.days, ["XOF"])})
    answer = question.answer("series/", indicator=",".join(keys))
    unit, slots = reference.slots(*question.days)
    assert (answer["unit"], answer["slots"]) == (unit, slots)
    expected: dict[tuple[str, str | None], list[Any]] = {}
    for slot in slots:
        days = date.fromisoformat(slot["start"]), date.fromisoformat(slot["end"])
        for key, value in reference.portfolio_values(question.scope, *days, question.currencies).items():
            expected.setdefault(key, []).append(value)
    assert {(one["key"], one["currency"]): one["values"] for one in answer["series"]} == expected


def compare_ranking(question: Question, by: str) -> None:
    blocks = blocks_of(question.answer("rankings/", by=by, limit=1000))
    for currency in question.currencies:
        expected = reference.ranking(question.scope, *question.days, by, currency)
        rows = blocks[currency]["rows"]
        assert [_only(row, expected[0]) for row in rows] == expected
        total = reference.ranking_total(question.scope, *question.days, currency)
        assert _only(blocks[currency]["total"], total) == total
        assert blocks[currency]["count"] == len(expected)


def compare_concentration(question: Question) -> None:
    blocks = blocks_of(question.answer("concentration/"))
    for currency in question.currencies:
        expected = reference.concentration(question.scope, *question.days, currency)
        assert _only(blocks[currency], expected) == expected


def compare_frequency(question: Question) -> None:
    blocks = blocks_of(question.answer("frequency/"))
    for currency in question.currencies:
        expected, block = reference.frequency(question.scope, *question.days, currency), blocks[currency]
        names = ("currency", "known_insured", "previous_known_insured")
        assert _only(block, names) == _only(expected, names)
        for row, wanted in zip(block["rows"], expected["rows"], strict=True):
            effects = wanted.pop("effects")
            assert _only(row, wanted) == wanted
            _compare_effects(row["effects"], effects, Decimal(row["change"]))
        change = sum((Decimal(row["change"]) for row in block["rows"]), Decimal(0))
        _compare_effects(block["effects"], expected["effects"], change)


def _compare_effects(shown: Json | None, effects: list[Fraction] | None, change: Decimal) -> None:
    assert (shown is None) == (effects is None)
    if shown is not None and effects is not None:
        amounts = [Decimal(shown[name]) for name in ("exposure", "frequency", "cost")]
        # What rounding leaves goes to one of the three: together they are the change exactly.
        assert sum(amounts) == change
        assert all(abs(Fraction(a) - e) <= Fraction(2, 100) for a, e in zip(amounts, effects, strict=True))


def compare_delay(question: Question) -> None:
    answer = question.answer("delay/")
    expected = reference.delay(question.scope, *question.days)
    assert [_only(band, ("key", "claims", "share")) for band in answer["bands"]] == expected["bands"]
    assert _only(answer, ("n", "median", "p90")) == _only(expected, ("n", "median", "p90"))


def _near(shown: str | None, exact: Fraction | None, places: int) -> bool:
    if shown is None or exact is None:
        return shown is None and exact is None
    return abs(Fraction(Decimal(shown)) - exact) <= Fraction(51, 100) / 10**places


def compare_triangle(question: Question) -> None:
    answer = question.answer("triangle/")
    blocks = blocks_of(answer)
    for at, currency in enumerate(question.currencies):
        expected = figures_triangle.triangle(question.whole, question.scope, *question.days, currency)
        block = blocks[currency]
        if at == 0:
            assert (answer["n"], answer["left_out"]) == (expected["n"], expected["left_out"])
        assert block["months"] == expected["months"]
        cells = [[None if cell is None else f"{cell:.2f}" for cell in row] for row in expected["cumulative"]]
        assert block["cumulative"] == cells
        assert len(block["link_ratios"]) == len(expected["link_ratios"])
        assert all(_near(*pair, 4) for pair in zip(block["link_ratios"], expected["link_ratios"], strict=True))
        assert all(_near(*pair, 4) for pair in zip(block["completion"], expected["completion"], strict=True))
        for row, (month, claims, paid, outstanding, state) in zip(
            block["projection"], expected["projection"], strict=True
        ):
            assert (row["month"], row["claims"], row["paid"], row["state"]) == (month, claims, f"{paid:.2f}", state)
            assert _near(row["outstanding"], outstanding, 2)
            assert _near(row["ultimate"], None if outstanding is None else Fraction(paid) + outstanding, 2)
        _compare_back_test(block["back_test"], expected["back_test"])


def _compare_back_test(shown: Json | None, expected: Json | None) -> None:
    assert (shown is None) == (expected is None)
    if shown is not None and expected is not None:
        assert shown["as_of"] == expected["as_of"]
        for row, (month, said, came) in zip(shown["rows"], expected["rows"], strict=True):
            assert (row["month"], row["came"]) == (month, f"{came:.2f}")
            assert _near(row["expected"], said, 2)
        for name in ("expected", "came"):
            assert Decimal(shown[name]) == sum((Decimal(row[name]) for row in shown["rows"]), Decimal(0))


def compare_prices(question: Question) -> None:
    blocks = blocks_of(question.answer("prices/", limit=1000))
    for currency in question.currencies:
        expected = figures_to_look_at.prices(question.scope, *question.days, currency)
        rows = [row | {"act": row["act"]["id"], "partner": row["partner"]["id"]} for row in blocks[currency]["rows"]]
        assert [_only(row, expected[0]) for row in rows] == expected


def compare_rule(question: Question, rule: str) -> None:
    answer = question.answer("watch-list/", rule=rule, limit=1000)
    expected = figures_to_look_at.watch_list(question.scope, *question.days, rule)
    found = {}
    for row in answer["rows"]:
        about = tuple(_about(value) for value in row["about"].values())
        found[(*about, row["currency"])] = row
    assert set(found) == set(expected), rule
    for key, row in found.items():
        wanted = expected[key]
        assert (row["lines"], row["amount"]) == (wanted["lines"], wanted["amount"])
        assert (row["claims"], row["claim_count"]) == (wanted["claims"][:50], len(wanted["claims"]))
        assert _near(row["measure"], wanted["measure"], 4)
    assert answer["count"] == len(expected)
    amounts = [Decimal(row["amount"]) for row in answer["rows"]]
    assert amounts == sorted(amounts, reverse=True)


def _about(value: Any) -> Any:
    if isinstance(value, dict):
        return value["id"]
    # Days, and the claimed amount.
    return Decimal(value) if "." in value else date.fromisoformat(value)


def compare_left_out(question: Question) -> None:
    answer = question.answer("left-out/")
    blocks = blocks_of(answer)
    today = date.fromisoformat(answer["as_of"])
    missing = _missing(question)
    assert set(blocks) == {*question.currencies, *(one.currency for one in missing)}
    for currency, block in blocks.items():
        rows = [_only(row, ("category", "age", "claims", "amount")) for row in block["rows"]]
        assert rows == figures_left_out.by_age(missing, currency, today)
        months = figures_left_out.reconciliation(question.scope, missing, *question.days, currency)
        assert [_only(month, months[0]) for month in block["reconciliation"]] == months
    assert answer["n"] == len(missing)
    assert answer["left_out"] == {"undated": sum(1 for one in missing if one.settled is None)}


def _missing(question: Question) -> list[figures_left_out.LeftOut]:
    missing = figures_left_out.read_left_out(question.countries)
    if not question.scope_kind:
        return missing
    return figures_left_out.left_out_in_scope(missing, question.scope_kind, question.scope_id)


def compare_quality(question: Question, by: str) -> None:
    answer = question.answer("quality/", by=by)
    expected = figures_left_out.quality(question.scope, _missing(question), *question.days, by)
    ids = {}
    if by != "month":
        model: Any = {"operator": core.Operator, "partner": core.Partner}[by]
        records = model.objects.filter(country_id__in=question.countries)
        ids = {pk: (country, key) for pk, country, key in records.values_list("pk", "country_id", "key")}
    found: dict[tuple[int, str], Json] = {}
    for row in answer["rows"]:
        if row["id"] is not None:
            key = ids[row["id"]]
        else:
            # A name that no record has, or a month.
            (key,) = [one for one in expected if one not in ids.values() and one[1] == row["name"] and one not in found]
        found[key] = row
    assert {key: _only(row, next(iter(expected.values()))) for key, row in found.items()} == expected
