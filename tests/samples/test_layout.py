import csv
import io
from pathlib import Path

import openpyxl

from common.keys import header_key
from samples import make_pair


def test_an_odd_workbook_has_titles_above_its_header_another_sheet_and_a_nameless_card_column(tmp_path: Path) -> None:
    make_pair(tmp_path, claims=60, pages=2, odd=["layout-shuffled"])
    book = openpyxl.load_workbook(tmp_path / "stat.xlsx", read_only=True)
    assert set(book.sheetnames) == {"Feuil1", "Légende"}
    rows = [["" if cell is None else str(cell) for cell in row] for row in book["Feuil1"].iter_rows(values_only=True)]
    header = next(row for row in rows if "nomacte" in map(header_key, row))
    assert 0 < rows.index(header) < 20
    assert header[[header_key(cell) for cell in header].index("nomemployeur") + 1] == ""
    assert any(not any(row) for row in rows[rows.index(header) :])


def test_odd_csv_files_use_other_separators_and_quoted_line_breaks(tmp_path: Path) -> None:
    has_line_break = False
    for seed in range(2):
        separators = set()
        expected = make_pair(tmp_path / str(seed), claims=200, seed=seed, pages=3, fmt="csv", odd=["layout-shuffled"])
        for name in (expected["files"]["stat"], *expected["files"]["recaps"]):
            text = (tmp_path / str(seed) / name).read_bytes().decode("cp1252", errors="replace")
            separator = max(";,\t|", key=text.splitlines()[10].count)
            separators.add(separator)
            rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
            assert len(set(map(len, rows))) == 1
            has_line_break |= any("\n" in cell for row in rows for cell in row)
        assert separators == set(";,\t|")
    assert has_line_break
