import datetime as dt
import re
import zipfile

import pytest
import xlsxwriter

from common.dates import parse_date
from reading.columns import STAT_COLUMNS
from reading.limits import Limits
from reading.sources import Source, read_file
from reading.typed import RawFile, type_amounts, type_texts, typed_recap, typed_stat
from tests.support.files import (
    RECAP_HEADERS,
    STAT_HEADERS,
    header_row,
    inline,
    package,
    problems_of,
    read,
    recap_row,
    stat_line,
    worksheet,
    write_xlsx,
)

RECAP4 = ["reglementId", "date_reglement", "totalmttreclame", "totalmttrembourse"]


def recap_package(rows, **options):
    return package(worksheet(header_row(RECAP4) + rows), **options)


@pytest.mark.parametrize("shared", [True, False])
def test_lines_come_with_their_sheet_and_the_row_that_the_spreadsheet_shows(tmp_path, shared):
    path = write_xlsx(tmp_path / "s.xlsx", {"Année": [STAT_HEADERS, stat_line("a1"), stat_line("a2")]}, shared=shared)
    frame = read(path, kind="stat")
    assert frame.select("sheet", "row", "claim_number", "note").rows() == [
        ("Année", 2, "a1", None),
        ("Année", 3, "a2", None),
    ]


def test_row_numbers_stay_true_below_empty_and_hidden_rows_and_right_of_empty_columns(tmp_path):
    book = xlsxwriter.Workbook(tmp_path / "r.xlsx")
    sheet = book.add_worksheet("Récap")
    sheet.write_row(4, 2, RECAP_HEADERS)
    sheet.write_row(6, 2, recap_row("A"))
    sheet.write_row(9, 2, recap_row("B"))
    sheet.set_row(9, None, None, {"hidden": True})
    sheet.write_row(11, 2, recap_row("C"))
    book.close()
    assert read(tmp_path / "r.xlsx", kind="recap").select("claim_number", "row").rows() == [
        ("A", 7),
        ("B", 10),
        ("C", 12),
    ]


def test_rows_without_a_value_are_skipped_and_rows_with_any_value_are_read(tmp_path):
    noted = recap_row("", settlement_date="", claimed_amount="", reimbursed_amount="", note="Total du mois")
    nothing = ["-", " ", "nan", *[""] * (len(RECAP_HEADERS) - 3)]
    path = write_xlsx(tmp_path / "r.xlsx", {"x": [RECAP_HEADERS, nothing, recap_row("A"), noted]})
    assert read(path, kind="recap")["row"].to_list() == [3, 4]


def test_cells_keep_what_they_are(tmp_path):
    book = xlsxwriter.Workbook(tmp_path / "r.xlsx")
    day, moment = (book.add_format({"num_format": one}) for one in ("dd/mm/yyyy", "dd/mm/yyyy hh:mm"))
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, RECAP4)
    cells = [
        (dt.datetime(2023, 5, 6), day, "2023-05-06"),  # noqa: DTZ001 - a cell has no zone
        (dt.datetime(2023, 5, 6, 13, 45), moment, "2023-05-06 13:45:00"),  # noqa: DTZ001
        (45000.5, None, "45000.5"),
        (True, None, "TRUE"),
        (1e20, None, "100000000000000000000"),
        (1234567.0, None, "1234567"),
        (-3, None, "-3"),
        ("  06/05/2023 ", None, "  06/05/2023 "),
        ("a\x00b\x1fc", None, "abc"),
    ]
    for row, (value, form, _) in enumerate(cells, start=1):
        sheet.write(row, 0, f"N{row}")
        if isinstance(value, dt.datetime):
            sheet.write_datetime(row, 1, value, form)
        else:
            sheet.write(row, 1, value)
    book.close()
    assert read(tmp_path / "r.xlsx", kind="recap")["settlement_date"].to_list() == [shown for _, _, shown in cells]


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="B2" t="e"><v>#N/A</v></c>',
        "<c t='e' s='3' r='B2'><f>NA()</f><v>#N/A</v></c>",
        '<c r="B2" t = "e"><v>#N/A</v></c>',
    ],
)
def test_an_error_cell_keeps_its_text_so_that_a_broken_date_is_not_taken_for_unpaid(tmp_path, cell):
    rows = f'<row r="2">{inline("A2", "N1")}{cell}<c r="C2"><v>5</v></c></row>'
    (tmp_path / "r.xlsx").write_bytes(recap_package(rows))
    frame = read(tmp_path / "r.xlsx", kind="recap")
    assert frame.select("settlement_date", "claimed_amount").row(0) == ("#N/A", "5")


