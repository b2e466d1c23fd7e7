"""How gunicorn serves the web part. Where it listens comes from BIND and PORT."""

import os

bind = f"{os.environ.get('BIND', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_PROCESSES", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
# The longest upload that a slow line may take.
timeout = 120
graceful_timeout = 10
keepalive = 5
# Memory that a large answer left behind goes back to the machine.
max_requests = 2000
max_requests_jitter = 200
# The heartbeat file is touched often: in memory where the machine offers that.
if os.path.isdir("/dev/shm"):  # noqa: S108  (gunicorn makes a file of its own in it)
    worker_tmp_dir = "/dev/shm"  # noqa: S108
proc_name = "concord-web"
# Or a socket of its own appears in the home folder, shared by every installation of this account.
control_socket_disable = True

errorlog = "-"
accesslog = "-"
# Neither the query (searches name people) nor the address of the caller.
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
