import datetime as dt
import json
import unicodedata
import zipfile
from collections import Counter, defaultdict
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from common.dates import parse_date
from common.keys import claim_number, is_empty, label_key, name_key, reference_key
from common.money import decimal_string, parse_amount
from samples import Pair, make_pair, make_rows
from samples import columns as c
from samples.kinds import SHARES
from samples.spelling import Cell
from tests.samples.workbooks import as_csv_shows, grid

CLAIMS = 200


@pytest.fixture(scope="module")
def pair() -> Pair:
    return make_rows(claims=CLAIMS, seed=7, pages=3)


def cents(cell: Cell) -> int:
    amount = parse_amount(str(cell))
    assert amount is not None
    return amount


def day(cell: Cell) -> dt.date | None:
    return parse_date(str(cell))


def lines_by_claim(pair: Pair) -> dict[str, list[list[Cell]]]:
    lines = defaultdict(list)
    for line in pair.stat:
        if not is_empty(str(line[c.NUMBER])):
            lines[claim_number(str(line[c.NUMBER]))].append(line)
    return lines


def rate(line: list[Cell]) -> Decimal:
    return Decimal(cents(line[c.REIMBURSED])) / cents(line[c.CLAIMED])


def half_up(share: Decimal) -> int:
    """In whole per cent."""
    return int((share * 100).quantize(Decimal(1), ROUND_HALF_UP))


def plan_of(line: list[Cell]) -> tuple[str, str]:
    return reference_key(str(line[c.POLICY])), label_key(str(line[c.PLAN]))


def most_frequent_rates(pair: Pair) -> dict[tuple[str, str], int]:
    """Plan → the rate in per cent that most of its imported lines have; of several, the higher (DOMAIN §10)."""
    rates: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for number, lines in lines_by_claim(pair).items():
        for line in lines if pair.expected["category_of"].get(number) == "conform" else []:
            if cents(line[c.CLAIMED]) > 0 and cents(line[c.REIMBURSED]) > 0:
                rates[plan_of(line)][half_up(rate(line))] += 1
    return {plan: max(counted, key=lambda one: (counted[one], one)) for plan, counted in rates.items()}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_category_occurs_among_two_hundred_claims(seed: int) -> None:
    expected = make_rows(claims=CLAIMS, seed=seed).expected
    assert set(expected["claims"]["by_category"]) == set(SHARES)
    assert Counter(expected["category_of"].values()) == expected["claims"]["by_category"]
    assert expected["claims"]["total"] == CLAIMS
    for listed in (expected["stat"]["unreadable_lines"], expected["recap"]["unpaid"], expected["claims"]["recap_only"]):
        assert listed > 0
    assert 0 < expected["out_of_period"]["claims"] <= expected["out_of_period"]["lines"]
    assert min(expected["entities"].values()) > 0


def test_the_smallest_pair_shows_every_category() -> None:
    assert set(make_rows(claims=10).expected["claims"]["by_category"]) == set(SHARES)


def test_the_amounts_expected_are_the_sums_of_the_lines_of_imported_claims(pair: Pair) -> None:
    category_of, importable = pair.expected["category_of"], pair.expected["importable"]
    imported = [
        line
        for number, lines in lines_by_claim(pair).items()
        if category_of.get(number) in ("conform", "cancelled")
        for line in lines
    ]
    assert len(imported) == importable["lines"]
    assert decimal_string(sum(cents(line[c.CLAIMED]) for line in imported)) == importable["claimed"]
    assert decimal_string(sum(cents(line[c.REIMBURSED]) for line in imported)) == importable["reimbursed"]


