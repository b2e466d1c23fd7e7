"""The settings for tests: the real ones, with a temporary data folder that is removed at the end."""

import atexit
import os
import shutil
import tempfile
from typing import Any

import structlog

_folder = tempfile.mkdtemp(prefix="concord-test-")
_owner = os.getpid()


def _remove_folder() -> None:
    # A process forked by a test inherits this function, and must not remove the folder.
    if os.getpid() == _owner:
        shutil.rmtree(_folder, ignore_errors=True)


atexit.register(_remove_folder)
os.environ["DATA_DIR"] = _folder
os.environ["KEY_PREFIX"] = f"concord-test-{_owner}"
os.environ.setdefault("LOG_LEVEL", "WARNING")
for _unwanted in ("DEBUG", "STORAGE_URL", "WATCH_URL", "BEHIND_TLS", "ALLOWED_HOSTS"):
    os.environ.pop(_unwanted, None)

from config import logs  # noqa: E402
from config.settings import *  # noqa: E402, F403
from config.settings import DATA_DIR, DATABASES, STATIC_ROOT, STORAGES  # noqa: E402


def configure_logs(settings: dict[str, Any]) -> None:
    """A cached logger keeps its processors for ever, and no test could capture its events."""
    logs.configure(settings)
    structlog.configure(cache_logger_on_first_use=False)


# Whatever sets Django up once more, as a WSGI application does, configures the logs again.
LOGGING_CONFIG = "config.settings_test.configure_logs"

STATIC_ROOT.mkdir()
# A fast hash: the tests are not about the hash.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Only `make serve` collects static files.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # In a file, as in production: a database in memory has neither WAL nor a busy timeout.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
else:
    # A commit does not wait for the disk: no test of this process cuts the power. Those of faults start installations
    # of their own, with the real settings.
    DATABASES["default"]["OPTIONS"]["options"] = "-c synchronous_commit=off"
