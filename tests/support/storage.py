"""A storage folder for one test."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def own_storage(tmp_path: Path, settings: object) -> Path:
    """A storage folder for one test, which can look at all its files."""
    folder = tmp_path / "storage"
    storages = settings.STORAGES  # type: ignore[attr-defined]
    if storages["default"]["BACKEND"].endswith("FileSystemStorage"):
        options = storages["default"].get("OPTIONS", {}) | {"location": str(folder)}
        settings.STORAGES = storages | {"default": storages["default"] | {"OPTIONS": options}}  # type: ignore[attr-defined]
    return folder


def stored_names(folder: Path) -> list[str]:
    """The files in the storage of this test."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
