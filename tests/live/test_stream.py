"""The stream of the web process: `import-sessions/{id}/events/stream/`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client
from rest_framework.test import APIClient

from file_handling.models import ImportSession, SessionStatus
from importer import events
from importer.live.stream import places
from tests.support.cast import PASSWORD, Cast
from users.accounts.services import move_account, set_active, update_account
from users.models import Country
from users.sign_in.passwords import change_password


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    times = {"POLL_SECONDS": 0.01, "HEARTBEAT_SECONDS": 30, "STREAM_SECONDS": 30, "STREAMS": 2}
    for name, value in times.items():
        monkeypatch.setitem(settings.LIVE, name, value)
    yield
    assert places._taken == 0


@pytest.fixture(autouse=True)
def one_connection(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of a response does not close the database connection of the test, whose transaction has the records."""
    monkeypatch.setattr(connections["default"], "close", lambda: None)


@pytest.fixture
def session(cast: Cast) -> ImportSession:
    session = ImportSession.objects.create(country=cast.togo, status=SessionStatus.PROCESSING)
    for _ in range(3):
        append(session)
    return session


def append(session: ImportSession) -> None:
    events.append(session.pk, step="read", code="reading", progress=10, data={"pages": 1})


def address(session: ImportSession | int, query: str = "") -> str:
    pk = session if isinstance(session, int) else session.pk
    return f"/api/v1/import-sessions/{pk}/events/stream/{query}"


def parts(response: Any) -> Iterator[str]:
    """The events of a stream as text; the first part asks for a quick new connection."""
    found = (part.decode() for part in response.streaming_content)
    assert next(found) == "retry: 1000\n\n"
    return found


def kind(part: str) -> str:
    return next((line.removeprefix("event: ") for line in part.splitlines() if line.startswith("event: ")), "")


def data(part: str) -> dict[str, Any]:
    (line,) = [line for line in part.splitlines() if line.startswith("data: ")]
    return dict(json.loads(line.removeprefix("data: ")))


def test_the_events_are_those_of_the_list_and_the_end_comes_when_no_run_works_any_more(
    cast: Cast, session: ImportSession
) -> None:
    client = cast.client("togo_head")
    response = client.get(address(session))
    assert (response.status_code, response["Content-Type"]) == (200, "text/event-stream")
    assert (response["Cache-Control"], response["X-Accel-Buffering"]) == ("private, no-store", "no")
    stream = parts(response)
    got = [next(stream) for _ in range(3)]
    append(session)
    got.append(next(stream))
    append(session)
    ImportSession.objects.filter(pk=session.pk).update(status=SessionStatus.REVIEW, progress=100)
    *more, end = stream
    listed = client.get(f"/api/v1/import-sessions/{session.pk}/events/").json()["results"]
    assert [data(part) for part in got + more] == listed
    assert [part.splitlines()[:2] for part in got + more] == [
        [f"id: {number}", "event: progress"] for number in range(1, 6)
    ]
    assert end == 'id: 5\nevent: end\ndata: {"status": "REVIEW", "progress": 100}\n\n'


@pytest.mark.parametrize(
    ("query", "headers", "first"),
    [
        ("", {}, 1),
        ("?last_event_id=2", {}, 3),
        ("", {"Last-Event-ID": "1"}, 2),
        # A browser that connects again to the same address.
        ("?last_event_id=1", {"Last-Event-ID": "2"}, 3),
    ],
)
def test_a_client_goes_on_after_the_last_event_that_it_has(
    query: str, headers: dict[str, str], first: int, cast: Cast, session: ImportSession
) -> None:
    ImportSession.objects.filter(pk=session.pk).update(status=SessionStatus.DONE)
    response = cast.client("togo_admin").get(address(session, query), headers=headers)
    assert [data(part)["sequence"] for part in list(parts(response))[:-1]] == list(range(first, 4))


@pytest.mark.parametrize("given", ["-1", "x", "1.5", "99999999999", "²"])
def test_a_wrong_last_event_id_is_refused_in_plain_words(given: str, cast: Cast, session: ImportSession) -> None:
    for response in (
        cast.client("togo_admin").get(address(session), {"last_event_id": given}),
        cast.client("togo_admin").get(address(session), headers={"Last-Event-ID": given}),
    ):
        assert response.status_code == 400
        assert response.json() == {"detail": "The last event ID is the number of an event: a whole number, 0 or more."}


