"""The workbook of the report, read back as a spreadsheet reads it."""

import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from common.money import to_decimal
from common.workbook import MOST_ROWS, ColumnSpec, sheet_title
from importer.report.workbook import Fact, Report, SheetSpec, write_report
from tests.support.workbooks import numbers_in_column

DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://a.b")', "http://a.b", "mailto:a@b.c", "{=1}"]
COLUMNS = [
    ColumnSpec(header="Sinistre", width=30),
    ColumnSpec(header="Réclamé", kind="money", width=14),
    ColumnSpec(header="Réglé le", kind="date", width=12),
    ColumnSpec(header="Ligne", kind="integer", width=8),
]
ROWS = [("0012", 1234550, date(2023, 5, 6), 2), (None, -5, None, 1_048_576), ("C2", None, date(1900, 3, 1), None)]


def report(*sheets, facts=()):
    return Report(summary_title="Synthèse", heading="Import nº 4", facts=facts, sheets=sheets)


def written(folder, *sheets, facts=()):
    path = folder / "report.xlsx"
    write_report(path, report(*sheets, facts=facts))
    return openpyxl.load_workbook(path)


def listed(rows=ROWS, title="Écarts", columns=COLUMNS):
    return SheetSpec(title=title, columns=columns, rows=rows)


def texts(values, header="Texte"):
    return SheetSpec(title="Textes", columns=[ColumnSpec(header=header)], rows=[(value,) for value in values])


def column(sheet, letter):
    """The values below the header; a date cell, whose value is a moment, as its day."""
    values = [cell.value for cell in sheet[letter]][1:]
    return [value.date() if isinstance(value, datetime) else value for value in values]


def test_the_summary_comes_first_with_its_headings_and_facts(tmp_path):
    facts = [
        ("Files", None),
        Fact("Stat", "=stat.xlsx"),
        ("Claims", 2000),
        ("Claimed", Decimal("1234.50")),
        ("From", date(2023, 1, 1)),
        ("None", ""),
    ]
    book = written(tmp_path, listed(), facts=facts)
    assert book.sheetnames == ["Synthèse", "Écarts"]
    summary = book["Synthèse"]
    assert [cell.value for cell in summary["A"]] == [
        "Import nº 4",
        "Files",
        "Stat",
        "Claims",
        "Claimed",
        "From",
        "None",
    ]
    assert column(summary, "B") == [None, "=stat.xlsx", 2000, 1234.5, date(2023, 1, 1), None]
    assert [summary[f"A{row}"].font.b for row in (1, 2, 3)] == [True, True, False]
    assert (summary["B3"].data_type, summary["B4"].number_format) == ("s", "General")
    assert (summary["B5"].number_format, summary["B6"].number_format) == ("#,##0.00", "dd/mm/yyyy")


def test_numbers_are_numbers_dates_are_dates_and_references_stay_text(tmp_path):
    sheet = written(tmp_path, listed())["Écarts"]
    assert [cell.value for cell in sheet[1]] == ["Sinistre", "Réclamé", "Réglé le", "Ligne"]
    assert column(sheet, "A") == ["0012", None, "C2"]
    assert column(sheet, "B") == [12345.5, -0.05, None]
    assert column(sheet, "C") == [date(2023, 5, 6), None, date(1900, 3, 1)]
    assert column(sheet, "D") == [2, 1_048_576, None]
    assert [cell.data_type for cell in sheet[2]] == ["s", "n", "d", "n"]
    assert [cell.number_format for cell in sheet[2]] == ["@", "#,##0.00", "dd/mm/yyyy", "0"]


def test_each_amount_is_the_double_that_is_nearest_to_it(tmp_path):
    # One of the first is 102310.40, which a division by multiplication makes 102310.40000000001.
    cents = [10231040, -10231040, None, 0, 5, -5, 10**15 - 1, *range(-3000, 3000), *range(10231040, 10**9, 999_983)]
    write_report(tmp_path / "report.xlsx", report(listed([("A", amount, None, 1) for amount in cents])))
    texts = numbers_in_column((tmp_path / "report.xlsx").read_bytes(), sheet=2, column="B")
    assert [float(text) for text in texts] == [float(to_decimal(amount)) for amount in cents if amount is not None]


def test_an_amount_that_is_alone_in_its_column_is_exact_too(tmp_path):
    write_report(tmp_path / "report.xlsx", report(listed([("A", 10231040, None, 1)])))
    assert numbers_in_column((tmp_path / "report.xlsx").read_bytes(), sheet=2, column="B") == ["102310.4"]


def test_a_frame_is_written_as_its_rows_are_whatever_its_columns_are_called(tmp_path):
    frame = pl.DataFrame(ROWS, schema={"a": pl.String, "b": pl.Int64, "c": pl.Date, "d": pl.UInt32}, orient="row")
    by_frame = list(written(tmp_path, listed(frame))["Écarts"].values)
    assert by_frame == list(written(tmp_path, listed(ROWS))["Écarts"].values)


def test_every_list_has_a_bold_frozen_filterable_header_and_widths(tmp_path):
    for sheet in written(tmp_path, listed(), listed([], title="Vide")).worksheets[1:]:
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref == f"A1:D{sheet.max_row}"
        assert all(cell.font.b for cell in sheet[1])
        widths = [round(sheet.column_dimensions[letter].width) for letter in "ABCD"]
        assert widths == [31, 15, 13, 9]  # as given, and the margin that a spreadsheet adds


