"""`/live/` by a real ASGI process, as clients see it: server-sent events and WebSocket."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
import urllib3
from websockets.exceptions import InvalidStatus

from tests.support.installation import Installation, until
from tests.support.live import PUBLIC_URL, EventStream, LiveServer, Message, Socket

Open = Callable[..., Any]
KINDS = ["events", "socket"]


@pytest.fixture
def account(installation: Installation) -> Callable[..., dict[str, Any]]:
    """Makes accounts."""

    def make(**values: Any) -> dict[str, Any]:
        return dict(installation.command("account", **values))

    return make


def authorization(account: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Token {account['token']}"}


def watch(server: LiveServer, kind: str, session: int | str, account: dict[str, Any], **more: Any) -> Any:
    if kind == "events":
        return server.events(session, **authorization(account), **more)
    return server.socket(session, additional_headers=authorization(account), **more)


def progress(messages: list[Message]) -> list[int]:
    return [message["id"] for message in messages if message["type"] == "progress"]


def refusal(opened: EventStream | Socket) -> int:
    """The status of a refusal, by either kind of client."""
    if isinstance(opened, EventStream):
        assert opened.answer()["detail"]
        return opened.status
    assert list(opened)[-1:] in ([], [{"type": "closed"}])
    return opened.code - 4000


@pytest.mark.parametrize("kind", KINDS)
def test_events_arrive_in_order_each_once_also_after_a_new_connection_and_the_end_closes_it(
    kind: str, installation: Installation, server: LiveServer, account: Any
) -> None:
    session, someone = installation.command("running_session"), account()
    installation.command("add_events", session=session, number=3)
    with watch(server, kind, session, someone) as first:
        got = list(islice((one for one in first if one["type"] == "progress"), 3))
        installation.command("add_events", session=session, number=2)
        got += list(islice((one for one in first if one["type"] == "progress"), 1))
    installation.command("add_events", session=session, number=2)
    with watch(server, kind, session, someone, last=got[-1]["id"]) as second:
        got += list(islice((one for one in second if one["type"] == "progress"), 2))
        installation.command("add_events", session=session, number=1)
        installation.command("set_status", session=session, status="DONE")
        rest = [one for one in second if one["type"] != "heartbeat"]
    assert progress(got + rest) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert rest[-1] == {"type": "end", "id": 8, "data": {"status": "DONE", "progress": 0}}
    assert set(got[0]["data"]) == {"sequence", "at", "level", "step", "progress", "code", "message", "data"}
    if kind == "socket":
        assert second.code == 1000


@pytest.mark.parametrize("kind", KINDS)
def test_a_session_at_rest_sends_what_is_left_and_ends(
    kind: str, installation: Installation, server: LiveServer, account: Any
) -> None:
    session = installation.command("running_session")
    installation.command("add_events", session=session, number=3)
    installation.command("set_status", session=session, status="REVIEW")
    with watch(server, kind, session, account(), last=2) as opened:
        messages = list(opened)
    assert [(one["type"], one["id"]) for one in messages] == [("progress", 3), ("end", 3)]
    # It may be started again, and is watched again then.
    installation.command("set_status", session=session, status="PROCESSING")
    with watch(server, kind, session, account(), last=3) as opened:
        installation.command("add_events", session=session)
        assert next(one for one in opened if one["type"] != "heartbeat")["id"] == 4


@pytest.mark.parametrize("kind", KINDS)
def test_a_silent_connection_gets_heartbeats(
    kind: str, installation: Installation, server: LiveServer, account: Any
) -> None:
    with watch(server, kind, installation.command("running_session"), account()) as opened:
        assert [one["type"] for one in islice(opened, 2)] == ["heartbeat", "heartbeat"]


@pytest.mark.parametrize("kind", KINDS)
def test_who_may_not_watch_is_refused_as_by_the_api(
    kind: str, installation: Installation, server: LiveServer, account: Any
) -> None:
    session = installation.command("running_session")
    for who, what, status in [
        (account(country="BJ"), session, 403),
        (account(role="RESP_OPERATEUR"), session, 403),
        (account(), 987654321, 404),
        (account(), "none", 404),
        ({"token": "0" * 64}, session, 401),
        (account(role="ADMIN_GLOBAL"), session, 0),
    ]:
        with watch(server, kind, what, who) as opened:
            if status:
                assert refusal(opened) == status
            else:
                assert next(iter(opened))["type"] == "heartbeat"


@pytest.mark.parametrize("kind", KINDS)
def test_without_credentials_nobody_watches(kind: str, installation: Installation, server: LiveServer) -> None:
    session = installation.command("running_session")
    with server.events(session) if kind == "events" else server.socket(session) as opened:
        assert refusal(opened) == 401


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_last_event_id_is_refused_with_a_sentence(
    kind: str, installation: Installation, server: LiveServer, account: Any
) -> None:
    session = installation.command("running_session")
    for last in ("-1", "x", "99999999999", "1.5"):
        with watch(server, kind, session, account(), last=last) as opened:
            assert refusal(opened) == 400


def test_a_browser_watches_with_its_session_cookie_from_pages_of_this_installation_only(
    installation: Installation, server: LiveServer, account: Any
) -> None:
    session, someone = installation.command("running_session"), account()
    cookie = {"Cookie": someone["cookie"]}
    for origin in (PUBLIC_URL, "http://localhost:8000", "http://127.0.0.1:3000"):
        with server.socket(session, additional_headers=cookie, origin=origin) as opened:
            assert next(iter(opened))["type"] == "heartbeat"
        with server.events(session, Origin=origin, **cookie) as stream:
            assert stream.status == 200
            assert stream.response.headers["Access-Control-Allow-Origin"] == origin
            assert stream.response.headers["Access-Control-Allow-Credentials"] == "true"
    for origin in ("https://evil.example", "http://concord.example", "https://concord.example.evil.example", "null"):
        with pytest.raises(InvalidStatus) as refused:
            server.socket(session, additional_headers=cookie, origin=origin)
        assert refused.value.response.status_code == 403
        for credentials in (cookie, authorization(someone)):
            with server.events(session, Origin=origin, **credentials) as stream:
                assert stream.status == 403
                assert "Access-Control-Allow-Origin" not in stream.response.headers


def test_a_cookie_without_a_known_page_is_no_credential(
    installation: Installation, server: LiveServer, account: Any
) -> None:
    session, cookie = installation.command("running_session"), account()["cookie"]
    with server.socket(session, additional_headers={"Cookie": cookie}) as opened:
        assert refusal(opened) == 401
    with server.events(session, Cookie=cookie, Sec_Fetch_Site="cross-site") as stream:
        assert stream.status == 401
    # A stream of the same origin has no Origin.
    with server.events(session, Cookie=cookie, Sec_Fetch_Site="same-origin") as stream:
        assert stream.status == 200


def test_a_script_gives_its_token_as_a_subprotocol(
    installation: Installation, server: LiveServer, account: Any
) -> None:
    session, token = installation.command("running_session"), account()["token"]
    with server.socket(session, subprotocols=["concord", f"token.{token}"]) as opened:
        assert opened.connection.subprotocol == "concord"
        assert next(iter(opened))["type"] == "heartbeat"
    with server.socket(session, subprotocols=["concord", "token.0"]) as opened:
        assert refusal(opened) == 401


@pytest.mark.parametrize(
    ("way", "by", "status"),
    [
        ("deactivated", "token", 401),
        ("deactivated", "cookie", 401),
        ("signed out", "token", 401),
        ("signed out", "cookie", 401),
        ("new password", "token", 401),
        ("new password", "cookie", 401),
        ("new role", "token", 401),
        ("moved", "cookie", 401),
        ("moved in the database", "token", 403),
        ("moved in the database", "cookie", 403),
        ("country closed", "cookie", 401),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_who_loses_access_is_cut_off_and_gets_no_further_event(
    kind: str, way: str, by: str, status: int, installation: Installation, server: LiveServer, account: Any
) -> None:
    country = installation.new_country() if way == "country closed" else "TG"
    session, someone = installation.command("running_session", country=country), account(country=country)
    if by == "token":
        opened = watch(server, kind, session, someone)
    elif kind == "events":
        opened = server.events(session, Cookie=someone["cookie"])
    else:
        opened = server.socket(session, additional_headers={"Cookie": someone["cookie"]}, origin=PUBLIC_URL)
    with opened:
        messages = iter(opened)
        next(messages)
        installation.command("end_access", account=someone["id"], way=way)
        began = time.monotonic()
        installation.command("add_events", session=session)
        left = [one for one in messages if one["type"] != "heartbeat"]
        assert time.monotonic() - began < 10
    assert [one["type"] for one in left] == ["closed"]
    assert left[0]["data"]["status"] == status
    assert left[0]["data"]["detail"]
    if kind == "socket":
        assert opened.code == 4000 + status
    if way == "country closed":
        return
    with watch(server, kind, session, account(), last=0) as other:
        assert progress([next(iter(other))]) == [1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_silent_session_cuts_them_off_too(
    kind: str, installation: Installation, server: LiveServer, account: Any
) -> None:
    session, someone = installation.command("running_session"), account()
    with watch(server, kind, session, someone) as opened, watch(server, kind, session, account()) as other:
        next(iter(opened))
        installation.command("end_access", account=someone["id"], way="deactivated")
        assert [one["type"] for one in opened if one["type"] != "heartbeat"] == ["closed"]
        installation.command("add_events", session=session)
        assert next(one for one in other if one["type"] != "heartbeat")["id"] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_deleted_session_ends_its_connections(
    kind: str, installation: Installation, server: LiveServer, account: Any
) -> None:
    session = installation.command("running_session")
    with watch(server, kind, session, account()) as opened:
        next(iter(opened))
        installation.command("delete_session", session=session)
        (last,) = [one for one in opened if one["type"] != "heartbeat"]
    assert (last["type"], last["data"]) == ("closed", {"status": 404, "detail": "Session not found"})


@pytest.mark.parametrize("kind", KINDS)
def test_an_account_has_a_limited_number_of_connections_and_a_closed_one_makes_room(
    kind: str, installation: Installation, server: LiveServer, account: Any
) -> None:
    session, someone = installation.command("running_session"), account()
    opened = [watch(server, kind, session, someone) for _ in range(3)]
    for one in opened:
        assert next(iter(one))["type"] == "heartbeat"
    with watch(server, kind, session, someone) as surplus:
        if kind == "events":
            assert surplus.response.headers["Retry-After"] == "5"
        assert refusal(surplus) == 429
    opened.pop().__exit__()
    time.sleep(0.3)
    with watch(server, kind, session, someone) as again:
        assert next(iter(again))["type"] == "heartbeat"
    for one in opened:
        one.__exit__()


def test_a_process_has_a_limited_number_of_connections(installation: Installation, account: Any) -> None:
    session = installation.command("running_session")
    with (
        LiveServer(installation, LIVE_WATCHERS="1") as server,
        server.events(session, **authorization(account())) as first,
    ):
        assert next(iter(first))["type"] == "heartbeat"
        with server.events(session, **authorization(account())) as surplus:
            assert (surplus.status, surplus.response.headers["Retry-After"]) == (503, "5")
        with server.socket(session, additional_headers=authorization(account())) as opened:
            assert refusal(opened) == 503


def test_a_client_that_takes_nothing_is_dropped_and_the_others_get_everything(
    installation: Installation, account: Any
) -> None:
    session, someone = installation.command("running_session"), account()
    # More than the buffers of a connection hold.
    installation.command("add_events", session=session, number=100, size=100_000)
    request = f"GET /live/import-sessions/{session}/ HTTP/1.1\r\nHost: h\r\nAuthorization: Token {someone['token']}"
    with LiveServer(installation, LIVE_SEND_SECONDS="1") as server, socket.socket() as stopped:
        stopped.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stopped.connect(("127.0.0.1", server.port))
        stopped.sendall(f"{request}\r\n\r\n".encode())
        with server.events(session, **authorization(account())) as other:
            # A heartbeat may come between them.
            received = (message["id"] for message in other if message["type"] == "progress")
            assert list(islice(received, 100)) == list(range(1, 101))
        until(lambda: "live_slow" in server.log.read_text(), name="the end of the stopped client")


@pytest.mark.parametrize("kind", KINDS)
def test_sentences_are_in_the_language_of_the_request_or_of_the_account(
    kind: str, installation: Installation, server: LiveServer, account: Any
) -> None:
    session = installation.command("running_session")
    french = account(language="fr")
    for headers, expected in [
        ({}, "Session introuvable"),
        ({"Accept-Language": "en"}, "Session not found"),
        ({"Cookie": "django_language=en"}, "Session not found"),
        ({"Accept-Language": "fr", "Cookie": "django_language=en"}, "Session not found"),
    ]:
        sent = authorization(french) | headers
        if kind == "events":
            with server.events(999999, **sent) as stream:
                assert stream.answer()["detail"] == expected
        else:
            with server.socket(999999, additional_headers=sent) as opened:
                assert list(opened) == []
                assert opened.reason == expected
    assert session


def test_other_addresses_and_methods_are_refused(installation: Installation, server: LiveServer, account: Any) -> None:
    for method, path, status in [
        ("GET", "/", 404),
        ("GET", "/api/v1/import-sessions/", 404),
        ("GET", "/live/import-sessions/", 404),
        ("POST", "/live/import-sessions/1/", 405),
    ]:
        answer = urllib3.request(method, server.address("http", path), headers=authorization(account()))
        assert (answer.status, list(answer.json())) == (status, ["detail"])


def test_the_log_has_neither_names_nor_tokens(installation: Installation, server: LiveServer, account: Any) -> None:
    someone = account()
    with server.socket(987654321, subprotocols=["concord", f"token.{someone['token']}"]) as opened:
        assert refusal(opened) == 404
    text = server.log.read_text()
    assert someone["token"] not in text
    assert "example.org" not in text
