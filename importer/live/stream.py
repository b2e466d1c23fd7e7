"""The stream of the web process, for API clients. It holds a thread, so there are few, and each ends after a minute."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import connections
from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils import translation
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from knox.models import AuthToken
from rest_framework.exceptions import APIException
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from common.api_errors import SessionNotFound
from file_handling.files.views import DENIED_OR_NONE
from importer.live import messages
from importer.live.access import Watch, refusals, visible_session
from importer.live.admission import last_event_id
from importer.live.reading import read
from users.access.actor import actor_of
from users.access.viewsets import MayReadImports
from users.serializers import DetailSerializer
from users.sign_in.credentials import Credential

RETRY_SECONDS = 5


class TooManyStreams(APIException):
    status_code = 503
    default_detail = _("The server cannot serve more live connections now. Try again in a few seconds.")
    wait = RETRY_SECONDS


class Places:
    """The streams of this process, at most LIVE["STREAMS"]."""

    def __init__(self) -> None:
        self._lock, self._taken = threading.Lock(), 0

    def take(self) -> None:
        """Raises TooManyStreams."""
        with self._lock:
            if self._taken >= settings.LIVE["STREAMS"]:
                raise TooManyStreams()
            self._taken += 1

    def give_back(self) -> None:
        with self._lock:
            self._taken -= 1


# One event of the stream, as the description of the API shows it.
EVENT = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "event": {"type": "string", "enum": ["progress", "end", "closed"]},
        "data": {"type": "string", "description": "JSON"},
    },
    "required": ["event", "data"],
}
places = Places()


class JsonOrEvents(BaseContentNegotiation):
    """A client that accepts `text/event-stream` only, as a browser's EventSource, gets errors as JSON all the same."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        renderer: BaseRenderer = renderers[0]
        return renderer, renderer.media_type


class EventStreamView(APIView):
    """The events of a session while they happen."""

    permission_classes = [MayReadImports]
    content_negotiation_class = JsonOrEvents

    @extend_schema(
        operation_id="import_sessions_events_stream",
        tags=["import sessions"],
        parameters=[
            OpenApiParameter("session_pk", OpenApiTypes.INT, OpenApiParameter.PATH),
            OpenApiParameter(
                "last_event_id",
                {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
                description="Only events after this sequence number",
            ),
            OpenApiParameter(
                "Last-Event-ID",
                {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
                OpenApiParameter.HEADER,
                description="The same, as an EventSource sends it when it connects again; counts before the parameter",
            ),
        ],
        responses={
            (200, "text/event-stream"): EVENT,
            503: OpenApiResponse(
                DetailSerializer,
                description="Too many streams; `Retry-After` has the seconds to wait, or poll `events/`",
            ),
            **DENIED_OR_NONE,
        },
    )
    def get(self, request: Request, session_pk: str) -> HttpResponseBase:
        """Server-sent events. `progress`: an event as in `events/`, its `id` is the sequence number. `end`: no run
        waits or works any more; `data` has the status. `closed`: access was lost; `data` has the reason. The server
        ends each stream after a minute; connect again with the last `id`. A comment comes every 15 seconds.
        """
        session_id = visible_session(user=actor_of(request), pk=session_pk)
        last = last_event_id(
            header=request.headers.get("Last-Event-ID", ""), query=request.query_params.get("last_event_id", "")
        )
        places.take()
        response = StreamingHttpResponse(
            Stream(Watch(_credential(request), session_id), last=last, language=get_language() or ""),
            content_type="text/event-stream",
        )
        response["Cache-Control"] = "private, no-store"
        # Stops nginx from collecting the answer before it passes it on.
        response["X-Accel-Buffering"] = "no"
        return response


def _credential(request: Request) -> Credential:
    if isinstance(request.auth, AuthToken):
        return Credential(token=request.auth.digest)
    return Credential(session=request.session.session_key or "")


class Stream:
    """The parts of one stream. The server calls `close` in any case, also if it never took a part."""

    def __init__(self, watch: Watch, *, last: int, language: str) -> None:
        self._parts, self._is_closed = _parts(watch, last, language), False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._parts)

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._parts.close()
            places.give_back()


def _parts(watch: Watch, last: int, language: str) -> Any:
    live = settings.LIVE
    end = time.monotonic() + live["STREAM_SECONDS"]
    silent_since = time.monotonic()
    yield messages.RETRY
    while True:
        # Access first, each time: nothing is sent to an account that lost it.
        refused = refusals({watch}).get(watch)
        news = read({watch.session_id: last}, languages=[language]).get(watch.session_id)
        _let_go_of_database()
        if news is None or refused is not None:
            with translation.override(language):
                error = refused() if news is not None and refused is not None else SessionNotFound()
            closed = messages.closed(status=error.status_code, detail=str(error.detail), language=language)
            yield closed.as_event(language)
            return
        for message in news.messages:
            last, silent_since = message.sequence or last, time.monotonic()
            yield message.as_event(language)
        if news.end is not None:
            yield news.end.as_event(language)
            return
        now = time.monotonic()
        if now >= end:
            return
        if now - silent_since >= live["HEARTBEAT_SECONDS"]:
            silent_since = now
            yield messages.ALIVE.as_event(language)
        time.sleep(min(live["POLL_SECONDS"], end - now))


def _let_go_of_database() -> None:
    """A stream holds no connection while it waits."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
