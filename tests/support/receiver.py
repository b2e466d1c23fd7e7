"""A real HTTP server that receives webhooks, and answers as a test says: it accepts, fails, hangs, redirects, drips."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook

STATUS = {"accept": 204, "fail": 500, "gone": 410, "redirect": 302}


@dataclass(frozen=True)
class Received:
    """One request. `manner`: how it was answered."""

    path: str
    headers: dict[str, str]
    body: str
    manner: str

    @property
    def message(self) -> Any:
        return json.loads(self.body)

    @property
    def uid(self) -> str:
        return self.headers["webhook-id"]

    def verify(self, secret: str) -> None:
        """Raises WebhookVerificationError, as a receiver that uses the library does."""
        Webhook(secret).verify(self.body, self.headers)


class Receiver:
    """`manner`: a key of STATUS, "hang" (no answer until `release`), "drip" (an answer that never ends), "close"."""

    def __init__(self) -> None:
        self.manner = "accept"
        self.requests: list[Received] = []
        self.released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?key=1"

    def accepted(self) -> list[Received]:
        return [request for request in self.requests if request.manner == "accept"]

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                headers = {name.lower(): value for name, value in self.headers.items()}
                manner = receiver.manner
                receiver.requests.append(Received(self.path, headers, self.rfile.read(length).decode(), manner))
                try:
                    self._answer(manner)
                except OSError:
                    # The client has given up, which some of these manners make it do.
                    self.close_connection = True

            def do_GET(self) -> None:
                receiver.requests.append(Received(self.path, {}, "", "GET"))
                self.send_response(200)
                self.end_headers()

            def _answer(self, manner: str) -> None:
                if manner == "hang":
                    receiver.released.wait(30)
                elif manner == "drip":
                    self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                    while not receiver.released.wait(0.05):
                        self.wfile.write(b"X: 1\r\n")
                elif manner != "close":
                    self.send_response(STATUS[manner])
                    if manner == "redirect":
                        self.send_header("Location", receiver.url)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.close()
