"""One import as a client sees it: uploaded over the REST API, and followed until its session has ended."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from scripts.api_client import ENDED, Client
from scripts.bench.installation import BenchError

# Each question costs the two cores that the import works on, so few are asked until the end is near.
PATIENT_SECONDS, KEEN_SECONDS = 0.25, 0.05
NEAR_THE_END = 90


@dataclass(frozen=True)
class Step:
    """What an event says, `seconds` after the session's creation; `parts`: seconds of what ran side by side in it."""

    name: str
    message: str
    seconds: float
    parts: dict[str, float]


@dataclass(frozen=True)
class Import:
    """`seconds`: from the 202 to the end, report written, as the client sees it; `told`: as the session's own times
    have it. `upload`: from the request to the 202."""

    seconds: float
    told: float
    upload: float
    steps: list[Step]
    lines: int


def run_import(client: Client, *, stat: Path, recaps: list[Path], patience: float) -> Import:
    """Import one pair. Raises BenchError unless its session ends with everything imported or reported."""
    asked = time.perf_counter()
    session = client.import_pair(stat=stat, recaps=recaps)
    began = time.perf_counter()
    ended = _wait(client, session["id"], patience=patience)
    seconds = time.perf_counter() - began
    if ended["status"] not in ("DONE", "DONE_WITH_ERRORS") or not ended["error_file"]:
        raise BenchError(f"An import ended as {ended['status']}: {ended['message']}")
    created = _time(ended["created_at"])
    return Import(
        seconds=seconds,
        told=(_time(ended["completed_at"]) - created).total_seconds(),
        upload=began - asked,
        steps=_steps(client, session["id"], created),
        lines=ended["summary"]["stat"]["lines"],
    )


def _wait(client: Client, session_id: int, *, patience: float) -> dict[str, Any]:
    deadline = time.monotonic() + patience
    while True:
        session = client.session(session_id)
        if session["status"] in ENDED:
            return session
        if time.monotonic() > deadline:
            raise BenchError(f"An import has not ended within {patience:.0f} s; it is at {session['progress']} %.")
        time.sleep(KEEN_SECONDS if session["progress"] >= NEAR_THE_END else PATIENT_SECONDS)


def _steps(client: Client, session_id: int, created: datetime) -> list[Step]:
    answer = client.call("GET", f"/api/v1/import-sessions/{session_id}/events/", fields={"page_size": "100"})
    events = answer["results"] if isinstance(answer, dict) else answer
    return [
        Step(
            name=event["step"],
            message=event["message"],
            seconds=(_time(event["at"]) - created).total_seconds(),
            parts=event["data"].get("seconds", {}),
        )
        for event in events
    ]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
