"""Installations to break things in, each with a fresh database copied from one that was migrated once."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from samples import make_pair
from tests.support.installation import Installation, MakeInstallation, Pair, Pairs, Redis, own_database


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Pairs:
    """Sample pairs by size and seed, each made once."""
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
        installation.do("migrate")
        installation.close()
        yield str(folder / "db.sqlite3")
        return
    with own_database(server=settings.DATABASE_URL) as url:
        installation = Installation(folder, database=url)
        installation.do("migrate")
        installation.close()
        yield url


@pytest.fixture(scope="session")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis | None]:
    """A Redis that may be mistreated, when the tests run with services; the spool folder otherwise."""
    if not settings.REDIS_URL:
        yield None
        return
    if not Redis.is_there():
        pytest.skip("no redis-server on this machine to start one that may be stopped")
    redis = Redis(tmp_path_factory.mktemp("redis")).start()
    yield redis
    redis.stop()


@pytest.fixture(scope="module")
def make_installation(
    tmp_path_factory: pytest.TempPathFactory, template: str, own_redis: Redis | None
) -> Iterator[MakeInstallation]:
    """Builds installations on the services of this test run."""
    with contextlib.ExitStack() as opened:

        def make(data: Path | None = None, **settings: str) -> Installation:
            folder = tmp_path_factory.mktemp("installation")
            url = own_redis.url if own_redis else ""
            database = ""
            if template.startswith("postgres"):
                database = opened.enter_context(
                    own_database(server=template, template=urlsplit(template).path.strip("/"))
                )
            else:
                shutil.copy(template, folder / "db.sqlite3")
            installation = Installation(folder, data=data, database=database, redis_url=url, **settings)
            opened.callback(installation.close)
            return installation

        yield make


@pytest.fixture(scope="module")
def installation(make_installation: MakeInstallation) -> Installation:
    """One that the tests of a module share: each works in countries of its own."""
    return make_installation()
