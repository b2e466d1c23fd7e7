"""From which web pages a browser may open `/live/`: those of this installation. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from django.http.request import validate_host


def is_own(origin: str, *, public_url: str, trusted: Sequence[str], hosts: Sequence[str], tls: bool) -> bool:
    """Whether the header `Origin` names a page of this installation.

    That is `public_url`, one of `trusted` (as CSRF_TRUSTED_ORIGINS), or any port of a host in `hosts` (as
    ALLOWED_HOSTS; "*" allows nothing here), over TLS only where `tls`. Scripts have no origin ("null"), nor files.
    """
    parts = urlsplit(origin)
    if not parts.hostname or parts.scheme not in ("http", "https"):
        return False
    if origin in (_origin(public_url), *trusted):
        return True
    if tls and parts.scheme != "https":
        return False
    wildcards = [host.replace("://*", "://") for host in trusted if "://*." in host]
    if any(urlsplit(each).scheme == parts.scheme and validate_host(parts.netloc, [_host(each)]) for each in wildcards):
        return True
    return validate_host(parts.hostname, [host for host in hosts if host != "*"])


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _host(url: str) -> str:
    return url.partition("://")[2]
