"""An installation with the ASGI process, whose times are short; no worker runs in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from django.conf import settings

from tests.support.installation import Installation, temporary_database
from tests.support.live import LiveServer

TIMES = {"LIVE_POLL_SECONDS": "0.1", "LIVE_CHECK_SECONDS": "0.5", "LIVE_HEARTBEAT_SECONDS": "0.4"}


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with contextlib.ExitStack() as opened:
        database = ""
        if settings.DATABASE_URL.startswith("postgres"):
            database = opened.enter_context(temporary_database(server=settings.DATABASE_URL))
        installation = Installation(tmp_path_factory.mktemp("live"), database=database, **TIMES)
        opened.callback(installation.close)
        installation.command("migrate")
        yield installation


@pytest.fixture(scope="module")
def server(installation: Installation) -> Iterator[LiveServer]:
    with LiveServer(installation, LIVE_ACCOUNT_WATCHERS="3") as server:
        yield server
    assert "Traceback" not in server.log.read_text()
    assert "live_failed" not in server.log.read_text()
