"""The findings of an import: the list, and one finding opened to both sides' lines."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from core import models as core
from file_handling.models import File, Finding
from importer.session_pages.sides import side_tables
from tests.support.api_user import ApiUser, Outcome
from tests.support.browser import Browser
from tests.support.cast import Cast
from tests.support.page_text import ENGLISH, FRENCH, marked, opened, statements, words
from tests.support.pairs import line, row
from users.models import AuditEntry

pytestmark = pytest.mark.django_db(transaction=True)

PAIR = (
    [
        line("GAP", "3000", "2000"),
        line("GAP", "3000", "2000"),
        line("TWO", beneficiary="LAWSON AFI"),
        line("TWO", beneficiary="MENSAH YAO"),
        line("BAD", "douze mille"),
        line("GONE"),
        line("DOUBLE"),
        line("NOCAT", act_category=""),
        line("OUT", settlement_date="01/01/2020"),
        line("GOOD", incident_date="hier"),
    ],
    [
        row("GAP", "6500", "4000"),
        row("TWO", "10000", "8000"),
        row("BAD"),
        row("DOUBLE", "5000", "4000"),
        row("DOUBLE", "5100", "4000"),
        row("NOCAT"),
        row("GOOD"),
        row("UNPAID", settlement_date=""),
        row("ONLY"),
    ],
)


@pytest.fixture
def outcome(cast: Cast) -> Outcome:
    return ApiUser.for_user(cast.togo_head).import_pair(*PAIR)


def finding(outcome: Outcome, category: str, number: str = "") -> dict[str, Any]:
    return next(one for one in outcome.findings_in(category) if not number or one["claim_number"] == number)


def page_of(outcome: Outcome, category: str, number: str = "") -> str:
    return f"/imports/{outcome.id}/findings/{finding(outcome, category, number)['sequence']}/"


def cells(page: str, side: str) -> list[list[tuple[str, bool]]]:
    """The rows of a side's table: (text, is marked) of each cell."""
    table = page.split(f'id="side-{side}"')[1].split("<tbody>")[1].split("</tbody>")[0]
    rows = []
    for piece in table.split("<tr>")[1:]:
        found = [
            (words(cell.partition(">")[2]), "differs" in cell.partition(">")[0]) for cell in piece.split("<td")[1:]
        ]
        rows.append(found)
    return rows


def marked_cells(page: str, side: str) -> list[str]:
    return [text for line_ in cells(page, side) for text, is_marked in line_ if is_marked]


def listed(page: str) -> list[str]:
    return list(marked(page, "finding"))


# ------------------------------------------------------------------------------------------------ the list


def test_the_list_has_the_findings_of_the_api_with_both_amounts_and_the_difference(
    outcome: Outcome, browser: Browser
) -> None:
    page = opened(browser("togo_admin"), f"/imports/{outcome.id}/findings/")
    assert listed(page) == [str(one["sequence"]) for one in outcome.findings]
    gap = finding(outcome, "amount_gap")
    text = marked(page, "finding")[str(gap["sequence"])]
    assert f"GAP Amount gap {unescape(gap['observation'])} -500 0 6,000 6,500 4,000 4,000" in text
    assert re.search('<td class="(number differs|differs number)">-500</td>', page)
    assert "None" not in words(page)


def test_the_list_is_filtered_searched_and_sorted(outcome: Outcome, browser: Browser) -> None:
    client, address = browser("togo_admin"), f"/imports/{outcome.id}/findings/"

    def numbers(query: str) -> list[str]:
        page = opened(client, f"{address}?{query}")
        by_sequence = {str(one["sequence"]): one["claim_number"] for one in outcome.findings}
        return [by_sequence[key] for key in listed(page)]

    assert numbers("category=amount_gap") == ["GAP"]
    assert numbers("search=dou ble") == ["DOUBLE"]
    assert numbers("code=beneficiary") == ["TWO"]
    assert numbers("category=warning&code=unknown_incident_date") == ["GOOD"]
    assert numbers("ordering=-stat_reimbursed")[0] == "TWO"
    assert numbers("ordering=claim_number") == sorted(one["claim_number"] for one in outcome.findings)
    assert opened(client, f"{address}?ordering=lines", status=400).count('role="alert"') == 1


def test_the_categories_above_the_list_have_their_counts(outcome: Outcome, browser: Browser) -> None:
    page = opened(browser("togo_admin"), f"/imports/{outcome.id}/findings/?category=inconsistent")
    nav = page.split('id="findings"')[1].split("</nav>")[0]
    assert marked(nav, "category")["unreadable"] == "Unreadable 1"
    assert 'data-category="inconsistent" aria-current="page"' in nav
    assert f"All {len(outcome.findings)}" in words(nav)


