"""The Celery application. The database is the queue of record; messages only tell workers to look there."""

import gc
import importlib
import os
import threading
from typing import Any

from celery import Celery
from celery.signals import worker_init, worker_process_init

import config.broker  # noqa: F401  (makes the embedded transport known)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Django's checks load every route, and with the routes the libraries of the figures, which a worker does not need:
# 50 MB. The web server and the migrations have loaded and checked them before.
os.environ.setdefault("CELERY_SKIP_CHECKS", "true")

FIXED_SETTINGS: dict[str, Any] = {
    # A message is acknowledged when its task has ended, so a message of a worker that died is delivered again.
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "worker_prefetch_multiplier": 1,
    "task_ignore_result": True,
    "result_backend": None,
    "accept_content": ["json"],
    "task_serializer": "json",
    # A request publishes, and must answer soon: one attempt. The sweeper sends a lost task again.
    "task_publish_retry": False,
    "broker_connection_timeout": 2,
    # A worker waits for the broker without limit.
    "broker_connection_retry": True,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "worker_max_tasks_per_child": 50,
    # Django's settings configure the logs.
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    # Not used, and the embedded broker does not support it.
    "worker_enable_remote_control": False,
    "worker_send_task_events": False,
    "task_default_queue": "concord",
    "timezone": "UTC",
}


def configuration() -> dict[str, Any]:
    """Celery's settings: those of this installation, and FIXED_SETTINGS."""
    # Imported late, because the settings module imports this package.
    from django.conf import settings

    return settings.CELERY | FIXED_SETTINGS


app = Celery("concord")
app.add_defaults(configuration)
app.autodiscover_tasks()


@worker_init.connect
def refuse_to_work_without_secret(**kwargs: Any) -> None:
    # All imported late, because the settings module imports this package.
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    from config.secret import refuse_weak_secret

    try:
        refuse_weak_secret(key=settings.SECRET_KEY_GIVEN, debug=settings.DEBUG)
    except ImproperlyConfigured as error:
        # Celery logs any other exception of a receiver and continues.
        raise SystemExit(str(error)) from error


@worker_process_init.connect
def prepare_process(**kwargs: Any) -> None:
    """Load the modules of an import before the first import needs them.

    In a thread, because the pool allows a process only a few seconds to start.
    """
    threading.Thread(target=_load_and_freeze, name="prepare-process", daemon=True).start()


def _load_and_freeze() -> None:
    importlib.import_module("importer.runs")
    # Loaded modules are never freed: excluding them saves a third of a second in each full garbage collection.
    gc.collect()
    gc.freeze()
