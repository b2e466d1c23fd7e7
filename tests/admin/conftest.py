"""The records of two countries, and a browser for each account."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from tests.api.conftest import Records, make_records
from tests.conftest import Cast

Browser = Callable[[str], Client]


@pytest.fixture(autouse=True)
def _own_storage(own_storage: Path) -> None:
    pass


@pytest.fixture
def togo(cast: Cast) -> Records:
    return make_records(country=cast.togo, owner=cast.togo_head, mark="TOGOCANARY")


@pytest.fixture
def benin(cast: Cast) -> Records:
    return make_records(country=cast.benin, owner=cast.benin_head, mark="BENINCANARY")


@pytest.fixture
def browser(cast: Cast) -> Browser:
    """A browser in which the account is signed in; `anonymous` is nobody."""

    def signed_in(name: str) -> Client:
        client = Client()
        if name != "anonymous":
            client.force_login(cast.users[name])
        return client

    return signed_in
