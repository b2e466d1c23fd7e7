"""An installation of its own: a data folder, its environment, and `scripts/serve.py`, as a user starts it."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from scripts.api_client import Client

BASE_DIR = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
START_SECONDS = 90
STOP_SECONDS = 45
# The environment of the caller must not lead the installation to real data.
OF_THE_CALLER = (
    "DATABASE_URL", "REDIS_URL", "STORAGE_URL", "DEBUG", "BEHIND_TLS", "ALLOWED_HOSTS", "KEY_PREFIX", "PUBLIC_URL",
    "MAIL_URL",
)  # fmt: skip


class NotStartedError(Exception):
    """The server did not start; its log has the reason."""


def environment(*, folder: Path, port: int) -> dict[str, str]:
    """The variables of an embedded installation in `folder`, which is created with a secret key of its own."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = folder / "secret_key"
    if not key.exists():
        with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
    return {
        "DATA_DIR": str(folder),
        "SECRET_KEY": key.read_text(),
        "BIND": HOST,
        "PORT": str(port),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


class Server:
    """Web server and worker, in a process group of their own: on Ctrl-C the caller stops them once and in order.

    Where the caller is killed, they end with it.
    """

    def __init__(self, *, folder: Path, port: int, more: Mapping[str, str] | None = None) -> None:
        """`more`: further variables of the environment, such as limits."""
        self.log = folder / "server.log"
        self.address = f"http://{HOST}:{port}"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        inherited = {name: value for name, value in os.environ.items() if name not in OF_THE_CALLER}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "scripts.end_with_parent", "scripts.serve"],
                cwd=BASE_DIR,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=inherited | environment(folder=folder, port=port) | dict(more or {}),
            )

    def wait_until_healthy(self) -> None:
        """Raises NotStartedError."""
        client = Client(base_url=self.address, language="en")
        deadline = time.monotonic() + START_SECONDS
        while not client.is_healthy():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise NotStartedError(str(self.log))
            time.sleep(0.2)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
