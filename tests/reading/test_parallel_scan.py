"""A large workbook is read by two processes, with the same result as by one."""

import os
import signal
import time
from pathlib import Path

import pytest

from reading import parallel_scan
from reading.limits import Limits
from reading.process import ReaderKilled, start_read
from reading.sources import Source
from tests.support.files import RECAP_HEADERS, header_row, inline, package, recap_row, worksheet

PAD = {"xl/media/image1.png": os.urandom(parallel_scan.LEAST_BYTES)}
ROW = "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in recap_row("A"))


def large(path: Path, rows: str) -> Path:
    path.write_bytes(package(worksheet(header_row(RECAP_HEADERS) + rows), extra=PAD))
    assert parallel_scan.is_large_xlsx(Source(str(path), path.name))
    return path


def start(path: Path):
    return start_read(kind="recap", files=[Source(str(path), path.name)], out_dir=path.parent / "out", limits=Limits())


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_large_workbook_is_read_with_its_error_cells(tmp_path):
    cells = "".join(
        f'<c r="{chr(65 + at)}2" t="e"><v>#REF!</v></c>'
        if header == "date_reglement"
        else inline(f"{chr(65 + at)}2", str(cell))
        for at, (header, cell) in enumerate(zip(RECAP_HEADERS, recap_row("N1"), strict=True))
    )
    frame = start(large(tmp_path / "r.xlsx", f'<row r="2">{cells}</row>')).wait().frame
    assert frame.select("claim_number", "settlement_date_raw", "is_paid").rows() == [("N1", "#REF!", True)]


def test_a_cell_that_crashes_the_reading_process_is_refused_with_its_address(tmp_path):
    result = start(large(tmp_path / "r.xlsx", f'<row r="1048576">{inline("XFD1048576", "x")}</row>')).wait()
    (problem,) = result.problems
    assert (problem.code, problem.file, problem.params["cell"]) == ("far_cell", "r.xlsx", "XFD1048576")


def test_a_problem_of_the_scan_comes_before_a_problem_of_the_reading(tmp_path):
    path = tmp_path / "r.xlsx"
    path.write_bytes(package(worksheet(header_row(["x"]), before="<!DOCTYPE x>"), extra=PAD))
    assert [problem.code for problem in start(path).wait().problems] == ["entities"]


def test_a_large_workbook_without_its_columns_is_refused_with_its_name(tmp_path):
    path = tmp_path / "r.xlsx"
    path.write_bytes(package(worksheet(header_row(RECAP_HEADERS[:2])), extra=PAD))
    assert [(problem.code, problem.file) for problem in start(path).wait().problems] == [("missing_columns", "r.xlsx")]


@pytest.mark.parametrize("which", ["scanning", "reading"])
def test_killing_either_process_ends_both_and_raises_reader_killed(tmp_path, which):
    job = start(large(tmp_path / "r.xlsx", f"<row>{ROW}</row>" * 150_000))
    deadline = time.monotonic() + 10
    while not (children := children_of(job.pid)) and time.monotonic() < deadline:
        time.sleep(0.005)
    os.kill(job.pid if which == "scanning" else children[0], signal.SIGKILL)
    with pytest.raises(ReaderKilled):
        job.wait()
    while Path(f"/proc/{children[0]}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not Path(f"/proc/{children[0]}").exists()
