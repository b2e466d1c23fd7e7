"""Sending a Celery task without waiting for the broker."""

import threading
from typing import Any

import structlog
from celery import current_app

log = structlog.get_logger(__name__)


def send_task_within(seconds: float, name: str, *args: Any) -> None:
    """Send the task `name` with `args`, and return after at most `seconds`, whether or not the broker has answered.

    Never raises: the work is recorded in the database, and the sweeper sends a task that did not arrive again.
    """
    # In a thread, because a broker that is away blocks its client longer than a request may wait.
    sending = threading.Thread(target=_send, args=(name, args), daemon=True, name=f"send-{name}")
    sending.start()
    sending.join(seconds)


def _send(name: str, args: tuple[Any, ...]) -> None:
    try:
        current_app.send_task(name, args=list(args))
    except Exception as error:  # noqa: BLE001  (each broker library raises errors of its own)
        log.warning("broker_unreachable", task=name, args=list(args), error=type(error).__name__)
