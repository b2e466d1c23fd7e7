"""Do the services that were named answer? Said within seconds, before anything depends on it.

`python scripts/services.py` asks TEST_DATABASE_URL and TEST_REDIS_URL, and fails in words when one does not.
"""

import os
import sys
from urllib.parse import urlsplit

SECONDS = 3


def unanswered(*, database_url: str, redis_url: str) -> list[str]:
    """What is wrong with the services named, one line each; an empty URL names none. Never repeats a password."""
    problems = []
    if database_url.startswith("postgres"):
        import psycopg

        try:
            # The tests make a database of their own, so it is the server that must be there.
            psycopg.connect(database_url, dbname="postgres", connect_timeout=SECONDS).close()
        except psycopg.OperationalError as error:
            reason = str(error).strip().splitlines()[0]
            problems.append(f"PostgreSQL does not answer at {_place(database_url)}: {reason}")
    if redis_url:
        import redis

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
    found = unanswered(
        database_url=os.environ.get("TEST_DATABASE_URL", ""), redis_url=os.environ.get("TEST_REDIS_URL", "")
    )
    if found:
        sys.exit("\n".join(found))
