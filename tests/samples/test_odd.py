"""The odd kinds of the sample generator, read with openpyxl and csv."""

import datetime as dt
import json
import re
import zipfile
from pathlib import Path

import openpyxl
import pytest
from django.core.management import CommandError, call_command

from samples import ODD_KINDS, OddKind, make_odd_pairs, make_pair
from tests.samples.workbooks import grid


@pytest.mark.parametrize(
    "kind", [kind for kind in ODD_KINDS.values() if "csv" in kind.formats], ids=lambda kind: kind.name
)
def test_every_odd_kind_of_csv_makes_another_file_than_the_plain_pair(kind: OddKind, tmp_path: Path) -> None:
    odd = make_pair(tmp_path / "odd", claims=30, seed=1, fmt="csv", odd=[kind.name], where="stat")
    assert odd["odd"]["kinds"] == [kind.name]
    make_pair(tmp_path / "plain", claims=30, seed=1, fmt="csv")
    assert (tmp_path / "odd" / odd["files"]["stat"]).read_bytes() != (tmp_path / "plain" / "stat.csv").read_bytes()
    assert json.loads((tmp_path / "odd" / "expected.json").read_text(encoding="utf-8")) == odd


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("package-back-slashes", "xl\\workbook.xml"),
        ("package-other-case", "xl/SharedStrings.xml"),
        ("package-main-part", "xl/workbook22.xml"),
        ("package-other-folder", "classeur/workbook.xml"),
        ("package-strings-renamed", "xl/textes.xml"),
        ("package-sheet-renamed", "xl/feuilles/a.xml"),
    ],
)
def test_an_odd_package_has_its_part_under_another_name(name: str, part: str, tmp_path: Path) -> None:
    make_pair(tmp_path, claims=10, odd=[name])
    for file in ("stat.xlsx", "recap_01.xlsx"):
        assert part in zipfile.ZipFile(tmp_path / file).namelist()


@pytest.mark.parametrize(
    "name", [f"package-sheet-{rest}" for rest in ("without-relation", "with-unknown-relation", "without-part")]
)
def test_a_sheet_without_a_part_is_listed_before_the_real_one(name: str, tmp_path: Path) -> None:
    make_pair(tmp_path, claims=10, odd=[name])
    archive = zipfile.ZipFile(tmp_path / "stat.xlsx")
    listed = re.findall(r'<sheet name="(\w+)"', archive.read("xl/workbook.xml").decode())
    assert listed == ["Module1", "Feuil1"]
    assert [entry for entry in archive.namelist() if "worksheets/" in entry] == ["xl/worksheets/sheet1.xml"]


def test_the_header_of_two_rows_has_every_column_in_one_of_its_rows(tmp_path: Path) -> None:
    make_pair(tmp_path, claims=30, odd=["header-two-rows"])
    sheet = openpyxl.load_workbook(tmp_path / "stat.xlsx").worksheets[0]
    upper, lower = ([cell.value for cell in row] for row in sheet.iter_rows(max_row=2))
    assert sum(value is None for value in lower) >= 2
    assert "Nom Acte" in lower
    assert "Numero de sinistre" in upper
    assert all(low or up for up, low in zip(upper, lower, strict=True))
    assert any(area.min_row == 1 and area.max_row == 2 for area in sheet.merged_cells.ranges)
    assert any(area.min_col < area.max_col for area in sheet.merged_cells.ranges)


def test_merged_cells_never_cover_two_amounts(tmp_path: Path) -> None:
    make_pair(tmp_path, claims=60, odd=["merged-everything"])
    sheet = openpyxl.load_workbook(tmp_path / "stat.xlsx").worksheets[0]
    headers = [cell.value for cell in next(sheet.iter_rows(max_row=1))]
    merged = {headers[area.min_col - 1] for area in sheet.merged_cells.ranges}
    assert {"Numero de sinistre", "Nom bénéficiaire", "Date de règlement"} <= merged
    assert not {"Montant facturé", "Montant remboursé"} & merged


def test_a_column_of_lone_marks_has_nothing_that_decides_their_meaning(tmp_path: Path) -> None:
    make_pair(tmp_path, claims=200, fmt="csv", odd=["amount-lone-mark"])
    rows = grid(tmp_path / "stat.csv")
    column = rows[0].index("Montant facturé")
    with_mark = [row[column] for row in rows[1:] if "." in row[column]]
    assert len(with_mark) > 20
    assert all(re.fullmatch(r"-?[1-9][0-9]{0,2}\.[0-9]{3}", text) for text in with_mark)