def test_an_empty_list_still_shows_its_header(tmp_path):
    assert [cell.value for cell in written(tmp_path, listed([]))["Écarts"][1]] == [
        "Sinistre",
        "Réclamé",
        "Réglé le",
        "Ligne",
    ]


@pytest.mark.parametrize("text", DANGEROUS)
def test_text_never_becomes_a_formula_or_a_link_wherever_it_stands(tmp_path, text):
    book = written(
        tmp_path, SheetSpec(title=text, columns=[ColumnSpec(header=text)], rows=[(text,)]), facts=[(text, text)]
    )
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert [cell.value for cell in cells] == ["Import nº 4", " ", text, text, text, text]
    assert all(cell.data_type == "s" and cell.hyperlink is None for cell in cells)


def test_text_loses_control_characters_and_what_does_not_fit_a_cell(tmp_path):
    sheet = written(tmp_path, texts(["a\x00b\x1fc", "two\nlines", "_x0041_", "é" * 40_000]))["Textes"]
    assert column(sheet, "A")[:2] == ["abc", "two\nlines"]
    assert CalamineWorkbook.from_path(tmp_path / "report.xlsx").get_sheet_by_name("Textes").to_python()[3] == [
        "_x0041_"
    ]
    assert len(sheet["A5"].value) == 32_767


def test_days_that_no_workbook_knows_are_written_as_text(tmp_path):
    rows = [("a", 1, date(23, 5, 6), 1), ("b", 1, date(2023, 5, 6), 1)]
    sheet = written(tmp_path, listed(rows), facts=[("First", date(23, 5, 6))])["Écarts"]
    assert column(sheet, "C") == ["06/05/0023", "06/05/2023"]


def test_titles_are_made_to_fit_and_to_differ():
    taken: set[str] = set()
    titles = ["Écarts", "écarts", "a[b]:c*d?e/f\\g", "x" * 40, "x" * 40, "'=1'", "", " \x00 "]
    made = [sheet_title(title, taken=taken) for title in titles]
    assert made == ["Écarts", "écarts (2)", "a b c d e f g", "x" * 31, "x" * 27 + " (2)", "=1", "_", "_ (2)"]


def test_sheets_with_one_title_are_both_written(tmp_path):
    assert written(tmp_path, listed(), listed(), listed(title="Synthèse")).sheetnames == [
        "Synthèse",
        "Écarts",
        "Écarts (2)",
        "Synthèse (2)",
    ]


def test_a_list_longer_than_a_worksheet_continues_in_another(tmp_path):
    rows = pl.DataFrame({"n": pl.int_range(MOST_ROWS + 2, eager=True)})
    path = tmp_path / "report.xlsx"
    write_report(path, report(SheetSpec(title="Lignes", columns=[ColumnSpec(header="n", kind="integer")], rows=rows)))
    book = CalamineWorkbook.from_path(path)
    assert book.sheet_names == ["Synthèse", "Lignes", "Lignes (2)"]
    assert book.get_sheet_by_name("Lignes").height == MOST_ROWS + 1
    assert book.get_sheet_by_name("Lignes (2)").to_python() == [["n"], [MOST_ROWS], [MOST_ROWS + 1]]


def test_two_columns_with_one_header_are_refused(tmp_path):
    with pytest.raises(ValueError, match="same header"):
        written(tmp_path, SheetSpec(title="x", columns=[ColumnSpec(header="a"), ColumnSpec(header="a")], rows=[]))


def test_rows_that_do_not_fit_their_columns_are_refused_and_leave_no_file(tmp_path):
    with pytest.raises(ValueError, match="4 columns"):
        written(tmp_path, listed(pl.DataFrame({"a": ["x"]})))
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_report(tmp_path / "none" / "report.xlsx", report(listed()))


FILL = """
import errno, hashlib, resource, sys
from importer.report.workbook import *
path, sheets, rows, room = sys.argv[1], *map(int, sys.argv[2:])
cells = [(hashlib.sha256(b"%d" % n).hexdigest(),) for n in range(rows)]
lists = [SheetSpec(title="x", columns=[ColumnSpec(header="a")], rows=cells)] * sheets
resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
try:
    write_report(path, Report(summary_title="s", heading="h", facts=[], sheets=lists))
except OSError as error:
    sys.exit(7 if error.errno == errno.EFBIG else 8)
"""


@pytest.mark.parametrize(("sheets", "rows"), [(1, 5000), (12, 1000)], ids=["in one sheet", "in the whole workbook"])
def test_a_disk_without_room_is_an_os_error_and_leaves_the_old_report_alone(tmp_path, sheets, rows):
    path = tmp_path / "report.xlsx"
    path.write_bytes(b"old")
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", FILL, str(path), str(sheets), str(rows), "200000"]
    ended = subprocess.run(command, cwd=root, capture_output=True, timeout=60, check=False)
    assert ended.returncode == 7, ended.stderr
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_report_takes_the_place_of_the_old_one(tmp_path):
    written(tmp_path, listed([]))
    assert written(tmp_path, listed())["Écarts"].max_row == 4
    assert [path.name for path in tmp_path.iterdir()] == ["report.xlsx"]
