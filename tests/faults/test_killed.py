"""A run that dies, wherever it is, is taken over: every session ends, no claim is lost or there twice (F1, F2, F3)."""

from __future__ import annotations

import time

from tests.support.installation import (
    NOTHING,
    WRITTEN_FOR_LONG,
    Installation,
    MakeInstallation,
    Pairs,
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
    make_installation: MakeInstallation, pairs: Pairs
) -> None:
    folder, expected = pairs(WRITTEN_FOR_LONG)
    # Of its own: all countries share the acts, and the first import brings them.
    installation = make_installation()
    country, worker = installation.new_country(), installation.a_worker()
    session = installation.start(folder, country)
    run = installation.stop_while_writing(session)
    kill(run)
    until(lambda: not alive(run))
    assert installation.totals(country) == NOTHING
    ended = installation.ended(session)
    assert (ended["status"], ended["attempts"]) == ("DONE_WITH_ERRORS", 2)
    assert told_summary(ended) == expected_summary(expected)
    assert installation.totals(country) == expected_totals(expected)
    assert installation.steps(session).count("again") == 1
    assert alive(worker.pid)


def test_a_worker_killed_with_all_its_processes_costs_its_sessions_nothing_but_time(
    installation: Installation, pairs: Pairs
) -> None:
    folder, expected = pairs()
    worker = installation.a_worker()
    running, waiting = installation.new_country(), installation.new_country()
    first, second = installation.start(folder, running), installation.start(folder, waiting)
    until(lambda: installation.readers(), every=0.01)
    worker.kill()
    assert installation.unfinished() == 2
    installation.worker(processes=2)
    for session, country in ((first, running), (second, waiting)):
        ended = installation.ended(session)
        assert ended["status"] == "DONE_WITH_ERRORS"
        assert told_summary(ended) | {"entities": None} == expected_summary(expected) | {"entities": None}
        assert installation.totals(country) == expected_totals(expected)
    until(lambda: installation.leftovers() == [], seconds=15, name="a tidy folder")


def test_the_processes_of_a_killed_worker_do_not_outlive_it(installation: Installation, pairs: Pairs) -> None:
    worker = installation.a_worker()
    session = installation.start(pairs()[0], installation.new_country())
    until(lambda: installation.readers(), every=0.01)
    family = descendants(worker.pid)
    assert len(family) >= 4
    worker.kill_parent()
    until(lambda: not any(alive(pid) for pid in family), seconds=10, name="the end of all its processes")
    installation.worker(processes=2)
    assert installation.ended(session)["status"] == "DONE_WITH_ERRORS"


def test_a_reader_killed_from_outside_is_started_again(installation: Installation, pairs: Pairs) -> None:
    folder, expected = pairs()
    country, _ = installation.new_country(), installation.a_worker()
    session = installation.start(folder, country)
    kill(until(lambda: installation.readers(), every=0.01)[0])
    ended = installation.ended(session)
    assert (ended["status"], ended["attempts"]) == ("DONE_WITH_ERRORS", 2)
    assert installation.totals(country) == expected_totals(expected)


def test_a_file_that_kills_whoever_reads_it_is_given_up_after_three_attempts_and_the_next_one_goes_through(
    installation: Installation, pairs: Pairs
) -> None:
    folder, expected = pairs()
    country, other, _ = installation.new_country(), installation.new_country(), installation.a_worker()
    deadly = installation.start(folder, country)
    killed = set()
    while installation.status(deadly) != "ERROR":
        for reader in installation.readers():
            # Reader and run alike, as when the machine is short of memory.
            killed.add(installation.runner(deadly))
            kill(installation.runner(deadly))
            kill(reader)
            until(lambda reader=reader: not alive(reader))
        time.sleep(0.02)
    ended = installation.session(deadly)
    assert ended["attempts"] == 4
    assert "3 times" in ended["message"]
    assert len(killed) == 3
    after = installation.start(folder, other)
    assert installation.ended(after)["attempts"] == 1
    assert installation.totals(other) == expected_totals(expected)
    assert installation.totals(country) == NOTHING


def test_a_sweeper_that_dies_is_started_again_and_one_whose_worker_ends_goes_with_it(
    installation: Installation,
) -> None:
    worker = installation.a_worker()
    (first,) = until(installation.sweepers)
    kill(first)
    (second,) = until(lambda: [pid for pid in installation.sweepers() if pid != first], name="another sweeper")
    worker.stop()
    assert not alive(second)


def test_after_a_killed_run_was_taken_over_and_the_worker_stopped_no_process_and_no_folder_is_left(
    make_installation: MakeInstallation, pairs: Pairs
) -> None:
    installation = make_installation()
    worker = installation.a_worker()
    session = installation.start(pairs()[0], installation.new_country())
    until(lambda: installation.readers(), every=0.01)
    assert installation.leftovers()
    kill(installation.runner(session))
    assert installation.ended(session)["attempts"] == 2
    until(lambda: installation.leftovers() == [], seconds=15, name="a tidy folder")
    assert worker.pid in processes_naming(str(installation.data))
    worker.stop()
    installation.leave()
    assert processes_naming(str(installation.data)) == []
