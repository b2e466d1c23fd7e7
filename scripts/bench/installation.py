"""An installation for the benchmark: its databases, made anew for each import, and its web server and worker."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg
from psycopg import sql

from scripts.api_client import Client

BASE_DIR = Path(__file__).resolve().parent.parent.parent
HOST = "127.0.0.1"
START_SECONDS, STOP_SECONDS = 90, 45
USERNAME = "bench"
# The tables of this run stand beside whatever database was named, never in it: they are dropped and made anew.
EMPTY, RUN, CLONE = "bench_empty", "bench_run", "bench_floor"


class BenchError(Exception):
    """The benchmark cannot go on; its words say why."""


class Databases:
    """Three databases: `empty` has the schema alone, `run` serves the imports, `clone` takes the floor's rows."""

    def make_empty(self) -> None:
        """Bring the schema into a new `empty`, by the installation's own migrations."""
        raise NotImplementedError

    def renew(self, name: str) -> None:
        """Make `name` anew from `empty`. Nobody may be connected to either."""
        raise NotImplementedError

    def url(self, name: str) -> str:
        raise NotImplementedError

    def drop(self) -> None:
        """Leave nothing behind."""
        raise NotImplementedError


class PostgresDatabases(Databases):
    def __init__(self, url: str) -> None:
        self.server = url
        self.prefix = urlsplit(url).path.strip("/") or "concord"

    def url(self, name: str) -> str:
        return urlunsplit(urlsplit(self.server)._replace(path=f"/{self.prefix}_{name}"))

    def make_empty(self) -> None:
        self._remake(EMPTY)
        migrate(self.url(EMPTY))

    def renew(self, name: str) -> None:
        self._remake(name, template=EMPTY)

    def drop(self) -> None:
        for name in (RUN, CLONE, EMPTY):
            self._statements(self._drop(name))

    def _remake(self, name: str, *, template: str = "") -> None:
        make = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            self._name(name), self._name(template) if template else sql.Identifier("template1")
        )
        # What an earlier import left to be flushed must not burden the next one.
        self._statements(self._drop(name), make, sql.SQL("CHECKPOINT"))

    def _name(self, name: str) -> sql.Identifier:
        return sql.Identifier(f"{self.prefix}_{name}")

    def _drop(self, name: str) -> sql.Composed:
        return sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(self._name(name))

    def _statements(self, *statements: sql.SQL | sql.Composed) -> None:
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
    """Migrations and cache tables, in a process of their own: this one must stay free to name another database."""
    for command in (["migrate", "--verbosity", "0"], ["createcachetable", "--verbosity", "0"]):
        subprocess.run(
            [sys.executable, str(BASE_DIR / "manage.py"), *command],
            env=os.environ | {"DATABASE_URL": url},
            cwd=BASE_DIR,
            check=True,
        )


def set_environment(*, folder: Path, database_url: str, redis_url: str, limits: dict[str, str]) -> None:
    """What both this process and the server are told: an installation of its own, whatever the surroundings say."""
    for name in ("STORAGE_URL", "DEBUG", "BEHIND_TLS", "ALLOWED_HOSTS", "LOG_LEVEL"):
        os.environ.pop(name, None)
    os.environ |= {
        "DATA_DIR": str(folder),
        "SECRET_KEY": secrets.token_urlsafe(50),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "KEY_PREFIX": f"concord-bench-{os.getpid()}",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        **limits,
    }


def make_accounts(countries: list[str]) -> dict[str, str]:
    """A country and an account that imports into it for each code; → the password of each country's account."""
    from users.models import Country, Role, User

    passwords = {code: secrets.token_urlsafe(12) for code in countries}
    for code, password in passwords.items():
        country = Country.objects.create(code=code, name=f"Bench {code}")
        user = User(
            username=f"{USERNAME}-{code}", email=f"{code}@bench.invalid", role=Role.ADMIN_TERRITORIAL, country=country
        )
        user.set_password(password)
        user.save()
    return passwords


@contextmanager
def served(folder: Path) -> Iterator[tuple[Client, psutil.Process]]:
    """Web server and worker as `make serve` starts them; → a client, and the worker's main process."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    log = folder / "server.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, str(BASE_DIR / "scripts" / "serve.py")],
            env=os.environ | {"BIND": HOST, "PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        client = Client(base_url=f"http://{HOST}:{port}", language="en")
        deadline = time.monotonic() + START_SECONDS
        while not client.is_healthy() or (worker := _worker_of(process.pid)) is None:
            if process.poll() is not None or time.monotonic() > deadline:
                raise BenchError(f"The server did not start. Its log: {log}")
            time.sleep(0.2)
        yield client, worker
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _worker_of(supervisor: int) -> psutil.Process | None:
    for child in psutil.Process(supervisor).children():
        if "celery" in " ".join(child.cmdline()):
            return child
    return None


def forget_queue(redis_url: str) -> None:
    """Take what the runs left in Redis away; it may serve others besides."""
    if redis_url:
        import redis

        with redis.Redis.from_url(redis_url) as connection:
            for key in connection.scan_iter(match=f"{os.environ['KEY_PREFIX']}*", count=1000):
                connection.delete(key)
