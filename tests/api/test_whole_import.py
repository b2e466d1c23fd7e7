"""One pair of files from upload to records and back. Everything but the run goes through the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from core.models import Claim
from importer.runs import run_session
from samples.pairs import make_pair
from tests.support.cast import Cast
from tests.support.responses import content_of


@pytest.mark.django_db(transaction=True)
def test_a_pair_is_uploaded_reviewed_imported_read_and_reverted(cast: Cast, tmp_path: Path) -> None:
    folder = tmp_path / "pair"
    make_pair(folder, claims=40, seed=3, pages=2)
    stat = next(folder.glob("stat.*"))
    pages = sorted(folder.glob("recap*"))
    client = cast.client("togo_head")
    response = client.post(
        "/api/v1/import-sessions/",
        {
            "stat_file": SimpleUploadedFile(stat.name, stat.read_bytes()),
            "recap_file": [SimpleUploadedFile(page.name, page.read_bytes()) for page in pages],
            "dry_run": "true",
        },
        format="multipart",
    )
    assert response.status_code == 202, response.content
    address = response.json()["url"]

    def session() -> dict[str, Any]:
        body: dict[str, Any] = client.get(address).json()
        return body

    run_session(session()["id"])
    assert session()["status"] == "REVIEW"
    assert not Claim.objects.exists()

    assert client.post(f"{address}commit/").status_code == 200
    run_session(session()["id"])
    done = session()
    assert done["status"] == "DONE_WITH_ERRORS"
    claims = client.get(f"/api/v1/claims/?import_session={done['id']}&page_size=200").json()
    assert claims["count"] == done["claims_created_count"] > 0
    lines = client.get(claims["results"][0]["url"]).json()["lines"]
    assert {line["file"]["name"] for line in lines} == {stat.name}
    assert min(line["row"] for line in lines) > 1

    findings = client.get(f"{address}findings/?page_size=200").json()["results"]
    assert findings
    assert all(finding["observation"] for finding in findings)
    assert any(finding["locations"] for finding in findings)
    assert content_of(client.get(done["error_file"])).startswith(b"PK")
    assert content_of(client.get(done["log_file"]))

    assert client.delete(f"/api/v1/files/{done['stat_file']['id']}/?force=true").status_code == 204
    assert client.post(f"{address}report/").status_code == 200
    assert client.post(f"{address}revert/").json()["status"] == "REVERTED"
    assert not Claim.objects.exists()
    assert client.delete(address).status_code == 204
