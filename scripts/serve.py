"""`make serve`: updates database and static files, then runs web server and worker in the foreground, and the ASGI
process for live progress where LIVE_PORT is set, and the watch of dropped files where WATCH_URL is.

Ctrl-C and SIGTERM end all. Configured by the environment alone (see README.md).
"""

import os
import socket
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import OperationalError

BASE_DIR = Path(__file__).resolve().parent.parent
# This file is started by its path, so the folder of the project is not on the module path yet.
sys.path.insert(0, str(BASE_DIR))

from config.secret import refuse_weak_secret  # noqa: E402


def port_is_free(*, host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As gunicorn does: a port with connections that are still closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def prepare() -> None:
    """Migrations, cache tables, static files. Raises SystemExit with the reason when Concord cannot start."""
    try:
        django.setup()
        refuse_weak_secret(key=settings.SECRET_KEY_GIVEN, debug=settings.DEBUG)
    except ImproperlyConfigured as error:
        raise SystemExit(f"Concord does not start: {error}") from error
    try:
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
    except OperationalError as error:
        raise SystemExit(f"Concord does not start: the database does not answer. {error}") from error
    call_command("collectstatic", interactive=False, verbosity=0)
    os.environ["DATA_DIR"] = str(settings.DATA_DIR)


def main() -> None:
    os.chdir(BASE_DIR)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    host, port = os.environ.get("BIND", "127.0.0.1"), int(os.environ.get("PORT") or 8000)
    live_port = int(os.environ.get("LIVE_PORT") or 0)
    if not port_is_free(host=host, port=port):
        raise SystemExit(f"Concord does not start: port {port} is taken. Choose another one: make serve PORT=8001")
    if live_port == port or (live_port and not port_is_free(host=host, port=live_port)):
        raise SystemExit(f"Concord does not start: port {live_port} is taken. Set LIVE_PORT to another one.")
    prepare()
    os.environ |= {"PORT": str(port), "BIND": host, "BASE_DIR": str(BASE_DIR), "PYTHON": sys.executable}
    # For supervisord: whether it starts the ASGI process and the watch of dropped files.
    os.environ["LIVE_STARTS"] = "true" if live_port else "false"
    os.environ["WATCH_STARTS"] = "true" if settings.WATCH_URL else "false"
    print(f"Concord serves on http://{host}:{port}/ (Ctrl-C stops it)", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "supervisor.supervisord", "-c", "config/supervisord.conf"]
    if os.getuid() == 0:
        # Without this, supervisord warns at every start that it runs as root.
        command += ["--user", "0"]
    os.execv(sys.executable, command)  # noqa: S606


if __name__ == "__main__":
    main()
