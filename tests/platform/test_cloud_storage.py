"""Files in a cloud instead of a folder, against a server that speaks its protocol: imports, lost lines, wrong keys."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings
from rest_framework.test import APIClient
from structlog.testing import capture_logs

from config import services
from file_handling.models import File, ImportSession
from importer.runs import run_session
from samples.pairs import make_pair
from tests.support import clouds
from tests.support.browser import Browser
from tests.support.cast import Cast
from tests.support.clouds import Cloud
from tests.support.responses import content_of

pytestmark = pytest.mark.django_db(transaction=True)

Pair = tuple[Path, dict[str, Any]]

CLOUDS = ["s3", "google", pytest.param("azure", marks=pytest.mark.needs("azurite"))]


@pytest.fixture(scope="module", params=CLOUDS)
def running_cloud(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("cloud")
    server = clouds.s3() if request.param == "s3" else getattr(clouds, request.param)(folder)
    with server as cloud:
        yield cloud


@pytest.fixture
def cloud(running_cloud: Cloud) -> Iterator[Cloud]:
    """Concord's files in the cloud."""
    with stored_at(running_cloud.url):
        yield running_cloud


def stored_at(url: str) -> override_settings:
    stored = services.storage(url=url, folder=Path("unused"))
    return override_settings(STORAGES=settings.STORAGES | {"default": stored})


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("pair")
    return folder, make_pair(folder, claims=60, seed=5, pages=2)


def pair_form(pair: Pair) -> dict[str, Any]:
    folder, expected = pair

    def content(name: str) -> SimpleUploadedFile:
        return SimpleUploadedFile(name, (folder / name).read_bytes())

    names = expected["files"]
    return {"stat_file": content(names["stat"]), "recap_file": [content(name) for name in names["recaps"]]}


def upload(client: APIClient, pair: Pair) -> Any:
    return client.post("/api/v1/import-sessions/", pair_form(pair), format="multipart")


def test_a_pair_is_imported_and_its_files_come_back_from_the_cloud(cast: Cast, pair: Pair, cloud: Cloud) -> None:
    before, (folder, expected), client = cloud.objects(), pair, cast.client("togo_admin")
    response = upload(client, pair)
    assert response.status_code == 202, response.content
    run_session(response.json()["id"])

    done = client.get(response.json()["url"]).json()
    assert done["summary"]["claims"] == expected["claims"]
    assert done["claims_created_count"] == expected["importable"]["claims"]
    # Three uploads, the report and the log; none of it on this machine's disk.
    assert len(cloud.objects()) == len(before) + 5
    assert content_of(client.get(done["error_file"])).startswith(b"PK")
    assert content_of(client.get(done["error_file"], HTTP_ACCEPT_LANGUAGE="fr")).startswith(b"PK")
    assert len(cloud.objects()) == len(before) + 6
    stat = f"/api/v1/files/{done['stat_file']['id']}/"
    assert content_of(client.get(f"{stat}download/")) == (folder / expected["files"]["stat"]).read_bytes()
    assert len(client.get(f"{stat}preview/?rows=3").json()["rows"]) == 3

    assert client.delete(f"{stat}?force=true").status_code == 204
    assert len(cloud.objects()) == len(before) + 5
    assert client.get(f"{stat}download/").status_code == 404


