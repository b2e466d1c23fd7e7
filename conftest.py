"""What every test stands on: the services it was pointed at, said in the header and asked before the first test."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction

from common.append_only_tables import TRIGGER_PREFIX
from scripts.services import unanswered


def pytest_report_header() -> list[str]:
    database = settings.DATABASES["default"]["ENGINE"].rsplit(".", 1)[-1]
    queue = "Redis" if settings.REDIS_URL else "spool folder (embedded)"
    return [f"database: {database}, queue: {queue}"]


def pytest_sessionstart(session: pytest.Session) -> None:
    problems = unanswered(database_url=settings.DATABASE_URL, redis_url=settings.REDIS_URL)
    if problems:
        pytest.exit("\n".join(problems), returncode=3)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what speaks of a service that these tests are not pointed at: it runs where they are."""
    there = {
        "sqlite" if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3") else "postgresql",
        "redis" if settings.REDIS_URL else "spool",
    }
    elsewhere = [item for item in items if any(mark.args[0] not in there for mark in item.iter_markers("needs"))]
    config.hook.pytest_deselected(items=elsewhere)
    items[:] = [item for item in items if item not in elsewhere]


@pytest.fixture(autouse=True, scope="session")
def nothing_left_in_redis() -> Iterator[None]:
    yield
    if settings.REDIS_URL:
        import redis

        # Only what these tests wrote: the Redis may serve others.
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            for key in client.scan_iter(match=f"{settings.KEY_PREFIX}*", count=1000):
                client.delete(key)


# The statements that take a database's append-only triggers away, and those that put them back as they were.
GUARDS = {
    "sqlite": "SELECT 'DROP TRIGGER ' || name, sql, name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass), pg_get_triggerdef(oid), tgname "
    "FROM pg_trigger WHERE NOT tgisinternal",
}


@pytest.fixture(autouse=True, scope="session")
def trails_are_emptied_between_tests() -> Iterator[None]:
    """Tests that commit empty every table when they end, trails too: for that moment their triggers are lifted."""
    operations = type(connection.ops)
    empty = operations.execute_sql_flush

    def lifted(self: Any, sql_list: list[str]) -> None:
        with transaction.atomic(using=self.connection.alias), self.connection.cursor() as cursor:
            cursor.execute(GUARDS[self.connection.vendor])
            guards = [found for found in cursor.fetchall() if found[2].startswith(TRIGGER_PREFIX)]
            for take_away, _put_back, _name in guards:
                cursor.execute(take_away)
            empty(self, sql_list)
            for _take_away, put_back, _name in guards:
                cursor.execute(put_back)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "execute_sql_flush", lifted)
        yield
