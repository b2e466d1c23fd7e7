"""One import as a client sees it: upload over the REST API, then requests until the session has ended."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from scripts.api_client import ENDED, Client
from scripts.bench.databases import BenchError

# Seconds between two requests for the session: first and near the end. Each request takes time from the two cores of
# the import.
USUAL_SECONDS, FINAL_SECONDS = 0.25, 0.05
NEAR_THE_END = 90


@dataclass(frozen=True)
class Step:
    """An event, `seconds` after the creation of the session; `parts`: seconds of each part that ran in parallel."""

    name: str
    message: str
    seconds: float
    parts: dict[str, float]


@dataclass(frozen=True)
class Import:
    """`seconds`: from the 202 until the client sees the end, report written; `own_seconds`: the same, by the times that
    the session has; `upload`: from the request to the 202."""

    seconds: float
    own_seconds: float
    upload: float
    steps: list[Step]
    lines: int


def run_import(client: Client, *, stat: Path, recaps: list[Path], max_seconds: float) -> Import:
    """Import one pair. Raises BenchError unless the session ends with every claim imported or reported."""
    requested = time.perf_counter()
    session = client.import_pair(stat=stat, recaps=recaps)
    began = time.perf_counter()
    ended = end_of(client, session["id"], max_seconds=max_seconds)
    seconds = time.perf_counter() - began
    if ended["status"] not in ("DONE", "DONE_WITH_ERRORS") or not ended["error_file"]:
        raise BenchError(f"An import ended as {ended['status']}: {ended['message']}")
    created = _time(ended["created_at"])
    return Import(
        seconds=seconds,
        own_seconds=(_time(ended["completed_at"]) - created).total_seconds(),
        upload=began - requested,
        steps=_steps(client, session["id"], created),
        lines=ended["summary"]["stat"]["lines"],
    )


def end_of(client: Client, session_id: int, *, max_seconds: float) -> dict[str, Any]:
    """The session once it has ended. Raises BenchError when it has not by then."""
    deadline = time.monotonic() + max_seconds
    while True:
        session = client.session(session_id)
        if session["status"] in ENDED:
            return session
        if time.monotonic() > deadline:
            raise BenchError(f"An import has not ended within {max_seconds:.0f} s; it is at {session['progress']} %.")
        time.sleep(FINAL_SECONDS if session["progress"] >= NEAR_THE_END else USUAL_SECONDS)


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
