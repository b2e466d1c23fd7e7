"""A database that the tests of one module share: what they import once, all of them look at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command


@pytest.fixture(scope="module")
def database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test database, open to the whole module and emptied at its end. Nothing is rolled back: runs have threads."""
    with django_db_blocker.unblock():
        yield
        call_command("flush", verbosity=0, interactive=False)
