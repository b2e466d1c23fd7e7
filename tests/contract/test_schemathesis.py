"""Whatever a client sends, within the API's description or beside it, each role gets an answer that it describes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.cache import caches
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from knox.models import AuthToken
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.cast import Cast
from tests.support.records import Records, make_session

ROLES = ["superuser", "global_admin", "togo_admin", "togo_head", "togo_operator", "homeless_admin", "anonymous"]
# How often each operation is tried as each role; the usual number keeps all roles together under a minute.
EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", "2"))


def refuses_what_is_beside_the_description(context: Any, response: Any, case: Any) -> bool | None:
    """Two things aside: an empty parameter is what a form sends for a field not filled in, and narrows nothing;
    and where there is no list to narrow, a parameter that is not known changes nothing."""
    query = case.query or {}
    known = {parameter.name for parameter in case.operation.query}
    if any(value in ("", {}, [], None) for value in query.values()):
        return None
    if "ordering" not in known and set(query) - known:
        return None
    return negative_data_rejection(context, response, case)


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    refuses_what_is_beside_the_description,
]
# What would end the token under which the rest is asked.
LEFT_OUT = {"/api/v1/auth/logout/", "/api/v1/auth/logout-all/"}


@pytest.fixture(scope="module")
def api() -> Any:
    described = SchemaGenerator().get_schema(request=None, public=True)
    schema = schemathesis.openapi.from_dict(described)
    schema.app = get_wsgi_application()
    schema.location = "/api/v1/schema/"
    return schema


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Requests that come by WSGI leave the test's own connection, and with it its transaction, open."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def named(togo: Records, waiting: int) -> dict[str, int]:
    """By the beginning of a path: the id of something that is there."""
    rows = {f"/api/v1/{name}/": row.pk for name, row in togo.rows.items()}
    return rows | {"/api/v1/files/": togo.file.pk, "/api/v1/import-sessions/": waiting}


def try_out(operation: Any, *, existing: int | None, headers: dict[str, str]) -> int:
    """Send what fits the operation's description and what does not; → how often."""
    tried = 0
    strategy = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    strategy |= operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @given(case=strategy)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        nonlocal tried
        tried += 1
        if existing is not None and case.meta.generation.mode == GenerationMode.POSITIVE:
            # An id drawn by lot is nobody's.
            for name in case.path_parameters or {}:
                case.path_parameters[name] = existing
        case.call_and_validate(headers=headers, checks=CHECKS)

    ask()
    return tried


@pytest.mark.usefixtures("one_connection")
@pytest.mark.parametrize("role", ROLES)
def test_every_operation_answers_as_it_is_described(
    role: str, api: Any, cast: Cast, togo: Records, benin: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is tried here is not how often one may knock.
    monkeypatch.setattr("rest_framework.throttling.SimpleRateThrottle.allow_request", lambda *_: True)
    waiting = make_session(user=cast.togo_head, country=cast.togo, status="REVIEW")
    ids = named(togo, waiting.pk)
    headers = {}
    if role != "anonymous":
        _token, secret = AuthToken.objects.create(user=cast.users[role])
        headers["Authorization"] = f"Token {secret}"
    started = time.monotonic()
    tried = 0
    for found in api.get_all_operations():
        operation = found.ok()
        if operation.path not in LEFT_OUT:
            existing = next((pk for path, pk in ids.items() if operation.path.startswith(path)), None)
            tried += try_out(operation, existing=existing, headers=headers)
    assert tried >= len(ids)
    assert EXAMPLES > 2 or time.monotonic() - started < 60
    caches["throttle"].clear()
