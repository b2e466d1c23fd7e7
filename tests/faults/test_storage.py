"""A full disk, a report or log that cannot be written, a file too large for its reader (F9, F12)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import (
    NO_CLAIMS,
    Installation,
    MakeInstallation,
    Pairs,
    expected_totals,
    full_disk,
    small_disk,
    until,
)
from tests.support.numbered_pairs import make_numbered_pair


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    try:
        with small_disk(tmp_path_factory.mktemp("disk"), megabytes=12) as folder:
            yield folder
    except PermissionError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def cramped(disk: Path, make_installation: MakeInstallation) -> Installation:
    """An installation with its files on a small disk and its database elsewhere."""
    return make_installation(data=disk / "data")


def stored_files(installation: Installation) -> list[str]:
    """All files in the data folder except messages and logs of the queue."""
    paths = [path for folder in ("files", "tmp") for path in (installation.data / folder).rglob("*")]
    return sorted(str(path.relative_to(installation.data)) for path in paths if path.is_file())


def test_an_upload_to_a_full_disk_is_refused_as_507_and_leaves_nothing(
    cramped: Installation, disk: Path, pairs: Pairs
) -> None:
    folder, expected = pairs(1200)
    country = cramped.new_country()
    before, file_count = stored_files(cramped), cramped.row("SELECT count(*) FROM file_handling_file")
    with full_disk(disk, leaving=40_000):
        refused = cramped.command("upload", folder=str(folder), country=country)
        assert refused["status"] == 507, refused
        assert "no room" in refused["answer"]["detail"]
        assert stored_files(cramped) == before
    assert cramped.row("SELECT count(*) FROM file_handling_file") == file_count
    accepted = cramped.command("upload", folder=str(folder), country=country)
    assert accepted["status"] == 202
    cramped.running_worker()
    assert cramped.finished_session(accepted["answer"]["id"])["status"] == "DONE_WITH_ERRORS"
    assert cramped.totals(country) == expected_totals(expected)


@pytest.mark.parametrize("full", ["data folder", "temporary folder"])
def test_an_export_to_a_full_disk_is_refused_as_507_and_leaves_nothing(
    make_installation: MakeInstallation, disk: Path, full: str
) -> None:
    temporary = disk / "temporary"
    temporary.mkdir(exist_ok=True)
    is_data_disk_full = full == "data folder"
    installation = (
        make_installation(data=disk / "exports") if is_data_disk_full else make_installation(TMPDIR=str(temporary))
    )
    country = installation.new_country()
    assert installation.command("export", rows=5000, country=country)["bytes"] > 100_000
    audited = "SELECT count(*) FROM users_auditentry WHERE action = 'export'"
    with full_disk(disk, leaving=40_000):
        before, free = stored_files(installation), shutil.disk_usage(disk).free
        refused = installation.command("export", rows=5000, country=country)
        assert refused["status"] == 507, refused
        assert "no room" in refused["answer"]["detail"]
        assert (stored_files(installation), shutil.disk_usage(disk).free, list(temporary.iterdir())) == (
            before,
            free,
            [],
        )
        assert installation.row(audited) == (1,)
    assert installation.command("export", rows=5000, country=country)["status"] == 200


@pytest.mark.parametrize("room", [0, 300_000])
def test_a_run_on_a_full_disk_ends_with_a_clear_message_and_can_be_retried(
    cramped: Installation, disk: Path, pairs: Pairs, room: int
) -> None:
    folder, expected = pairs(1200)
    country = cramped.new_country()
    session = _run_on_full_disk(cramped, folder, country, disk, room)
    assert "no room left on its disk" in session["message"]
    assert session["status"] == "ERROR"
    assert cramped.totals(country) == NO_CLAIMS
    assert cramped.command("steer", act="retry", session=session["id"]) == {"refusal": ""}
    assert cramped.finished_session(session["id"])["status"] == "DONE_WITH_ERRORS"
    assert cramped.totals(country) == expected_totals(expected)


def _run_on_full_disk(
    installation: Installation, folder: Path, country: str, disk: Path, room: int
) -> dict[str, object]:
    """Create a session while the disk has room, and run it while the disk is full; → its row."""
    for worker in installation.workers:
        worker.stop()
    number = installation.start_session(folder, country)
    with full_disk(disk, leaving=room):
        installation.start_worker()
        ended = installation.finished_session(number)
    return ended | {"id": number}


def test_a_report_that_cannot_be_written_keeps_the_claims_and_can_be_made_later(
    installation: Installation, pairs: Pairs
) -> None:
    folder, expected = pairs()
    country, _ = installation.new_country(), installation.running_worker()
    in_the_way = installation.data / "files" / "reports"
    shutil.rmtree(in_the_way, ignore_errors=True)
    in_the_way.parent.mkdir(parents=True, exist_ok=True)
    in_the_way.write_text("a file where the folder should be")
    session = installation.start_session(folder, country)
    ended = installation.finished_session(session)
    in_the_way.unlink()
    assert (ended["status"], ended["error_file"]) == ("DONE_WITH_ERRORS", "")
    assert "report could not be written" in ended["message"]
    assert installation.totals(country) == expected_totals(expected)
    assert installation.command("steer", act="remake_report", session=session) == {"refusal": ""}
    made = installation.data / "files" / installation.session(session)["error_file"]
    assert made.read_bytes()[:2] == b"PK"


def test_a_log_that_cannot_be_written_shows_in_the_status_until_it_is_made_again(
    installation: Installation, tmp_path: Path
) -> None:
    installation.running_worker()
    in_the_way = installation.data / "files" / "logs"
    shutil.rmtree(in_the_way, ignore_errors=True)
    in_the_way.parent.mkdir(parents=True, exist_ok=True)
    in_the_way.write_text("a file where the folder should be")
    session = installation.start_session(make_numbered_pair(tmp_path, claims=range(20)), installation.new_country())
    ended = installation.finished_session(session)
    in_the_way.unlink()
    assert (ended["status"], ended["log_file_path"]) == ("DONE_WITH_ERRORS", "")
    assert "log could not be written" in ended["message"]
    assert installation.command("steer", act="remake_report", session=session) == {"refusal": ""}
    again = installation.session(session)
    assert again["status"] == "DONE"
    assert "received" in (installation.data / "files" / again["log_file_path"]).read_text()


def test_a_file_too_large_for_its_reader_ends_its_session_at_once_and_no_other(
    make_installation: MakeInstallation, pairs: Pairs
) -> None:
    folder, _ = pairs(1200)
    small = make_installation(READER_MEMORY_BYTES=str(260 * 1024 * 1024))
    small.start_worker()
    session = small.start_session(folder)
    ended = small.finished_session(session)
    assert (ended["status"], ended["attempts"]) == ("ERROR", 1)
    assert "memory" in ended["message"]
    assert small.totals() == NO_CLAIMS
    until(lambda: not small.temporary_files())


def test_a_session_that_ran_twice_has_one_report_and_one_log(installation: Installation, pairs: Pairs) -> None:
    installation.running_worker()
    folders = [installation.data / "files" / name for name in ("reports", "logs")]
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    session = installation.start_session(pairs()[0], installation.new_country(), dry_run=True)
    assert installation.finished_session(session)["status"] == "REVIEW"
    installation.command("steer", act="request_commit", session=session)
    until(lambda: installation.status(session) == "DONE_WITH_ERRORS")
    until(lambda: [len([p for p in folder.rglob("*") if p.is_file()]) for folder in folders] == [1, 1], seconds=10)
    row = installation.session(session)
    assert (installation.data / "files" / row["error_file"]).is_file()
    assert (installation.data / "files" / row["log_file_path"]).is_file()
