"""All processes of `make serve` end at once, as in a power failure; the next start finishes the sessions (F3)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.installation import (
    ROOT,
    Installation,
    Pairs,
    expected_totals,
    free_port,
    processes_mentioning,
    until,
)

Serve = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def serve(installation: Installation, tmp_path: Path) -> Iterator[Serve]:
    environment, started = installation.environment() | {"PORT": str(free_port()), "DEBUG": "1"}, []

    def start() -> subprocess.Popen[bytes]:
        with (tmp_path / "serve.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "scripts/serve.py"], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


def test_a_server_whose_supervisor_was_killed_starts_again_and_ends_all_its_sessions(
    installation: Installation, serve: Serve, pairs: Pairs
) -> None:
    folder, expected = pairs()
    countries = [installation.new_country() for _ in range(3)]
    first = serve()
    sessions = [installation.start_session(folder, country) for country in countries]
    until(lambda: installation.reader_processes(), every=0.01)
    installation.end_commands()
    first.kill()
    first.wait()
    until(lambda: not processes_mentioning(str(installation.data)), seconds=10, name="the end of all processes")
    assert installation.count_unfinished() > 0
    second = serve()
    for session, country in zip(sessions, countries, strict=True):
        assert installation.finished_session(session)["status"] == "DONE_WITH_ERRORS"
        assert installation.totals(country) == expected_totals(expected)
    # Files of a killed run are removed after the end of the session.
    until(lambda: installation.temporary_files() == [], seconds=15, name="an empty temporary folder")
    assert second.poll() is None
    second.terminate()
    assert second.wait(30) == 0
    until(lambda: not processes_mentioning(str(installation.data)), seconds=5, name="the end of all processes")
