"""Writes uploads to temporary files."""

from __future__ import annotations

import contextlib
from typing import Any

from django.core.files.uploadhandler import TemporaryFileUploadHandler


class TidyUploadHandler(TemporaryFileUploadHandler):
    """Deletes a half-written file at once when the disk fills up; Django's handler keeps it until the request ends."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        with self._deleted_on_failure():
            super().receive_data_chunk(raw_data, start)

    def file_complete(self, file_size: int) -> Any:
        with self._deleted_on_failure():
            return super().file_complete(file_size)

    @contextlib.contextmanager
    def _deleted_on_failure(self) -> Any:
        try:
            yield
        except OSError:
            # Closing writes the rest of the buffer, for which there is no room either.
            with contextlib.suppress(OSError):
                self.file.close()
            raise
