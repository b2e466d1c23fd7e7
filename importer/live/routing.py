"""The addresses of the ASGI process."""

from __future__ import annotations

from typing import Any, cast

from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path, re_path

from importer.live.connections import make_hub, not_found, socket_application, stream_application


def application() -> Any:
    """All watchers of this process share one hub."""
    hub = make_hub()

    def routes(watching: Any) -> URLRouter:
        return URLRouter([path("live/import-sessions/<str:session>/", watching), re_path("", cast("Any", not_found))])

    return ProtocolTypeRouter({"http": routes(stream_application(hub)), "websocket": routes(socket_application(hub))})
