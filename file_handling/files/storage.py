"""Storing and deleting files together with the database rows that name them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

import structlog
from django.core.files.base import File as DjangoFile
from django.core.files.storage import Storage
from django.db import transaction

log = structlog.get_logger(__name__)

CHUNK_BYTES = 1024 * 1024


@dataclass
class StoredObjects:
    """The objects that were stored during a transaction."""

    objects: list[tuple[Storage, str]] = field(default_factory=list)

    def put(self, *, storage: Storage, name: str, content: DjangoFile[Any]) -> str:
        """Store `content` under `name`, which must be new; → the name in the storage."""
        # Listed before it is written, because a full disk leaves a part of the file.
        self.objects.append((storage, name))
        stored_name = storage.save(name, content)
        if stored_name != name:
            self.objects.append((storage, stored_name))
        return stored_name


@contextmanager
def all_or_nothing() -> Iterator[StoredObjects]:
    """One transaction. Its stored objects are deleted again when it does not commit.

    An object that cannot be deleted then is logged; no row names it."""
    stored = StoredObjects()
    try:
        with transaction.atomic():
            yield stored
    except BaseException:
        for storage, name in stored.objects:
            # The first failure is the one that the caller must know.
            _delete(storage, name)
        raise


def delete_after_commit(*, storage: Storage, names: list[str]) -> None:
    """Delete stored objects after the commit of the transaction that deletes their rows.

    An object that cannot be deleted then is logged and stays in the storage; the rows stay deleted.
    """
    for name in names:
        if name:
            transaction.on_commit(partial(_delete, storage, name), robust=True)


def _delete(storage: Storage, name: str) -> None:
    """Delete a stored object. An object that cannot be deleted is logged and stays."""
    try:
        storage.delete(name)
    except OSError as error:
        log.error("stored_object_stays", name=name, error=type(error).__name__)


def sha256_and_size(content: DjangoFile[Any]) -> tuple[str, int]:
    """Digest (hex) and size (bytes) of an open file. The file is flushed to disk and then rewound.

    The flush is needed because storing only renames the file: an upload that was answered must survive a power cut.
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
    """The path of a stored object; None when the storage is not on this machine."""
    try:
        return Path(storage.path(name))
    except NotImplementedError:
        return None


@contextmanager
def on_local_disk(*, storage: Storage, name: str) -> Iterator[Path]:
    """The stored object as a local file; a temporary copy when the storage is not on this machine.

    Raises FileNotFoundError when the object does not exist.
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