def test_months_in_words_are_the_same_days(tmp_path: Path) -> None:
    make_pair(tmp_path, claims=200, fmt="csv", odd=["date-weekdays"])
    months = {"mar": 3, "apr": 4, "avr": 4, "oct": 10}
    weekdays = dict(
        zip(["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"], range(7), strict=True)
    )
    seen = 0
    for row in grid(tmp_path / "stat.csv")[1:]:
        found = re.fullmatch(r"(\w+day|\w+di|dimanche) (\d+) (\w{3})\S* (\d{4})", row[14], re.IGNORECASE)
        if found and found[1].lower() in weekdays and found[3].lower() in months:
            day = dt.date(int(found[4]), months[found[3].lower()], int(found[2]))
            assert day.weekday() == weekdays[found[1].lower()]
            seen += 1
    assert seen > 5


def test_the_pages_of_a_zip_stand_beside_a_lock_file(tmp_path: Path) -> None:
    expected = make_pair(tmp_path, claims=30, pages=2, fmt="csv", zipped=True)
    assert expected["files"]["recaps"] == ["recap.zip"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["expected.json", "recap.zip", "stat.csv"]
    names = zipfile.ZipFile(tmp_path / "recap.zip").namelist()
    assert names == ["pages/~$recap_01.csv", "pages/recap_01.csv", "pages/recap_02.csv"]


def test_a_formula_around_a_number_is_written_with_and_without_more_quotes(tmp_path: Path) -> None:
    make_pair(tmp_path, claims=60, pages=2, fmt="csv", odd=["text-formulas"])
    texts = [path.read_bytes() for path in sorted(tmp_path.glob("*.csv"))]
    assert any(b';="' in text for text in texts)
    assert any(b'"=""' in text for text in texts)


def test_a_pair_of_every_kind_is_made_each_in_a_folder_of_its_own(tmp_path: Path) -> None:
    made = make_odd_pairs(tmp_path, claims=10, fmt="csv", where="recap")
    assert set(made) == set(ODD_KINDS) == {path.name for path in tmp_path.iterdir()}
    assert made["text-formulas"]["files"]["stat"] == "stat.csv"
    assert made["package-main-part"]["files"]["stat"] == "stat.xlsx"


# ------------------------------------------------------------------------------------------------ the command
def test_the_command_lists_every_odd_kind_with_its_effect(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("make_pair", "--odd", "list")
    shown = capsys.readouterr().out
    for kind in ODD_KINDS.values():
        assert kind.name in shown
        assert kind.effect in shown


def test_the_command_makes_the_named_kinds_in_one_file(tmp_path: Path) -> None:
    options = ["--claims=30", "--format=csv", "--odd=header-repeated,date-months", "--odd-files=stat", "--zip"]
    call_command("make_pair", str(tmp_path), *options)
    expected = json.loads((tmp_path / "expected.json").read_text(encoding="utf-8"))
    assert expected["odd"]["kinds"] == ["header-repeated", "date-months"]
    assert sum(row[0] == "Nom Employeur" for row in grid(tmp_path / "stat.csv")) > 3
    assert expected["files"]["recaps"] == ["recap.zip"]


def test_the_command_makes_every_kind_when_none_is_named(tmp_path: Path) -> None:
    call_command("make_pair", str(tmp_path), "--claims=10", "--odd")
    assert {path.name for path in tmp_path.iterdir()} == set(ODD_KINDS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--odd=header-upside-down"], "no odd kind 'header-upside-down'"),
        (["--odd=date-months,date-weekdays"], "only one of the kinds date-"),
        (["--odd=merged-identity", "--format=csv"], "merged-identity needs the format xlsx"),
        (["--odd=merged-identity", "--odd-files=recap"], "exists in the stat file only"),
    ],
)
def test_the_command_refuses_kinds_that_do_not_exist_or_do_not_go_together(
    options: list[str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("make_pair", str(tmp_path), *options)


def test_the_command_asks_for_a_folder() -> None:
    with pytest.raises(CommandError, match="folder"):
        call_command("make_pair", "--claims=10")
