"""The broker is only a doorbell: refused, paused, emptied or late, it costs a session time and nothing else (F5–F7)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.installation import House, Redis, until
from tests.support.overlap import make_numbered_pair


@pytest.fixture(scope="module")
def small_pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_numbered_pair(tmp_path_factory.mktemp("small"), claims=range(10))


@contextmanager
def refused(house: House, redis: Redis | None) -> Iterator[None]:
    """The broker is not there: Redis refuses connections, or the spool folder is no folder any more."""
    if redis is not None:
        redis.stop()
        try:
            yield
        finally:
            redis.start()
        return
    spool = house.data / "broker"
    spool.rename(house.data / "broker-away")
    spool.write_text("a file where the folder should be")
    try:
        yield
    finally:
        spool.unlink()
        (house.data / "broker-away").rename(spool)


@contextmanager
def paused(house: House, redis: Redis | None) -> Iterator[None]:
    """The broker takes connections and answers nothing."""
    assert redis is not None, "a folder cannot be paused"
    redis.pause()
    try:
        yield
    finally:
        redis.resume()


@pytest.mark.parametrize("away", [refused, pytest.param(paused, marks=pytest.mark.needs("redis"))])
def test_an_upload_is_answered_while_the_broker_is_away_and_runs_once_it_is_back(
    house: House, own_redis: Redis | None, small_pair: Path, away: object
) -> None:
    worker = house.a_worker()
    house.do("ready")
    with away(house, own_redis):  # type: ignore[operator]
        uploaded = house.do("upload", folder=str(small_pair), country=house.new_country())
        created = house.do("start", folder=str(small_pair), country=house.new_country())
    assert uploaded["status"] == 202, uploaded
    assert uploaded["seconds"] < 5
    assert created["seconds"] < 5
    for session in (uploaded["answer"]["id"], created["id"]):
        assert house.ended(session)["status"] == "DONE"
    assert worker.process.poll() is None


def test_sessions_whose_messages_were_lost_are_rung_for_again(
    house: House, own_redis: Redis | None, small_pair: Path
) -> None:
    for worker in house.workers:
        worker.stop()
    sessions = [house.start(small_pair, house.new_country()) for _ in range(5)]
    if own_redis is not None:
        own_redis.empty()
    else:
        messages = list((house.data / "broker").glob("*.msg"))
        assert len(messages) == len(sessions)
        for message in messages:
            message.unlink()
    house.worker(processes=2)
    for session in sessions:
        ended = house.ended(session)
        assert (ended["status"], ended["attempts"]) == ("DONE", 1)


@pytest.mark.needs("redis")  # a worker makes the spool folder itself
def test_a_worker_that_starts_before_its_broker_works_once_there_is_one(
    house: House, own_redis: Redis | None, small_pair: Path
) -> None:
    for worker in house.workers:
        worker.stop()
    with refused(house, own_redis):
        worker = house.worker(wait=False)
        session = house.start(small_pair, house.new_country())
        until(lambda: "Cannot connect" in worker.said(), name="a worker that knows its broker is away")
    assert house.ended(session)["status"] == "DONE"


@pytest.mark.needs("spool")  # it is files that a loss of power leaves empty
def test_a_spoilt_message_stops_nobody(house: House, own_redis: Redis | None, small_pair: Path) -> None:
    worker = house.a_worker()
    spoilt = house.data / "broker" / "00000000000000000001_spoilt.concord.msg"
    spoilt.write_text("")
    until(lambda: not spoilt.exists())
    session = house.start(small_pair, house.new_country())
    assert house.ended(session)["status"] == "DONE"
    assert worker.process.poll() is None


def test_a_session_left_by_a_clock_that_was_ahead_is_taken_up(house: House, small_pair: Path) -> None:
    for worker in house.workers:
        worker.stop()
    sessions = [house.start(small_pair, house.new_country()) for _ in range(2)]
    ahead = "'2999-01-01 00:00:00+00'" if house.on_postgresql else "'2999-01-01 00:00:00.000000'"
    with house.connection() as connection:
        connection.execute(
            f"UPDATE file_handling_importsession SET status = 'PROCESSING', lease_expires_at = {ahead},"
            f" rung_at = {ahead}, runner = '' WHERE id = {sessions[0]}"
        )
        connection.execute(f"UPDATE file_handling_importsession SET rung_at = {ahead} WHERE id = {sessions[1]}")
    if not house.redis_url:
        for message in (house.data / "broker").glob("*.msg"):
            message.unlink()
    house.worker(processes=2)
    for session in sessions:
        assert house.ended(session)["status"] == "DONE"
