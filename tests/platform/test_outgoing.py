"""Calls to registered addresses: never into the private network, never further than asked, never without end."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from common import outgoing
from common.outgoing import Limits, OutgoingError, Reason, is_public
from tests.support.receiver import Receiver, running_receiver

LIMITS = Limits(connect_seconds=1, read_seconds=0.5, whole_seconds=1, answer_bytes=10)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as receiver:
        yield receiver


@pytest.fixture(autouse=True)
def allowed(settings: Any) -> None:
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]


def reason(url: str, limits: Limits = LIMITS) -> Reason | None:
    try:
        outgoing.post(url, body=b"{}", headers={}, limits=limits)
    except OutgoingError as error:
        return error.reason
    return None


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
     "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1",
     "fec0::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1", "64:ff9b::a00:1",
     "2002:7f00:1::", "2002:a00:1::", "2001:0:4136:e378:8000:63bf:80ff:fffe"],
)  # fmt: skip
def test_a_private_loopback_or_link_local_address_is_not_whatever_its_form(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://localhost/", Reason.PRIVATE),
        ("https://127.1/", Reason.PRIVATE),
        ("https://0x7f000001/", Reason.PRIVATE),
        ("https://2130706433/", Reason.PRIVATE),
        ("https://[::1]:8443/", Reason.PRIVATE),
        ("https://[::ffff:10.0.0.1]/", Reason.PRIVATE),
        ("https://169.254.169.254/latest/meta-data/", Reason.PRIVATE),
        ("http://8.8.8.8/", Reason.PLAIN),
        ("ftp://8.8.8.8/", Reason.ADDRESS),
        ("file:///etc/passwd", Reason.ADDRESS),
        ("https://", Reason.ADDRESS),
        ("https://me:secret@8.8.8.8/", Reason.ADDRESS),
        ("https://8.8.8.8:99999/", Reason.ADDRESS),
        ("https://8.8.8.8/#part", Reason.ADDRESS),
        ("https://8.8.8.8/a b", Reason.ADDRESS),
        ("https://8.8.8.8/\r\nX: 1", Reason.ADDRESS),
        ("https://[::1", Reason.ADDRESS),
        ("https://8.8.8.8/" + "a" * 2000, Reason.ADDRESS),
        (f"https://{'a' * 64}.example/", Reason.UNRESOLVED),
    ],
)
def test_an_address_that_must_not_be_called_is_refused_at_registration_and_at_the_call(
    url: str, expected: Reason
) -> None:
    with pytest.raises(OutgoingError) as refused:
        outgoing.check(url, seconds=2)
    assert refused.value.reason == expected
    assert reason(url) == expected


def test_a_host_that_the_settings_name_is_called_with_its_path_and_without_its_answer_beyond_the_limit(
    receiver: Receiver,
) -> None:
    answer = outgoing.post(receiver.url, body=b"{}", headers={"X-A": "b"}, limits=LIMITS)
    assert (answer.status, answer.body, answer.is_whole) == (204, b"", True)
    (request,) = receiver.requests
    assert (request.path, request.body, request.headers["x-a"]) == ("/hook?key=1", "{}", "b")
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"


def test_a_setting_may_name_one_port_of_a_host(receiver: Receiver, settings: Any) -> None:
    settings.OUTGOING_ALLOWED_HOSTS = [f"127.0.0.1:{receiver.port}"]
    assert reason(receiver.url) is None
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1:1"]
    assert reason(receiver.url.replace("http:", "https:")) == Reason.PRIVATE
    assert len(receiver.requests) == 1


def test_a_name_that_leads_elsewhere_after_the_check_is_not_followed(
    receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: public when the address is registered, of this machine when it is called, then public again."""
    settings.OUTGOING_ALLOWED_HOSTS = []
    answers = iter(["8.8.8.8", "127.0.0.1", "8.8.8.8"])

    def resolve(host: str, port: int, *_more: Any, **_options: Any) -> list[Any]:
        if host == "rebound.example":
            host = next(answers)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    url = f"https://rebound.example:{receiver.port}/"
    outgoing.check(url, seconds=1)
    assert reason(url) == Reason.PRIVATE
    # The third answer is used for check and connection alike: there is no further question to the name.
    assert reason(url, Limits(connect_seconds=0.2, read_seconds=0.2, whole_seconds=0.5)) in (
        Reason.TIMEOUT,
        Reason.CONNECT,
    )
    assert next(answers, None) is None
    assert receiver.requests == []


def test_one_private_address_among_several_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.OUTGOING_ALLOWED_HOSTS = []
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 443)) for host in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    assert reason("https://both.example/") == Reason.PRIVATE


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.manner = "redirect"
    assert reason(receiver.url) == Reason.REDIRECT
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("manner", ["hang", "drip"])
def test_a_host_that_hangs_or_drips_is_left_in_time(manner: str, receiver: Receiver) -> None:
    receiver.manner = manner
    began = time.monotonic()
    assert reason(receiver.url) == Reason.TIMEOUT
    assert time.monotonic() - began < 3


def test_a_connection_that_is_closed_without_an_answer_is_said(receiver: Receiver) -> None:
    receiver.manner = "close"
    assert reason(receiver.url) == Reason.BROKEN


def test_a_port_without_a_server_is_said(receiver: Receiver) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert reason(f"http://127.0.0.1:{free.getsockname()[1]}/") == Reason.CONNECT


def test_a_host_without_a_valid_certificate_is_refused(receiver: Receiver) -> None:
    assert reason(f"https://127.0.0.1:{receiver.port}/") == Reason.TLS
    assert receiver.requests == []


def test_a_large_answer_is_read_up_to_the_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _address = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000)

        thread = threading.Thread(target=serve)
        thread.start()
        answer = outgoing.post(f"http://127.0.0.1:{server.getsockname()[1]}/", body=b"", headers={}, limits=LIMITS)
        thread.join()
    assert (answer.body, answer.is_whole) == (b"x" * 10, False)
