"""Installations for tests of faults, each with a copy of a database that was migrated once."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from samples import make_pair
from tests.support.installation import Installation, MakeInstallation, Pair, Pairs, Redis, temporary_database


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Pairs:
    """Makes sample pairs by size and seed, each of them once."""
    made: dict[tuple[int, int], Pair] = {}

    def pair(claims: int = 300, seed: int = 7) -> Pair:
        if (claims, seed) not in made:
            folder = tmp_path_factory.mktemp(f"pair-{claims}-{seed}-")
            made[claims, seed] = folder, make_pair(folder, claims=claims, seed=seed, pages=2)
        return made[claims, seed]

    return pair


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A migrated database: the path of a SQLite file, or the URL of a database of the PostgreSQL under test."""
    folder = tmp_path_factory.mktemp("template")
    if not settings.DATABASE_URL.startswith("postgres"):
        installation = Installation(folder)
        installation.command("migrate")
        installation.close()
        yield str(folder / "db.sqlite3")
        return
    with temporary_database(server=settings.DATABASE_URL) as url:
        installation = Installation(folder, database=url)
        installation.command("migrate")
        installation.close()
        yield url


@pytest.fixture(scope="session")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis | None]:
    """A Redis for these tests alone, when they run with Redis; None with the spool folder."""
    if not settings.REDIS_URL:
        yield None
        return
    if not Redis.is_installed():
        pytest.skip("redis-server is not installed")
    redis = Redis(tmp_path_factory.mktemp("redis")).start()
    yield redis
    redis.stop()


@pytest.fixture(scope="module")
def make_installation(
    tmp_path_factory: pytest.TempPathFactory, template: str, own_redis: Redis | None
) -> Iterator[MakeInstallation]:
    """Makes installations on the services of this test run."""
    with contextlib.ExitStack() as opened:

        def make(data: Path | None = None, **settings: str) -> Installation:
            folder = tmp_path_factory.mktemp("installation")
            url = own_redis.url if own_redis else ""
            database = ""
            if template.startswith("postgres"):
                database = opened.enter_context(
                    temporary_database(server=template, template=urlsplit(template).path.strip("/"))
                )
            else:
                shutil.copy(template, folder / "db.sqlite3")
            installation = Installation(folder, data=data, database=database, redis_url=url, **settings)
            opened.callback(installation.close)
            return installation

        yield make


@pytest.fixture(scope="module")
def installation(make_installation: MakeInstallation) -> Installation:
    """The tests of a module share this one; each test has countries of its own."""
    return make_installation()
