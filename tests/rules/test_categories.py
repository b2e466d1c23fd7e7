"""DOMAIN §5, rule by rule, on one import of all the cases."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from tests.rules.cases import (
    AFTER,
    BEFORE,
    CANCELLED,
    CASES,
    CONFORM,
    IMPORTED,
    LEFT_OUT,
    NO_CLAIM,
    Case,
    number,
)
from tests.support.api_user import ApiUser, Outcome
from tests.support.pairs import Cells, line, recap_csv, row

pytestmark = pytest.mark.django_db

NAMELESS_LINE = line("", note="no claim number")
NAMELESS_ROW = row("", note="no claim number")
RECAP_ONLY = [row("ONLY1"), row("ONLY1", "7000"), row("ONLY2")]
LATER_ONLY, UNPAID_ONLY = row("LATER", settlement_date=AFTER), row("UNPAID", settlement_date="")


def stat_lines() -> list[Cells]:
    return [NAMELESS_LINE, *(one for case in [*CASES, *NO_CLAIM] for one in case.stat)]


def recap_pages() -> list[list[Cells]]:
    """Two pages that overlap: the second begins with the last rows of the first."""
    rows = [one for case in [*CASES, *NO_CLAIM] for one in case.recap]
    rows += [NAMELESS_ROW, *RECAP_ONLY, LATER_ONLY, UNPAID_ONLY]
    half = len(rows) // 2
    return [rows[: half + 2], rows[half:]]


@dataclass
class World:
    outcome: Outcome
    claims: dict[str, dict[str, Any]]
    report: openpyxl.Workbook

    def finding(self, case: Case) -> dict[str, Any]:
        claim_categories = {
            "unreadable",
            "divergent_in_recap",
            "inconsistent",
            "incomplete",
            "amount_gap",
            "missing_in_recap",
        }
        found = [
            f for f in self.outcome.findings if f["claim_number"] == case.number and f["category"] in claim_categories
        ]
        assert len(found) <= 1
        return found[0] if found else {"category": None}


@pytest.fixture(scope="module")
def world(database: None) -> World:
    api = ApiUser()
    pages = [recap_csv(page, f"page_{n}.csv") for n, page in enumerate(recap_pages(), 1)]
    outcome = api.import_pair(stat_lines(), pages)
    claims = {name: api.get(f"claims/{claim['id']}/") for name, claim in api.claims().items()}
    return World(outcome, claims, api.report(outcome.id))


def title(case: Case) -> str:
    return case.title


def test_claims_that_agree_are_imported_and_no_others(world: World) -> None:
    assert set(world.claims) == set(IMPORTED)


@pytest.mark.parametrize("case", LEFT_OUT, ids=title)
def test_a_claim_left_out_gets_the_first_category_that_holds(case: Case, world: World) -> None:
    finding = world.finding(case)
    assert (finding["category"], finding["code"]) == (case.category, case.code)
    for words in case.says:
        assert words in finding["observation"]


@pytest.mark.parametrize("case", IMPORTED.values(), ids=title)
def test_an_imported_claim_is_no_finding_and_has_its_lines_of_the_period(case: Case, world: World) -> None:
    assert world.finding(case) == {"category": None}
    claim = world.claims[case.number]
    assert len(claim["lines"]) == claim["line_count"] == case.imported_lines
    assert claim["status"] == ("cancelled" if case in CANCELLED else "settled")
    for side in ("claimed_amount", "reimbursed_amount"):
        assert Decimal(claim[side]) == sum(Decimal(one[side]) for one in claim["lines"])


@pytest.mark.parametrize("case", CONFORM, ids=title)
def test_a_conform_claim_names_its_row_of_the_recap(case: Case, world: World) -> None:
    place = world.claims[case.number]["recap"]
    pages = {f"page_{n}.csv": page for n, page in enumerate(recap_pages(), 1)}
    assert pages[place["file"]["name"]][place["row"] - 2]["claim_number"] == case.number


@pytest.mark.parametrize("case", CANCELLED, ids=title)
def test_a_cancelled_claim_has_no_row_of_the_recap(case: Case, world: World) -> None:
    assert world.claims[case.number]["recap"] == {"file": None, "sheet": "", "row": None, "corrected": False}


@pytest.mark.parametrize("case", LEFT_OUT, ids=title)
def test_a_claim_left_out_has_the_places_of_all_its_lines_and_rows(case: Case, world: World) -> None:
    stat = {n for n, one in enumerate(stat_lines(), 2) if one["claim_number"].upper() == case.number}
    places = world.finding(case)["locations"]
    assert {p["row"] for p in places if p["side"] == "stat"} == stat
    pages = recap_pages()
    found = [pages[int(p["file"][5]) - 1][p["row"] - 2] for p in places if p["side"] == "recap"]
    expected = {tuple(one.items()) for page in pages for one in page if one["claim_number"] == case.number}
    assert len(found) == len(expected)
    assert {tuple(one.items()) for one in found} == expected


def test_the_period_is_the_time_that_both_files_cover(world: World) -> None:
    assert world.outcome.summary["period"] == ["2024-01-01", "2024-12-31"]
    assert (world.outcome.session["start_date"], world.outcome.session["end_date"]) == ("2024-01-01", "2024-12-31")


def test_the_summary_counts_the_claims_of_the_period_by_category(world: World) -> None:
    assert world.outcome.summary["claims"] == {
        "total": len(CASES),
        "by_category": Counter(case.category for case in CASES),
        "recap_only": len(RECAP_ONLY),
    }
    assert world.outcome.status == "DONE_WITH_ERRORS"
    assert world.outcome.session["claims_created_count"] == len(IMPORTED)


def test_the_summary_counts_the_importable_claims(world: World) -> None:
    lines = [one for claim in world.claims.values() for one in claim["lines"]]
    assert world.outcome.summary["importable"] == {
        "claims": len(IMPORTED),
        "lines": len(lines),
        "claimed": str(sum(Decimal(one["claimed_amount"]) for one in lines)),
        "reimbursed": str(sum(Decimal(one["reimbursed_amount"]) for one in lines)),
    }
    assert world.outcome.session["total_claimed_amount"] == world.outcome.summary["importable"]["claimed"]
    assert world.outcome.session["total_reimbursed_amount"] == world.outcome.summary["importable"]["reimbursed"]


def test_a_row_on_several_pages_counts_once(world: World) -> None:
    rows = [tuple(one.items()) for page in recap_pages() for one in page]
    recap = world.outcome.summary["recap"]
    assert recap["rows_after_dedup"] == len(set(rows))
    assert recap["duplicate_rows_removed"] == len(rows) - len(set(rows)) == 3


def test_every_unpaid_row_is_listed_whatever_its_amounts(world: World) -> None:
    unpaid = [one["claim_number"] for page in recap_pages() for one in page if one["settlement_date"] in ("", "-")]
    assert sorted(world.outcome.numbers("unpaid")) == sorted(unpaid)
    assert world.outcome.summary["recap"]["unpaid"] == len(unpaid)
    assert number("an unpaid row whose amount is a word") not in world.outcome.numbers("unreadable_line")


def test_every_readable_line_outside_the_period_is_listed(world: World) -> None:
    outside = [one["claim_number"].upper() for one in stat_lines() if one["settlement_date"] == BEFORE]
    assert world.outcome.numbers("out_of_period") == outside
    assert world.outcome.summary["out_of_period"] == {"lines": len(outside), "claims": len(set(outside))}
    assert "20/12/2023" in world.outcome.findings_in("out_of_period")[0]["observation"]


def test_rows_without_a_claim_in_the_stat_file_are_listed_for_information(world: World) -> None:
    # A claim that the stat file has outside the period only is in the stat file.
    assert world.outcome.numbers("recap_only") == ["ONLY1", "ONLY1", "ONLY2"]


def test_every_line_and_paid_row_that_cannot_be_read_is_listed(world: World) -> None:
    listed = world.outcome.findings_in("unreadable_line")
    unnumbered = [finding for finding in listed if not finding["claim_number"]]
    assert [finding["locations"][0]["side"] for finding in unnumbered] == ["stat", "recap"]
    assert all("claim number is empty" in finding["observation"] for finding in unnumbered)
    on_stat = [finding for finding in listed if finding["locations"][0]["side"] == "stat"]
    assert world.outcome.summary["stat"] == {"lines": len(stat_lines()), "unreadable_lines": len(on_stat)}
    assert len(on_stat) == 9


def test_an_unreadable_incident_date_blocks_nothing_and_is_a_warning(world: World) -> None:
    claim = number("an incident date of words")
    assert world.claims[claim]["incident_date"] is None
    (warning,) = [f for f in world.outcome.findings_in("warning") if f["code"] == "unknown_incident_date"]
    assert warning["claim_number"] == claim
    assert "juin" in warning["observation"]


# ------------------------------------------------------------------------------------------------ the report


def rows_of(sheet: Any) -> list[dict[str, Any]]:
    header, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(header, one, strict=True)) for one in rows]


def test_the_report_has_a_sheet_for_each_category_with_all_its_claims(world: World) -> None:
    titles = {
        "unreadable": "Unreadable",
        "divergent_in_recap": "Divergent in the recap",
        "inconsistent": "Inconsistent",
        "incomplete": "Incomplete",
        "amount_gap": "Amount gap",
        "missing_in_recap": "Missing in the recap",
    }
    assert world.report.sheetnames[0] == "Summary"
    for category, title in titles.items():
        found = {one["Claim"] for one in rows_of(world.report[title])}
        assert found == {case.number for case in LEFT_OUT if case.category == category}


def test_the_report_shows_each_source_line_with_its_file_sheet_and_row(world: World) -> None:
    claim = number("two providers")
    found = [one for one in rows_of(world.report["Inconsistent"]) if one["Claim"] == claim]
    numbers = [n for n, one in enumerate(stat_lines(), 2) if one["claim_number"].upper() == claim]
    assert [(one["Side"], one["File"], one["Row"]) for one in found][:2] == [("stat", "stat.csv", n) for n in numbers]
    assert found[2]["Side"] == "recap"
    assert [one["Provider"] for one in found] == ["CLINIQUE BIASA", "CHU", None]
    assert [one["Line claimed"] for one in found] == [5000, 5000, 10000]


def test_a_gap_is_a_number_in_the_report(world: World) -> None:
    claim = number("claimed apart by the tolerance")
    found = next(one for one in rows_of(world.report["Amount gap"]) if one["Claim"] == claim)
    assert (found["Claimed, stat"], found["Claimed, recap"], found["Difference claimed"]) == (5005, 5000, 5)


def test_the_report_has_the_lists_besides_the_claims(world: World) -> None:
    for title, category in (
        ("Unreadable line", "unreadable_line"),
        ("Outside the common period", "out_of_period"),
        ("Unpaid in the recap", "unpaid"),
        ("In the recap only", "recap_only"),
    ):
        found = [one["Claim"] or "" for one in rows_of(world.report[title])]
        assert found == world.outcome.numbers(category)


def test_the_headers_of_the_report_are_frozen_and_filterable(world: World) -> None:
    for sheet in world.report.worksheets[1:]:
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref
