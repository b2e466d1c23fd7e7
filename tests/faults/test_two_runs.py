"""Two runs compete: for one session, for the claims of one country, for the catalogue (F4, F10, F11)."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.installation import (
    LEASE,
    LONG_WRITE_CLAIMS,
    NO_CLAIMS,
    Installation,
    Pairs,
    expected_totals,
    is_alive,
    kill,
    until,
)
from tests.support.numbered_pairs import LINES, claimed_sum, make_numbered_pair


@contextmanager
def another_machine(installation: Installation) -> Iterator[None]:
    """The stopped run is on another machine, so to speak: the sweepers of its own machine are stopped, too."""
    until(lambda: installation.sweeper_processes())
    sweepers = installation.sweeper_processes()
    for pid in sweepers:
        kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in sweepers:
            kill(pid, signal.SIGCONT)


def test_a_message_that_is_delivered_many_times_starts_one_run(installation: Installation, pairs: Pairs) -> None:
    folder, expected = pairs()
    country, worker = installation.new_country(), installation.running_worker()
    session = installation.start_session(folder, country)
    installation.command("send_message", session=session, times=6)
    ended = installation.finished_session(session)
    until(lambda: worker.log_text().count("session_not_to_be_had") >= 6, name="the messages without effect")
    assert ended["attempts"] == 1
    assert installation.totals(country) == expected_totals(expected)
    # A message after the end of the session changes nothing either.
    installation.command("send_message", session=session)
    until(lambda: worker.log_text().count("session_not_to_be_had") >= 7)
    assert installation.session(session) == ended


def test_a_stopped_run_that_continues_after_another_run_took_over_writes_nothing(
    installation: Installation, pairs: Pairs
) -> None:
    folder, expected = pairs()
    country, _ = installation.new_country(), installation.running_worker()
    with another_machine(installation):
        session = installation.start_session(folder, country)
        until(lambda: installation.reader_processes() and "read" in installation.steps(session), every=0.01)
        run = installation.runner(session)
        _assert_continued_run_changes_nothing(installation, session, run)
    assert installation.totals(country) == expected_totals(expected)


@pytest.mark.needs("postgresql")  # on SQLite the sweeper of its machine ends the run: see the next test
def test_a_run_stopped_in_its_write_that_continues_writes_nothing(installation: Installation, pairs: Pairs) -> None:
    folder, expected = pairs(LONG_WRITE_CLAIMS)
    country, _ = installation.new_country(), installation.running_worker()
    with another_machine(installation):
        session = installation.start_session(folder, country)
        run = installation.stop_while_writing(session)
        _assert_continued_run_changes_nothing(installation, session, run)
    assert installation.totals(country) == expected_totals(expected)


def _assert_continued_run_changes_nothing(installation: Installation, session: int, run: int) -> None:
    """Stop the run, wait until another run has ended the session, continue the first run: it changes nothing."""
    kill(run, signal.SIGSTOP)
    time.sleep(float(LEASE["LEASE_SECONDS"]) + 0.5)
    installation.command("send_message", session=session)
    ended = installation.finished_session(session)
    assert (ended["status"], ended["attempts"]) == ("DONE_WITH_ERRORS", 2)
    steps = installation.steps(session)
    assert any(name.startswith(f"run-{session}-1-") for name in installation.temporary_files())
    kill(run, signal.SIGCONT)
    until(
        lambda: not installation.temporary_files(),
        name=f"the end of the continued run, {run}: {installation.temporary_files()}",
    )
    assert is_alive(run)
    assert installation.session(session) == ended
    assert installation.steps(session) == steps


def test_a_stopped_run_does_not_block_its_country_when_no_other_worker_is_free(
    installation: Installation, pairs: Pairs
) -> None:
    folder, expected = pairs(LONG_WRITE_CLAIMS)
    country, _ = installation.new_country(), installation.running_worker(processes=2)
    session = installation.start_session(folder, country)
    run = installation.stop_while_writing(session)
    # The second run reads, and then waits for the lock of the stopped run: both processes of the pool are occupied.
    second = installation.start_session(folder, country)
    for one in (session, second):
        installation.finished_session(one)
    assert not is_alive(run)
    assert installation.totals(country) == expected_totals(expected)


def test_a_session_cancelled_while_it_is_read_writes_nothing(installation: Installation, pairs: Pairs) -> None:
    country, _ = installation.new_country(), installation.running_worker()
    session = installation.start_session(pairs()[0], country)
    until(lambda: installation.reader_processes(), every=0.01)
    assert installation.command("steer", act="cancel", session=session) == {"refusal": ""}
    until(
        lambda: not installation.reader_processes() and not installation.temporary_files(),
        seconds=10,
        name="the end of the run",
    )
    assert installation.status(session) == "CANCELLED"
    assert installation.totals(country) == NO_CLAIMS
    assert installation.steps(session)[-1] == "steered"


@pytest.mark.needs("postgresql")  # SQLite has one writer: a cancellation waits for the end of the write
def test_a_session_cancelled_in_its_write_writes_nothing(installation: Installation, pairs: Pairs) -> None:
    country, _ = installation.new_country(), installation.running_worker()
    session = installation.start_session(pairs(LONG_WRITE_CLAIMS)[0], country)
    run = installation.stop_while_writing(session)
    assert installation.command("steer", act="cancel", session=session) == {"refusal": ""}
    kill(run, signal.SIGCONT)
    until(lambda: not installation.temporary_files(), name="the end of the run")
    assert installation.status(session) == "CANCELLED"
    assert installation.totals(country) == NO_CLAIMS


def test_overlapping_claims_of_simultaneous_imports_are_written_once(
    installation: Installation, tmp_path: Path
) -> None:
    installation.running_worker()
    first = make_numbered_pair(tmp_path / "first", claims=range(0, 200))
    second = make_numbered_pair(tmp_path / "second", claims=range(100, 300))
    country, neighbour = installation.new_country(), installation.new_country()
    sessions = [installation.start_session(folder, code) for code in (country, neighbour) for folder in (first, second)]
    for session in sessions:
        ended = installation.finished_session(session)
        assert (ended["status"], ended["attempts"]) == ("DONE", 1), ended["message"]
    for code in (country, neighbour):
        totals = installation.totals(code)
        assert (totals["claims"], totals["numbers"], totals["lines"]) == (300, 300, 300 * LINES)
        assert totals["claimed"] == claimed_sum(range(300))
    assert installation.row("SELECT count(*), count(DISTINCT key) FROM core_act") == (
        installation.row("SELECT count(DISTINCT act_id), count(DISTINCT act_id) FROM core_claimline")
    )
    installation.command("check_records")
