"""Web and workers on different machines share nothing but database, queue and storage."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.support import clouds
from tests.support.clouds import Cloud
from tests.support.installation import ROOT, UNFINISHED, Installation, MakeInstallation, Pairs, free_port, until

pytestmark = [pytest.mark.needs("postgresql"), pytest.mark.needs("redis")]


@contextlib.contextmanager
def web_process(machine: Installation) -> Iterator[str]:
    """gunicorn on a machine; → its address."""
    port = free_port()
    with (machine.folder / "web.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--config", "config/gunicorn_settings.py", "config.wsgi"],
            cwd=ROOT, env=machine.environment() | {"PORT": str(port), "WEB_PROCESSES": "1"},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, (machine.folder / "web.log").read_text()
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            return urllib3.request("GET", f"{address}/health/", retries=False).status == 200
        return False

    try:
        until(answers, seconds=60, name="the web process")
        yield address
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with clouds.s3() as cloud:
        yield cloud


def test_a_pair_sent_to_one_machine_is_imported_by_another_and_read_back_from_the_first(
    make_installation: MakeInstallation, tmp_path: Path, pairs: Pairs, cloud: Cloud
) -> None:
    folder, expected = pairs()
    shared = {"STORAGE_URL": cloud.url, "KEY_PREFIX": f"machines-{os.getpid()}"}
    web = make_installation(**shared)
    worker = Installation(
        tmp_path, data=tmp_path / "worker-data", database=web.database, redis_url=web.redis_url, **shared
    )
    token = web.command("account")["token"]
    pool = urllib3.PoolManager(headers={"Authorization": f"Token {token}"}, retries=False)
    with web_process(web) as address, contextlib.closing(worker):
        worker.start_worker()

        def get(path: str) -> Any:
            answer = pool.request("GET", path)
            assert answer.status == 200, answer.data
            return answer

        names = expected["files"]
        parts = [("stat_file", names["stat"]), *(("recap_file", name) for name in names["recaps"])]
        sent = pool.request(
            "POST",
            f"{address}/api/v1/import-sessions/",
            fields=[(field, (name, (folder / name).read_bytes())) for field, name in parts],
        )
        assert sent.status == 202, sent.data
        session = sent.json()["url"]
        until(lambda: get(session).json()["status"] not in UNFINISHED, seconds=60, name="the end of the import")
        done = get(session).json()
        assert done["claims_created_count"] == expected["importable"]["claims"]

        file = f"{address}/api/v1/files/{done['stat_file']['id']}/"
        assert len(get(f"{file}preview/?rows=3").json()["rows"]) == 3
        assert get(f"{file}download/").data == (folder / names["stat"]).read_bytes()
        assert get(done["error_file"]).data.startswith(b"PK")
        assert b"received" in get(done["log_file"]).data
    # No machine has files of its own.
    for machine in (web, worker):
        assert not [path for path in (machine.data / "files").rglob("*") if path.is_file()]
    assert len(cloud.objects()) == len(parts) + 2
