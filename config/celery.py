"""The queue: it only rings. What is to do, and who does it, is in the database."""

import gc
import importlib
import os
import threading
from typing import Any

from celery import Celery
from celery.signals import worker_init, worker_process_init

import config.broker  # noqa: F401  (makes the embedded transport known)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

PROMISES: dict[str, Any] = {
    # A message is answered for only when its work is done, so one that died with its worker comes again.
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "worker_prefetch_multiplier": 1,
    "task_ignore_result": True,
    "result_backend": None,
    "accept_content": ["json"],
    "task_serializer": "json",
    # Who publishes is a request that must answer, so it tries once: the sweeper rings again.
    "task_publish_retry": False,
    "broker_connection_timeout": 2,
    # Who consumes waits for its broker as long as it takes.
    "broker_connection_retry": True,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    # Frames of a large file leave their memory to the process; a new one starts small.
    "worker_max_tasks_per_child": 50,
    # The logs are configured by the settings alone.
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    # Nobody steers workers by message, and the embedded broker cannot.
    "worker_enable_remote_control": False,
    "worker_send_task_events": False,
    "task_default_queue": "concord",
    "timezone": "UTC",
}


def configuration() -> dict[str, Any]:
    """What this installation is told, and what holds in all of them. Read late: settings import this package."""
    from django.conf import settings

    return settings.CELERY | PROMISES


app = Celery("concord")
app.add_defaults(configuration)
app.autodiscover_tasks()


@worker_init.connect
def refuse_to_work_without_secret(**kwargs: Any) -> None:
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    from config.secret import refuse_weak_secret

    try:
        refuse_weak_secret(key=settings.SECRET_KEY_GIVEN, debug=settings.DEBUG)
    except ImproperlyConfigured as error:
        # Celery logs what a receiver raises and goes on, except this.
        raise SystemExit(str(error)) from error


@worker_process_init.connect
def make_ready(**kwargs: Any) -> None:
    """Load what an import needs while there is none, or the first one would wait for it.

    Beside the process's start, which the pool gives only a few seconds.
    """
    threading.Thread(target=_load_and_freeze, name="make-ready", daemon=True).start()


def _load_and_freeze() -> None:
    importlib.import_module("importer.runs")
    # Libraries stay for good: without them, each look for garbage during an import has a third of a second less to do.
    gc.collect()
    gc.freeze()