NO_DAYS = {
    3000000: "3000000",
    2958466: "2958466",
    1e10: "10000000000",
    -1: "-1",
    -40000: "-40000",
    -700000: "-700000",
    0.5: "0.5",
    1e300: str(int(1e300)),
}


def with_dates(path, headers, lines, column, numbers, formula=False):
    """A workbook from column C on, whose cells of `column` are `numbers` in a date format, as values or as formulas."""
    book = xlsxwriter.Workbook(path)
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    sheet = book.add_worksheet()
    sheet.write_row(2, 2, headers)
    at = headers.index(column) + 2
    for row, (line, number) in enumerate(zip(lines, numbers, strict=True), start=3):
        sheet.write_row(row, 2, line)
        if formula:
            sheet.write_formula(row, at, '=IF(A1>"<", 1, 2)', day, number)
        elif number is None:
            sheet.write_blank(row, at, None, day)
        else:
            sheet.write_number(row, at, number, day)
    book.close()
    return path


@pytest.mark.parametrize("formula", [False, True])
def test_a_number_that_is_no_day_keeps_its_digits_in_a_date_format(tmp_path, formula):
    numbers = [45000, *NO_DAYS, 1, 2958465]
    rows = [recap_row(f"N{at}") for at in range(len(numbers))]
    path = with_dates(tmp_path / "r.xlsx", RECAP_HEADERS, rows, "date_reglement", numbers, formula)
    frame = read(path, kind="recap")
    assert frame["settlement_date"].to_list() == ["2023-03-15", *NO_DAYS.values(), "1900-01-01", "9999-12-31"]
    typed = typed_recap(frame)
    assert typed["is_paid"].all()
    assert typed.filter("unreadable")["settlement_date_raw"].to_list() == list(NO_DAYS.values())


def test_an_empty_date_stays_empty_beside_numbers_that_are_no_day(tmp_path):
    rows = [recap_row("N1", settlement_date=""), recap_row("N2"), recap_row("N3", settlement_date="-")]
    path = with_dates(tmp_path / "r.xlsx", RECAP_HEADERS, rows[:2], "date_reglement", [None, 1e10])
    assert typed_recap(read(path, kind="recap"))["is_paid"].to_list() == [False, True]


@pytest.mark.parametrize(
    ("field", "header"), [("settlement_date", "Date de règlement"), ("incident_date", "Date de sinistre")]
)
def test_a_stat_line_with_a_number_that_is_no_day_shows_the_number(tmp_path, field, header):
    lines = [stat_line("a1"), stat_line("a2")]
    typed = typed_stat(read(with_dates(tmp_path / "s.xlsx", STAT_HEADERS, lines, header, [45000, 1e10]), kind="stat"))
    assert typed[f"{field}_raw"].to_list() == [None, "10000000000"]


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
DATE_STYLE = f'<styleSheet xmlns="{MAIN}"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'


@pytest.mark.parametrize("address", ['r="B4"', ""])
@pytest.mark.parametrize(
    "cell",
    [
        '<c {} s="1" t="n"><v>1E10</v></c>',
        "<c s='1' {}><f t=\"shared\" si='0'/><v>1.0e+10</v></c>",
        '<c {} s="1"><f>A1</f><v>10000000000</v></c>',
        f'<x:c xmlns:x="{MAIN}" {{}} s="1"><x:v>1e10</x:v></x:c>',
    ],
)
def test_a_number_that_is_no_day_is_found_however_its_xml_is_written(tmp_path, cell, address):
    if address:
        rows = f'<row r="4">{inline("A4", "N1")}{cell.format(address)}</row><row r="5">{inline("A5", "N2")}</row>'
    else:
        first, second = (f'<c t="inlineStr"><is><t>{number}</t></is></c>' for number in ("N1", "N2"))
        rows = f"<row/><row/><row>{first}{cell.format('')}</row><row>{second}<c/><c><v>-6</v></c></row>"
    # Addressed or not, all cells of a sheet are.
    head = header_row(RECAP4) if address else re.sub(' r="[A-Z]*1"', "", header_row(RECAP4))
    (tmp_path / "r.xlsx").write_bytes(package(worksheet(head + rows), styles=DATE_STYLE))
    found = read(tmp_path / "r.xlsx", kind="recap").select("row", "settlement_date")
    assert found.rows() == [(4, "10000000000"), (5, None)]


