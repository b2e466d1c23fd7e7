"""Where deliveries are dropped: a folder of this machine, or a prefix of a bucket on S3. Paths are relative, with `/`.

Every failure is an OSError, FileNotFoundError where the file is gone.
"""

from __future__ import annotations

import os
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage, storages

# The alias of the place in STORAGES.
ALIAS = "drop"
CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Dropped:
    """A file as a listing shows it. `stamp` changes whenever the content does."""

    name: str
    size: int
    stamp: str


@dataclass(frozen=True)
class Listing:
    folders: list[str]
    files: list[Dropped]


class Place(ABC):
    @abstractmethod
    def listing(self, folder: str) -> Listing:
        """The folders and files directly in a folder, "" for the whole place, by name. Empty for a folder without any.

        Raises FileNotFoundError when a folder of this machine does not exist.
        """

    @abstractmethod
    def open(self, path: str) -> IO[bytes]: ...

    @abstractmethod
    def write(self, path: str, content: IO[bytes]) -> None:
        """Write a file whole or not at all, over one of the same name."""

    @abstractmethod
    def delete(self, path: str) -> None:
        """Delete a file, if it is there."""

    @abstractmethod
    def move(self, source: str, target: str) -> None:
        """Move a folder with its files. A move that was interrupted is finished; nothing happens without a source."""


def open_place() -> Place:
    """The place that WATCH_URL names."""
    storage: Any = storages[ALIAS]
    return LocalPlace(Path(storage.location)) if isinstance(storage, FileSystemStorage) else BucketPlace(storage)


def is_watched() -> bool:
    return ALIAS in settings.STORAGES


class LocalPlace(Place):
    def __init__(self, root: Path) -> None:
        self.root = root

    def listing(self, folder: str) -> Listing:
        folders, files = [], []
        with os.scandir(self.root / folder) as entries:
            for entry in entries:
                # A link could lead out of the folder, to files that its owner may not read.
                if entry.is_symlink():
                    continue
                if entry.is_dir():
                    folders.append(entry.name)
                    continue
                facts = entry.stat()
                files.append(Dropped(entry.name, facts.st_size, f"{facts.st_mtime_ns}/{facts.st_ino}"))
        return Listing(sorted(folders), sorted(files, key=lambda one: one.name))

    def open(self, path: str) -> IO[bytes]:
        return os.fdopen(os.open(self.root / path, os.O_RDONLY | os.O_NOFOLLOW), "rb")

    def write(self, path: str, content: IO[bytes]) -> None:
        target = self.root / path
        self._make_parent(target)
        unfinished = target.with_name(f".{uuid.uuid4().hex}.part")
        try:
            with unfinished.open("wb") as file:
                while chunk := content.read(CHUNK_BYTES):
                    file.write(chunk)
            os.replace(unfinished, target)
        finally:
            unfinished.unlink(missing_ok=True)

    def _make_parent(self, path: Path) -> None:
        # Never the place itself or the folder of a country: without its disk, a mount point is an empty folder.
        if path.parent != self.root:
            path.parent.mkdir(exist_ok=True)

    def delete(self, path: str) -> None:
        (self.root / path).unlink(missing_ok=True)

    def move(self, source: str, target: str) -> None:
        if (self.root / source).is_dir():
            self._make_parent(self.root / target)
            os.rename(self.root / source, self.root / target)


class BucketPlace(Place):
    """`storage`: an S3Storage whose `location` is the prefix."""

    def __init__(self, storage: Any) -> None:
        self.bucket, self.prefix = storage.bucket, f"{storage.location.strip('/')}/".lstrip("/")

    def _key(self, path: str) -> str:
        return f"{self.prefix}{path}"

    def listing(self, folder: str) -> Listing:
        prefix = self._key(f"{folder}/" if folder else "")
        folders, files = [], []
        with _as_os_errors():
            pages = self.bucket.meta.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.bucket.name, Prefix=prefix, Delimiter="/"):
                folders += [one["Prefix"][len(prefix) : -1] for one in page.get("CommonPrefixes", ())]
                files += [
                    Dropped(one["Key"][len(prefix) :], one["Size"], f"{one['LastModified']}/{one['ETag']}")
                    for one in page.get("Contents", ())
                    # Some programs make an object for the folder itself.
                    if one["Key"] != prefix
                ]
        return Listing(sorted(folders), sorted(files, key=lambda one: one.name))

    def open(self, path: str) -> IO[bytes]:
        with _as_os_errors():
            body: IO[bytes] = _Body(self.bucket.Object(self._key(path)).get()["Body"])  # type: ignore[assignment]
            return body

    def write(self, path: str, content: IO[bytes]) -> None:
        with _as_os_errors():
            self.bucket.Object(self._key(path)).put(Body=content.read())

    def delete(self, path: str) -> None:
        with _as_os_errors():
            self.bucket.Object(self._key(path)).delete()

    def move(self, source: str, target: str) -> None:
        with _as_os_errors():
            keys = [one.key for one in self.bucket.objects.filter(Prefix=self._key(f"{source}/"))]
            for key in keys:
                moved = self._key(f"{target}/{key[len(self._key(f'{source}/')) :]}")
                self.bucket.Object(moved).copy({"Bucket": self.bucket.name, "Key": key})
            # Only once all copies are there: an object that is gone has its copy.
            for key in keys:
                self.bucket.Object(key).delete()


class _Body:
    """The content of an object, whose errors are OSErrors."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def read(self, size: int = -1) -> bytes:
        with _as_os_errors():
            content: bytes = self._body.read(None if size < 0 else size)
            return content

    def __enter__(self) -> _Body:
        return self

    def __exit__(self, *_error: object) -> None:
        self._body.close()


@contextmanager
def _as_os_errors() -> Iterator[None]:
    # Imported here, because an installation without S3 would load botocore in every process for nothing.
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("NoSuchKey", "404"):
            raise FileNotFoundError(str(error)) from error
        raise OSError(str(error)) from error
    except BotoCoreError as error:
        raise OSError(type(error).__name__) from error
