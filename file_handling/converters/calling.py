"""One call to a converter: a signed request with a file, and what its answer means (docs/converters.md).

The signature covers the header `concord-file`, which has the SHA-256 of the body.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone

from common import outgoing
from common.outgoing import Answer, Limits, OutgoingError, Reason
from common.sealed import CannotUnseal, unseal
from common.signing import signed_headers
from file_handling.files.checks import max_file_bytes
from file_handling.models import Converter

# Content type of an answer → the extension of the converted file.
KINDS = {
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/csv": "csv",
}
# Another attempt may meet a service that works again.
_PASSING_REASONS = {Reason.UNRESOLVED, Reason.CONNECT, Reason.TLS, Reason.TIMEOUT, Reason.BROKEN}
_PASSING_STATUSES = {408, 425, 429}
_DENIED = {401, 403}
_LONGEST_TEXT = 500
_LONGEST_NAME, _LONGEST_VERSION = 100, 50
_MEGABYTE = 1024 * 1024


class _CallError(Exception):
    """`facts`: what went wrong, as JSON for `texts.failure_sentence`: `failure` and its parameters."""

    def __init__(self, failure: str, **params: Any) -> None:
        super().__init__(failure)
        self.facts: dict[str, Any] = {"failure": failure, **params}


class Failure(_CallError):
    """The file cannot be converted: another attempt would end the same way."""


class NoAnswer(_CallError):
    """The service did not answer, or is not able to work at the moment."""


@dataclass(frozen=True)
class Service:
    """How a service named itself."""

    name: str
    version: str


@dataclass(frozen=True)
class Converted:
    """`extension`: xlsx or csv; `content`: what the service says is such a file."""

    service: Service
    extension: str
    content: bytes


def convert(converter: Converter, *, content: bytes, extension: str, kind: str, language: str) -> Converted:
    """Send a file; → what it was converted into. `kind`: stat or recap. Raises Failure, NoAnswer."""
    facts = {"extension": extension, "kind": kind}
    answer = _post(converter, content, facts, language=language)
    if not answer.is_whole:
        raise Failure("too_large", limit=_answer_bytes(converter) // _MEGABYTE)
    found = KINDS.get(answer.headers.get("content-type", "").partition(";")[0].strip().lower())
    if answer.status != 200 or found is None:
        raise Failure("wrong_kind")
    return Converted(_service(answer), found, answer.body)


def ask_version(converter: Converter) -> Service:
    """Send a request without a file. Raises Failure, NoAnswer."""
    return _service(_post(converter, b"", {"check": True}, language="en"))


def _post(converter: Converter, content: bytes, facts: Mapping[str, Any], *, language: str) -> Answer:
    """An answer with a status of success, its headers in lower case. Raises Failure, NoAnswer."""
    described = json.dumps({**facts, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()})
    limits = Limits(
        connect_seconds=settings.CONVERTERS["CONNECT_SECONDS"],
        read_seconds=converter.seconds,
        whole_seconds=converter.seconds,
        answer_bytes=_answer_bytes(converter),
    )
    try:
        headers = {
            "Content-Type": "application/octet-stream",
            "User-Agent": "Concord",
            "Accept": ", ".join(KINDS),
            "Accept-Language": language,
            "concord-file": described,
            **signed_headers(
                [unseal(converter.secret)], uid=f"file_{uuid.uuid4().hex}", now=timezone.now(), content=described
            ),
        }
        answer = outgoing.post(converter.url, body=content, headers=headers, limits=limits)
    except CannotUnseal as error:
        raise Failure("sealed") from error
    except OutgoingError as error:
        passing = error.reason in _PASSING_REASONS
        raise (NoAnswer if passing else Failure)("no_call", reason=error.reason.value) from error
    answer = Answer(
        answer.status,
        {name.lower(): value for name, value in answer.headers.items()},
        answer.body,
        is_whole=answer.is_whole,
    )
    if answer.status >= 500 or answer.status in _PASSING_STATUSES:
        raise NoAnswer("status", status=answer.status)
    if answer.status in _DENIED:
        raise Failure("denied")
    if answer.status >= 400:
        raise Failure("refused", text=_text(answer))
    return answer


def _answer_bytes(converter: Converter) -> int:
    return min(converter.megabytes * _MEGABYTE, max_file_bytes())


def _text(answer: Answer) -> str:
    """The reason that a service gives in a text; "" for any other content."""
    if not answer.headers.get("content-type", "").lower().startswith("text/plain"):
        return ""
    return _printable(answer.body[: 4 * _LONGEST_TEXT].decode("utf-8", errors="ignore"))[:_LONGEST_TEXT]


def _service(answer: Answer) -> Service:
    name, version = (_printable(answer.headers.get(f"converter-{part}", "")) for part in ("name", "version"))
    if not name or not version:
        raise Failure("unnamed")
    return Service(name[:_LONGEST_NAME], version[:_LONGEST_VERSION])


def _printable(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