def test_the_period_is_what_the_files_have_in_common(pair: Pair) -> None:
    def readable(row: list[Cell], number: int, date: int, amounts: tuple[int, int]) -> bool:
        has_amounts = all(parse_amount(str(row[column])) is not None for column in amounts)
        return has_amounts and not is_empty(str(row[number])) and day(row[date]) is not None

    stat = [day(row[c.SETTLED]) for row in pair.stat if readable(row, c.NUMBER, c.SETTLED, (c.CLAIMED, c.REIMBURSED))]
    recap = [
        day(row[c.R_SETTLED])
        for page in pair.recap_pages
        for row in page
        if readable(row, c.R_NUMBER, c.R_SETTLED, (c.R_CLAIMED, c.R_REIMBURSED))
    ]
    first, last = max(min(stat), min(recap)), min(max(stat), max(recap))
    assert [first.isoformat(), last.isoformat()] == pair.expected["period"]
    # Each file has days that the other has not: otherwise nothing would be set aside.
    assert min(stat) != min(recap)
    assert max(stat) != max(recap)


def test_pages_repeat_rows_that_read_the_same_though_typed_otherwise(pair: Pair) -> None:
    rows = sum(len(page) for page in pair.recap_pages)
    recap = pair.expected["recap"]
    assert rows == recap["rows_after_dedup"] + recap["duplicate_rows_removed"]
    assert recap["duplicate_rows_removed"] >= len(pair.recap_pages)
    same = defaultdict(list)
    for page in pair.recap_pages:
        for row in page:
            if not is_empty(str(row[c.R_NUMBER])):
                same[claim_number(str(row[c.R_NUMBER])), str(day(row[c.R_SETTLED]))].append(row)
    assert any(len({str(row) for row in rows}) > 1 for rows in same.values())


def test_a_difference_of_exactly_the_tolerance_is_a_gap_and_a_hundredth_less_is_conform() -> None:
    pair = make_rows(claims=CLAIMS, tolerance=Decimal("2.50"))
    lines = lines_by_claim(pair)
    seen: dict[str, set[int]] = defaultdict(set)
    for page in pair.recap_pages:
        for row in page:
            number = claim_number(str(row[c.R_NUMBER]))
            category = pair.expected["category_of"].get(number)
            if category in ("conform", "amount_gap") and day(row[c.R_SETTLED]):
                stated = cents(row[c.R_CLAIMED]), cents(row[c.R_REIMBURSED])
                summed = [sum(cents(line[column]) for line in lines[number]) for column in (c.CLAIMED, c.REIMBURSED)]
                seen[category].add(max(abs(a - b) for a, b in zip(stated, summed, strict=True)))
    assert max(seen["conform"]) == 249
    assert min(seen["amount_gap"]) == 250


def test_every_way_of_being_incomplete_and_inconsistent_occurs(pair: Pair) -> None:
    category_of = pair.expected["category_of"]
    lacking, many = set(), set()
    for number, lines in lines_by_claim(pair).items():
        for column, key in (
            (c.BENEFICIARY, name_key),
            (c.POLICY, label_key),
            (c.EMPLOYER, label_key),
            (c.PARTNER, label_key),
        ):
            values = {key(str(line[column])) for line in lines if not is_empty(str(line[column]))}
            if category_of.get(number) == "incomplete" and not values:
                lacking.add(column)
            if category_of.get(number) == "inconsistent" and len(values) > 1:
                many.add(column)
        if category_of.get(number) == "incomplete" and any(is_empty(str(line[c.CATEGORY])) for line in lines):
            lacking.add(c.CATEGORY)
    assert lacking >= {c.BENEFICIARY, c.POLICY, c.PARTNER, c.CATEGORY}
    assert many == {c.BENEFICIARY, c.POLICY, c.EMPLOYER, c.PARTNER}


def test_one_act_is_filed_under_two_categories_and_in_several_spellings() -> None:
    spellings, categories = defaultdict(set), defaultdict(set)
    for line in make_rows(claims=1000).stat:
        if not is_empty(str(line[c.ACT])) and not is_empty(str(line[c.CATEGORY])):
            spellings[label_key(str(line[c.ACT]))].add(line[c.ACT])
            categories[label_key(str(line[c.ACT]))].add(label_key(str(line[c.CATEGORY])))
    assert max(map(len, spellings.values())) >= 4
    assert max(map(len, categories.values())) == 2


