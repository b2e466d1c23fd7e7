"""HTTP calls to addresses that people registered: to public addresses only, without redirects, within limits.

A registered address must not reach what only this server can reach. So the host is resolved here, all of its addresses
are checked, and the connection goes to a checked address, not to the name: the name could lead elsewhere the next time.
TLS and the header `Host` still use the name. OUTGOING_ALLOWED_HOSTS names hosts that may be private and without TLS.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from queue import Empty, SimpleQueue
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

_NAT64 = IPv6Network("64:ff9b::/96")
_PORTS = {"https": 443, "http": 80}
LONGEST_URL = 2000


class Reason(TextChoices):
    """Why a call failed, as a sentence for the person who registered the address."""

    ADDRESS = "address", _("This is not an address like https://host/path, without a name, a password or a fragment.")
    PLAIN = "plain", _("The address must begin with https://.")
    PRIVATE = "private", _("This host is inside a private network. An address on the internet is needed.")
    UNRESOLVED = "unresolved", _("There is no host of this name.")
    CONNECT = "connect", _("The host does not accept connections.")
    TLS = "tls", _("The host has no valid certificate for its name.")
    TIMEOUT = "timeout", _("The host did not answer in time.")
    BROKEN = "broken", _("The host closed the connection without a whole answer.")
    REDIRECT = "redirect", _("The host answered with another address. Register that address.")


class OutgoingError(Exception):
    """The call failed. The message has no part of the address: its path may contain a secret."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason.value)


@dataclass(frozen=True)
class Limits:
    """`whole_seconds` includes resolving, connecting, sending and reading. `answer_bytes`: how much of the body is read
    at most; 0 for none of it.
    """

    connect_seconds: float
    read_seconds: float
    whole_seconds: float
    answer_bytes: int = 0


@dataclass(frozen=True)
class Answer:
    """`body`: what was read of the body; `is_whole`: whether the limit has cut off nothing."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_whole: bool


@dataclass(frozen=True)
class _Target:
    host: str
    port: int
    is_tls: bool
    path: str

    def is_allowed(self) -> bool:
        """Whether the settings name the host, alone or with the port."""
        named = {name.lower() for name in settings.OUTGOING_ALLOWED_HOSTS}
        return bool({self.host, f"{self.host}:{self.port}"} & named)


def check(url: str, *, seconds: float) -> None:
    """Check an address that a person registers. Raises OutgoingError when no call to it would be made."""
    target = _target(url)
    _checked_addresses(target, time.monotonic() + seconds)


def post(url: str, *, body: bytes, headers: Mapping[str, str], limits: Limits) -> Answer:
    """Send `body`; → the answer, whatever its status is, but a redirect. Raises OutgoingError."""
    call = _Call(_target(url), limits)
    with call.cut_off_in_time():
        try:
            return call.post(body, headers)
        except OutgoingError:
            raise
        except TimeoutError as error:
            raise OutgoingError(Reason.TIMEOUT) from error
        except (OSError, http.client.HTTPException) as error:
            raise OutgoingError(Reason.TIMEOUT if call.is_over() else Reason.BROKEN) from error


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet. Addresses that contain an IPv4 address are as public as that."""
    found = ip_address(address)
    if isinstance(found, IPv6Address):
        inner = _ipv4_inside(found)
        if inner is not None:
            return is_public(str(inner))
        if found.is_site_local:
            return False
    return found.is_global and not (found.is_multicast or found.is_reserved)


