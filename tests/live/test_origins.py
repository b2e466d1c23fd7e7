"""The pages from which a browser may open `/live/`."""

from __future__ import annotations

import pytest

from importer.live.origins import is_own


def allowed(origin: str, *, hosts: list[str] | None = None, tls: bool = False) -> bool:
    return is_own(
        origin,
        public_url="https://concord.example:8443/",
        trusted=["https://pages.example", "https://*.trusted.example"],
        hosts=["localhost", ".claims.example"] if hosts is None else hosts,
        tls=tls,
    )


@pytest.mark.parametrize(
    "origin",
    [
        "https://concord.example:8443",
        "https://pages.example",
        "https://a.trusted.example",
        "http://localhost",
        "http://localhost:8001",
        "https://claims.example",
        "https://tg.claims.example",
    ],
)
def test_a_page_of_the_installation_is_allowed(origin: str) -> None:
    assert allowed(origin)


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "https://evil.example",
        "https://concord.example",
        "http://concord.example:8443",
        "http://pages.example",
        "http://a.trusted.example",
        "https://trusted.example.evil.example",
        "https://localhost.evil.example",
        "https://evil.example/localhost",
        "https://localhost@evil.example",
        "file://localhost",
        "chrome-extension://localhost",
        "localhost",
    ],
)
def test_any_other_is_not(origin: str) -> None:
    assert not allowed(origin)


def test_any_host_is_no_origin() -> None:
    assert not allowed("https://evil.example", hosts=["*"])
    assert allowed("https://concord.example:8443", hosts=["*"])


def test_behind_tls_a_page_without_it_is_not_ours() -> None:
    assert not allowed("http://localhost:8001", tls=True)
    assert allowed("https://localhost:8001", tls=True)
