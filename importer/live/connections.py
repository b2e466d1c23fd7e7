"""`/live/import-sessions/{id}/` as ASGI applications: a server-sent stream or a WebSocket, with the same messages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from typing import Any, Protocol

import structlog
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError
from django.utils import translation
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException

from importer.live import messages
from importer.live.access import refusals
from importer.live.admission import SUBPROTOCOL, Opening, admit
from importer.live.hub import Ended, Full, Hub, Limits
from importer.live.messages import Message
from importer.live.reading import all_languages, read

log = structlog.get_logger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

# The close code of a WebSocket that the server ends: this plus the HTTP status. A connection that ends well has 1000.
CODE_OF_STATUS, NORMAL = 4000, 1000
# Bytes that the protocol allows for the reason of a close.
_LONGEST_REASON = 123
RETRY_SECONDS = 5


# Each thread has a database connection. Readings do not wait behind hundreds of clients that come back at once.
_reading, _opening = (
    partial(
        database_sync_to_async, thread_sensitive=False, executor=ThreadPoolExecutor(number, thread_name_prefix=name)
    )
    for number, name in ((1, "live-read"), (2, "live-open"))
)


class Slow(Exception):
    """The client does not take what it is sent."""


class Client(Protocol):
    """One end of a connection. `refuse` may come before `start` and after it."""

    async def start(self) -> None: ...

    async def message(self, message: Message, language: str) -> None: ...

    async def refuse(self, *, status: int, detail: str, language: str) -> None: ...

    async def end(self) -> None: ...


def make_hub() -> Hub:
    live = settings.LIVE
    return Hub(
        read=_reading(partial(read, languages=all_languages())),
        check=_reading(refusals),
        limits=Limits(
            poll=live["POLL_SECONDS"],
            check=live["CHECK_SECONDS"],
            heartbeat=live["HEARTBEAT_SECONDS"],
            watchers=live["WATCHERS"],
            watchers_of_account=live["ACCOUNT_WATCHERS"],
        ),
    )


def stream_application(hub: Hub) -> Any:
    """Server-sent events."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        opening = opening_of(scope)
        client = Stream(opening, send)
        if scope["method"] != "GET":
            await client.answer(HTTPStatus.METHOD_NOT_ALLOWED, _("Only GET is allowed here."), {"Allow": "GET"})
            return
        await _until_gone(serve(hub, opening, client), receive)

    return application


def socket_application(hub: Hub) -> Any:
    """WebSocket. What the client sends is not read."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        opening = opening_of(scope)
        if opening.has_foreign_origin():
            # Before the handshake: scripts of a foreign page get no connection at all.
            await send({"type": "websocket.close"})
            return
        await _until_gone(serve(hub, opening, Socket(opening, send)), receive)

    return application


async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
    """Every other address."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close"})
    else:
        await Stream(opening_of(scope), send).answer(HTTPStatus.NOT_FOUND, _("Not found."))


def opening_of(scope: Scope) -> Opening:
    """The opening of a connection. A header that comes twice counts once, the last one."""
    return Opening(
        session=scope.get("url_route", {}).get("kwargs", {}).get("session", ""),
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        query=scope["query_string"].decode("latin-1"),
        subprotocols=tuple(scope.get("subprotocols", ())),
        is_socket=scope["type"] == "websocket",
    )


async def serve(hub: Hub, opening: Opening, client: Client) -> None:
    """One connection from the first request to its end."""
    language = opening.language() or settings.LANGUAGE_CODE
    try:
        watcher, language = await _opening(admit)(opening)
        with hub.watching(watcher) as sent:
            await client.start()
            async for message in sent:
                await client.message(message, language)
        await client.end()
    except Slow:
        # Nothing more can be sent. The client comes back with the number of its last event.
        log.info("live_slow", session=opening.session)
    except (Full, Ended, APIException, DatabaseError) as error:
        status, detail = _reason(error, language)
        await client.refuse(status=status, detail=detail, language=language)


