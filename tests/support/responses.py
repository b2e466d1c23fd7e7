"""The content of a response."""

from __future__ import annotations

from typing import Any


def content_of(response: Any) -> bytes:
    """The whole content. A streamed one, such as a download, is read once and remembered.

    The test client closes a streamed response, and its file, after the last byte.
    """
    if not response.streaming:
        return bytes(response.content)
    if not hasattr(response, "streamed"):
        response.streamed = b"".join(response.streaming_content)
    return bytes(response.streamed)
