"""Concord with the samples of the demo, started as by a user, for the tests and the screenshots in a browser."""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.api_client import Client
from scripts.demo import story
from scripts.demo.pairs import SamplePair, made
from scripts.demo.server import BASE_DIR, HOST, OF_THE_CALLER, Server, environment

CLAIMS = 1000
ROLES = ("SUPERUSER", "ADMIN_GLOBAL", "ADMIN_TERRITORIAL", "CHEF_DEPT_TECH", "RESP_OPERATEUR")
# Tests sign in and upload far more often than a person.
LIMITS = {
    "THROTTLE_LOGIN_ADDRESS": "1000/min",
    "THROTTLE_LOGIN_ACCOUNT": "1000/min",
    "THROTTLE_LOGIN_PAIR": "1000/hour",
    "LOG_LEVEL": "INFO",
}


@dataclass(frozen=True)
class Account:
    role: str
    username: str
    password: str
    country: str


@dataclass(frozen=True)
class Stack:
    """`sessions`: name of the step of the demo → session as the API describes it. `pairs`: name → files and outcome."""

    address: str
    folder: Path
    accounts: dict[str, Account]
    clients: dict[str, Client]
    sessions: dict[str, dict[str, Any]]
    pairs: dict[str, SamplePair]

    def log(self) -> str:
        return (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")


@contextmanager
def running_stack(*, language: str = "en") -> Iterator[Stack]:
    """A new installation with the samples, which ends with the block. `language`: of the uploads."""
    with tempfile.TemporaryDirectory(prefix="concord-browser-") as name:
        folder, port = Path(name) / "data", _free_port()
        variables = environment(folder=folder, port=port) | LIMITS
        server = Server(folder=folder, port=port, more=LIMITS)
        try:
            pairs = made(Path(name) / "samples", claims=CLAIMS, today=dt.datetime.now(tz=dt.UTC).date())
            server.wait_until_healthy()
            accounts = _accounts(variables)
            clients = {}
            for account in accounts.values():
                client = clients[account.role] = Client(base_url=server.address, language=language)
                client.login(username=account.username, password=account.password)
            sessions = story.run_all(clients=clients, pairs=pairs)
            yield Stack(server.address, folder, accounts, clients, sessions, pairs)
        finally:
            server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _accounts(variables: dict[str, str]) -> dict[str, Account]:
    """The accounts of the demo by role, made by the command that the demo uses."""
    inherited = {name: value for name, value in os.environ.items() if name not in OF_THE_CALLER}
    made_accounts = subprocess.run(
        [sys.executable, "manage.py", "demo_accounts", "--json"],
        cwd=BASE_DIR,
        env=inherited | variables,
        check=True,
        capture_output=True,
        text=True,
    )
    listed = json.loads(made_accounts.stdout.splitlines()[-1])
    return {one["role"]: Account(one["role"], one["username"], one["password"], one["country"]) for one in listed}
