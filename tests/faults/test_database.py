"""A database that restarts in the middle of an import: all rows or none, and the session ends (F8)."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import (
    LONG_WRITE_CLAIMS,
    Installation,
    Pairs,
    PostgreSQL,
    Redis,
    expected_summary,
    expected_totals,
    kill,
    stored_summary,
    until,
)

# SQLite has no server.
pytestmark = pytest.mark.needs("postgresql")


@pytest.fixture(scope="module")
def server(template: str) -> Iterator[PostgreSQL]:
    if PostgreSQL.programs() is None:
        pytest.skip("PostgreSQL is not installed")
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
    installation.command("migrate")
    yield installation
    installation.close()


def test_after_a_restart_of_the_database_in_a_write_all_rows_are_written(
    fragile: Installation, server: PostgreSQL, pairs: Pairs
) -> None:
    folder, expected = pairs(LONG_WRITE_CLAIMS)
    country, worker = fragile.new_country(), fragile.running_worker()
    session = fragile.start_session(folder, country)
    run = fragile.stop_while_writing(session)
    server.restart_immediately()
    kill(run, signal.SIGCONT)
    _assert_imported(fragile, session, country, expected)
    assert worker.process.poll() is None


def test_a_restart_of_the_database_while_files_are_read_changes_nothing(
    fragile: Installation, server: PostgreSQL, pairs: Pairs
) -> None:
    folder, expected = pairs(LONG_WRITE_CLAIMS)
    country, _ = fragile.new_country(), fragile.running_worker()
    session = fragile.start_session(folder, country)
    until(lambda: fragile.reader_processes(), every=0.01)
    server.restart_immediately()
    _assert_imported(fragile, session, country, expected)


def _assert_imported(installation: Installation, session: int, country: str, expected: dict[str, object]) -> None:
    ended = installation.finished_session(session)
    assert ended["status"] == "DONE_WITH_ERRORS"
    assert stored_summary(ended)["claims"] == expected_summary(expected)["claims"]
    assert installation.totals(country) == expected_totals(expected)
    until(lambda: not installation.temporary_files(), seconds=15)
