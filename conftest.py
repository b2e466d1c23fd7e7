"""What every test stands on: the services it was pointed at, said in the header and asked before the first test."""

from collections.abc import Iterator

import pytest
from django.conf import settings

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
