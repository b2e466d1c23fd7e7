"""The databases of the benchmark, created again for each import."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

BASE_DIR = Path(__file__).resolve().parent.parent.parent
# Suffixes of the names of the three databases. They are dropped and created again, so the named database itself is not
# one of them.
EMPTY, RUN, CLONE = "bench_empty", "bench_run", "bench_floor"
FIGURES = "bench_figures"


class BenchError(Exception):
    """The benchmark cannot go on; the message says why."""


class Databases:
    """Three databases: EMPTY has the schema alone, RUN serves the imports, CLONE takes the rows of the floor."""

    def make_empty(self) -> None:
        """Create EMPTY, with the schema of the migrations."""
        raise NotImplementedError

    def renew(self, name: str) -> None:
        """Create `name` again as a copy of EMPTY. There must be no connection to either."""
        raise NotImplementedError

    def url(self, name: str) -> str:
        raise NotImplementedError

    def drop(self) -> None:
        """Drop all three."""
        raise NotImplementedError


class PostgresDatabases(Databases):
    def __init__(self, url: str) -> None:
        self.server = url
        self.prefix = urlsplit(url).path.strip("/") or "concord"

    def url(self, name: str) -> str:
        return urlunsplit(urlsplit(self.server)._replace(path=f"/{self.prefix}_{name}"))

    def make_empty(self) -> None:
        self._recreate(EMPTY)
        migrate(self.url(EMPTY))

    def renew(self, name: str) -> None:
        self._recreate(name, template=EMPTY)

    def drop(self) -> None:
        for name in (RUN, CLONE, EMPTY):
            self._execute(self._drop(name))

    def make_blank(self, name: str) -> str:
        """A database without a schema; → its URL."""
        self._recreate(name)
        return self.url(name)

    def drop_one(self, name: str) -> None:
        self._execute(self._drop(name))

    def _recreate(self, name: str, *, template: str = "") -> None:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            self._name(name), self._name(template) if template else sql.Identifier("template1")
        )
        # The checkpoint writes the pages of the earlier import now, so that the next import does not wait for it.
        self._execute(self._drop(name), create, sql.SQL("CHECKPOINT"))

    def _name(self, name: str) -> sql.Identifier:
        return sql.Identifier(f"{self.prefix}_{name}")

    def _drop(self, name: str) -> sql.Composed:
        return sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(self._name(name))

    def _execute(self, *statements: sql.SQL | sql.Composed) -> None:
        with psycopg.connect(self.server, dbname="postgres", autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


class SqliteDatabases(Databases):
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.sqlite3"

    def url(self, name: str) -> str:
        return f"sqlite:///{self.path(name)}"

    def make_empty(self) -> None:
        self._remove(EMPTY)
        migrate(self.url(EMPTY))

    def renew(self, name: str) -> None:
        self._remove(name)
        shutil.copyfile(self.path(EMPTY), self.path(name))

    def drop(self) -> None:
        for name in (RUN, CLONE, EMPTY):
            self._remove(name)

    def _remove(self, name: str) -> None:
        for end in ("", "-wal", "-shm"):
            self.path(name).with_name(self.path(name).name + end).unlink(missing_ok=True)


def migrate(url: str) -> None:
    """Migrations and cache tables, in another process: settings, and so the database, are fixed once per process."""
    for command in (["migrate", "--verbosity", "0"], ["createcachetable", "--verbosity", "0"]):
        subprocess.run(
            [sys.executable, str(BASE_DIR / "manage.py"), *command],
            env=os.environ | {"DATABASE_URL": url},
            cwd=BASE_DIR,
            check=True,
        )
