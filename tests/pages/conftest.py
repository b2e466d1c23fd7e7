"""Every test here has a storage folder of its own."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _own_storage(own_storage: Path) -> None:
    pass
