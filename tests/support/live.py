"""The ASGI process of an installation, and clients of both kinds."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import urllib3
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.support.installation import ROOT, Installation, free_port, until

# Seconds that a client waits for a message.
PATIENCE = 15
Message = dict[str, Any]


class LiveServer:
    """`python -m config.live_server` on a free port."""

    def __init__(self, installation: Installation, **settings: str) -> None:
        self.port = free_port()
        self.log = installation.folder / f"live-{self.port}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.live_server"],
                cwd=ROOT,
                env=installation.environment() | {"LIVE_PORT": str(self.port), "PUBLIC_URL": PUBLIC_URL} | settings,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(self._answers, seconds=60, name="the ASGI process")

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            return urllib3.request("GET", self.address("http", "/"), retries=False).status == 404
        return False

    def address(self, scheme: str, path: str) -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def events(self, session: int | str, *, last: int | None = None, **headers: str) -> EventStream:
        """A server-sent stream; underscores in the names of headers are hyphens."""
        if last is not None:
            headers["Last_Event_ID"] = str(last)
        return EventStream(self.address("http", f"/live/import-sessions/{session}/"), headers)

    def socket(self, session: int | str, *, last: int | None = None, **options: Any) -> Socket:
        query = "" if last is None else f"?last_event_id={last}"
        return Socket(self.address("ws", f"/live/import-sessions/{session}/{query}"), options)

    def __enter__(self) -> LiveServer:
        return self

    def __exit__(self, *_error: object) -> None:
        self.process.terminate()
        self.process.wait(20)


PUBLIC_URL = "https://concord.example"


class EventStream:
    """A stream of server-sent events, as messages {"type", "id", "data"}; heartbeats are messages too."""

    def __init__(self, address: str, headers: dict[str, str]) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._pool = urllib3.PoolManager(retries=False, timeout=PATIENCE)
        self.response = self._pool.request("GET", address, headers=named, preload_content=False)
        self.status = self.response.status
        self._messages = self._read()

    def answer(self) -> Any:
        """The JSON of a refusal."""
        return json.loads(self.response.read())

    def __iter__(self) -> EventStream:
        return self

    def __next__(self) -> Message:
        return next(self._messages)

    def _read(self) -> Iterator[Message]:
        rest = ""
        for part in self.response.read_chunked():
            *whole, rest = (rest + part.decode()).split("\n\n")
            for block in whole:
                message = _message(block)
                if message:
                    yield message

    def __enter__(self) -> EventStream:
        return self

    def __exit__(self, *_error: object) -> None:
        self.response.close()
        self._pool.clear()


def _message(block: str) -> Message:
    if block.startswith(":"):
        return {"type": block[1:].strip()}
    fields = dict(line.split(": ", 1) for line in block.splitlines())
    if "event" not in fields:
        return {}
    named = {"type": fields["event"], "data": json.loads(fields["data"])}
    return named | ({"id": int(fields["id"])} if "id" in fields else {})


class Socket:
    """A WebSocket; the iteration ends when the server closes it, and `code` is the close code then."""

    def __init__(self, address: str, options: dict[str, Any]) -> None:
        self.code, self.reason = 0, ""
        self._opened = contextlib.ExitStack()
        self.connection = self._opened.enter_context(connect(address, open_timeout=PATIENCE, **options))

    def __iter__(self) -> Socket:
        return self

    def __next__(self) -> Message:
        try:
            message: Message = json.loads(self.connection.recv(timeout=PATIENCE))
        except ConnectionClosed as closed:
            if closed.rcvd is not None:
                self.code, self.reason = closed.rcvd.code, closed.rcvd.reason
            raise StopIteration from None
        return message

    def __enter__(self) -> Socket:
        return self

    def __exit__(self, *_error: object) -> None:
        self._opened.close()
