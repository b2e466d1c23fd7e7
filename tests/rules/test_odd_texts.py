"""Texts that break systems: they are stored unchanged, and none of them stops the import of the others."""

from __future__ import annotations

from typing import Any

import pytest

from core import models as core
from tests.support.api_user import ApiUser, Outcome
from tests.support.pairs import line, matching_pair, row

pytestmark = pytest.mark.django_db

LONG_NUMBER, OTHER_LONG, LEFT_OUT = "N" * 300, "N" * 299 + "M", "L" * 300
NOTES = {
    "QUOTES": "say \"a\", 'b'; `c`",
    "BACKSLASH": "\\.",
    "ESCAPES": "\\N \\t \\\\",
    "SEPARATORS": ";,\t|",
    "WORDS": "éà 漢字 🙂 \u202eabc",
    "MARKUP": "<b>&amp;</b> %s %(x)d {x}",
    "FORMULA": '=HYPERLINK("http://x";"y")',
}
NAMES = {
    "employer": '=1+1 "SARL"',
    "beneficiary": "O'NEIL \"BOB\"\n D'ALMEIDA",
    "partner": "@CLINIQUE; «L'ÉTOILE»\\.",
    "policy_number": "=45\\RD",
    "main_insured": "N'DIAYE+",
    "act": "漢字 +",
    "act_category": "-PHARMACIE",
    "operator": "\\.",
    "plan": "{}",
}


class World:
    def __init__(self) -> None:
        self.api = ApiUser()
        lines = [line(number, note=note) for number, note in NOTES.items()]
        lines += [
            line("NAMES", **NAMES),
            line(LONG_NUMBER),
            line(OTHER_LONG),
            line("LONGNAMES", **dict.fromkeys(NAMES, "A" * 400)),
        ]
        lines += [
            line("SIGNS", beneficiary="...", partner="CHU"),
            line("SIGNS", beneficiary="MENSAH KOFI", partner="CHU"),
        ]
        lines += [line("KANJI", employer="東京", beneficiary="TANAKA YOKO", main_insured="東京")]
        stat, recap = matching_pair(*lines)
        stat += [
            line(LEFT_OUT),
            line("BROKEN", claimed='12\n\\.\n"34"\x00', note="a\x00b"),
            line("GAP", "1", note="=1+1", partner="+33 CHU"),
        ]
        recap += [row("GAP"), row("UNPAID", settlement_date="", note="\\.")]
        self.first: Outcome = self.api.import_pair(stat, recap)
        changed, rows = matching_pair(line(LONG_NUMBER, "6000", "5000"))
        self.second: Outcome = self.api.import_pair(changed, rows)
        self.report = self.api.report(self.first.id)


@pytest.fixture(scope="module")
def world(database: None) -> World:
    return World()


def test_none_of_them_stops_the_import(world: World) -> None:
    assert world.first.status == "DONE_WITH_ERRORS", world.first.message
    assert world.first.summary["claims"]["by_category"] == {
        "conform": len(NOTES) + 6,
        "unreadable": 1,
        "amount_gap": 1,
        "missing_in_recap": 1,
    }


@pytest.mark.parametrize("number", NOTES)
def test_a_note_is_stored_unchanged(number: str, world: World) -> None:
    (stored,) = world.api.claim(number)["lines"]
    assert stored["note"] == " ".join(NOTES[number].replace("\u202e", "").split())


def test_names_are_stored_unchanged_except_line_breaks(world: World) -> None:
    claim = world.api.claim("NAMES")
    assert claim["client"]["name"] == NAMES["employer"]
    assert claim["insured"]["name"] == "O'NEIL \"BOB\" D'ALMEIDA"
    assert claim["partner"]["name"] == NAMES["partner"]
    assert claim["policy"]["number"] == NAMES["policy_number"]
    assert claim["lines"][0]["act"]["name"] == NAMES["act"]


def test_a_number_too_long_for_the_database_is_shortened_and_stays_different(world: World) -> None:
    long = sorted(number for number in world.api.claims() if number.startswith("NNN"))
    assert len(long) == 2
    assert all(len(number) == 255 and number.startswith("N" * 222) for number in long)
    (left_out,) = world.first.findings_in("missing_in_recap")
    assert left_out["claim_number"].startswith("L" * 222)
    assert [place["side"] for place in left_out["locations"]] == ["stat"]


def test_a_long_number_is_found_by_a_later_import(world: World) -> None:
    (conflict,) = world.second.findings_in("conflict")
    assert conflict["claim_number"].startswith("N" * 222)
    assert conflict["locations"][0]["row"] == 2


def test_long_names_are_stored_whole(world: World) -> None:
    claim = world.api.claim("LONGNAMES")
    assert claim["insured"]["name"] == claim["partner"]["name"] == claim["policy"]["number"] == "A" * 400


def test_a_name_of_signs_alone_is_not_the_name_of_the_person(world: World) -> None:
    assert world.api.claim("SIGNS")["insured"]["name"] == "MENSAH KOFI"


def test_an_employer_without_a_latin_letter_is_a_client(world: World) -> None:
    assert world.api.claim("KANJI")["client"]["name"] == "東京"


def test_a_cell_that_cannot_be_read_is_shown_whatever_its_text(world: World) -> None:
    (broken,) = world.first.findings_in("unreadable")
    assert "\\." in broken["observation"]
    assert "\x00" not in broken["observation"]


def first_row(world: World, title: str) -> dict[str, Any]:
    header, first, *_ = world.report[title].iter_rows()
    return {name.value: cell for name, cell in zip(header, first, strict=True)}


def test_text_stays_text_in_the_report(world: World) -> None:
    cells = first_row(world, "Amount gap")
    assert (cells["Note"].value, cells["Note"].data_type) == ("=1+1", "s")
    assert (cells["Provider"].value, cells["Provider"].data_type) == ("+33 CHU", "s")


def test_an_absent_text_is_stored_as_an_empty_one(world: World) -> None:
    assert not core.ClaimLine.objects.filter(note__isnull=True).exists()
    assert core.ClaimLine.objects.get(claim__number="NAMES").note == ""
    assert core.Partner.objects.get(name="CHU").address == ""
