"""`python -m config.live_server`: the ASGI process, uvicorn with `config.asgi`, on BIND and LIVE_PORT."""

import os
import resource
import socket
import sys

import uvicorn

# Milliseconds after which the system drops a client that takes nothing of what it was sent. Without it, the last bytes
# for a stopped client would keep its connection for ever.
TAKEN_WITHIN = 30_000
# Bytes of a message of a client; we read none.
LONGEST_MESSAGE = 1024
STOP_SECONDS = 3


def listening(*, host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if sys.platform.startswith("linux"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, TAKEN_WITHIN)
    listener.bind((host, port))
    return listener


def main() -> None:
    # A connection is an open file, and the usual limit of 1024 is below LIVE_WATCHERS.
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    config = uvicorn.Config(
        "config.asgi:application",
        lifespan="off",
        # Logs go the way of Django's, as JSON lines. uvicorn's own access log has the client's address.
        log_config=None,
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        ws_max_size=LONGEST_MESSAGE,
        # Compression costs more memory for each connection than all its messages.
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    host, port = os.environ.get("BIND", "127.0.0.1"), int(os.environ["LIVE_PORT"])
    uvicorn.Server(config).run(sockets=[listening(host=host, port=port)])


if __name__ == "__main__":
    main()
