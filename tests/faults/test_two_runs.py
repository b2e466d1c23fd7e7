"""Two runs that want the same thing: one session, one country's claims, one catalogue (F4, F10, F11)."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.conftest import Pairs
from tests.support.installation import (
    LEASE,
    NOTHING,
    WRITTEN_FOR_LONG,
    House,
    alive,
    expected_totals,
    kill,
    until,
)
from tests.support.overlap import LINES, claimed, make_numbered_pair


@contextmanager
def another_machine(house: House) -> Iterator[None]:
    """As if the stopped run were elsewhere: nobody on its machine sees that it is stopped."""
    until(lambda: house.sweepers())
    sweepers = house.sweepers()
    for pid in sweepers:
        kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in sweepers:
            kill(pid, signal.SIGCONT)


def test_a_message_that_comes_many_times_makes_one_run(house: House, pairs: Pairs) -> None:
    folder, expected = pairs()
    country, worker = house.new_country(), house.a_worker()
    session = house.start(folder, country)
    house.do("ring", session=session, times=6)
    ended = house.ended(session)
    until(lambda: worker.said().count("session_not_to_be_had") >= 6, name="the messages that came in vain")
    assert ended["attempts"] == 1
    assert house.totals(country) == expected_totals(expected)
    # Nor does one that comes long after the end change anything.
    house.do("ring", session=session)
    until(lambda: worker.said().count("session_not_to_be_had") >= 7)
    assert house.session(session) == ended


def test_a_run_that_stops_and_comes_back_after_another_took_over_writes_nothing(house: House, pairs: Pairs) -> None:
    folder, expected = pairs()
    country, _ = house.new_country(), house.a_worker()
    with another_machine(house):
        session = house.start(folder, country)
        until(lambda: house.readers() and "read" in house.steps(session), every=0.01)
        run = house.runner(session)
        _comes_back_in_vain(house, session, run)
    assert house.totals(country) == expected_totals(expected)


@pytest.mark.needs("postgresql")  # on SQLite it is ended by a sweeper of its own machine: the next test
def test_a_run_that_stops_inside_its_write_and_comes_back_writes_nothing(house: House, pairs: Pairs) -> None:
    folder, expected = pairs(WRITTEN_FOR_LONG)
    country, _ = house.new_country(), house.a_worker()
    with another_machine(house):
        session = house.start(folder, country)
        run = house.stop_while_writing(session)
        _comes_back_in_vain(house, session, run)
    assert house.totals(country) == expected_totals(expected)


def _comes_back_in_vain(house: House, session: int, run: int) -> None:
    """Stop the run, let another one end the session, and let the first one go on: it changes nothing."""
    kill(run, signal.SIGSTOP)
    time.sleep(float(LEASE["LEASE_SECONDS"]) + 0.5)
    house.do("ring", session=session)
    ended = house.ended(session)
    assert (ended["status"], ended["attempts"]) == ("DONE_WITH_ERRORS", 2)
    steps = house.steps(session)
    assert any(name.startswith(f"run-{session}-1-") for name in house.leftovers())
    kill(run, signal.SIGCONT)
    until(lambda: not house.leftovers(), name=f"the end of the run that came back, {run}: {house.leftovers()}")
    assert alive(run)
    assert house.session(session) == ended
    assert house.steps(session) == steps


def test_a_stopped_run_keeps_nobody_out_even_when_no_other_worker_is_free(house: House, pairs: Pairs) -> None:
    folder, expected = pairs(WRITTEN_FOR_LONG)
    country, _ = house.new_country(), house.a_worker(processes=2)
    session = house.start(folder, country)
    run = house.stop_while_writing(session)
    # This one reads, and then waits for the country, which the stopped run holds: both processes are taken.
    second = house.start(folder, country)
    for one in (session, second):
        house.ended(one)
    assert not alive(run)
    assert house.totals(country) == expected_totals(expected)


def test_a_session_cancelled_while_it_is_read_writes_nothing(house: House, pairs: Pairs) -> None:
    country, _ = house.new_country(), house.a_worker()
    session = house.start(pairs()[0], country)
    until(lambda: house.readers(), every=0.01)
    assert house.do("steer", act="cancel", session=session) == {"refusal": ""}
    until(lambda: not house.readers() and not house.leftovers(), seconds=10, name="the end of the run")
    assert house.status(session) == "CANCELLED"
    assert house.totals(country) == NOTHING
    assert house.steps(session)[-1] == "steered"


@pytest.mark.needs("postgresql")  # SQLite has one writer: who cancels waits until the write is over, and is told so
def test_a_session_cancelled_inside_its_write_writes_nothing(house: House, pairs: Pairs) -> None:
    country, _ = house.new_country(), house.a_worker()
    session = house.start(pairs(WRITTEN_FOR_LONG)[0], country)
    run = house.stop_while_writing(session)
    assert house.do("steer", act="cancel", session=session) == {"refusal": ""}
    kill(run, signal.SIGCONT)
    until(lambda: not house.leftovers(), name="the end of the run")
    assert house.status(session) == "CANCELLED"
    assert house.totals(country) == NOTHING


def test_overlapping_claims_imported_at_once_are_there_once_each(house: House, tmp_path: Path) -> None:
    house.a_worker()
    first = make_numbered_pair(tmp_path / "first", claims=range(0, 200))
    second = make_numbered_pair(tmp_path / "second", claims=range(100, 300))
    country, neighbour = house.new_country(), house.new_country()
    sessions = [house.start(folder, code) for code in (country, neighbour) for folder in (first, second)]
    for session in sessions:
        ended = house.ended(session)
        assert (ended["status"], ended["attempts"]) == ("DONE", 1), ended["message"]
    for code in (country, neighbour):
        held = house.totals(code)
        assert (held["claims"], held["numbers"], held["lines"]) == (300, 300, 300 * LINES)
        assert held["claimed"] == claimed(range(300))
    assert house.row("SELECT count(*), count(DISTINCT key) FROM core_act") == (
        house.row("SELECT count(DISTINCT act_id), count(DISTINCT act_id) FROM core_claimline")
    )
    house.do("check_records")
