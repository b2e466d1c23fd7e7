import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from file_handling.problem_texts import known_codes, sentence
from reading.columns import HEAD_ROWS
from reading.first_look import heads
from reading.limits import MB, Limits
from reading.problems import Problem, UnreadableFile
from reading.process import ReaderKilled, inspect_upload, preview, start_read
from reading.sources import Source, read_file
from tests.support.files import (
    RECAP_HEADERS,
    STAT_HEADERS,
    header_row,
    package,
    recap_row,
    stat_line,
    worksheet,
    write_csv,
    write_xlsx,
)


def source(path: Path, sheet: str | None = None) -> Source:
    return Source(str(path), path.name, sheet)


@pytest.fixture(scope="module")
def large_stat(tmp_path_factory):
    """A workbook whose reading takes seconds, so that a test can act in the meantime."""
    line = "".join(f'<c t="inlineStr"><is><t>{cell} %d</t></is></c>' for cell in stat_line("a"))
    path = tmp_path_factory.mktemp("large") / "large.xlsx"
    path.write_bytes(
        package(
            worksheet(
                header_row(STAT_HEADERS) + "".join(f"<row>{line}</row>".replace("%d", str(at)) for at in range(80_000))
            )
        )
    )
    return path


def test_pages_are_read_into_one_typed_frame_with_the_place_of_each_row(tmp_path):
    first = write_xlsx(tmp_path / "p1.xlsx", {"x": [RECAP_HEADERS, recap_row("a")]})
    second = write_csv(tmp_path / "p2.csv", [RECAP_HEADERS, recap_row("b"), recap_row("c")])
    result = start_read(
        kind="recap", files=[source(first), source(second)], out_dir=tmp_path / "out", limits=Limits()
    ).wait()
    assert result.problems == []
    assert result.frame.select("file", "sheet", "row", "claim_number", "claimed_cents").rows() == [
        (0, "x", 2, "A", 100_000),
        (1, "", 2, "B", 100_000),
        (1, "", 3, "C", 100_000),
    ]
    assert [(one["name"], one["rows"]) for one in result.files] == [("p1.xlsx", 1), ("p2.csv", 2)]


def test_the_problems_of_all_files_are_reported_together(tmp_path):
    swapped = write_xlsx(tmp_path / "p1.xlsx", {"x": [STAT_HEADERS, stat_line("a")]})
    lacking = write_csv(tmp_path / "p2.csv", [RECAP_HEADERS[:3], recap_row("b")[:3]])
    fine = write_csv(tmp_path / "p3.csv", [RECAP_HEADERS, recap_row("b")])
    files = [source(swapped), source(lacking), source(fine)]
    result = start_read(kind="recap", files=files, out_dir=tmp_path / "out", limits=Limits()).wait()
    assert [(problem.file, problem.code) for problem in result.problems] == [
        ("p1.xlsx", "swapped"),
        ("p2.csv", "missing_columns"),
    ]


def test_a_reader_out_of_memory_reports_it(tmp_path, large_stat):
    job = start_read(
        kind="stat", files=[source(large_stat)], out_dir=tmp_path / "out", limits=Limits(memory_bytes=450 * MB)
    )
    assert [problem.code for problem in job.wait().problems] == ["reader_out_of_memory"]


def test_a_reader_past_its_cpu_time_reports_it(tmp_path, large_stat):
    job = start_read(kind="stat", files=[source(large_stat)], out_dir=tmp_path / "out", limits=Limits(cpu_seconds=1))
    assert [problem.code for problem in job.wait().problems] == ["reader_too_slow"]


def test_a_reader_past_its_wall_time_is_ended(tmp_path, large_stat):
    job = start_read(
        kind="stat", files=[source(large_stat)], out_dir=tmp_path / "out", limits=Limits(), wall_seconds=0.3
    )
    assert [problem.code for problem in job.wait().problems] == ["reader_too_slow"]
    assert not Path(f"/proc/{job.pid}").exists()


def test_a_reader_killed_from_outside_raises_reader_killed(tmp_path, large_stat):
    job = start_read(kind="stat", files=[source(large_stat)], out_dir=tmp_path / "out", limits=Limits())
    os.kill(job.pid, signal.SIGKILL)
    with pytest.raises(ReaderKilled):
        job.wait()


def test_the_caller_can_stop_the_reader_early(tmp_path, large_stat):
    class CancelledError(Exception):
        pass

    def check():
        raise CancelledError

    job = start_read(kind="stat", files=[source(large_stat)], out_dir=tmp_path / "out", limits=Limits())
    with pytest.raises(CancelledError):
        job.wait(check)
    assert not Path(f"/proc/{job.pid}").exists()


