"""A database that all tests of one module share, so that one import serves all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.models import Model

from core.models import DataVersion


@pytest.fixture(scope="module")
def database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test database, open to the whole module and emptied at its end; a run has threads, which need commits."""
    with django_db_blocker.unblock():
        yield
        call_command("flush", verbosity=0, interactive=False)


def record_models() -> list[type[Model]]:
    """The models of a country's records. A version of its data is no record."""
    return [model for model in apps.get_app_config("core").get_models() if model is not DataVersion]
