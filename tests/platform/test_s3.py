"""Files on S3 instead of a folder: the same import, against a server that speaks S3."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings
from moto.server import ThreadedMotoServer

from config import services
from importer.runs import run_session
from samples.pairs import make_pair
from tests.support.cast import Cast
from tests.support.responses import content_of

BUCKET = "claims"


@pytest.fixture
def s3_objects() -> Iterator[object]:
    """Concord's files in a bucket of a server on this machine; calling it lists the names of the objects."""
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="eu-west-3",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    url = f"s3://key:secret@{host}:{port}/{BUCKET}?region=eu-west-3&tls=0"
    stored = services.storage(url=url, folder=Path("unused"))
    with override_settings(STORAGES=settings.STORAGES | {"default": stored}):
        yield lambda: [one["Key"] for one in client.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
    server.stop()


@pytest.mark.django_db(transaction=True)
def test_a_pair_is_imported_from_s3_and_its_files_come_back_from_there(
    cast: Cast, tmp_path: Path, s3_objects: object
) -> None:
    expected = make_pair(tmp_path, claims=60, seed=5, pages=2)
    client = cast.client("togo_admin")
    files = {name: (tmp_path / name).read_bytes() for name in [expected["files"]["stat"], *expected["files"]["recaps"]]}
    stat = expected["files"]["stat"]
    response = client.post(
        "/api/v1/import-sessions/",
        {
            "stat_file": SimpleUploadedFile(stat, files[stat]),
            "recap_file": [SimpleUploadedFile(name, files[name]) for name in expected["files"]["recaps"]],
        },
        format="multipart",
    )
    assert response.status_code == 202, response.content
    address = response.json()["url"]
    run_session(response.json()["id"])

    done = client.get(address).json()
    assert done["summary"]["claims"] == expected["claims"]
    assert done["claims_created_count"] == expected["importable"]["claims"]
    assert content_of(client.get(done["error_file"])).startswith(b"PK")
    back = content_of(client.get(f"/api/v1/files/{done['stat_file']['id']}/download/"))
    assert back == files[stat]
    preview = client.get(f"/api/v1/files/{done['stat_file']['id']}/preview/?rows=3").json()
    assert len(preview["rows"]) == 3
    # Three uploads, the report and the log; none of it on this machine's disk.
    assert len(s3_objects()) == 5  # type: ignore[operator]
