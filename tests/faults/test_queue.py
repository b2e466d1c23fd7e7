"""A broker that refuses, pauses, loses messages or starts late delays a session and does nothing else (F5–F7)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.installation import Installation, Redis, until
from tests.support.numbered_pairs import make_numbered_pair


@pytest.fixture(scope="module")
def small_pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_numbered_pair(tmp_path_factory.mktemp("small"), claims=range(10))


@contextmanager
def refused(installation: Installation, redis: Redis | None) -> Iterator[None]:
    """The broker is absent: Redis refuses connections, or a file stands in the place of the spool folder."""
    if redis is not None:
        redis.stop()
        try:
            yield
        finally:
            redis.start()
        return
    spool = installation.data / "broker"
    spool.rename(installation.data / "broker-away")
    spool.write_text("a file where the folder should be")
    try:
        yield
    finally:
        spool.unlink()
        (installation.data / "broker-away").rename(spool)


@contextmanager
def paused(installation: Installation, redis: Redis | None) -> Iterator[None]:
    """The broker accepts connections and does not answer."""
    assert redis is not None, "a folder cannot be paused"
    redis.pause()
    try:
        yield
    finally:
        redis.resume()


@pytest.mark.parametrize("away", [refused, pytest.param(paused, marks=pytest.mark.needs("redis"))])
def test_an_upload_is_answered_while_the_broker_is_away_and_runs_once_it_is_back(
    installation: Installation, own_redis: Redis | None, small_pair: Path, away: object
) -> None:
    worker = installation.running_worker()
    imported = installation.new_country()
    first = installation.start_session(small_pair, imported)
    assert installation.finished_session(first)["status"] == "DONE"
    with away(installation, own_redis):  # type: ignore[operator]
        uploaded = installation.command("upload", folder=str(small_pair), country=installation.new_country())
        created = installation.command("start_session", folder=str(small_pair), country=installation.new_country())
        # Redis keeps figures and counts of records, too.
        figures = installation.command("figures", country=imported)
    assert uploaded["status"] == 202, uploaded
    assert uploaded["seconds"] < 5
    assert created["seconds"] < 5
    assert figures["statuses"] == [200, 200]
    assert figures["seconds"] < 5
    for session in (uploaded["answer"]["id"], created["id"]):
        assert installation.finished_session(session)["status"] == "DONE"
    assert worker.process.poll() is None


@pytest.mark.needs("spool")  # with Redis, the test above asks for figures
def test_figures_are_answered_while_a_file_stands_in_the_place_of_their_folder(
    installation: Installation, small_pair: Path
) -> None:
    installation.running_worker()
    country = installation.new_country()
    installation.finished_session(installation.start_session(small_pair, country))
    folder = installation.data / "cache"
    shutil.rmtree(folder, ignore_errors=True)
    folder.write_text("a file where the folder should be")
    figures = installation.command("figures", country=country)
    folder.unlink()
    assert figures["statuses"] == [200, 200]


def test_messages_that_were_lost_are_sent_again(
    installation: Installation, own_redis: Redis | None, small_pair: Path
) -> None:
    for worker in installation.workers:
        worker.stop()
    sessions = [installation.start_session(small_pair, installation.new_country()) for _ in range(5)]
    if own_redis is not None:
        own_redis.empty()
    else:
        messages = list((installation.data / "broker").glob("*.msg"))
        assert len(messages) == len(sessions)
        for message in messages:
            message.unlink()
    installation.start_worker(processes=2)
    for session in sessions:
        ended = installation.finished_session(session)
        assert (ended["status"], ended["attempts"]) == ("DONE", 1)


@pytest.mark.needs("redis")  # a worker makes the spool folder itself
def test_a_worker_that_starts_before_its_broker_works_when_the_broker_is_there(
    installation: Installation, own_redis: Redis | None, small_pair: Path
) -> None:
    for worker in installation.workers:
        worker.stop()
    with refused(installation, own_redis):
        worker = installation.start_worker(wait=False)
        session = installation.start_session(small_pair, installation.new_country())
        until(lambda: "Cannot connect" in worker.log_text(), name="a worker that cannot connect")
    assert installation.finished_session(session)["status"] == "DONE"


@pytest.mark.needs("spool")  # a power failure may leave empty files
def test_a_damaged_message_stops_no_worker(
    installation: Installation, own_redis: Redis | None, small_pair: Path
) -> None:
    worker = installation.running_worker()
    damaged = installation.data / "broker" / "00000000000000000001_damaged.concord.msg"
    damaged.write_text("")
    until(lambda: not damaged.exists())
    session = installation.start_session(small_pair, installation.new_country())
    assert installation.finished_session(session)["status"] == "DONE"
    assert worker.process.poll() is None


def test_a_session_with_times_in_the_future_is_run(installation: Installation, small_pair: Path) -> None:
    for worker in installation.workers:
        worker.stop()
    sessions = [installation.start_session(small_pair, installation.new_country()) for _ in range(2)]
    future = "'2999-01-01 00:00:00+00'" if installation.on_postgresql else "'2999-01-01 00:00:00.000000'"
    with installation.connection() as connection:
        connection.execute(
            f"UPDATE file_handling_importsession SET status = 'PROCESSING', lease_expires_at = {future},"
            f" rung_at = {future}, runner = '' WHERE id = {sessions[0]}"
        )
        connection.execute(f"UPDATE file_handling_importsession SET rung_at = {future} WHERE id = {sessions[1]}")
    if not installation.redis_url:
        for message in (installation.data / "broker").glob("*.msg"):
            message.unlink()
    installation.start_worker(processes=2)
    for session in sessions:
        assert installation.finished_session(session)["status"] == "DONE"
