"""A database that all tests of one module share, so that one import serves all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command


@pytest.fixture(scope="module")
def database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test database, open to the whole module and emptied at its end; a run has threads, which need commits."""
    with django_db_blocker.unblock():
        yield
        call_command("flush", verbosity=0, interactive=False)
