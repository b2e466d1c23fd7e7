"""gunicorn's settings for the web process. BIND and PORT set the address that it listens on."""

import os

bind = f"{os.environ.get('BIND', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_PROCESSES", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
# Seconds; also the longest time of an upload over a slow connection.
timeout = 120
graceful_timeout = 10
keepalive = 5
# Restarts a process from time to time, to free the memory that large responses needed.
max_requests = 2000
max_requests_jitter = 200
# The heartbeat file is touched often: keep it in memory if possible.
if os.path.isdir("/dev/shm"):  # noqa: S108  (gunicorn creates a private file in it)
    worker_tmp_dir = "/dev/shm"  # noqa: S108
proc_name = "concord-web"
# Otherwise gunicorn creates a socket in the home folder, shared by all installations of this user.
control_socket_disable = True

errorlog = "-"
accesslog = "-"
# Without the query (a search may contain a name) and without the client's address.
access_log_format = (
    '{"event": "request", "method": "%(m)s", "path": "%(U)s", "status": "%(s)s", "microseconds": "%(D)s"}'
)
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "config.logs.json_formatter"},
        "as_is": {"format": "%(message)s"},
    },
    "handlers": {
        "error": {"class": "logging.StreamHandler", "formatter": "json"},
        "access": {"class": "logging.StreamHandler", "formatter": "as_is"},
    },
    "root": {"handlers": ["error"], "level": "INFO"},
    "loggers": {
        "gunicorn.error": {"handlers": ["error"], "level": "INFO", "propagate": False},
        "gunicorn.access": {"handlers": ["access"], "level": "INFO", "propagate": False},
    },
}
