"""`make serve` with live progress: the web process keeps threads for requests, and the ASGI process is restarted."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import urllib3

from samples import make_pair
from tests.support.installation import (
    ROOT,
    Installation,
    command_line,
    expected_totals,
    free_port,
    kill,
    processes_mentioning,
    until,
)
from tests.support.live import EventStream

Ports = tuple[int, int]


@pytest.fixture(scope="module")
def ports(installation: Installation) -> Iterator[Ports]:
    """Web server, worker and ASGI process; → the ports of the servers."""
    web, live = free_port(), free_port()
    environment = installation.environment() | {
        "PORT": str(web), "LIVE_PORT": str(live), "DEBUG": "1", "WEB_PROCESSES": "1", "WEB_THREADS": "4",
        "WATCH_URL": str(dropped(installation)), "WATCH_SECONDS": "1", "WATCH_ACCOUNT": "admin-{country}",
    }  # fmt: skip
    with (installation.folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "scripts/serve.py"], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    until(lambda: status(web, "/health/") == 200 and status(live, "/") == 404, seconds=90, name="the servers")
    yield web, live
    installation.end_commands()
    process.terminate()
    assert process.wait(40) == 0
    assert processes_mentioning(str(installation.data)) == []


def dropped(installation: Installation) -> Path:
    folder = installation.folder / "dropped"
    folder.mkdir(exist_ok=True)
    return folder


def status(port: int, path: str, **headers: str) -> int:
    with contextlib.suppress(urllib3.exceptions.HTTPError):
        answer = urllib3.request("GET", f"http://127.0.0.1:{port}{path}", headers=headers, retries=False, timeout=5)
        return answer.status
    return 0


def stream(port: int, session: int, account: dict[str, Any], **headers: str) -> EventStream:
    address = f"http://127.0.0.1:{port}/api/v1/import-sessions/{session}/events/stream/"
    return EventStream(address, {"Authorization": f"Token {account['token']}"} | headers)


def test_streams_leave_threads_for_requests_and_one_that_is_left_makes_room(
    installation: Installation, ports: Ports
) -> None:
    web, _live = ports
    session, account = installation.command("running_session"), installation.command("account")
    installation.command("add_events", session=session, number=2)
    with stream(web, session, account) as first, stream(web, session, account) as second:
        assert [one["id"] for one in islice(first, 2)] == [one["id"] for one in islice(second, 2)] == [1, 2]
        with stream(web, session, account) as refused:
            assert (refused.status, refused.response.headers["Retry-After"]) == (503, "5")
        for _ in range(4):
            assert status(web, "/health/") == 200
        assert next(first)["type"] == "heartbeat"

    def goes_on() -> bool:
        with stream(web, session, account, Last_Event_ID="1") as again:
            if again.status != 200:
                return False
            assert next(again)["id"] == 2
            installation.command("add_events", session=session)
            installation.command("set_status", session=session, status="DONE")
            assert [one["type"] for one in again if one["type"] != "heartbeat"] == ["progress", "end"]
            return True

    # The process notices at its next heartbeat that the clients have gone.
    until(goes_on, seconds=20, every=0.3, name="a free place")


def test_the_process_of_live_progress_is_started_again(installation: Installation, ports: Ports) -> None:
    _web, live = ports
    session, account = installation.command("running_session"), installation.command("account")
    address = f"http://127.0.0.1:{live}/live/import-sessions/{session}/"
    headers = {"Authorization": f"Token {account['token']}"}
    installation.command("add_events", session=session)
    with EventStream(address, headers) as first:
        assert next(first)["id"] == 1
        (pid,) = [
            pid for pid in processes_mentioning(str(installation.data)) if "config.live_server" in command_line(pid)
        ]
        kill(pid)
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            list(first)
    installation.command("add_events", session=session)
    until(lambda: status(live, "/") == 404, seconds=60, name="the new process")
    with EventStream(address, headers | {"Last-Event-ID": "1"}) as second:
        assert next(one for one in second if one["type"] != "heartbeat")["id"] == 2


def test_a_dropped_folder_is_imported_though_the_watch_is_killed(
    installation: Installation, ports: Ports, tmp_path: Path
) -> None:
    def watching() -> list[int]:
        return [pid for pid in processes_mentioning(str(installation.data)) if "watch" in command_line(pid).split()]

    code = installation.new_country()
    installation.command("admin", country=code)
    expected = make_pair(tmp_path / "made", claims=60, pages=2, fmt="csv")
    country = dropped(installation) / code
    country.mkdir()
    (tmp_path / "made").rename(country / "march")
    # Its description is no file of an import: the folder waits, and says so.
    until((country / "march.concord.txt").is_file, name="the note")
    for pid in until(watching, name="the watch"):
        kill(pid)
    (country / "march" / "expected.json").unlink()
    until((country / "done" / "march").is_dir, seconds=60, name="the end of the import")
    assert (country / "done" / "march.report.xlsx").is_file()
    assert sorted(path.name for path in country.iterdir()) == ["done"]
    assert installation.totals(country=code) == expected_totals(expected)
