"""Every operation of the API gives each role an answer that the schema describes, valid requests or not."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import pytest
import schemathesis
from django.core.cache import caches
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, seed, settings
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

# Valid requests, and as many invalid ones, to each operation as each role. Every role gets requests of its own.
EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", "2"))
# Almost every operation refuses the last two before it reads their requests.
ROLES = dict.fromkeys(["superuser", "global_admin", "togo_admin", "togo_head", "togo_operator"], EXAMPLES) | {
    "homeless_admin": 1,
    "anonymous": 1,
}


def refuses_invalid_data(context: Any, response: Any, case: Any) -> bool | None:
    """Schemathesis' own check with three exceptions.

    A form sends an empty parameter for an empty field: it filters nothing. A boolean and its text are one in a query
    and two in a schema. An operation without a list ignores an unknown parameter.
    """
    query = case.query or {}
    known = {parameter.name for parameter in case.operation.query}
    if any(value in ("", {}, [], None) or str(value).lower() in ("true", "false") for value in query.values()):
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
    refuses_invalid_data,
]
# These end the token that the other requests need.
LEFT_OUT = {"/api/v1/auth/logout/", "/api/v1/auth/logout-all/"}


def closing(application: Any) -> Any:
    """The application with each response read and closed, as a web server does; Schemathesis does not close them."""

    def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        with contextlib.closing(application(environ, start_response)) as response:
            return [b"".join(response)]

    return answer


@dataclass(frozen=True)
class Tried:
    """An operation, and what generates its valid or invalid requests; all roles share it, since it is slow to make."""

    operation: Any
    mode: GenerationMode
    requests: Any


@pytest.fixture(scope="module")
def api() -> list[Tried]:
    described = SchemaGenerator().get_schema(request=None, public=True)
    schema = schemathesis.openapi.from_dict(described)
    schema.app = closing(get_wsgi_application())
    schema.location = "/api/v1/schema/"
    operations = [found.ok() for found in schema.get_all_operations()]
    return [
        Tried(operation, mode, operation.as_strategy(generation_mode=mode))
        for operation in operations
        if operation.path not in LEFT_OUT
        for mode in modes_of(operation)
    ]


@pytest.fixture
def one_connection() -> Iterator[None]:
    """WSGI requests use the test's own database connection, and do not close it: its transaction has the records."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def named(togo: Records, waiting: int) -> dict[str, int]:
    """Start of a path → id of an existing record."""
    rows = {f"/api/v1/{name}/": row.pk for name, row in togo.rows.items()}
    return rows | {"/api/v1/files/": togo.file.pk, "/api/v1/import-sessions/": waiting}


def modes_of(operation: Any) -> list[GenerationMode]:
    """Valid requests; invalid ones too, where the operation takes a query or a body that can be invalid."""
    takes_input = len(operation.query) > 0 or len(operation.body) > 0
    return [GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if takes_input else [])]


def try_out(asked: Tried, *, role: str, existing: int | None, headers: dict[str, str]) -> int:
    """Send valid or invalid requests to the operation; → their number."""
    tried = 0

    @seed(crc32(f"{asked.operation.label} {asked.mode.value} {role}".encode()))
    @given(case=asked.requests)
    @settings(
        max_examples=ROLES[role],
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        nonlocal tried
        tried += 1
        if existing is not None and case.meta.generation.mode == GenerationMode.POSITIVE:
            # A random id belongs to no record.
            for name in case.path_parameters or {}:
                case.path_parameters[name] = existing
        case.call_and_validate(headers=headers, checks=CHECKS)

    ask()
    return tried


@pytest.mark.usefixtures("one_connection")
@pytest.mark.parametrize("role", ROLES)
def test_every_operation_answers_as_it_is_described(
    role: str, api: list[Tried], cast: Cast, togo: Records, benin: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Throttling is not the subject here.
    monkeypatch.setattr("rest_framework.throttling.SimpleRateThrottle.allow_request", lambda *_: True)
    waiting = make_session(user=cast.togo_head, country=cast.togo, status="REVIEW")
    ids = named(togo, waiting.pk)
    headers = {}
    if role != "anonymous":
        _token, secret = AuthToken.objects.create(user=cast.users[role])
        headers["Authorization"] = f"Token {secret}"
    tried = {asked.operation.label: 0 for asked in api}
    for asked in api:
        operation = asked.operation
        existing = next((pk for path, pk in ids.items() if operation.path.startswith(path)), None)
        tried[operation.label] += try_out(asked, role=role, existing=existing, headers=headers)
    assert len(tried) > 80
    assert [label for label, requests in tried.items() if not requests] == []
    caches["throttle"].clear()