@pytest.mark.parametrize(("fmt", "odd"), [("csv", False), ("csv", True), ("xlsx", False), ("xlsx", True)])
def test_the_same_seed_gives_the_same_files(tmp_path: Path, fmt: str, odd: bool) -> None:
    first = make_pair(tmp_path / "a", claims=60, seed=3, pages=2, fmt=fmt, odd=["layout-shuffled"] if odd else [])
    assert (
        make_pair(tmp_path / "b", claims=60, seed=3, pages=2, fmt=fmt, odd=["layout-shuffled"] if odd else []) == first
    )
    for name in (first["files"]["stat"], *first["files"]["recaps"]):
        a, b = tmp_path / "a" / name, tmp_path / "b" / name
        assert (a.read_bytes() == b.read_bytes()) if fmt == "csv" else (grid(a) == grid(b))


def test_another_seed_gives_other_claims_about_the_same_people_when_asked() -> None:
    first, second = (make_rows(claims=60, seed=seed, world_seed=1) for seed in (1, 2))
    assert not set(first.expected["category_of"]) & set(second.expected["category_of"])
    policies = [{line[c.POLICY] for line in pair.stat} for pair in (first, second)]
    assert policies[0] & policies[1]


def test_a_small_pair_can_have_the_people_of_a_large_one() -> None:
    large = make_rows(claims=600, seed=1)
    small = make_rows(claims=30, seed=2, world_seed=1, world_claims=600)
    cards = [{line[c.CARD] for line in pair.stat} - {None} for pair in (large, small)]
    assert len(cards[1] & cards[0]) > len(cards[1]) / 2


def test_csv_and_workbook_carry_the_same_values(tmp_path: Path) -> None:
    for fmt in ("csv", "xlsx"):
        expected = make_pair(tmp_path, claims=CLAIMS, pages=2, fmt=fmt)
    for name in ("stat", "recap_01", "recap_02"):
        pattern = "%d/%m/%Y" if name == "stat" else "%d-%m-%Y"
        shown = [[as_csv_shows(cell, pattern) for cell in row] for row in grid(tmp_path / f"{name}.xlsx")]
        # Windows-1252 has one minus sign, two spaces and no accents on their own.
        signs = str.maketrans({"\u2212": "-", "\u202f": "\u00a0"}) if name == "stat" else {}
        narrowed = [[unicodedata.normalize("NFC", text).translate(signs) for text in row] for row in shown]
        assert grid(tmp_path / f"{name}.csv") == narrowed
    assert json.loads((tmp_path / "expected.json").read_text(encoding="utf-8")) == expected


def test_a_workbook_holds_dates_serial_numbers_texts_and_amounts_as_such(tmp_path: Path) -> None:
    make_pair(tmp_path, claims=CLAIMS, pages=1)
    rows = grid(tmp_path / "stat.xlsx")[1:]
    assert {type(row[c.SETTLED]) for row in rows} >= {dt.datetime, float, str}
    assert {type(row[c.CLAIMED]) for row in rows} >= {float, str}
    assert any(type(row[c.SETTLED]) is dt.datetime and row[c.SETTLED].time() != dt.time() for row in rows)
    assert {type(row[c.NUMBER]) for row in rows} == {str}
    assert all(
        dt.date(2022, 12, 1) < dt.date(1899, 12, 30) + dt.timedelta(days=row[c.SETTLED]) < dt.date(2024, 2, 1)
        for row in rows
        if type(row[c.SETTLED]) is float
    )


def test_forty_thousand_claims_would_keep_to_the_size_of_a_real_year() -> None:
    # Ten times that must still fit into the rows of one sheet.
    lines = make_rows(claims=4000).expected["stat"]["lines"]
    assert 2.5 < lines / 4000 < 2.62


