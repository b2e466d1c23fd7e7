"""Do the named services answer? Found out within seconds, before a long run depends on it.

`python scripts/services.py` tries TEST_DATABASE_URL and TEST_REDIS_URL, and fails with a message when one does not
answer.
"""

import os
import sys
from urllib.parse import urlsplit

import psycopg
import redis

SECONDS = 3


def unanswered(*, database_url: str, redis_url: str) -> list[str]:
    """The problems of the named services, one line each, without passwords; an empty URL names no service."""
    problems = []
    if database_url.startswith("postgres"):
        try:
            # The tests create their own database, so only the server must exist.
            psycopg.connect(database_url, dbname="postgres", connect_timeout=SECONDS).close()
        except psycopg.OperationalError as error:
            reason = str(error).strip().splitlines()[0]
            problems.append(f"PostgreSQL does not answer at {_place(database_url)}: {reason}")
    if redis_url:
        client = redis.Redis.from_url(redis_url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS, retry=None)
        try:
            client.ping()
        except redis.RedisError as error:
            problems.append(f"Redis does not answer at {_place(redis_url)}: {error}")
        finally:
            client.close()
    return problems


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname or 'localhost'}:{parts.port or 'default port'}{parts.path}"


if __name__ == "__main__":
    problems = unanswered(
        database_url=os.environ.get("TEST_DATABASE_URL", ""), redis_url=os.environ.get("TEST_REDIS_URL", "")
    )
    if problems:
        sys.exit("\n".join(problems))