def test_error_cells_stay_in_place_in_a_sheet_that_begins_at_column_c(tmp_path):
    book = xlsxwriter.Workbook(tmp_path / "r.xlsx")
    sheet = book.add_worksheet()
    sheet.write_row(3, 2, RECAP4)
    sheet.write_row(5, 2, ["N1", "03/02/2023", 5])
    sheet.write_formula(5, 5, "=1/0", None, "#DIV/0!")
    book.close()
    assert read(tmp_path / "r.xlsx", kind="recap")["reimbursed_amount"].to_list() == ["#DIV/0!"]


def test_one_cell_in_the_last_row_and_column_is_refused_with_its_address(tmp_path):
    rows = f'<row r="1048576">{inline("XFD1048576", "x")}</row>'
    (tmp_path / "r.xlsx").write_bytes(recap_package(rows))
    (problem,) = problems_of(tmp_path / "r.xlsx", kind="recap")
    assert (problem.code, problem.file, problem.params["cell"]) == ("far_cell", "r.xlsx", "XFD1048576")


def test_one_cell_in_the_last_row_of_a_wide_sheet_is_refused_with_its_address(tmp_path):
    rows = f'<row r="2">{inline("CV2", "x")}</row><row r="1048576">{inline("A1048576", "x")}</row>'
    (tmp_path / "r.xlsx").write_bytes(recap_package(rows))
    assert problems_of(tmp_path / "r.xlsx", kind="recap")[0].params["cell"] == "A1048576"


def test_far_cells_that_only_have_a_format_refuse_nothing(tmp_path):
    rows = f'<row r="2">{inline("A2", "N1")}<c r="XFD2" s="1"/><c r="XFC2" s="1"></c></row><row r="1048576" s="1"/>'
    (tmp_path / "r.xlsx").write_bytes(recap_package(rows))
    assert read(tmp_path / "r.xlsx", kind="recap")["claim_number"].to_list() == ["N1"]


def test_more_than_two_hundred_columns_in_use_are_refused_and_two_hundred_are_not(tmp_path):
    extra = [f"h{at}" for at in range(200 - len(RECAP_HEADERS))]
    read(write_xlsx(tmp_path / "a.xlsx", {"x": [RECAP_HEADERS + extra, recap_row("A")]}), kind="recap")
    path = write_xlsx(tmp_path / "b.xlsx", {"x": [[*RECAP_HEADERS, *extra, "more"], recap_row("A")]})
    assert [problem.code for problem in problems_of(path, kind="recap")] == ["far_cell"]


def test_a_document_type_in_any_part_is_refused(tmp_path):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]>'
    (tmp_path / "a.xlsx").write_bytes(package(worksheet(header_row(RECAP4), before=bomb)))
    (tmp_path / "b.xlsx").write_bytes(recap_package("", extra={"docProps/app.xml": f"{bomb}<x/>".encode()}))
    behind_comment = f"<!-- <x> {' ' * 3_000_000} -->{bomb}"
    (tmp_path / "c.xlsx").write_bytes(package(worksheet(header_row(RECAP4), before=behind_comment)))
    utf_16 = f"<?xml version='1.0'?>{bomb}<x/>".encode("utf-16")
    (tmp_path / "d.xlsx").write_bytes(recap_package("", extra={"docProps/app.xml": utf_16}))
    for name in ("a.xlsx", "b.xlsx", "c.xlsx", "d.xlsx"):
        assert [problem.code for problem in problems_of(tmp_path / name, kind="recap")] == ["entities"]


def test_a_file_that_unpacks_to_far_more_than_its_size_is_refused(tmp_path):
    (tmp_path / "r.xlsx").write_bytes(recap_package("", extra={"xl/media/image1.png": b"\0" * 30_000_000}))
    assert [problem.code for problem in problems_of(tmp_path / "r.xlsx", kind="recap")] == ["inflates_too_much"]


