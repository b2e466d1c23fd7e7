"""Every test here has a storage folder of its own, and a real receiver at an address that the settings allow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.receiver import Receiver, running_receiver


@pytest.fixture(autouse=True)
def _own_storage(own_storage: Path) -> None:
    pass


@pytest.fixture(autouse=True)
def _short_times(settings: Any) -> None:
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    settings.WEBHOOKS = settings.WEBHOOKS | {
        "READ_SECONDS": 0.3,
        "WHOLE_SECONDS": 1.0,
        "FIRST_WAIT_SECONDS": 0.02,
        "LONGEST_WAIT_SECONDS": 0.05,
    }


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as receiver:
        yield receiver
