"""The schema of the API, from which clients are written."""

from __future__ import annotations

import re

import pytest
from django.core.management import call_command
from django.test import Client

from tests.support.routes import OPEN, TABLE


def test_the_schema_is_valid_and_generated_without_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True)
    schema = capsys.readouterr().out
    for path in ("/api/v1/import-sessions/", "/api/v1/import-sessions/{id}/commit/", "/api/v1/claims/{id}/"):
        assert path in schema


@pytest.mark.django_db
def test_schema_and_docs_are_public(client: Client) -> None:
    assert client.get("/api/v1/schema/").status_code == 200
    assert client.get("/api/v1/docs/").status_code == 200


@pytest.mark.django_db
def test_the_schema_has_every_route_and_method_of_the_api(client: Client) -> None:
    paths = client.get("/api/v1/schema/?format=json").json()["paths"]
    described = {
        (method.upper(), re.sub(r"{\w+}", "*", path.removeprefix("/api/v1/")))
        for path, operations in paths.items()
        for method in operations
    }
    expected = {(method, re.sub(r"{[^}]*}", "*", path.split("?")[0])) for method, path in TABLE}
    assert described - expected == {("POST", path) for path in OPEN if path.startswith("auth/")}
    assert expected - described == set()
