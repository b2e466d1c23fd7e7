"""Small files are read by forks of one process, which has the libraries loaded: as safe as a process of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from reading.limits import MB, Limits
from reading.process import ReaderKilled, inspect_heads, start_read
from reading.sources import Source
from tests.support.files import RECAP_HEADERS, recap_row, write_csv

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def endless(tmp_path):
    """A file that nobody ever finishes reading: a pipe into which nothing is written."""
    path = tmp_path / "recap.csv"
    os.mkfifo(path)
    return source(path)


def source(path: Path) -> Source:
    return Source(str(path), path.name)


def start(file, out_dir, **options):
    return start_read(kind="recap", files=[file], out_dir=out_dir, limits=Limits(), **options)


def fork_server() -> psutil.Process:
    (server,) = [one for one in psutil.Process().children() if "reading.fork_server" in one.cmdline()]
    return server


def test_small_files_have_one_fork_server_and_a_process_each(tmp_path, endless):
    jobs = [start(endless, tmp_path / str(number)) for number in range(3)]
    assert {psutil.Process(job.pid).ppid() for job in jobs} == {fork_server().pid}
    assert len({job.pid for job in jobs}) == 3
    for job in jobs:
        job.stop()
    assert not any(psutil.pid_exists(job.pid) for job in jobs)


def test_many_threads_read_small_files_at_once(tmp_path):
    def read(number: int) -> None:
        path = write_csv(tmp_path / f"{number}.csv", [RECAP_HEADERS, recap_row(f"N{number}")])
        found[number] = start(source(path), tmp_path / str(number)).wait().frame["claim_number"].to_list()

    found: dict[int, list[str]] = {}
    threads = [threading.Thread(target=read, args=[number]) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: [f"N{number}"] for number in range(12)}


def test_a_job_past_its_wall_time_is_ended(tmp_path, endless):
    job = start(endless, tmp_path / "out", wall_seconds=0.3)
    assert [problem.code for problem in job.wait().problems] == ["reader_too_slow"]
    assert not psutil.pid_exists(job.pid)


def test_a_look_at_the_head_of_a_file_ends_in_time(endless):
    began = time.monotonic()
    assert inspect_heads([(endless, None)], limits=Limits(), seconds=0.5) == [None]
    assert time.monotonic() - began < 10


def test_each_job_has_limits_of_its_own(tmp_path):
    path = write_csv(tmp_path / "recap.csv", [RECAP_HEADERS, recap_row("N1")])
    tight = start_read(kind="recap", files=[source(path)], out_dir=tmp_path / "a", limits=Limits(memory_bytes=200 * MB))
    assert [problem.code for problem in tight.wait().problems] == ["reader_out_of_memory"]
    assert start(source(path), tmp_path / "b").wait().problems == []


@pytest.mark.parametrize("which", ["job", "server"])
def test_after_a_kill_from_outside_the_next_file_is_read(tmp_path, endless, which):
    job = start(endless, tmp_path / "out")
    os.kill(job.pid if which == "job" else fork_server().pid, signal.SIGKILL)
    with pytest.raises(ReaderKilled):
        job.wait()
    path = write_csv(tmp_path / "next.csv", [RECAP_HEADERS, recap_row("N1")])
    assert start(source(path), tmp_path / "next").wait().frame.height == 1


def test_a_job_is_ended_even_when_the_server_is_stopped(tmp_path, endless):
    with start(endless, tmp_path / "out") as job:
        server = fork_server()
        server.suspend()
    assert psutil.Process(job.pid).status() == psutil.STATUS_ZOMBIE
    server.kill()


def test_a_process_that_reads_has_no_descriptor_of_another_job(tmp_path, endless):
    def foreign() -> list[str]:
        open_files = [os.readlink(link) for link in Path(f"/proc/{second.pid}/fd").iterdir()]
        return [one for one in open_files if one.startswith(("socket:", "anon_inode:")) or f"{tmp_path}/1" in one]

    with start(endless, tmp_path / "1"), start(endless, tmp_path / "2") as second:
        ended = time.monotonic() + 5
        # It closes them before it opens the file.
        while foreign() and time.monotonic() < ended:
            time.sleep(0.01)
        assert foreign() == []


def test_a_killed_caller_leaves_neither_server_nor_reader(tmp_path, endless):
    script = (
        "import time; from pathlib import Path; from reading.process import start_read;"
        "from reading.sources import Source; from reading.limits import Limits;"
        f"files = [Source({str(endless.path)!r}, 'recap.csv')];"
        f"job = start_read(kind='recap', files=files, out_dir=Path({str(tmp_path / 'o')!r}), limits=Limits());"
        "print(job.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as caller:
        assert caller.stdout is not None
        reader = psutil.Process(int(caller.stdout.readline()))
        server = psutil.Process(reader.ppid())
        caller.kill()
    psutil.wait_procs([reader, server], timeout=5)
    assert not reader.is_running()
    assert not server.is_running()


def test_a_forked_caller_has_a_server_of_its_own(tmp_path, endless):
    mine = start(endless, tmp_path / "mine")
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        theirs = start(endless, tmp_path / "theirs")
        os.write(send, str(psutil.Process(theirs.pid).ppid()).encode())
        os._exit(0)
    os.close(send)
    with os.fdopen(receive) as answer:
        server = int(answer.read())
    os.waitpid(child, 0)
    assert server != fork_server().pid
    assert mine.pid in [one.pid for one in fork_server().children()]
    mine.stop()