def test_a_killed_worker_leaves_no_reader_behind(tmp_path, large_stat):
    script = (
        "import sys, time; from pathlib import Path; from reading.process import start_read;"
        "from reading.sources import Source; from reading.limits import Limits;"
        f"files = [Source({str(large_stat)!r}, 'l.xlsx')];"
        f"job = start_read(kind='stat', files=files, out_dir=Path({str(tmp_path / 'o')!r}), limits=Limits());"
        "print(job.pid, flush=True); time.sleep(60)"
    )
    worker = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    reader = int(worker.stdout.readline())
    time.sleep(0.3)
    worker.kill()
    worker.wait()
    worker.stdout.close()
    ended = time.monotonic() + 5
    while _runs(reader) and time.monotonic() < ended:
        time.sleep(0.05)
    assert not _runs(reader)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_first_look_reports_the_problems_of_the_first_rows(tmp_path):
    stat = write_xlsx(tmp_path / "s.xlsx", {"2022": [STAT_HEADERS], "2023": [STAT_HEADERS]})
    swapped = write_xlsx(tmp_path / "p1.xlsx", {"x": [STAT_HEADERS, stat_line("a")]}, shared=False)
    lacking = write_csv(tmp_path / "p2.csv", [RECAP_HEADERS[:3], recap_row("b")[:3]])
    hostile = tmp_path / "p3.xlsx"
    hostile.write_bytes(package(worksheet("", before='<!DOCTYPE x [<!ENTITY a "a">]>')))
    problems = inspect_upload(
        stat=source(stat), recaps=[source(swapped), source(lacking), source(hostile)], limits=Limits(), seconds=10
    )
    assert [(problem.file, problem.code) for problem in problems] == [
        ("s.xlsx", "several_sheets"),
        ("p1.xlsx", "swapped"),
        ("p2.csv", "missing_columns"),
        ("p3.xlsx", "entities"),
    ]


def test_a_first_look_at_a_good_pair_reports_nothing(tmp_path, large_stat):
    recap = write_csv(tmp_path / "p2.csv", [RECAP_HEADERS, recap_row("b")])
    assert inspect_upload(stat=source(large_stat), recaps=[source(recap)], limits=Limits()) == []


def test_the_first_rows_of_a_large_workbook_are_found_without_reading_all_of_it(large_stat):
    # Processor time of this process: the load of the machine does not count.
    began = time.process_time()
    first = heads(source(large_stat), kind="stat")
    head_seconds = time.process_time() - began
    read_file(source(large_stat), index=0, kind="stat", limits=Limits())
    assert head_seconds < (time.process_time() - began) / 4
    assert first["Feuil1"][0] == STAT_HEADERS
    assert len(first["Feuil1"]) == HEAD_ROWS


def test_every_problem_is_a_sentence_that_names_its_file():
    params = {
        "kind": "stat", "found": "recap", "columns": ["Nom Acte"], "expected": ["Nom Acte"], "header_row": 1,
        "headers": ["a"], "letters": ["B"], "sheets": ["x"], "extension": "csv", "limit": 200, "cell": "XFD1",
        "rows": 9, "row": 7, "field": "partner", "known": ["csv"], "stat": ["Nom Acte"], "recap": ["reglementId"],
    }  # fmt: skip
    for code in known_codes():
        columns = 201 if code in ("far_cell", "too_many_columns") else params["columns"]
        text = sentence(Problem(code, "récap.xlsx", "Feuil1", params=params | {"columns": columns}))
        assert "%(" not in text
        assert "récap.xlsx" in text or code.startswith("reader_")


def test_missing_columns_are_named_in_the_spelling_of_an_export():
    problem = Problem(
        "missing_columns", "s.xlsx", "Feuil1", params={"columns": ["Nom Acte", "Statut"], "header_row": 3}
    )
    assert sentence(problem).startswith("“s.xlsx”, sheet “Feuil1” lacks the columns “Nom Acte”, “Statut”.")


def test_an_error_of_the_reader_library_is_damage_of_the_file_and_sheet(tmp_path):
    path = tmp_path / "r.xlsx"
    missing_text = '<row r="2"><c r="A2" t="s"><v>77</v></c></row>'
    path.write_bytes(package(worksheet(header_row(RECAP_HEADERS) + missing_text)))
    result = start_read(kind="recap", files=[source(path)], out_dir=tmp_path / "out", limits=Limits()).wait()
    assert [(one.code, one.file, one.sheet) for one in result.problems] == [("damaged", "r.xlsx", "Feuil1")]
    with pytest.raises(UnreadableFile) as unreadable:
        preview(source(path), rows=5, limits=Limits())
    assert [(one.code, one.file) for one in unreadable.value.problems] == [("damaged", "r.xlsx")]
