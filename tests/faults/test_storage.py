"""A disk that is full, a report or log that cannot be written, a file too large for its reader (F9, F12)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import (
    NOTHING,
    Installation,
    MakeInstallation,
    Pairs,
    expected_totals,
    full_disk,
    small_disk,
    until,
)
from tests.support.overlap import make_numbered_pair


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    try:
        with small_disk(tmp_path_factory.mktemp("disk"), megabytes=12) as folder:
            yield folder
    except PermissionError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def cramped(disk: Path, make_installation: MakeInstallation) -> Installation:
    """An installation whose files lie on a small disk; its database is elsewhere."""
    return make_installation(data=disk / "data")


def stored(installation: Installation) -> list[str]:
    """What lies in the data folder but messages and logs of the queue."""
    paths = [path for folder in ("files", "tmp") for path in (installation.data / folder).rglob("*")]
    return sorted(str(path.relative_to(installation.data)) for path in paths if path.is_file())


def test_an_upload_to_a_full_disk_is_refused_as_507_and_leaves_nothing(
    cramped: Installation, disk: Path, pairs: Pairs
) -> None:
    folder, expected = pairs(1200)
    country = cramped.new_country()
    before, kept = stored(cramped), cramped.row("SELECT count(*) FROM file_handling_file")
    with full_disk(disk, leaving=40_000):
        refused = cramped.do("upload", folder=str(folder), country=country)
        assert refused["status"] == 507, refused
        assert "no room" in refused["answer"]["detail"]
        assert stored(cramped) == before
    assert cramped.row("SELECT count(*) FROM file_handling_file") == kept
    accepted = cramped.do("upload", folder=str(folder), country=country)
    assert accepted["status"] == 202
    cramped.a_worker()
    assert cramped.ended(accepted["answer"]["id"])["status"] == "DONE_WITH_ERRORS"
    assert cramped.totals(country) == expected_totals(expected)


@pytest.mark.parametrize("full", ["where it is made", "where its sheets wait"])
def test_an_export_that_finds_the_disk_full_is_refused_as_507_and_leaves_nothing(
    make_installation: MakeInstallation, disk: Path, full: str
) -> None:
    waiting = disk / "waiting"
    waiting.mkdir(exist_ok=True)
    is_data_disk_full = full == "where it is made"
    installation = (
        make_installation(data=disk / "exports") if is_data_disk_full else make_installation(TMPDIR=str(waiting))
    )
    country = installation.new_country()
    assert installation.do("export", rows=5000, country=country)["bytes"] > 100_000
    told = "SELECT count(*) FROM users_auditentry WHERE action = 'export'"
    with full_disk(disk, leaving=40_000):
        before, free = stored(installation), shutil.disk_usage(disk).free
        refused = installation.do("export", rows=5000, country=country)
        assert refused["status"] == 507, refused
        assert "no room" in refused["answer"]["detail"]
        assert (stored(installation), shutil.disk_usage(disk).free, list(waiting.iterdir())) == (before, free, [])
        assert installation.row(told) == (1,)
    assert installation.do("export", rows=5000, country=country)["status"] == 200


@pytest.mark.parametrize("room", [0, 300_000])
def test_a_run_that_meets_a_full_disk_ends_in_words_and_can_be_run_again(
    cramped: Installation, disk: Path, pairs: Pairs, room: int
) -> None:
    folder, expected = pairs(1200)
    country = cramped.new_country()
    session = _waiting(cramped, folder, country, disk, room)
    assert "no room left on its disk" in session["message"]
    assert session["status"] == "ERROR"
    assert cramped.totals(country) == NOTHING
    assert cramped.do("steer", act="retry", session=session["id"]) == {"refusal": ""}
    assert cramped.ended(session["id"])["status"] == "DONE_WITH_ERRORS"
    assert cramped.totals(country) == expected_totals(expected)


def _waiting(installation: Installation, folder: Path, country: str, disk: Path, room: int) -> dict[str, object]:
    """A session that came while there was room, and was run when there was none."""
    for worker in installation.workers:
        worker.stop()
    number = installation.start(folder, country)
    # The processes start, and then the disk fills up.
    with full_disk(disk, leaving=room):
        installation.worker()
        ended = installation.ended(number)
    return ended | {"id": number}


def test_a_report_that_cannot_be_written_keeps_the_claims_and_can_be_made_later(
    installation: Installation, pairs: Pairs
) -> None:
    folder, expected = pairs()
    country, _ = installation.new_country(), installation.a_worker()
    in_the_way = installation.data / "files" / "reports"
    shutil.rmtree(in_the_way, ignore_errors=True)
    in_the_way.parent.mkdir(parents=True, exist_ok=True)
    in_the_way.write_text("a file where the folder should be")
    session = installation.start(folder, country)
    ended = installation.ended(session)
    in_the_way.unlink()
    assert (ended["status"], ended["error_file"]) == ("DONE_WITH_ERRORS", "")
    assert "report could not be written" in ended["message"]
    assert installation.totals(country) == expected_totals(expected)
    assert installation.do("steer", act="remake_report", session=session) == {"refusal": ""}
    made = installation.data / "files" / installation.session(session)["error_file"]
    assert made.read_bytes()[:2] == b"PK"


def test_a_log_that_cannot_be_written_shows_in_the_status_until_it_is_made_again(
    installation: Installation, tmp_path: Path
) -> None:
    installation.a_worker()
    in_the_way = installation.data / "files" / "logs"
    shutil.rmtree(in_the_way, ignore_errors=True)
    in_the_way.parent.mkdir(parents=True, exist_ok=True)
    in_the_way.write_text("a file where the folder should be")
    session = installation.start(make_numbered_pair(tmp_path, claims=range(20)), installation.new_country())
    ended = installation.ended(session)
    in_the_way.unlink()
    assert (ended["status"], ended["log_file_path"]) == ("DONE_WITH_ERRORS", "")
    assert "log could not be written" in ended["message"]
    assert installation.do("steer", act="remake_report", session=session) == {"refusal": ""}
    again = installation.session(session)
    assert again["status"] == "DONE"
    assert "received" in (installation.data / "files" / again["log_file_path"]).read_text()


def test_a_file_too_large_for_its_reader_ends_its_session_at_once_and_no_other(
    make_installation: MakeInstallation, pairs: Pairs
) -> None:
    folder, _ = pairs(1200)
    narrow = make_installation(READER_MEMORY_BYTES=str(260 * 1024 * 1024))
    narrow.worker()
    session = narrow.start(folder)
    ended = narrow.ended(session)
    assert (ended["status"], ended["attempts"]) == ("ERROR", 1)
    assert "memory" in ended["message"]
    assert narrow.totals() == NOTHING
    until(lambda: not narrow.leftovers())


def test_a_session_keeps_one_report_and_one_log_however_often_it_ran(installation: Installation, pairs: Pairs) -> None:
    installation.a_worker()
    papers = [installation.data / "files" / name for name in ("reports", "logs")]
    for folder in papers:
        shutil.rmtree(folder, ignore_errors=True)
    session = installation.start(pairs()[0], installation.new_country(), dry_run=True)
    assert installation.ended(session)["status"] == "REVIEW"
    installation.do("steer", act="request_commit", session=session)
    until(lambda: installation.status(session) == "DONE_WITH_ERRORS")
    until(lambda: [len([p for p in folder.rglob("*") if p.is_file()]) for folder in papers] == [1, 1], seconds=10)
    kept = installation.session(session)
    assert (installation.data / "files" / kept["error_file"]).is_file()
    assert (installation.data / "files" / kept["log_file_path"]).is_file()
