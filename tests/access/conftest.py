"""The records of two countries, and a storage of each test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.conftest import Records, make_records
from tests.conftest import Cast


@pytest.fixture(autouse=True)
def _own_storage(own_storage: Path) -> None:
    pass


@pytest.fixture
def togo(cast: Cast) -> Records:
    return make_records(country=cast.togo, owner=cast.togo_head, mark="TOGOCANARY")


@pytest.fixture
def benin(cast: Cast) -> Records:
    return make_records(country=cast.benin, owner=cast.benin_head, mark="BENINCANARY")
