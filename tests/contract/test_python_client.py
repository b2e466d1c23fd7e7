"""A client generated from the description of the API uploads a pair."""

from __future__ import annotations

import importlib
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from file_handling.models import ImportSession
from tests.support.cast import PASSWORD, Cast
from tests.support.pairs import recap_upload, stat_upload

PACKAGE = "concord_api"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("client")
    call_command("spectacular", file=str(folder / "schema.yml"))
    config = folder / "config.yml"
    # The generator knows few types of files by name.
    xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet: application/octet-stream"
    config.write_text(
        f"package_name_override: {PACKAGE}\npost_hooks: []\ncontent_type_overrides:\n  {xlsx}\n", encoding="utf-8"
    )
    made = subprocess.run(
        [
            str(Path(sys.executable).with_name("openapi-python-client")),
            "generate",
            *("--path", str(folder / "schema.yml"), "--output-path", str(folder / "made"), "--config", str(config)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    # Generated clients lack every part that the generator warns about.
    assert "Warning" not in made.stdout + made.stderr, made.stdout
    sys.path.insert(0, str(folder / "made"))
    yield importlib.import_module(PACKAGE)
    sys.path.remove(str(folder / "made"))


def part(package: Any, name: str) -> Any:
    return importlib.import_module(f"{package.__name__}.{name}")


@pytest.mark.django_db(transaction=True)
def test_a_generated_client_signs_in_and_uploads_a_pair(package: Any, cast: Cast, live_server: Any) -> None:
    models, types = part(package, "models"), part(package, "types")
    with package.Client(base_url=live_server.url) as anonymous:
        signed_in = part(package, "api.auth.auth_login").sync(
            client=anonymous, body=models.LoginRequest(username="togo_head", password=PASSWORD)
        )

    def file(upload: Any) -> Any:
        return types.File(payload=io.BytesIO(upload.read()), file_name=upload.name, mime_type="text/csv")

    create = part(package, "api.import_sessions.import_sessions_create")
    form = models.SessionFormRequest(
        stat_file=file(stat_upload()), recap_file=[file(recap_upload(name="p1.csv")), file(recap_upload(name="p2.csv"))]
    )
    with package.AuthenticatedClient(base_url=live_server.url, token=signed_in.token, prefix="Token") as client:
        answer = create.sync_detailed(client=client, body=form, idempotency_key="first")
        assert answer.status_code == 202, answer.content
        session = answer.parsed
        assert (session.status, session.recap_file.pages, session.same_files_as) == ("PENDING", 2, [])
        shown = part(package, "api.import_sessions.import_sessions_retrieve").sync(session.id, client=client)
        assert shown.to_dict() == session.to_dict()
        assert ImportSession.objects.get().pk == session.id
        claims = part(package, "api.records.claims_list")
        assert claims.sync(client=client, search="lawson").count == 0