@pytest.mark.parametrize(
    "wrong",
    [
        {"claims": 9},
        {"pages": 0},
        {"days": 0},
        {"tolerance": Decimal(0)},
        {"tolerance": Decimal("0.005")},
        {"pages": 999},
        {"to_look_at": 3},
    ],
)
def test_a_pair_that_cannot_hold_what_it_must_show_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"claims|tolerance|fill"):
        make_rows(**{"claims": 60, **wrong})  # type: ignore[arg-type]


def test_a_later_export_has_the_same_claims_of_which_the_revised_ones_cost_more() -> None:
    first, later = (make_rows(claims=CLAIMS, seed=3, revision=revision) for revision in (0, 1))
    assert first.expected["category_of"] == later.expected["category_of"]
    before, after = (
        {number: sum(cents(line[c.CLAIMED]) for line in lines) for number, lines in lines_by_claim(pair).items()
         if pair.expected["category_of"].get(number) == "conform"}
        for pair in (first, later)
    )  # fmt: skip
    changed = {number for number in before if before[number] != after[number]}
    assert changed == set(later.expected["revised"])
    assert 0 < len(changed) < CLAIMS // 10
    assert "revised" not in first.expected


def test_claims_to_look_at_are_conform_and_show_what_their_rule_searches() -> None:
    pair = make_rows(claims=CLAIMS, seed=3, to_look_at=2)
    lines = lines_by_claim(pair)
    cases = pair.expected["to_look_at"]
    assert {len(found) for found in cases.values()} == {2}
    numbers = {number for found in cases.values() for case in found for number in case}
    assert {pair.expected["category_of"][number] for number in numbers} == {"conform"}

    def of(number: str, *columns: int) -> set[str]:
        return {name_key(str(line[column])) for line in lines[number] for column in columns}

    for first, second in cases["same_act_twice"]:
        for column in (c.BENEFICIARY, c.ACT, c.PARTNER):
            assert of(first, column) == of(second, column)
        assert {day(line[c.INCIDENT]) for line in lines[first]} == {day(line[c.INCIDENT]) for line in lines[second]}
    for first, second in cases["two_partners_on_one_day"]:
        assert of(first, c.BENEFICIARY) == of(second, c.BENEFICIARY)
        assert not of(first, c.PARTNER) & of(second, c.PARTNER)
    for first, second in cases["invoice_of_two_families"]:
        assert of(first, c.INVOICE) == of(second, c.INVOICE)
        assert of(first, c.PARTNER) == of(second, c.PARTNER)
        assert of(first, c.MAIN) != of(second, c.MAIN)
    for (number,) in cases["above_coverage_rate"]:
        (plan,) = {plan_of(line) for line in lines[number]}
        in_force = most_frequent_rates(pair)[plan]
        *usual, above = sorted(rate(line) for line in lines[number])
        assert {half_up(one) for one in usual} == {in_force}
        assert above > (in_force + 1) / Decimal(100)
    for (number,) in cases["incident_after_settlement"]:
        incident, settled = day(lines[number][0][c.INCIDENT]), day(lines[number][0][c.SETTLED])
        assert incident is not None
        assert settled is not None
        assert incident > settled


def test_a_draft_sheet_stands_beside_the_whole_one(tmp_path: Path) -> None:
    expected = make_pair(tmp_path, claims=CLAIMS, draft_sheet=True)
    with zipfile.ZipFile(tmp_path / "stat.xlsx") as book:
        names = book.read("xl/workbook.xml").decode()
    assert expected["sheet"] == "Feuil1"
    assert 'name="Feuil1"' in names
    assert 'name="Brouillon"' in names


@pytest.mark.parametrize("wrong", [{"fmt": "csv"}, {"odd": ["layout-shuffled"]}])
def test_a_draft_sheet_needs_a_plain_workbook(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="plain workbook"):
        make_pair(tmp_path, claims=CLAIMS, draft_sheet=True, **wrong)  # type: ignore[arg-type]
