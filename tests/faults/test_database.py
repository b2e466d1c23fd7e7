"""A database that restarts in the middle of an import: all rows or none, and the session ends (F8)."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import (
    WRITTEN_FOR_LONG,
    Installation,
    Pairs,
    PostgreSQL,
    Redis,
    expected_summary,
    expected_totals,
    kill,
    told_summary,
    until,
)

# SQLite is no server that could restart.
pytestmark = pytest.mark.needs("postgresql")


@pytest.fixture(scope="module")
def server(template: str) -> Iterator[PostgreSQL]:
    if PostgreSQL.programs() is None:
        pytest.skip("no PostgreSQL programs on this machine to start a server that may be restarted")
    server = PostgreSQL()
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def fragile(
    server: PostgreSQL, own_redis: Redis | None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    folder: Path = tmp_path_factory.mktemp("fragile")
    installation = Installation(folder, database=server.url, redis_url=own_redis.url if own_redis else "")
    installation.do("migrate")
    yield installation
    installation.close()


def test_a_database_that_restarts_inside_the_write_has_all_rows_in_the_end(
    fragile: Installation, server: PostgreSQL, pairs: Pairs
) -> None:
    folder, expected = pairs(WRITTEN_FOR_LONG)
    country, worker = fragile.new_country(), fragile.a_worker()
    session = fragile.start(folder, country)
    run = fragile.stop_while_writing(session)
    server.restart_at_once()
    kill(run, signal.SIGCONT)
    _ends_whole(fragile, session, country, expected)
    assert worker.process.poll() is None


def test_a_database_that_restarts_while_files_are_read_is_not_even_noticed(
    fragile: Installation, server: PostgreSQL, pairs: Pairs
) -> None:
    folder, expected = pairs(WRITTEN_FOR_LONG)
    country, _ = fragile.new_country(), fragile.a_worker()
    session = fragile.start(folder, country)
    until(lambda: fragile.readers(), every=0.01)
    server.restart_at_once()
    _ends_whole(fragile, session, country, expected)


def _ends_whole(installation: Installation, session: int, country: str, expected: dict[str, object]) -> None:
    ended = installation.ended(session)
    assert ended["status"] == "DONE_WITH_ERRORS"
    assert told_summary(ended)["claims"] == expected_summary(expected)["claims"]
    assert installation.totals(country) == expected_totals(expected)
    until(lambda: not installation.leftovers(), seconds=15)
