"""What a watcher is sent, and its two forms: server-sent events and JSON texts of a WebSocket. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PROGRESS, END, CLOSED, HEARTBEAT = "progress", "end", "closed", "heartbeat"
# Milliseconds after which an EventSource connects again.
RETRY = b"retry: 1000\n\n"


@dataclass(frozen=True, slots=True)
class Message:
    """`texts`: the data as one line of JSON for each language. `sequence`: of the event, or of the last one before.

    `progress`: an event of the session, as the API lists it. `end`: no run waits or works any more. `closed`: the
    server ends the connection before that, with the reason. `heartbeat`: the connection is alive.
    """

    kind: str
    sequence: int | None = None
    texts: Mapping[str, str] = field(default_factory=dict)

    def as_event(self, language: str) -> bytes:
        if self.kind == HEARTBEAT:
            return b": heartbeat\n\n"
        number = "" if self.sequence is None else f"id: {self.sequence}\n"
        return f"{number}event: {self.kind}\ndata: {self.texts[language]}\n\n".encode()

    def as_text(self, language: str) -> str:
        parts = {"type": json.dumps(self.kind)}
        if self.sequence is not None:
            parts["id"] = str(self.sequence)
        if self.texts:
            parts["data"] = self.texts[language]
        return "{" + ", ".join(f'"{name}": {value}' for name, value in parts.items()) + "}"


ALIVE = Message(HEARTBEAT)


def end(*, status: str, progress: int, sequence: int, languages: list[str]) -> Message:
    """The session is at rest. `data`: its status and its progress in per cent."""
    return Message(END, sequence, dict.fromkeys(languages, _line({"status": status, "progress": progress})))


def closed(*, status: int, detail: str, language: str) -> Message:
    """`status`: the HTTP status that a new request would get."""
    return Message(CLOSED, None, {language: _line({"status": status, "detail": detail})})


def _line(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False)
