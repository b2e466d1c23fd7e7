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


@pytest.fixture(autouse=True, scope="session")
def nothing_left_in_redis() -> Iterator[None]:
    yield
    if settings.REDIS_URL:
        import redis

        # Only what these tests wrote: the Redis may serve others.
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            for key in client.scan_iter(match=f"{settings.KEY_PREFIX}*", count=1000):
                client.delete(key)