def test_a_browser_that_accepts_streams_only_gets_the_stream_and_errors_as_json(
    cast: Cast, session: ImportSession
) -> None:
    ImportSession.objects.filter(pk=session.pk).update(status=SessionStatus.DONE)
    browser = Client(headers={"Accept": "text/event-stream"})
    browser.force_login(cast.togo_admin)
    assert kind(list(parts(browser.get(address(session))))[-1]) == "end"
    missing = browser.get(address(987654321))
    assert (missing.status_code, missing["Content-Type"]) == (404, "application/json")
    assert missing.json() == {"detail": "Session not found"}


def test_streams_beyond_the_limit_are_refused_until_one_ends(cast: Cast, session: ImportSession) -> None:
    client = cast.client("togo_admin")
    first, second = client.get(address(session)), client.get(address(session))
    refused = client.get(address(session))
    assert (refused.status_code, refused["Retry-After"]) == (503, "5")
    assert refused.json() == {
        "detail": "The server cannot serve more live connections now. Try again in a few seconds."
    }
    # One that was never read.
    first.close()
    third = client.get(address(session))
    assert third.status_code == 200
    for response in (second, third):
        response.close()


def test_a_refused_client_takes_no_place(cast: Cast, session: ImportSession) -> None:
    for _ in range(3):
        assert cast.client("benin_admin").get(address(session)).status_code == 403
        assert cast.client("togo_admin").get(address(session, "?last_event_id=x")).status_code == 400
    response = cast.client("togo_admin").get(address(session))
    assert response.status_code == 200
    response.close()


def test_a_silent_stream_gets_heartbeats_and_ends_after_its_time(
    cast: Cast, session: ImportSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.LIVE, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setitem(settings.LIVE, "STREAM_SECONDS", 0.5)
    got = list(parts(cast.client("togo_admin").get(address(session, "?last_event_id=3"))))
    assert set(got) == {": heartbeat\n\n"}
    assert 2 <= len(got) <= 5


def deactivate(cast: Cast) -> None:
    set_active(actor=cast.superuser, account=cast.togo_head, is_active=False)


def new_password(cast: Cast) -> None:
    change_password(account=cast.togo_head, current_password=PASSWORD, new_password="Iroko-tree-1974-x")


def new_role(cast: Cast) -> None:
    update_account(actor=cast.superuser, account=cast.togo_head, role="RESP_OPERATEUR")


def move(cast: Cast) -> None:
    move_account(actor=cast.superuser, account=cast.togo_head, country=cast.benin)


def move_in_the_database(cast: Cast) -> None:
    type(cast.togo_head).objects.filter(pk=cast.togo_head.pk).update(country=cast.benin)


def close_country(cast: Cast) -> None:
    Country.objects.filter(pk=cast.togo.pk).update(is_active=False)


@pytest.mark.parametrize("by", ["token", "cookie"])
@pytest.mark.parametrize(
    ("change", "status"),
    [
        (deactivate, 401),
        (new_password, 401),
        (new_role, 401),
        (move, 401),
        (move_in_the_database, 403),
        (close_country, 401),
    ],
)
def test_who_loses_access_gets_no_further_event(
    change: Callable[[Cast], None], status: int, by: str, cast: Cast, session: ImportSession
) -> None:
    client: APIClient | Client = cast.client("togo_head")
    if by == "cookie":
        client = Client()
        client.force_login(cast.togo_head)
    stream = parts(client.get(address(session)))
    assert kind(next(stream)) == "progress"
    for _ in range(2):
        next(stream)
    change(cast)
    append(session)
    (last,) = stream
    assert (kind(last), data(last)["status"]) == ("closed", status)


def test_a_deleted_session_ends_its_stream(cast: Cast, session: ImportSession) -> None:
    stream = parts(cast.client("togo_admin").get(address(session, "?last_event_id=3")))
    session.delete()
    (last,) = stream
    assert (kind(last), data(last)) == ("closed", {"status": 404, "detail": "Session not found"})
