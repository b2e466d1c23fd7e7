"""Fixtures of all tests. The services under test are shown in the header and checked before the first test."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import caches
from django.db import connection, transaction
from django.utils import translation
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from common.append_only_tables import TRIGGER_PREFIX
from scripts.services import unanswered
from tests.support import azurite

# The fixtures that several folders of tests share. pytest accepts this list in the root folder's conftest only.
pytest_plugins = [
    "tests.support.cast",
    "tests.support.browser",
    "tests.support.database",
    "tests.support.records",
    "tests.support.storage",
]

# Files that take a minute or more. Each process of a run takes one whole file at a time. These come first, so that none
# of them begins when all other files have ended.
LONGEST_FILES = (
    "tests/access/test_canaries.py",
    "tests/access/test_page_access.py",
    "tests/admin/test_admin_access.py",
    "tests/api/test_access.py",
    "tests/contract/test_schemathesis.py",
    "tests/corrections/test_api.py",
    "tests/dashboard/test_links.py",
    "tests/dashboard/test_random_countries.py",
    "tests/dashboard/test_truth.py",
    "tests/faults/",
    "tests/imports/test_correction_workbook.py",
    "tests/imports/test_drop_folder.py",
    "tests/imports/test_revert_preview.py",
    "tests/live/",
    "tests/records/test_indexes.py",
    "tests/records/test_pagination.py",
)

# A slow machine is no reason for a failure.
hypothesis_settings.register_profile("any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("any speed")


def pytest_report_header() -> list[str]:
    database = settings.DATABASES["default"]["ENGINE"].rsplit(".", 1)[-1]
    queue = "Redis" if settings.REDIS_URL else "spool folder (embedded)"
    missing = (
        [] if azurite.program() else ["Azurite: not installed (sh scripts/azurite.sh), so its tests are deselected"]
    )
    return [f"database: {database}, queue: {queue}", *missing]


def pytest_sessionstart(session: pytest.Session) -> None:
    problems = unanswered(database_url=settings.DATABASE_URL, redis_url=settings.REDIS_URL)
    if problems:
        pytest.exit("\n".join(problems), returncode=3)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests marked `needs` for a service that this run does not use."""
    used = {
        "sqlite" if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3") else "postgresql",
        "redis" if settings.REDIS_URL else "spool",
    }
    if azurite.program():
        used.add("azurite")
    deselected = [item for item in items if any(mark.args[0] not in used for mark in item.iter_markers("needs"))]
    config.hook.pytest_deselected(items=deselected)
    # Sorting keeps the order within a file.
    items[:] = sorted(
        (item for item in items if item not in deselected),
        key=lambda item: not item.nodeid.startswith(LONGEST_FILES),
    )


@pytest.fixture(autouse=True)
def every_test_starts_in_the_default_language() -> Iterator[None]:
    """Django leaves the language of a request active in the thread after the response."""
    with translation.override(settings.LANGUAGE_CODE, deactivate=True):
        yield


@pytest.fixture(autouse=True, scope="session")
def redis_keys_are_deleted_at_the_end() -> Iterator[None]:
    yield
    if settings.REDIS_URL:
        # Imported late, because only some runs use Redis.
        import redis

        # Only the keys of these tests: others may use the same Redis.
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            for key in client.scan_iter(match=f"{settings.KEY_PREFIX}*", count=1000):
                client.delete(key)


# Queries for the statements that drop a database's triggers and the statements that create them again.
TRIGGER_QUERIES = {
    "sqlite": "SELECT 'DROP TRIGGER ' || name, sql, name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass), pg_get_triggerdef(oid), tgname "
    "FROM pg_trigger WHERE NOT tgisinternal",
}


def delete_few_rows(cursor: Any) -> bool:
    """Delete the rows of all models; → False, with nothing done, when a table has many.

    TRUNCATE writes each of 200 tables and indexes to the disk, and waits for it.
    """
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    counts = [f"SELECT '{one}', count(*) FROM (SELECT FROM {one} LIMIT 1001) AS few" for one in tables]  # noqa: S608
    cursor.execute(" UNION ALL ".join(counts))
    filled = {table: count for table, count in cursor.fetchall() if count}
    if any(count > 1_000 for count in filled.values()):
        return False
    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    for table in filled:
        cursor.execute(f"DELETE FROM {table}")  # noqa: S608
    return True


@pytest.fixture(autouse=True, scope="session")
def append_only_tables_are_emptied_between_tests() -> Iterator[None]:
    """Tests that commit empty all tables at their end: drop the append-only triggers for that moment."""
    operations = type(connection.ops)
    empty = operations.execute_sql_flush

    def without_triggers(self: Any, sql_list: list[str]) -> None:
        with transaction.atomic(using=self.connection.alias), self.connection.cursor() as cursor:
            cursor.execute(TRIGGER_QUERIES[self.connection.vendor])
            triggers = [found for found in cursor.fetchall() if found[2].startswith(TRIGGER_PREFIX)]
            for drop, _create, _name in triggers:
                cursor.execute(drop)
            if self.connection.vendor != "postgresql" or not delete_few_rows(cursor):
                empty(self, sql_list)
            for _drop, create, _name in triggers:
                cursor.execute(create)
            # No table of a model: the counters would count for the accounts of later tests, whose ids are the same.
            caches["throttle"].clear()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "execute_sql_flush", without_triggers)
        yield