def test_the_whole_list_comes_as_a_file_with_its_filters(outcome: Outcome, browser: Browser) -> None:
    client = browser("togo_admin")
    page = opened(client, f"/imports/{outcome.id}/findings/?category=amount_gap&ordering=-stat_reimbursed")
    start = page.index(f"/api/v1/import-sessions/{outcome.id}/findings/export/?")
    address = unescape(page[start : page.index('"', start)])
    assert parse_qs(urlsplit(address).query)["category"] == ["amount_gap"]
    response = client.get(address)
    lines = b"".join(response.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 2
    assert "GAP" in lines[1]


def test_four_thousand_findings_take_no_more_statements_than_a_few(outcome: Outcome, browser: Browser) -> None:
    client = browser("togo_admin")
    addresses = [
        f"/imports/{outcome.id}/findings/?page_size=5",
        f"/imports/{outcome.id}/findings/?ordering=-stat_reimbursed&page_size=5",
        page_of(outcome, "amount_gap"),
    ]
    few = [statements(client, address) for address in addresses]
    one = Finding.objects.get(category="amount_gap")
    Finding.objects.bulk_create(
        [
            Finding(
                session_id=outcome.id,
                sequence=n,
                category="amount_gap",
                code=one.code,
                details=one.details,
                claim_number=f"C{n}",
                stat_reimbursed=Decimal(n),
                lines=one.lines,
            )
            for n in range(1000, 5000)
        ]
    )
    assert [statements(client, address) for address in addresses] == few
    page = opened(client, f"/imports/{outcome.id}/findings/?ordering=-stat_reimbursed")
    # "TWO" has 8,000.
    assert listed(page)[1:3] == ["4999", "4998"]
    assert len(listed(page)) == 50
    assert 'rel="next"' in page


# ------------------------------------------------------------------------------------------------ one finding


def test_a_finding_shows_its_lines_with_the_differing_cells_marked(outcome: Outcome, browser: Browser) -> None:
    client = browser("togo_admin")
    gap = opened(client, page_of(outcome, "amount_gap"))
    # Of two lines the sum differs, not one of them.
    assert marked_cells(gap, "stat") == []
    foot = gap.split('id="side-stat"')[1].split("<tfoot>")[1].split("</tfoot>")[0]
    assert '<td class="number differs">6,000<span class="visually-hidden"> (differs)</span></td>' in foot
    assert "4,000" in words(foot)
    assert marked_cells(gap, "recap") == ["6,500 (differs)"]
    two = opened(client, page_of(outcome, "inconsistent"))
    assert marked_cells(two, "stat") == ["LAWSON AFI (differs)", "MENSAH YAO (differs)"]
    assert marked_cells(opened(client, page_of(outcome, "incomplete")), "stat") == ["– (is missing)"]
    assert marked_cells(opened(client, page_of(outcome, "unreadable")), "stat") == ["– (is missing)"]
    assert marked_cells(opened(client, page_of(outcome, "divergent_in_recap")), "recap") == [
        "5,000 (differs)",
        "5,100 (differs)",
    ]
    assert marked_cells(opened(client, page_of(outcome, "out_of_period")), "stat") == [
        "01/01/2020 (outside the period)"
    ]
    assert marked_cells(opened(client, page_of(outcome, "unpaid")), "recap") == ["– (is missing)"]
    assert marked_cells(opened(client, page_of(outcome, "warning")), "stat") == ["hier (cannot be read)"]
    assert marked_cells(opened(client, page_of(outcome, "missing_in_recap")), "stat") == []


def test_a_date_that_cannot_be_read_is_marked_and_a_recap_row_without_one_is_not() -> None:
    lines = [
        {"side": "stat", "claim_number": "A", "claimed_cents": 1, "reimbursed_cents": 1, "settlement_date": "mi-mars"},
        {"side": "recap", "claim_number": "A", "claimed_cents": 1, "reimbursed_cents": 1, "settlement_date": None},
        {
            "side": "recap",
            "claim_number": "2,0E+16",
            "claimed_cents": 1,
            "reimbursed_cents": 1,
            "settlement_date": None,
        },
    ]
    tables = side_tables(lines, category="unreadable", code="both", currency="XOF", file_ids=[])
    assert [[cell.text for _place, row_ in table.rows for cell in row_ if cell.mark] for table in tables] == [
        ["mi-mars"],
        ["2,0E+16"],
    ]


def test_each_line_leads_to_its_row_in_the_file(outcome: Outcome, browser: Browser) -> None:
    client = browser("togo_admin")
    page = opened(client, page_of(outcome, "inconsistent"))
    stat, recap = File.objects.get(file_type="stat"), File.objects.get(file_type="recap")
    assert f'href="/files/{stat.pk}/preview/?row=4#marked"' in page
    assert f'href="/files/{stat.pk}/preview/?row=5#marked"' in page
    assert f'href="/files/{recap.pk}/preview/?row=3#marked"' in page
    preview = opened(client, f"/files/{stat.pk}/preview/?row=5")
    assert "MENSAH YAO" in marked(preview, "row")["5"]
    assert 'data-row="5" class="marked"' in preview


def test_both_sides_stand_side_by_side_with_reason_and_advice(outcome: Outcome, browser: Browser) -> None:
    page = opened(browser("togo_admin"), page_of(outcome, "amount_gap"))
    assert marked(page, "amount")["claimed"] == "Claimed 6,000 6,500 (differs) -500"
    assert marked(page, "amount")["reimbursed"] == "Reimbursed 4,000 4,000 0"
    assert finding(outcome, "amount_gap")["observation"] in words(page)
    assert "a line may be missing, entered twice" in page
    french = opened(browser("togo_admin"), page_of(outcome, "amount_gap"), headers=FRENCH)
    assert "6 500" in words(french)


def test_previous_and_next_follow_the_list_from_which_it_was_opened(outcome: Outcome, browser: Browser) -> None:
    client = browser("togo_admin")
    page = opened(client, f"/imports/{outcome.id}/findings/?category=unreadable&category=inconsistent")
    kept = "?category=unreadable&category=inconsistent"
    first, second = outcome.findings_in("unreadable")[0], outcome.findings_in("inconsistent")[0]
    address = f"/imports/{outcome.id}/findings/{first['sequence']}/{kept}"
    assert address in unescape(page)
    shown = unescape(opened(client, address))
    assert f'rel="next" href="/imports/{outcome.id}/findings/{second["sequence"]}/{kept}"' in shown
    assert 'rel="prev"' not in shown
    assert 'rel="next"' not in opened(client, f"/imports/{outcome.id}/findings/{second['sequence']}/{kept}")


def test_a_claim_that_was_imported_meanwhile_is_named(cast: Cast, outcome: Outcome, browser: Browser) -> None:
    client = browser("togo_admin")
    before = opened(client, page_of(outcome, "amount_gap"))
    assert 'id="imported"' not in before
    later = ApiUser.for_user(cast.togo_head).import_pair([line("GAP")], [row("GAP")])
    claim = core.Claim.objects.get(number="GAP")
    page = opened(client, page_of(outcome, "amount_gap"))
    assert f'href="/claims/{claim.pk}/"' in page
    assert "claimed 5,000 F CFA, reimbursed 4,000 F CFA" in words(page)
    again = ApiUser.for_user(cast.togo_head).import_pair([line("GAP", "9000")], [row("GAP", "9000")])
    assert later.status == "DONE"
    page = opened(client, page_of(outcome, "amount_gap"))
    assert f"Finding {again.findings[0]['sequence']} of import {again.id}" in words(page)
    abroad = ApiUser.for_user(cast.benin_head).import_pair([line("GAP", "9000")], [row("GAP")])
    page = opened(client, page_of(outcome, "amount_gap"))
    assert f"of import {abroad.id}" not in words(page)


def test_reading_findings_is_audited_without_what_was_searched(outcome: Outcome, browser: Browser) -> None:
    client = browser("togo_admin")
    opened(client, f"/imports/{outcome.id}/findings/?search=GAP")
    opened(client, page_of(outcome, "amount_gap"))
    entries = AuditEntry.objects.filter(object_type="file_handling.importsession", action="read").order_by("pk")
    found = [
        (entry.object_id, entry.actor.username, entry.data) for entry in entries if entry.actor.username == "togo_admin"
    ]
    sequence = finding(outcome, "amount_gap")["sequence"]
    assert found == [
        (outcome.id, "togo_admin", {"part": "findings", "filters": ["search"], "rows": 1}),
        (outcome.id, "togo_admin", {"part": "findings", "sequence": sequence, "rows": 1}),
    ]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("superuser", 200),
        ("global_admin", 200),
        ("togo_head", 200),
        ("rival_head", 200),
        ("togo_operator", 403),
        ("benin_admin", 403),
        ("anonymous", 302),
    ],
)
def test_who_reads_findings(name: str, status: int, outcome: Outcome, browser: Browser) -> None:
    client = browser(name)
    for address in (f"/imports/{outcome.id}/findings/", page_of(outcome, "amount_gap")):
        response = client.get(address, headers=ENGLISH)
        assert response.status_code == status
        if status != 200:
            assert b"LAWSON" not in response.content
    # A head of department opens only the files that were their own upload.
    if name == "rival_head":
        page = opened(client, page_of(outcome, "amount_gap"))
        assert "stat.csv" in page
        assert "/preview/" not in page


def test_a_finding_that_does_not_exist_is_not_found(outcome: Outcome, browser: Browser) -> None:
    client = browser("togo_admin")
    opened(client, f"/imports/{outcome.id}/findings/99999/", status=404)
    opened(client, "/imports/99999/findings/", status=404)
