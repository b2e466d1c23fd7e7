"""Two runs that want the same thing: one session, one country's claims, one catalogue (F4, F10, F11)."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.installation import (
    LEASE,
    NOTHING,
    WRITTEN_FOR_LONG,
    Installation,
    Pairs,
    alive,
    expected_totals,
    kill,
    until,
)
from tests.support.overlap import LINES, claimed, make_numbered_pair


@contextmanager
def another_machine(installation: Installation) -> Iterator[None]:
    """As if the stopped run were elsewhere: nobody on its machine sees that it is stopped."""
    until(lambda: installation.sweepers())
    sweepers = installation.sweepers()
    for pid in sweepers:
        kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in sweepers:
            kill(pid, signal.SIGCONT)


def test_a_message_that_comes_many_times_makes_one_run(installation: Installation, pairs: Pairs) -> None:
    folder, expected = pairs()
    country, worker = installation.new_country(), installation.a_worker()
    session = installation.start(folder, country)
    installation.do("ring", session=session, times=6)
    ended = installation.ended(session)
    until(lambda: worker.said().count("session_not_to_be_had") >= 6, name="the messages that came in vain")
    assert ended["attempts"] == 1
    assert installation.totals(country) == expected_totals(expected)
    # Nor does one that comes long after the end change anything.
    installation.do("ring", session=session)
    until(lambda: worker.said().count("session_not_to_be_had") >= 7)
    assert installation.session(session) == ended


def test_a_run_that_stops_and_comes_back_after_another_took_over_writes_nothing(
    installation: Installation, pairs: Pairs
) -> None:
    folder, expected = pairs()
    country, _ = installation.new_country(), installation.a_worker()
    with another_machine(installation):
        session = installation.start(folder, country)
        until(lambda: installation.readers() and "read" in installation.steps(session), every=0.01)
        run = installation.runner(session)
        _comes_back_in_vain(installation, session, run)
    assert installation.totals(country) == expected_totals(expected)


@pytest.mark.needs("postgresql")  # on SQLite it is ended by a sweeper of its own machine: the next test
def test_a_run_that_stops_inside_its_write_and_comes_back_writes_nothing(
    installation: Installation, pairs: Pairs
) -> None:
    folder, expected = pairs(WRITTEN_FOR_LONG)
    country, _ = installation.new_country(), installation.a_worker()
    with another_machine(installation):
        session = installation.start(folder, country)
        run = installation.stop_while_writing(session)
        _comes_back_in_vain(installation, session, run)
    assert installation.totals(country) == expected_totals(expected)


def _comes_back_in_vain(installation: Installation, session: int, run: int) -> None:
    """Stop the run, let another one end the session, and let the first one go on: it changes nothing."""
    kill(run, signal.SIGSTOP)
    time.sleep(float(LEASE["LEASE_SECONDS"]) + 0.5)
    installation.do("ring", session=session)
    ended = installation.ended(session)
    assert (ended["status"], ended["attempts"]) == ("DONE_WITH_ERRORS", 2)
    steps = installation.steps(session)
    assert any(name.startswith(f"run-{session}-1-") for name in installation.leftovers())
    kill(run, signal.SIGCONT)
    until(
        lambda: not installation.leftovers(),
        name=f"the end of the run that came back, {run}: {installation.leftovers()}",
    )
    assert alive(run)
    assert installation.session(session) == ended
    assert installation.steps(session) == steps


def test_a_stopped_run_keeps_nobody_out_even_when_no_other_worker_is_free(
    installation: Installation, pairs: Pairs
) -> None:
    folder, expected = pairs(WRITTEN_FOR_LONG)
    country, _ = installation.new_country(), installation.a_worker(processes=2)
    session = installation.start(folder, country)
    run = installation.stop_while_writing(session)
    # This one reads, and then waits for the country, which the stopped run holds: both processes are taken.
    second = installation.start(folder, country)
    for one in (session, second):
        installation.ended(one)
    assert not alive(run)
    assert installation.totals(country) == expected_totals(expected)


def test_a_session_cancelled_while_it_is_read_writes_nothing(installation: Installation, pairs: Pairs) -> None:
    country, _ = installation.new_country(), installation.a_worker()
    session = installation.start(pairs()[0], country)
    until(lambda: installation.readers(), every=0.01)
    assert installation.do("steer", act="cancel", session=session) == {"refusal": ""}
    until(lambda: not installation.readers() and not installation.leftovers(), seconds=10, name="the end of the run")
    assert installation.status(session) == "CANCELLED"
    assert installation.totals(country) == NOTHING
    assert installation.steps(session)[-1] == "steered"


@pytest.mark.needs("postgresql")  # SQLite has one writer: who cancels waits until the write is over, and is told so
def test_a_session_cancelled_inside_its_write_writes_nothing(installation: Installation, pairs: Pairs) -> None:
    country, _ = installation.new_country(), installation.a_worker()
    session = installation.start(pairs(WRITTEN_FOR_LONG)[0], country)
    run = installation.stop_while_writing(session)
    assert installation.do("steer", act="cancel", session=session) == {"refusal": ""}
    kill(run, signal.SIGCONT)
    until(lambda: not installation.leftovers(), name="the end of the run")
    assert installation.status(session) == "CANCELLED"
    assert installation.totals(country) == NOTHING


def test_overlapping_claims_imported_at_once_are_there_once_each(installation: Installation, tmp_path: Path) -> None:
    installation.a_worker()
    first = make_numbered_pair(tmp_path / "first", claims=range(0, 200))
    second = make_numbered_pair(tmp_path / "second", claims=range(100, 300))
    country, neighbour = installation.new_country(), installation.new_country()
    sessions = [installation.start(folder, code) for code in (country, neighbour) for folder in (first, second)]
    for session in sessions:
        ended = installation.ended(session)
        assert (ended["status"], ended["attempts"]) == ("DONE", 1), ended["message"]
    for code in (country, neighbour):
        held = installation.totals(code)
        assert (held["claims"], held["numbers"], held["lines"]) == (300, 300, 300 * LINES)
        assert held["claimed"] == claimed(range(300))
    assert installation.row("SELECT count(*), count(DISTINCT key) FROM core_act") == (
        installation.row("SELECT count(DISTINCT act_id), count(DISTINCT act_id) FROM core_claimline")
    )
    installation.do("check_records")