def _ipv4_inside(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address to which a packet to `address` is carried, if it is one of such addresses."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


def _target(url: str) -> _Target:
    # Other characters belong into an address only when they are quoted, and a host has an ASCII form.
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > LONGEST_URL:
        raise OutgoingError(Reason.ADDRESS)
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as error:
        raise OutgoingError(Reason.ADDRESS) from error
    if parts.scheme not in _PORTS or not host or "@" in parts.netloc or parts.fragment or port == 0:
        raise OutgoingError(Reason.ADDRESS)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = _Target(host=host, port=port or _PORTS[parts.scheme], is_tls=parts.scheme == "https", path=path)
    if not target.is_tls and not target.is_allowed():
        raise OutgoingError(Reason.PLAIN)
    return target


def _checked_addresses(target: _Target, end: float) -> list[str]:
    """The IP addresses of the host. Raises OutgoingError when any of them is not public, or when there are none."""
    addresses = _resolved(target, end)
    if not target.is_allowed() and not all(is_public(address) for address in addresses):
        raise OutgoingError(Reason.PRIVATE)
    return addresses


def _resolved(target: _Target, end: float) -> list[str]:
    # In a thread: the system's resolver takes no time limit.
    answers: SimpleQueue[list[str]] = SimpleQueue()

    def resolve() -> None:
        try:
            found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            found = []
        answers.put(list(dict.fromkeys(str(address[0]) for *_rest, address in found)))

    threading.Thread(target=resolve, name="resolve", daemon=True).start()
    try:
        addresses = answers.get(timeout=max(0.0, end - time.monotonic()))
    except Empty as error:
        raise OutgoingError(Reason.TIMEOUT) from error
    if not addresses:
        raise OutgoingError(Reason.UNRESOLVED)
    return addresses


class _Call:
    """One call, which ends after `whole_seconds`, however slowly the other side sends."""

    def __init__(self, target: _Target, limits: Limits) -> None:
        self.target, self.limits = target, limits
        self.end = time.monotonic() + limits.whole_seconds
        self._wire: socket.socket | None = None

    def is_over(self) -> bool:
        return time.monotonic() >= self.end

    @contextmanager
    def cut_off_in_time(self) -> Iterator[None]:
        # The time limit of a socket is for each single read, and a byte now and then would make a call endless.
        timer = threading.Timer(self.limits.whole_seconds, self._cut_off)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
            if self._wire is not None:
                self._wire.close()

    def _cut_off(self) -> None:
        if self._wire is not None:
            try:
                self._wire.shutdown(socket.SHUT_RDWR)
            except OSError:
                # The other side has closed the connection.
                return

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        connection = _Connection(self)
        try:
            connection.request("POST", self.target.path, body=body, headers=dict(headers))
            response = connection.getresponse()
            if 300 <= response.status < 400:
                raise OutgoingError(Reason.REDIRECT)
            most = self.limits.answer_bytes
            content = response.read(most + 1) if most else b""
            if self.is_over():
                # The connection was cut off, which looks like the end of an answer.
                raise OutgoingError(Reason.TIMEOUT)
            return Answer(response.status, dict(response.headers), content[:most], is_whole=len(content) <= most)
        finally:
            connection.close()

    def connected(self) -> socket.socket:
        """A socket to a checked address of the host."""
        addresses = _checked_addresses(self.target, min(self.end, time.monotonic() + self.limits.connect_seconds))
        sock = self._first_that_accepts(addresses)
        # A second handle of the same connection, so that the timer need not touch an object of the other thread.
        self._wire = sock.dup()
        if self.is_over():
            sock.close()
            raise OutgoingError(Reason.TIMEOUT)
        sock.settimeout(self.limits.read_seconds)
        if not self.target.is_tls:
            return sock
        try:
            return ssl.create_default_context().wrap_socket(sock, server_hostname=self.target.host)
        except ssl.SSLError as error:
            sock.close()
            raise OutgoingError(Reason.TIMEOUT if self.is_over() else Reason.TLS) from error
        except BaseException:
            sock.close()
            raise

    def _first_that_accepts(self, addresses: list[str]) -> socket.socket:
        reason = Reason.CONNECT
        for address in addresses:
            left = min(self.limits.connect_seconds, self.end - time.monotonic())
            if left <= 0:
                break
            try:
                sock = socket.create_connection((address, self.target.port), timeout=left)
            except TimeoutError:
                reason = Reason.TIMEOUT
                continue
            except OSError:
                continue
            if self.target.is_allowed() or is_public(str(sock.getpeername()[0])):
                return sock
            sock.close()
            reason = Reason.PRIVATE
        raise OutgoingError(reason)


class _Connection(http.client.HTTPConnection):
    """A connection that is opened by `_Call`. It follows no redirect and uses no proxy."""

    def __init__(self, call: _Call) -> None:
        super().__init__(call.target.host, call.target.port)
        self._call = call
        # No port in the header `Host` where it is the usual one.
        self.default_port = _PORTS["https" if call.target.is_tls else "http"]

    def connect(self) -> None:
        self.sock = self._call.connected()
