"""A workbook that Excel opens is read, however its package is laid out (DOMAIN §4 "Files")."""

import datetime as dt
import io
import zipfile

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile

from file_handling.files.checks import InvalidUpload, check_upload
from reading.excel.package import open_package
from reading.first_look import heads
from reading.limits import MB, Limits
from reading.preview import preview
from reading.process import start_read
from reading.sources import Source
from tests.support.files import RECAP_HEADERS, inline, package, problems_of, read, recap_row, worksheet, write_xlsx
from tests.support.packages import ODD_PACKAGES, package_of, parts_of, with_parts

SHEET = "Janvier & fév."


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> bytes:
    rows = [RECAP_HEADERS, recap_row("N1", beneficiary="KOSSI É."), recap_row("N2")]
    return write_xlsx(tmp_path_factory.mktemp("plain") / "r.xlsx", {SHEET: rows}).read_bytes()


@pytest.mark.parametrize("odd", ODD_PACKAGES)
def test_an_odd_package_is_accepted_previewed_and_read_like_a_plain_one(tmp_path, plain, odd):
    data = ODD_PACKAGES[odd](plain)
    path = tmp_path / "r.xlsx"
    path.write_bytes(data)
    assert check_upload(SimpleUploadedFile("r.xlsx", data), kind="recap") is not None
    source = Source(str(path), "r.xlsx")
    assert heads(source, kind="recap")[SHEET][1][0] == "N1"
    shown = preview(source, rows=2, limits=Limits())
    assert (shown["columns"], [row[0] for row in shown["rows"]]) == (RECAP_HEADERS, ["N1", "N2"])
    frame = read(path, kind="recap")
    assert frame.select("sheet", "row", "claim_number", "beneficiary").rows() == [
        (SHEET, 2, "N1", "KOSSI É."),
        (SHEET, 3, "N2", None),
    ]


def test_a_plain_package_is_not_copied(tmp_path, plain):
    (tmp_path / "r.xlsx").write_bytes(plain)
    opened = open_package(str(tmp_path / "r.xlsx"))
    with opened.archive:
        assert opened.is_standard


def test_the_reading_process_reads_odd_packages_and_leaves_no_copy(tmp_path, plain):
    files = []
    for at, odd in enumerate(("back slashes", "UTF-16")):
        path = tmp_path / f"p{at}.xls"
        path.write_bytes(ODD_PACKAGES[odd](plain))
        files.append(Source(str(path), path.name))
    out = tmp_path / "out"
    result = start_read(kind="recap", files=files, out_dir=out, limits=Limits()).wait()
    assert result.frame["claim_number"].to_list() == ["N1", "N2"] * 2
    names = {"facts.json", "frame.arrow", "job.json", "lines-0.parquet", "lines-1.parquet", "stderr.txt"}
    assert {path.name for path in out.iterdir()} == names


def test_dates_of_the_calendar_of_1904_are_right_in_an_odd_package(tmp_path):
    book = xlsxwriter.Workbook(tmp_path / "plain.xlsx", {"date_1904": True})
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, RECAP_HEADERS)
    sheet.write_row(1, 0, recap_row("N1"))
    sheet.write_datetime(1, 1, dt.date(2024, 3, 9), day)
    book.close()
    odd = ODD_PACKAGES["main part of another name"]((tmp_path / "plain.xlsx").read_bytes())
    (tmp_path / "r.xlsx").write_bytes(odd)
    assert read(tmp_path / "r.xlsx", kind="recap")["settlement_date"].to_list() == ["2024-03-09"]


def test_error_cells_and_far_cells_are_found_in_utf_16_too(tmp_path, plain):
    def error(parts):
        name = "xl/worksheets/sheet1.xml"
        cells = f'<row r="4">{inline("A4", "N3")}<c r="B4" t="e"><v>#N/A</v></c></row></sheetData>'
        parts[name] = parts[name].replace(b"</sheetData>", cells.encode())

    def far(parts):
        name = "xl/worksheets/sheet1.xml"
        cells = f'<row r="1048576">{inline("XFD1048576", "x")}</row></sheetData>'
        parts[name] = parts[name].replace(b"</sheetData>", cells.encode())

    (tmp_path / "e.xlsx").write_bytes(ODD_PACKAGES["UTF-16"](with_parts(error)(plain)))
    assert read(tmp_path / "e.xlsx", kind="recap")["settlement_date"].to_list()[-1] == "#N/A"
    (tmp_path / "f.xlsx").write_bytes(ODD_PACKAGES["UTF-16"](with_parts(far)(plain)))
    assert [(one.code, one.params["cell"]) for one in problems_of(tmp_path / "f.xlsx", kind="recap")] == [
        ("far_cell", "XFD1048576")
    ]


def test_the_same_limits_hold_for_an_odd_package(tmp_path, plain):
    odd = ODD_PACKAGES["back slashes"]
    found = {}
    for name, more, limits in (
        ("a.xlsx", [("xl/media/image1.png", bytes(30 * MB))], Limits()),
        ("b.xlsx", [(f"xl/{at}.bin", b"") for at in range(20)], Limits(max_entries=20)),
        ("c.xlsx", [("docProps/x.xml", b'<!DOCTYPE x [<!ENTITY a "aa">]><x/>')], Limits()),
    ):
        (tmp_path / name).write_bytes(odd(package_of([*parts_of(plain).items(), *more])))
        found[name] = [one.code for one in problems_of(tmp_path / name, kind="recap", limits=limits)]
    assert found == {"a.xlsx": ["inflates_too_much"], "b.xlsx": ["too_many_entries"], "c.xlsx": ["entities"]}


def test_a_package_without_its_list_of_types_is_damaged_as_for_excel(tmp_path, plain):
    parts = parts_of(plain)
    del parts["[Content_Types].xml"]
    data = package_of(parts.items())
    (tmp_path / "r.xlsx").write_bytes(data)
    assert [one.code for one in problems_of(tmp_path / "r.xlsx", kind="recap")] == ["damaged"]
    with pytest.raises(InvalidUpload, match="file") as invalid:
        check_upload(SimpleUploadedFile("r.xlsx", data), kind="recap")
    assert "damaged" in invalid.value.sentences()[0]


@pytest.mark.parametrize("name", ["xl/vbaProject.bin", "xl\\vbaProject.bin", "XL/VBAPROJECT.BIN"])
def test_macros_are_refused_under_any_spelling(plain, name):
    data = package_of([*parts_of(plain).items(), (name, b"x")])
    with pytest.raises(InvalidUpload) as invalid:
        check_upload(SimpleUploadedFile("r.xlsx", data), kind="recap")
    assert "macros" in invalid.value.sentences()[0]


def test_a_workbook_whose_listed_sheets_all_lack_their_part_is_damaged(tmp_path):
    data = package(worksheet(""))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = [(name, archive.read(name)) for name in archive.namelist() if "sheet1" not in name]
    (tmp_path / "r.xlsx").write_bytes(package_of(parts))
    assert [one.code for one in problems_of(tmp_path / "r.xlsx", kind="recap")] == ["damaged"]
