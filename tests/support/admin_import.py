"""An import through the pages of the admin."""

from __future__ import annotations

from typing import Any

from django.test import Client

from file_handling.models import ImportSession
from importer.runs import run_session
from tests.support.pairs import recap_upload, stat_upload

SESSIONS = "/admin/file_handling/importsession/"


def upload(client: Client, **form: Any) -> Any:
    return client.post(f"{SESSIONS}add/", {"stat_file": stat_upload(), "recap_file": recap_upload()} | form)


def import_pair(client: Client, **form: Any) -> ImportSession:
    response = upload(client, **form)
    assert response.status_code == 302, response.content.decode()
    session = ImportSession.objects.latest("pk")
    run_session(session.pk)
    session.refresh_from_db()
    return session
