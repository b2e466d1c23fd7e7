"""The settings under test: the real ones, in a data folder of their own that goes when the tests end."""

import atexit
import os
import shutil
import tempfile

_folder = tempfile.mkdtemp(prefix="concord-test-")
_owner = os.getpid()


def _forget_folder() -> None:
    # A process forked by a test inherits this, and must leave the folder to the tests.
    if os.getpid() == _owner:
        shutil.rmtree(_folder, ignore_errors=True)


atexit.register(_forget_folder)
os.environ["DATA_DIR"] = _folder
os.environ["KEY_PREFIX"] = f"concord-test-{_owner}"
os.environ.setdefault("LOG_LEVEL", "WARNING")
for _unwanted in ("DEBUG", "STORAGE_URL", "BEHIND_TLS", "ALLOWED_HOSTS"):
    os.environ.pop(_unwanted, None)

from config.settings import *  # noqa: E402, F403
from config.settings import DATA_DIR, DATABASES, STATIC_ROOT, STORAGES  # noqa: E402

STATIC_ROOT.mkdir()
# Fast, because what is tested is not the hash.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# The collected files are made by `make serve`.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # In a file as it is in life: a database in memory has neither WAL nor a busy timeout.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
