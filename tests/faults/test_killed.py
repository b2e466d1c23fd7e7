"""Another run takes over from a run that dies: every session ends, no claim is lost or doubled (F1, F2, F3)."""

from __future__ import annotations

import time
from pathlib import Path

from tests.support.installation import (
    LONG_WRITE_CLAIMS,
    NO_CLAIMS,
    Installation,
    MakeInstallation,
    Pairs,
    children,
    expected_summary,
    expected_totals,
    is_alive,
    kill,
    processes_mentioning,
    stored_summary,
    until,
)
from tests.support.spoiled_pairs import make_spoiled_pair


def test_a_run_killed_in_its_write_leaves_nothing_and_the_next_run_writes_everything(
    make_installation: MakeInstallation, pairs: Pairs
) -> None:
    folder, expected = pairs(LONG_WRITE_CLAIMS)
    # A separate installation: the expected entities include the acts, which only the first import creates.
    installation = make_installation()
    country, worker = installation.new_country(), installation.running_worker()
    session = installation.start_session(folder, country)
    run = installation.stop_while_writing(session)
    kill(run)
    until(lambda: not is_alive(run))
    assert installation.totals(country) == NO_CLAIMS
    ended = installation.finished_session(session)
    assert (ended["status"], ended["attempts"]) == ("DONE_WITH_ERRORS", 2)
    assert stored_summary(ended) == expected_summary(expected)
    assert installation.totals(country) == expected_totals(expected)
    assert installation.steps(session).count("again") == 1
    assert is_alive(worker.pid)


def test_a_corrected_run_killed_while_it_reads_and_in_its_write_applies_the_corrections_once(
    make_installation: MakeInstallation, tmp_path: Path
) -> None:
    spoiled = make_spoiled_pair(tmp_path, claims=LONG_WRITE_CLAIMS, cells=60, rows=4)
    installation = make_installation()
    installation.running_worker()
    unspoiled, country = installation.new_country(), installation.new_country()
    installation.finished_session(installation.start_session(tmp_path / "clean", unspoiled))
    first = installation.start_session(tmp_path / "spoiled", country, dry_run=True)
    assert installation.finished_session(first)["status"] == "REVIEW"

    corrected = installation.correct(first, spoiled)
    until(lambda: installation.reader_processes(), every=0.01)
    kill(installation.runner(corrected))
    ended = installation.finished_session(corrected)
    assert (ended["status"], ended["attempts"]) == ("REVIEW", 2), ended["message"]
    assert installation.totals(country) == NO_CLAIMS

    assert installation.command("steer", act="request_commit", session=corrected) == {"refusal": ""}
    run = installation.stop_while_writing(corrected)
    kill(run)
    until(lambda: not is_alive(run))
    assert installation.totals(country) == NO_CLAIMS
    assert installation.finished_session(corrected)["status"] == "DONE_WITH_ERRORS"
    assert installation.totals(country) == installation.totals(unspoiled) != NO_CLAIMS
    assert installation.claim_numbers(country) == installation.claim_numbers(unspoiled)


def test_the_sessions_of_a_worker_killed_with_all_its_processes_end_as_expected(
    installation: Installation, pairs: Pairs
) -> None:
    folder, expected = pairs()
    worker = installation.running_worker()
    running, waiting = installation.new_country(), installation.new_country()
    first, second = installation.start_session(folder, running), installation.start_session(folder, waiting)
    until(lambda: installation.reader_processes(), every=0.01)
    worker.kill()
    assert installation.count_unfinished() == 2
    installation.start_worker(processes=2)
    for session, country in ((first, running), (second, waiting)):
        ended = installation.finished_session(session)
        assert ended["status"] == "DONE_WITH_ERRORS"
        assert stored_summary(ended) | {"entities": None} == expected_summary(expected) | {"entities": None}
        assert installation.totals(country) == expected_totals(expected)
    until(lambda: installation.temporary_files() == [], seconds=15, name="an empty temporary folder")


def test_the_processes_of_a_killed_worker_do_not_outlive_it(installation: Installation, pairs: Pairs) -> None:
    worker = installation.running_worker()
    session = installation.start_session(pairs()[0], installation.new_country())
    until(lambda: installation.reader_processes(), every=0.01)
    processes = children(worker.pid, recursive=True)
    assert len(processes) >= 4
    worker.kill_parent()
    until(lambda: not any(is_alive(pid) for pid in processes), seconds=10, name="the end of all its processes")
    installation.start_worker(processes=2)
    assert installation.finished_session(session)["status"] == "DONE_WITH_ERRORS"


def test_a_killed_reader_is_started_again(installation: Installation, pairs: Pairs) -> None:
    folder, expected = pairs()
    country, _ = installation.new_country(), installation.running_worker()
    session = installation.start_session(folder, country)
    kill(until(lambda: installation.reader_processes(), every=0.01)[0])
    ended = installation.finished_session(session)
    assert (ended["status"], ended["attempts"]) == ("DONE_WITH_ERRORS", 2)
    assert installation.totals(country) == expected_totals(expected)


def test_a_file_that_kills_its_readers_is_given_up_after_three_attempts_and_the_next_file_is_imported(
    installation: Installation, pairs: Pairs
) -> None:
    folder, expected = pairs()
    country, other, _ = installation.new_country(), installation.new_country(), installation.running_worker()
    fatal = installation.start_session(folder, country)
    killed = set()
    while installation.status(fatal) != "ERROR":
        for reader in installation.reader_processes():
            # Reader and run, as the kernel does when memory is short.
            killed.add(installation.runner(fatal))
            kill(installation.runner(fatal))
            kill(reader)
            until(lambda reader=reader: not is_alive(reader))
        time.sleep(0.02)
    ended = installation.session(fatal)
    assert ended["attempts"] == 4
    assert "3 times" in ended["message"]
    assert len(killed) == 3
    after = installation.start_session(folder, other)
    assert installation.finished_session(after)["attempts"] == 1
    assert installation.totals(other) == expected_totals(expected)
    assert installation.totals(country) == NO_CLAIMS


def test_a_sweeper_that_dies_is_started_again_and_ends_with_its_worker(
    installation: Installation,
) -> None:
    worker = installation.running_worker()
    (first,) = until(installation.sweeper_processes)
    kill(first)
    (second,) = until(lambda: [pid for pid in installation.sweeper_processes() if pid != first], name="another sweeper")
    worker.stop()
    assert not is_alive(second)


def test_after_a_killed_run_was_taken_over_and_the_worker_stopped_no_process_and_no_folder_is_left(
    make_installation: MakeInstallation, pairs: Pairs
) -> None:
    installation = make_installation()
    worker = installation.running_worker()
    session = installation.start_session(pairs()[0], installation.new_country())
    until(lambda: installation.reader_processes(), every=0.01)
    assert installation.temporary_files()
    kill(installation.runner(session))
    assert installation.finished_session(session)["attempts"] == 2
    until(lambda: installation.temporary_files() == [], seconds=15, name="an empty temporary folder")
    assert worker.pid in processes_mentioning(str(installation.data))
    worker.stop()
    installation.end_commands()
    until(lambda: not processes_mentioning(str(installation.data)), seconds=5, name="the end of all processes")
