"""A browser for each account of the cast."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from tests.support.cast import Cast

Browser = Callable[[str], Client]


@pytest.fixture
def browser(cast: Cast) -> Browser:
    """Makes a browser that is signed in as an account of the cast; `anonymous` is not signed in."""

    def signed_in(name: str) -> Client:
        client = Client(headers={"accept-language": "en"})
        if name != "anonymous":
            client.force_login(cast.users[name])
        return client

    return signed_in