def test_a_file_of_repeated_values_is_read_despite_its_high_ratio(tmp_path):
    cells = ('<c t="inlineStr"><is><t>A</t></is></c>' * 2) + "<c><v>1000</v></c><c><v>800</v></c>"
    data = recap_package(f"<row>{cells}</row>" * 100_000)
    (tmp_path / "r.xlsx").write_bytes(data)
    inflated = sum(info.file_size for info in zipfile.ZipFile(tmp_path / "r.xlsx").infolist())
    assert inflated > 100 * len(data)
    frame = read(tmp_path / "r.xlsx", kind="recap")
    assert frame.height == 100_000
    assert frame.select("row", "reimbursed_amount").row(-1) == (100_001, "800")


def test_a_package_of_too_many_parts_is_refused(tmp_path):
    (tmp_path / "r.xlsx").write_bytes(recap_package("", extra={f"xl/x{at}.bin": b"" for at in range(1000)}))
    assert [problem.code for problem in problems_of(tmp_path / "r.xlsx", kind="recap")] == ["too_many_entries"]


def test_every_page_of_a_recap_workbook_is_read_and_other_sheets_are_not(tmp_path):
    sheets = {"p1": [RECAP_HEADERS, recap_row("A")], "note": [["lu"]], "p2": [["titre"], RECAP_HEADERS, recap_row("B")]}
    frame = read(write_xlsx(tmp_path / "r.xlsx", sheets), kind="recap")
    assert frame.select("sheet", "row", "claim_number").rows() == [("p1", 2, "A"), ("p2", 3, "B")]


def test_a_stat_workbook_with_several_stat_sheets_needs_the_name_of_one(tmp_path):
    sheets = {"2022": [STAT_HEADERS, stat_line("a")], "2023": [STAT_HEADERS, stat_line("b")]}
    path = write_xlsx(tmp_path / "s.xlsx", sheets)
    assert [problem.code for problem in problems_of(path, kind="stat")] == ["several_sheets"]
    assert read(path, kind="stat", sheet="2023")["claim_number"].to_list() == ["b"]
    assert [problem.code for problem in problems_of(path, kind="stat", sheet="2024")] == ["no_such_sheet"]


def test_of_a_field_found_twice_the_column_that_has_values_is_kept(tmp_path):
    row = [*recap_row("A", settlement_date=""), "04/02/2023"]
    path = write_xlsx(tmp_path / "r.xlsx", {"x": [[*RECAP_HEADERS, "Date de règlement"], row]})
    assert read(path, kind="recap")["settlement_date"].to_list() == ["04/02/2023"]


def test_a_field_found_twice_with_values_that_differ_is_a_problem_naming_both(tmp_path):
    rows = [[*recap_row("A"), "03/02/2023"], [*recap_row("B"), ""]]
    path = write_xlsx(tmp_path / "r.xlsx", {"x": [[*RECAP_HEADERS, "Date de règlement"], *rows]})
    (problem,) = problems_of(path, kind="recap")
    assert problem.code == "same_field_twice"
    assert problem.params == {"headers": ["date_reglement", "Date de règlement"], "letters": ["B", "N"]}


