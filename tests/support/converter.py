"""A real HTTP service that converts files, and answers as a test says: it converts, fails, refuses, hangs, redirects.

It converts tables with `|` between the cells (`.pipe`) into CSV, and verifies signatures as docs/converters.md says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.support.pairs import Cells, recap_csv, stat_csv
from tests.support.receiver import Receiver

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Request:
    """A request whose signature is right: the contents of the header `concord-file`, other headers, the file."""

    facts: dict[str, Any]
    headers: dict[str, str]
    body: bytes


class ConverterService(Receiver):
    """`manner`: "convert", a key of the answers in `_answers`, or one of the manners "hang" and "close".

    `hangs_at`: the number of a request (1-based) that gets no answer, whatever the manner is.
    """

    def __init__(self) -> None:
        super().__init__()
        self.manner, self.secret, self.version = "convert", "", "1.0"
        self.hangs_at = 0
        self.converted: list[Request] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/convert"

    def _answers(self, body: bytes) -> tuple[int, str, bytes]:
        answers: dict[str, tuple[int, str, bytes]] = {
            "convert": (200, "text/csv; charset=utf-8", body.replace(b"|", b";")),
            "echo": (200, WORKBOOK if body.startswith(b"PK") else "text/csv", body),
            "unnamed": (200, "text/csv", body),
            "fail": (503, "text/plain", b"no room"),
            "refuse": (422, "text/plain; charset=utf-8", "Il n’y a pas de tableau.".encode()),
            "page": (200, "text/html", b"<html></html>"),
            "large": (200, "text/csv", b"x" * (1024 * 1024 + 1)),
            "damaged": (200, WORKBOOK, b"PK\x03\x04 no workbook"),
            "redirect": (302, "text/plain", b""),
        }
        return answers[self.manner]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                try:
                    facts = Webhook(service.secret).verify(headers["concord-file"], headers)
                except WebhookVerificationError:
                    self._send(401, "text/plain", b"wrong signature")
                    return
                assert facts["sha256"] == hashlib.sha256(body).hexdigest()
                assert facts["size"] == len(body)
                if facts.get("check"):
                    self._send(204, "text/plain", b"")
                    return
                service.converted.append(Request(facts, headers, body))
                if service.manner == "hang" or len(service.converted) == service.hangs_at:
                    service.released.wait(30)
                elif service.manner != "close":
                    self._send(*service._answers(body))

            def _send(self, status: int, content_type: str, content: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(content)))
                if service.manner != "unnamed":
                    self.send_header("converter-name", "Pipes")
                    self.send_header("converter-version", service.version)
                if status == 302:
                    self.send_header("Location", service.url)
                self.end_headers()
                try:
                    self.wfile.write(content)
                except OSError:
                    # The client has read enough.
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


@contextmanager
def running_converter() -> Iterator[ConverterService]:
    service = ConverterService()
    try:
        yield service
    finally:
        service.close()


def stat_pipe(lines: Iterable[Cells], name: str = "stat.pipe") -> SimpleUploadedFile:
    return _pipe(stat_csv(lines), name)


def recap_pipe(rows: Iterable[Cells], name: str = "recap.pipe") -> SimpleUploadedFile:
    return _pipe(recap_csv(rows), name)


def _pipe(table: SimpleUploadedFile, name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, table.read().replace(b";", b"|"))
