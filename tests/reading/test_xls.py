"""`recap.xls`: sheet `Récap`, header in row 3, rows N1 (paid), N2 (date cell `#N/A`), N3 (not paid); sheet `Notes`."""

import os
import struct
from pathlib import Path

import pytest
from xlrd.compdoc import CompDoc

from reading.excel.ole import write_ole
from reading.first_look import heads
from reading.sources import Source
from tests.support.files import problems_of, read

RECAP = Path(__file__).parent / "recap.xls"


def test_an_old_workbook_is_read_and_its_error_cells_are_not_taken_for_unpaid():
    frame = read(RECAP, kind="recap")
    assert frame.select("sheet", "row", "claim_number", "settlement_date", "reimbursed_amount").rows() == [
        ("Récap", 4, "N1", "2023-02-03", "800.5"),
        ("Récap", 6, "N2", "#N/A", "800"),
        ("Récap", 7, "N3", None, "800"),
    ]


@pytest.mark.parametrize("number", [3_000_000, 500_000_000, -1])
def test_a_number_that_is_no_day_keeps_its_digits_in_an_old_workbook(tmp_path, number):
    book = RECAP.read_bytes()
    assert book.count(_integer(44960)) == 1  # the settlement date of N1
    (tmp_path / "r.xls").write_bytes(book.replace(_integer(44960), _integer(number)))
    frame = read(tmp_path / "r.xls", kind="recap")
    assert frame["settlement_date"].to_list() == [str(number), "#N/A", None]


def _integer(number: int) -> bytes:
    """An integer as the cells of an old workbook have it."""
    return struct.pack("<i", number << 2 | 2)


def test_the_first_rows_of_an_old_workbook_are_found_by_sheet():
    assert list(heads(Source(str(RECAP), "recap.xls"), kind="recap")) == ["Récap", "Notes"]


def test_an_old_workbook_in_the_stat_files_place_is_recognised():
    assert [problem.code for problem in problems_of(RECAP, kind="stat")] == ["swapped"]


def test_an_old_workbook_cut_short_is_damaged(tmp_path):
    (tmp_path / "cut.xls").write_bytes(RECAP.read_bytes()[:600])
    assert [problem.code for problem in problems_of(tmp_path / "cut.xls", kind="recap")] == ["damaged"]


def _with_merged_cells(folder: Path, ranges, *, before: bytes = b"") -> Path:
    """`recap.xls` with a record of merged cells (first row, last row, first column, last column) in its first sheet."""
    with open(os.devnull, "w") as silence:
        memory, start, length = CompDoc(RECAP.read_bytes(), logfile=silence).locate_named_stream("Workbook")
    stream = bytes(memory[start : start + length])
    notes = stream.index(b"\x05\x00Notes") - 6
    second_sheet = int.from_bytes(stream[notes : notes + 4], "little")
    data = struct.pack("<H", len(ranges)) + b"".join(struct.pack("<4H", *one) for one in ranges)
    record = before + struct.pack("<HH", 0x00E5, len(data)) + data
    shifted = struct.pack("<I", second_sheet + len(record))
    # The first sheet ends, with a record of four bytes, where the second one begins.
    end = second_sheet - 4
    stream = stream[:notes] + shifted + stream[notes + 4 : end] + record + stream[end:]
    (folder / "stream").write_bytes(stream)
    write_ole(str(folder / "stream"), str(folder / "merged.xls"))
    return folder / "merged.xls"


CHART = struct.pack("<HH16s", 0x0809, 16, b"\x00\x06\x20\x00") + struct.pack("<HH", 0x000A, 0)


@pytest.mark.parametrize("before", [b"", CHART])
def test_a_cell_merged_down_in_an_old_workbook_is_the_value_of_each_row_but_for_amounts(tmp_path, before):
    path = _with_merged_cells(tmp_path, [(3, 6, 1, 1), (3, 6, 3, 3), (2, 2, 0, 3)], before=before)
    frame = read(path, kind="recap")
    assert frame.select("row", "claim_number", "settlement_date", "reimbursed_amount").rows() == [
        (4, "N1", "2023-02-03", "800.5"),
        (6, "N2", "2023-02-03", "800"),
        (7, "N3", "2023-02-03", "800"),
    ]
