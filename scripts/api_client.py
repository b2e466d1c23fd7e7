"""A small client of Concord's API, such as a program of an insurer would have."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import urllib3

ENDED = {"DONE", "DONE_WITH_ERRORS", "ERROR", "CANCELLED", "REVERTED", "REVIEW", "AWAITING_SHEET"}


class RefusedError(Exception):
    """The API answered with an error status; the message is the body of the answer."""

    def __init__(self, *, status: int, body: str) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status


class Client:
    def __init__(self, *, base_url: str, language: str) -> None:
        self.base_url = base_url
        self.headers = {"Accept-Language": language, "Accept": "application/json"}
        self.password = ""
        self.pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=5, read=120), retries=False, maxsize=2)

    def call(self, method: str, path: str, **request: Any) -> Any:
        """The JSON answer. Raises RefusedError on any status from 400."""
        answer = self.pool.request(method, self._url(path), headers=self.headers, **request)
        if answer.status >= 400:
            raise RefusedError(status=answer.status, body=answer.data.decode("utf-8", "replace")[:500])
        return answer.json() if answer.data else None

    def is_healthy(self) -> bool:
        try:
            return self.pool.request("GET", self._url("/health/"), timeout=5).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def login(self, *, username: str, password: str) -> None:
        answer = self.call("POST", "/api/v1/auth/login/", json={"username": username, "password": password})
        self.headers["Authorization"] = f"Token {answer['token']}"
        # It confirms corrections of persons.
        self.password = password

    def import_pair(self, *, stat: Path, recaps: list[Path], **options: str) -> dict[str, Any]:
        """Upload one stat file and its recap pages; → the session, which waits for a worker.

        `options`: further fields of the form, such as `dry_run`.
        """
        fields: list[tuple[str, Any]] = list(options.items())
        fields += [("stat_file", (stat.name, stat.read_bytes()))]
        fields += [("recap_file", (page.name, page.read_bytes())) for page in recaps]
        session: dict[str, Any] = self.call("POST", "/api/v1/import-sessions/", fields=fields)
        return session

    def countries(self) -> list[dict[str, Any]]:
        answer = self.call("GET", "/api/v1/countries/")
        countries: list[dict[str, Any]] = answer["results"]
        return countries

    def session(self, session_id: int) -> dict[str, Any]:
        session: dict[str, Any] = self.call("GET", f"/api/v1/import-sessions/{session_id}/")
        return session

    def events(self, session_id: int, *, seconds: float) -> Iterator[dict[str, Any]]:
        """The events of the session as they appear, until it has ended.

        Raises TimeoutError when there is no new event for `seconds`.
        """
        after, deadline = 0, time.monotonic() + seconds
        while True:
            # Before the request for events, or an event written in between would be missed.
            ended = self.session(session_id)["status"] in ENDED
            answer = self.call("GET", f"/api/v1/import-sessions/{session_id}/events/", fields={"after": str(after)})
            events = answer["results"] if isinstance(answer, dict) else answer
            for event in events:
                after, deadline = event["sequence"], time.monotonic() + seconds
                yield event
            if ended and not events:
                return
            if time.monotonic() > deadline:
                raise TimeoutError
            if not events:
                time.sleep(0.3)

    def findings(self, session_id: int, *, category: str, rows: int) -> list[dict[str, Any]]:
        query = {"category": category, "page_size": str(rows)}
        answer = self.call("GET", f"/api/v1/import-sessions/{session_id}/findings/", fields=query)
        findings: list[dict[str, Any]] = answer["results"]
        return findings

    def save_report(self, session_id: int, *, target: Path) -> None:
        self._save(f"/api/v1/import-sessions/{session_id}/download/?type=error", target)

    def save_correction_workbook(self, session_id: int, *, target: Path) -> None:
        self._save(f"/api/v1/import-sessions/{session_id}/corrections/workbook/", target)

    def _save(self, path: str, target: Path) -> None:
        headers = self.headers | {"Accept": "*/*"}
        answer = self.pool.request("GET", self._url(path), headers=headers)
        if answer.status != 200:
            raise RefusedError(status=answer.status, body="")
        target.write_bytes(answer.data)

    def _url(self, path: str) -> str:
        return path if path.startswith("http") else self.base_url + path