def _reason(error: Exception, language: str) -> tuple[int, str]:
    """The HTTP status of a refusal, and a sentence for the user."""
    with translation.override(language):
        if isinstance(error, Full) and error.of_account:
            return 429, _("Your account has too many live connections. Close some of them, then try again.")
        if isinstance(error, (Full, DatabaseError)):
            return 503, _("The server cannot serve more live connections now. Try again in a few seconds.")
        if isinstance(error, Ended):
            error = error.reason()
        if isinstance(error, APIException):
            return error.status_code, str(error.detail)
    raise error


class Stream:
    """Server-sent events. A page of this installation at another port or host name gets the headers that it needs."""

    def __init__(self, opening: Opening, send: Send) -> None:
        self._send, self._is_started = send, False
        self._headers = {"Cache-Control": "private, no-store", "Vary": "Authorization, Cookie, Origin"}
        if opening.origin() and not opening.has_foreign_origin():
            self._headers["Access-Control-Allow-Origin"] = opening.origin()
            self._headers["Access-Control-Allow-Credentials"] = "true"

    async def start(self) -> None:
        self._is_started = True
        # The last one stops nginx from collecting the answer before it passes it on.
        await self._begin(HTTPStatus.OK, {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        await self._body(messages.RETRY)

    async def message(self, message: Message, language: str) -> None:
        await self._body(message.as_event(language))

    async def refuse(self, *, status: int, detail: str, language: str) -> None:
        if self._is_started:
            message = messages.closed(status=status, detail=detail, language=language)
            await self._body(message.as_event(language), more=False)
            return
        headers = {"WWW-Authenticate": "Token"} if status == HTTPStatus.UNAUTHORIZED else {}
        if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
            headers["Retry-After"] = str(RETRY_SECONDS)
        await self.answer(status, detail, headers)

    async def end(self) -> None:
        await self._body(b"", more=False)

    async def answer(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        await self._begin(status, {"Content-Type": "application/json"} | (headers or {}))
        await self._body(json.dumps({"detail": detail}, ensure_ascii=False).encode(), more=False)

    async def _begin(self, status: int, headers: dict[str, str]) -> None:
        pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in (self._headers | headers).items()]
        await _in_time(self._send({"type": "http.response.start", "status": int(status), "headers": pairs}))

    async def _body(self, body: bytes, *, more: bool = True) -> None:
        await _in_time(self._send({"type": "http.response.body", "body": body, "more_body": more}))


class Socket:
    """A WebSocket. A refusal is a close code, which a script can read, unlike the status of a failed handshake."""

    def __init__(self, opening: Opening, send: Send) -> None:
        self._send, self._is_started = send, False
        self._subprotocol = SUBPROTOCOL if SUBPROTOCOL in opening.subprotocols else None

    async def start(self) -> None:
        self._is_started = True
        await _in_time(self._send({"type": "websocket.accept", "subprotocol": self._subprotocol}))

    async def message(self, message: Message, language: str) -> None:
        await _in_time(self._send({"type": "websocket.send", "text": message.as_text(language)}))

    async def refuse(self, *, status: int, detail: str, language: str) -> None:
        if self._is_started:
            await self.message(messages.closed(status=status, detail=detail, language=language), language)
        else:
            await self.start()
        await self._close(CODE_OF_STATUS + status, detail)

    async def end(self) -> None:
        await self._close(NORMAL, "")

    async def _close(self, code: int, reason: str) -> None:
        short = reason.encode()[:_LONGEST_REASON].decode(errors="ignore")
        await _in_time(self._send({"type": "websocket.close", "code": code, "reason": short}))


async def _in_time(sending: Awaitable[None]) -> None:
    """Send, or raise Slow: the server waits here while the buffer of the connection is full."""
    try:
        async with asyncio.timeout(settings.LIVE["SEND_SECONDS"]):
            await sending
    except TimeoutError:
        raise Slow from None


async def _until_gone(serving: Coroutine[Any, Any, None], receive: Receive) -> None:
    """Serve until the end, or until the client has gone."""
    served = asyncio.create_task(serving)
    gone = asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait({served, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (served, gone):
            task.cancel()
        outcome, _left = await asyncio.gather(served, gone, return_exceptions=True)
    # The server closes the connection and logs the error. That a client went away while it was served is none.
    if isinstance(outcome, Exception) and not isinstance(outcome, (OSError, Slow)):
        raise outcome


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
        pass