def test_a_lost_connection_is_told_and_loses_nothing(cast: Cast, pair: Pair, cloud: Cloud, browser: Browser) -> None:
    before, (folder, expected), client = cloud.objects(), pair, cast.client("togo_admin")
    with cloud.line.lost():
        refused = upload(client, pair)
    assert (refused.status_code, "does not answer" in refused.json()["detail"]) == (503, True)
    assert (File.objects.count(), ImportSession.objects.count(), cloud.objects()) == (0, 0, before)

    address = upload(client, pair).json()["url"]
    number = ImportSession.objects.get().pk
    with cloud.line.lost():
        run_session(number)
    waiting = client.get(address).json()
    assert (waiting["status"], waiting["claims_created_count"]) == ("PENDING", 0)
    # Not again at once: the sweeper calls a worker after a while.
    assert ImportSession.objects.get().rung_at is not None
    run_session(number)
    done = client.get(address).json()
    assert done["claims_created_count"] == expected["importable"]["claims"]

    stat = f"/api/v1/files/{done['stat_file']['id']}"
    content = (folder / expected["files"]["stat"]).read_bytes()
    # The line breaks within the object: no download looks whole that is not.
    with cloud.line.lost(after=len(content) // 2):
        assert client.get(f"{stat}/download/").status_code == 503
    with cloud.line.lost():
        page = browser("togo_admin").get(f"/files/{done['stat_file']['id']}/preview/")
    assert (page.status_code, "does not answer" in page.content.decode()) == (503, True)
    assert content_of(client.get(f"{stat}/download/")) == content

    # The deletion counts; the log names the object that stays, for an administrator to delete.
    names = set(cloud.objects())
    with cloud.line.lost(), capture_logs() as logged:
        assert client.delete(f"{stat}/?force=true").status_code == 204
    (stays,) = [entry["name"] for entry in logged if entry["event"] == "stored_object_stays"]
    assert client.get(f"{stat}/").status_code == 404
    assert stays in names
    assert set(cloud.objects()) == names


def test_a_wrong_key_is_told_and_loses_nothing(cast: Cast, pair: Pair, cloud: Cloud, browser: Browser) -> None:
    client = cast.client("togo_admin")
    session = upload(client, pair).json()
    files, objects = File.objects.count(), cloud.objects()
    with stored_at(cloud.wrong_url):
        answers = [
            upload(client, pair),
            client.get(f"/api/v1/files/{File.objects.first().pk}/download/"),  # type: ignore[union-attr]
            client.get(f"/api/v1/files/{File.objects.first().pk}/preview/"),  # type: ignore[union-attr]
        ]
        form = browser("togo_admin").post("/imports/new/", pair_form(pair) | {"idempotency_key": "k1"})
        run_session(session["id"])
    for answer in answers:
        assert (answer.status_code, "refuses this server" in answer.json()["detail"]) == (503, True)
        assert "STORAGE_URL" in answer.json()["detail"]
    assert (form.status_code, "refuses this server" in form.content.decode()) == (503, True)
    assert (File.objects.count(), cloud.objects()) == (files, objects)
    failed = client.get(session["url"]).json()
    assert (failed["status"], "refuses this server" in failed["message"]) == ("ERROR", True)

    assert client.post(f"{session['url']}retry/").status_code == 200
    run_session(session["id"])
    done = client.get(session["url"]).json()
    assert done["claims_created_count"] == pair[1]["importable"]["claims"]


def test_a_storage_that_stays_away_ends_the_session_with_the_reason(
    cast: Cast, pair: Pair, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.CONCORD, "MAX_ATTEMPTS", 1)
    client = cast.client("togo_admin")
    session = upload(client, pair).json()
    with cloud.line.lost():
        run_session(session["id"])
    ended = client.get(session["url"]).json()
    assert (ended["status"], "storage of files did not answer" in ended["message"]) == ("ERROR", True)


LIBRARIES = {"boto3": "s3://K:S@127.0.0.1/b", "google.cloud": "gs://b", "azure": "azure://concord:a2V5@/b"}
SHOW_LIBRARIES = """
import sys, django
django.setup()
from django.core.files.storage import default_storage
default_storage.exists
print(*(name for name in ("boto3", "google.cloud", "azure") if name in sys.modules))
"""


@pytest.mark.parametrize("library", ["", *LIBRARIES])
def test_an_installation_loads_the_library_of_its_own_cloud_only(library: str, tmp_path: Path) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", SHOW_LIBRARIES],
        env=os.environ | {"STORAGE_URL": LIBRARIES.get(library, ""), "DATA_DIR": str(tmp_path),
                          "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout.strip() == library
