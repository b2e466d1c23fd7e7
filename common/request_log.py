"""One log line per request, and one request id in all its lines: ids, routes and times, no data."""

import time
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponseBase

log = structlog.get_logger(__name__)

ID_HEADER = "X-Request-Id"


class RequestLogMiddleware:
    """Adds the id `request` to every log line of a request and as `X-Request-Id` to the response; logs `answered`.

    The log has the route as it is declared, never the address: a query may contain the name of a person.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        start = time.perf_counter()
        # Our own id: a client could send any text as one.
        request_id = uuid.uuid4().hex
        with structlog.contextvars.bound_contextvars(request=request_id):
            response = self.get_response(request)
            match = request.resolver_match
            user = getattr(request, "user", None)
            log.info(
                "answered",
                method=request.method,
                route=match.route.rstrip("$") if match else None,
                status=response.status_code,
                actor=getattr(user, "pk", None),
                seconds=round(time.perf_counter() - start, 4),
            )
        response[ID_HEADER] = request_id
        return response
