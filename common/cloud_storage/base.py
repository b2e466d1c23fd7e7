"""What the storages of all clouds share: an object is read whole when it is opened, and every failure is one of two
errors of `common.errors`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import structlog
from django.core.files import File

from common.errors import StorageFailure, StorageRefused, StorageUnavailable

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 5
# Without one byte of an answer.
ANSWER_SECONDS = 60
# How often a request is sent again where the server does not answer, or asks to wait.
RETRIES = 2
# Statuses of HTTP after which the same request may succeed.
PASSING_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
# A larger object is read into a temporary file on disk, not into memory.
MEMORY_BYTES = 1024 * 1024


class CloudStorage:
    """Placed before a storage class of django-storages, whose methods it wraps.

    Every method raises FileNotFoundError for a missing object, StorageRefused where the cloud refuses this
    installation, and StorageUnavailable where it does not answer.
    """

    # The exceptions of the cloud's library.
    errors: ClassVar[tuple[type[Exception], ...]]

    def failure(self, error: Exception) -> OSError:
        """The error of Concord for an exception of the cloud's library."""
        raise NotImplementedError

    def _open(self, name: str, mode: str = "rb") -> File[Any]:
        with self._translated():
            file: File[Any] = super()._open(name, mode)  # type: ignore[misc]
            try:
                # Read here: once a response has begun, it could no longer report a lost connection.
                file.seek(0)
            except BaseException:
                file.close()
                raise
            return file

    def _save(self, name: str, content: File[Any]) -> str:
        with self._translated():
            return str(super()._save(name, content))  # type: ignore[misc]

    def delete(self, name: str) -> None:
        with self._translated():
            super().delete(name)  # type: ignore[misc]

    def exists(self, name: str) -> bool:
        with self._translated():
            return bool(super().exists(name))  # type: ignore[misc]

    def size(self, name: str) -> int:
        with self._translated():
            return int(super().size(name))  # type: ignore[misc]

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except StorageFailure as error:
            log.error("storage_failed", failure=type(error).__name__)
            raise
        except self.errors as error:
            failure = self.failure(error)
            if isinstance(failure, StorageFailure):
                # Not the message of the library, which may contain an address with a key.
                log.error("storage_failed", failure=type(failure).__name__, error=type(error).__name__)
            raise failure from error


def failure_of_status(status: int) -> StorageFailure:
    """The error for an HTTP answer that is no success."""
    return StorageUnavailable() if status in PASSING_STATUSES or status >= 500 else StorageRefused()