def test_empty_truncated_and_renamed_files_have_their_own_problems(tmp_path):
    whole = write_xlsx(tmp_path / "w.xlsx", {"x": [RECAP_HEADERS, recap_row("A")]}).read_bytes()
    contents = {
        "empty.xlsx": b"",
        "cut.xlsx": whole[: len(whole) // 2],
        "book.csv": whole,
        "page.xls": b"<html><table></table></html>",
        "text.xlsx": b"reglementId;date_reglement\n",
        "zip.xlsx": package("<x/>", workbook="<x/>")[:0] or b"PK\x03\x04",
        "no_rows.xlsx": package(worksheet("")),
    }
    found = {}
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
        found[name] = [problem.code for problem in problems_of(tmp_path / name, kind="recap")]
    assert found == {
        "empty.xlsx": ["empty_file"],
        "cut.xlsx": ["damaged"],
        "book.csv": [],
        "page.xls": ["wrong_content"],
        "text.xlsx": ["missing_columns"],
        "zip.xlsx": ["damaged"],
        "no_rows.xlsx": ["empty_file"],
    }


def test_a_workbook_with_headers_alone_is_read_as_no_lines(tmp_path):
    frame = read(write_xlsx(tmp_path / "r.xlsx", {"x": [RECAP_HEADERS]}), kind="recap")
    assert (frame.height, frame.columns[4]) == (0, "claim_number")


def test_a_grid_too_large_for_memory_is_refused(tmp_path):
    path = write_xlsx(tmp_path / "r.xlsx", {"x": [RECAP_HEADERS, *[recap_row("A")] * 100]})
    assert problems_of(path, kind="recap", limits=Limits(max_grid_cells=1000))[0].code == "far_cell"


def merged_book(path, *, first_row=1, lines=3, fields=("claim_number", "beneficiary", "settlement_date"), **options):
    """A stat workbook with one claim of `lines` acts, whose cells of `fields` are merged down over them."""
    book = xlsxwriter.Workbook(path, options)
    sheet = book.add_worksheet("Stat")
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    sheet.write_row(first_row - 1, 0, STAT_HEADERS)
    for at in range(lines):
        sheet.write_row(first_row + at, 0, stat_line("a1" if at == 0 else "", act=f"ACTE {at}"))
    for field in fields:
        column = [one.field for one in STAT_COLUMNS].index(field)
        value = 44960 if field.endswith("date") else "a1" if field == "claim_number" else "LAWSON AFI"
        sheet.merge_range(first_row, column, first_row + lines - 1, column, "", day if field.endswith("date") else None)
        sheet.write(first_row, column, value, day if field.endswith("date") else None)
    return book, sheet


def test_a_cell_merged_down_is_the_value_of_each_row(tmp_path):
    book, sheet = merged_book(tmp_path / "s.xlsx")
    sheet.write_row(4, 0, stat_line("a2", beneficiary="AUTRE"))
    book.close()
    frame = read(tmp_path / "s.xlsx", kind="stat")
    assert frame.select("row", "claim_number", "beneficiary", "settlement_date", "act").rows() == [
        *((row, "a1", "LAWSON AFI", "2023-02-03", f"ACTE {row - 2}") for row in (2, 3, 4)),
        (5, "a2", "AUTRE", "03/02/2023", "RADIOGRAPHIE"),
    ]


def test_an_amount_merged_down_is_the_amount_of_its_first_row_alone(tmp_path):
    book, sheet = merged_book(tmp_path / "s.xlsx", fields=("claim_number",))
    amount = STAT_HEADERS.index("Montant facturé")
    # With a format, the cells that the merged one covers are written as blank ones.
    sheet.merge_range(1, amount, 3, amount, 3000, book.add_format({"bold": True}))
    book.close()
    assert read(tmp_path / "s.xlsx", kind="stat")["claimed_amount"].to_list() == ["3000", None, None]


def test_a_row_that_only_a_merged_cell_reaches_is_no_line(tmp_path):
    book, sheet = merged_book(tmp_path / "s.xlsx", fields=())
    sheet.merge_range(1, STAT_HEADERS.index("Numero de sinistre"), 9, STAT_HEADERS.index("Numero de sinistre"), "a1")
    sheet.write(12, 0, "PORT DU GOLFE")
    book.close()
    frame = read(tmp_path / "s.xlsx", kind="stat")
    assert frame.select("row", "claim_number").rows() == [(2, "a1"), (3, "a1"), (4, "a1"), (13, None)]


def test_a_cell_merged_across_is_the_value_of_its_first_column_alone(tmp_path):
    book, sheet = merged_book(tmp_path / "s.xlsx", fields=(), lines=2)
    sheet.merge_range(1, 0, 2, 2, "GROUPE", book.add_format({"bold": True}))
    book.close()
    frame = read(tmp_path / "s.xlsx", kind="stat")
    assert frame.select("employer", "card_number", "broker").rows() == [("GROUPE", None, None)] * 2


def test_a_title_merged_down_into_the_lines_is_the_value_of_none(tmp_path):
    book, sheet = merged_book(tmp_path / "s.xlsx", fields=(), lines=2)
    sheet.merge_range(0, STAT_HEADERS.index("Note Générale"), 2, STAT_HEADERS.index("Note Générale"), "Note Générale")
    book.close()
    assert read(tmp_path / "s.xlsx", kind="stat")["note"].to_list() == [None, None]


def test_a_million_merged_rows_and_merges_that_overlap_are_read_in_no_time(tmp_path):
    cells = header_row(RECAP4) + f'<row r="2">{inline("A2", "N1")}<c r="C2"><v>5</v></c><c r="D2"><v>4</v></c></row>'
    ranges = "".join(f'<mergeCell ref="A{first}:A1048576"/>' for first in range(2, 3000))
    sheet = worksheet(cells).replace("</worksheet>", f"<mergeCells>{ranges}</mergeCells></worksheet>")
    (tmp_path / "r.xlsx").write_bytes(package(sheet))
    assert read(tmp_path / "r.xlsx", kind="recap").select("row", "claim_number").rows() == [(2, "N1")]


def test_a_header_two_rows_high_with_merged_titles_is_read_and_skipped_where_it_comes_again(tmp_path):
    down = ("Numero de sinistre", "Statut", "Montant facturé")
    book = xlsxwriter.Workbook(tmp_path / "s.xlsx")
    sheet = book.add_worksheet()

    def write_header(top):
        sheet.merge_range(top, 0, top, 3, "Assuré")
        for at, title in enumerate(STAT_HEADERS):
            if title in down:
                sheet.merge_range(top, at, top + 1, at, title)
            else:
                sheet.write(top + 1, at, title)

    write_header(0)
    sheet.write_row(2, 0, stat_line("a1"))
    write_header(4)
    sheet.write_row(6, 0, stat_line("a2"))
    book.close()
    assert read(tmp_path / "s.xlsx", kind="stat").select("row", "claim_number").rows() == [(3, "a1"), (7, "a2")]


@pytest.mark.parametrize("addressed", [True, False])
def test_a_number_cell_is_told_from_a_text_that_looks_like_it(tmp_path, addressed):
    rows = [recap_row("A", claimed_amount="12.000"), recap_row("B", claimed_amount=1.234)]
    rows += [recap_row("C", claimed_amount=12.5), recap_row("D", claimed_amount="1.234")]
    path = write_xlsx(tmp_path / "r.xlsx", {"x": [RECAP_HEADERS, *rows]})
    if not addressed:
        path = without_addresses(path, tmp_path / "bare.xlsx")
    found = read_file(Source(str(path), path.name), index=0, kind="recap", limits=Limits())
    files = [RawFile(type_texts(found.frame, kind="recap"), found.fractions)]
    typed = type_amounts(files, kind="recap", currency="XOF")
    assert typed.frame["claimed_cents"].to_list() == [1200000, 123, 1250, 123400]
    assert typed.lone_marks[0].examples == ["12.000", "1.234"]


def without_addresses(path, target):
    """The workbook with no cell that has its address, as the standard allows; no cell before another is empty then."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as bare:
        for info in source.infolist():
            data = source.read(info)
            if "worksheets/" in info.filename:
                data = re.sub(rb'(<c) r="[A-Z]+[0-9]+"', rb"\1", data)
            bare.writestr(info, data)
    return target


@pytest.mark.parametrize("date_1904", [False, True])
def test_a_date_cell_is_its_day_in_both_calendars_of_excel(tmp_path, date_1904):
    book = xlsxwriter.Workbook(tmp_path / "r.xlsx", {"date_1904": date_1904})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, RECAP4)
    sheet.write_row(1, 0, ["N1", None, 5, 4])
    sheet.write_datetime(1, 1, dt.date(2023, 5, 6), book.add_format({"num_format": "dd/mm/yyyy"}))
    book.close()
    assert read(tmp_path / "r.xlsx", kind="recap")["settlement_date"].to_list() == ["2023-05-06"]


@pytest.mark.parametrize(("date_1904", "serial"), [(False, 45052), (True, 43590)])
def test_a_number_in_a_column_of_dates_counts_in_the_calendar_of_its_workbook(tmp_path, date_1904, serial):
    book = xlsxwriter.Workbook(tmp_path / "r.xlsx", {"date_1904": date_1904})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, RECAP4)
    sheet.write_row(1, 0, ["N1", serial, 5, 4])
    sheet.write_row(2, 0, ["N2", 20230506, 5, 4])
    book.close()
    days = read(tmp_path / "r.xlsx", kind="recap")["settlement_date"].to_list()
    assert (parse_date(days[0]), days[1]) == (dt.date(2023, 5, 6), "20230506")
