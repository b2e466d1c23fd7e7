"""The web server and the worker of the benchmark, with accounts, in an environment of their own."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import redis

from scripts.api_client import Client
from scripts.bench.databases import BASE_DIR, BenchError

HOST = "127.0.0.1"
START_SECONDS, STOP_SECONDS = 90, 45
USERNAME = "bench"


def set_environment(*, folder: Path, database_url: str, redis_url: str, limits: dict[str, str]) -> None:
    """Settings of this process and of the server: an installation of its own, whatever the environment names."""
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
    """A country and an account that imports into it for each code; → the password of the account of each country."""
    # Models need Django, which is set up once the environment is.
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
    """Web server and worker, started as by `make serve`; → a client, and the main process of the worker."""
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
        while not client.is_healthy() or (worker := _find_worker(process.pid)) is None:
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


def _find_worker(supervisor: int) -> psutil.Process | None:
    for child in psutil.Process(supervisor).children():
        if "celery" in " ".join(child.cmdline()):
            return child
    return None


def empty_queue(redis_url: str) -> None:
    """Remove the keys of this run from Redis, which others may use too."""
    if redis_url:
        with redis.Redis.from_url(redis_url) as connection:
            for key in connection.scan_iter(match=f"{os.environ['KEY_PREFIX']}*", count=1000):
                connection.delete(key)
