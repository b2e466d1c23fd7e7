"""A run that dies, wherever it is, is taken over: every session ends, no claim is lost or there twice (F1, F2, F3)."""

from __future__ import annotations

import time

from tests.faults.conftest import MakeHouse, Pairs
from tests.support.installation import (
    NOTHING,
    WRITTEN_FOR_LONG,
    House,
    alive,
    descendants,
    expected_summary,
    expected_totals,
    kill,
    processes_naming,
    told_summary,
    until,
)


def test_a_run_killed_inside_its_write_leaves_nothing_and_the_next_one_writes_everything(
    make_house: MakeHouse, pairs: Pairs
) -> None:
    folder, expected = pairs(WRITTEN_FOR_LONG)
    # Of its own: all countries share the acts, and the first import brings them.
    house = make_house()
    country, worker = house.new_country(), house.a_worker()
    session = house.start(folder, country)
    run = house.stop_while_writing(session)
    kill(run)
    until(lambda: not alive(run))
    assert house.totals(country) == NOTHING
    ended = house.ended(session)
    assert (ended["status"], ended["attempts"]) == ("DONE_WITH_ERRORS", 2)
    assert told_summary(ended) == expected_summary(expected)
    assert house.totals(country) == expected_totals(expected)
    assert house.steps(session).count("again") == 1
    assert alive(worker.pid)


def test_a_worker_killed_with_all_its_processes_costs_its_sessions_nothing_but_time(house: House, pairs: Pairs) -> None:
    folder, expected = pairs()
    worker = house.a_worker()
    running, waiting = house.new_country(), house.new_country()
    first, second = house.start(folder, running), house.start(folder, waiting)
    until(lambda: house.readers(), every=0.01)
    worker.kill()
    assert house.unfinished() == 2
    house.worker(processes=2)
    for session, country in ((first, running), (second, waiting)):
        ended = house.ended(session)
        assert ended["status"] == "DONE_WITH_ERRORS"
        assert told_summary(ended) | {"entities": None} == expected_summary(expected) | {"entities": None}
        assert house.totals(country) == expected_totals(expected)
    until(lambda: house.leftovers() == [], seconds=15, name="a tidy folder")


def test_the_processes_of_a_killed_worker_do_not_outlive_it(house: House, pairs: Pairs) -> None:
    worker = house.a_worker()
    session = house.start(pairs()[0], house.new_country())
    until(lambda: house.readers(), every=0.01)
    family = descendants(worker.pid)
    assert len(family) >= 4
    worker.kill_parent()
    until(lambda: not any(alive(pid) for pid in family), seconds=10, name="the end of all its processes")
    house.worker(processes=2)
    assert house.ended(session)["status"] == "DONE_WITH_ERRORS"


def test_a_reader_killed_from_outside_is_started_again(house: House, pairs: Pairs) -> None:
    folder, expected = pairs()
    country, _ = house.new_country(), house.a_worker()
    session = house.start(folder, country)
    kill(until(lambda: house.readers(), every=0.01)[0])
    ended = house.ended(session)
    assert (ended["status"], ended["attempts"]) == ("DONE_WITH_ERRORS", 2)
    assert house.totals(country) == expected_totals(expected)


def test_a_file_that_kills_whoever_reads_it_is_given_up_after_three_attempts_and_the_next_one_goes_through(
    house: House, pairs: Pairs
) -> None:
    folder, expected = pairs()
    country, other, _ = house.new_country(), house.new_country(), house.a_worker()
    deadly = house.start(folder, country)
    killed = set()
    while house.status(deadly) != "ERROR":
        for reader in house.readers():
            # Reader and run alike, as when the machine is short of memory.
            killed.add(house.runner(deadly))
            kill(house.runner(deadly))
            kill(reader)
            until(lambda reader=reader: not alive(reader))
        time.sleep(0.02)
    ended = house.session(deadly)
    assert ended["attempts"] == 4
    assert "3 times" in ended["message"]
    assert len(killed) == 3
    after = house.start(folder, other)
    assert house.ended(after)["attempts"] == 1
    assert house.totals(other) == expected_totals(expected)
    assert house.totals(country) == NOTHING


def test_a_sweeper_that_dies_is_started_again_and_one_whose_worker_ends_goes_with_it(house: House) -> None:
    worker = house.a_worker()
    (first,) = until(house.sweepers)
    kill(first)
    (second,) = until(lambda: [pid for pid in house.sweepers() if pid != first], name="another sweeper")
    worker.stop()
    assert not alive(second)


def test_in_the_end_no_process_and_no_folder_of_a_run_is_left(house: House) -> None:
    worker = house.a_worker()
    until(lambda: house.leftovers() == [], seconds=15, name="a tidy folder")
    worker.stop()
    house.leave()
    assert processes_naming(str(house.data)) == []
