"""Putting uploads into storage and taking them out again, in step with the database."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

from django.core.files.base import File as DjangoFile
from django.core.files.storage import Storage
from django.db import transaction

CHUNK_BYTES = 1024 * 1024


@dataclass
class Placed:
    """What was put into storage during a transaction."""

    objects: list[tuple[Storage, str]] = field(default_factory=list)

    def put(self, *, storage: Storage, name: str, content: DjangoFile[Any]) -> str:
        """Store `content` under `name`, which must be new; returns the name it got."""
        # Noted before it is written: a disk that fills up half way leaves half a file.
        self.objects.append((storage, name))
        kept = storage.save(name, content)
        if kept != name:
            self.objects.append((storage, kept))
        return kept


@contextmanager
def all_or_nothing() -> Iterator[Placed]:
    """One transaction, whose stored objects go again when it does not commit."""
    placed = Placed()
    try:
        with transaction.atomic():
            yield placed
    except BaseException:
        for storage, name in placed.objects:
            storage.delete(name)
        raise


def delete_after_commit(*, storage: Storage, names: list[str]) -> None:
    """Delete stored objects once the rows that named them are gone for good.

    The rows are what people see: an object that cannot be deleted then is logged and left, it does not bring them back.
    """
    for name in names:
        if name:
            transaction.on_commit(lambda name=name: storage.delete(name), robust=True)  # type: ignore[misc]


def sha256_and_size(content: DjangoFile[Any]) -> tuple[str, int]:
    """Digest (hex) and size (bytes) of an open file, which is flushed to disk and left at its beginning.

    Flushed, because an upload that was answered for must outlive a loss of power: storing it is a mere renaming.
    """
    digest = hashlib.sha256()
    size = 0
    content.seek(0)
    while chunk := content.read(CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
    content.seek(0)
    path = getattr(content, "temporary_file_path", None)
    if path is not None:
        handle = os.open(path(), os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    return digest.hexdigest(), size


def local_path(*, storage: Storage, name: str) -> Path | None:
    """Where a stored object lies on this machine; None when the storage is elsewhere."""
    try:
        return Path(storage.path(name))
    except NotImplementedError:
        return None


@contextmanager
def on_local_disk(*, storage: Storage, name: str) -> Iterator[Path]:
    """The stored object as a local file, fetched for the while when the storage is elsewhere.

    Raises FileNotFoundError when it is gone.
    """
    path = local_path(storage=storage, name=name)
    if path is not None:
        if not path.is_file():
            raise FileNotFoundError(name)
        yield path
        return
    with storage.open(name, "rb") as source, NamedTemporaryFile(suffix=Path(name).suffix) as copy:
        _copy(source, copy)
        yield Path(copy.name)


def _copy(source: DjangoFile[Any], target: IO[bytes]) -> None:
    while chunk := source.read(CHUNK_BYTES):
        target.write(chunk)
    target.flush()
