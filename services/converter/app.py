"""The web application (WSGI): takes one file in a signed request and answers with a workbook (docs/converters.md)."""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

NAME, VERSION = "Concord reference converter", "1.0"
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MEGABYTE = 1024 * 1024
# Seconds by which the clock of the sender may differ.
TOLERANCE = 300
# How `convert.py` ends when the file cannot be converted; its output is then the reason.
REFUSED = 3

Start = Callable[[str, list[tuple[str, str]]], Any]


class Refused(Exception):
    """The answer is an error. `status`: the line with which it begins."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


def application(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    try:
        content = _answer(environ)
        status, kind = ("200 OK", WORKBOOK) if content else ("204 No Content", "")
    except Refused as refused:
        status, kind, content = refused.status, "text/plain; charset=utf-8", refused.reason.encode()
    headers = [("converter-name", NAME), ("converter-version", VERSION)]
    if kind:
        headers += [("Content-Type", kind), ("Content-Length", str(len(content)))]
    start(status, headers)
    return [content]


def _answer(environ: dict[str, Any]) -> bytes:
    """The workbook; nothing for a request that asks for the version alone. Raises Refused."""
    if environ["REQUEST_METHOD"] != "POST":
        raise Refused("405 Method Not Allowed", "Send a file by POST.")
    body = _body(environ)
    facts = _verified(environ, body)
    if facts.get("check"):
        return b""
    return _converted(body, str(facts.get("extension", "")), str(environ.get("HTTP_ACCEPT_LANGUAGE", "")))


def _body(environ: dict[str, Any]) -> bytes:
    most = int(os.environ.get("MAX_MEGABYTES", "50")) * MEGABYTE
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise Refused("411 Length Required", "Send the length of the file.") from None
    if length > most:
        raise Refused("413 Content Too Large", f"The file is larger than {most // MEGABYTE} MB.")
    body: bytes = environ["wsgi.input"].read(length)
    return body


def _verified(environ: dict[str, Any], body: bytes) -> dict[str, Any]:
    """The contents of the header `concord-file`. Raises Refused for a signature that is not the sender's."""
    uid, moment, signatures, content = (
        str(environ.get(name, ""))
        for name in ("HTTP_WEBHOOK_ID", "HTTP_WEBHOOK_TIMESTAMP", "HTTP_WEBHOOK_SIGNATURE", "HTTP_CONCORD_FILE")
    )
    key = base64.b64decode(os.environ["CONVERTER_SECRET"].removeprefix("whsec_"))
    digest = hmac.new(key, f"{uid}.{moment}.{content}".encode(), hashlib.sha256).digest()
    expected = f"v1,{base64.b64encode(digest).decode()}"
    is_signed = any(hmac.compare_digest(expected.encode(), one.encode()) for one in signatures.split())
    if not is_signed or not moment.isdigit() or abs(time.time() - int(moment)) > TOLERANCE:
        raise Refused("401 Unauthorized", "The signature is wrong, or too old.")
    facts: dict[str, Any] = json.loads(content)
    if facts.get("sha256") != hashlib.sha256(body).hexdigest():
        raise Refused("401 Unauthorized", "The file is not the one that was signed.")
    return facts


def _converted(body: bytes, extension: str, language: str) -> bytes:
    """Convert in a process of its own, which a file may crash, fill or keep busy. Raises Refused."""
    command = [sys.executable, str(Path(__file__).with_name("convert.py")), extension, language[:2]]
    seconds = float(os.environ.get("MAX_SECONDS", "50"))
    try:
        done = subprocess.run(command, input=body, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        raise Refused("422 Unprocessable Content", _text(language, "too_slow")) from None
    if done.returncode == REFUSED:
        raise Refused("422 Unprocessable Content", done.stdout.decode())
    if done.returncode:
        raise Refused("422 Unprocessable Content", _text(language, "unreadable"))
    return done.stdout


_TEXTS = {
    "too_slow": (
        "The file takes too long to convert. Split it.",
        "La conversion du fichier dure trop longtemps. Divisez-le.",
    ),
    "unreadable": (
        "The file cannot be read: it is damaged, protected or too large. Save it again, or as .xlsx.",
        "Le fichier est illisible : il est endommagé, protégé ou trop volumineux. Enregistrez-le de nouveau, ou en"
        " .xlsx.",
    ),
}


def _text(language: str, code: str) -> str:
    return _TEXTS[code][language.startswith("fr")]
