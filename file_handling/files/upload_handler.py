"""Uploads on their way to disk."""

from __future__ import annotations

import contextlib
from typing import Any

from django.core.files.uploadhandler import TemporaryFileUploadHandler


class TidyUploadHandler(TemporaryFileUploadHandler):
    """Django's, which leaves half a file behind for as long as the request is remembered when the disk fills up."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        with self._gone_on_failure():
            super().receive_data_chunk(raw_data, start)

    def file_complete(self, file_size: int) -> Any:
        with self._gone_on_failure():
            return super().file_complete(file_size)

    @contextlib.contextmanager
    def _gone_on_failure(self) -> Any:
        try:
            yield
        except OSError:
            # Closing writes what is still held back, for which there is no more room than before.
            with contextlib.suppress(OSError):
                self.file.close()
            raise
