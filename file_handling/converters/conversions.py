"""Converts a stored file and stores the result beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db.models import Q
from django.utils import timezone

from file_handling.converters import calling
from file_handling.converters.calling import Converted, Failure
from file_handling.files.checks import content_problems
from file_handling.files.heads import HEAD_SECONDS, expected_kind
from file_handling.files.storage import all_or_nothing, delete_after_commit, sha256_and_size
from file_handling.models import (
    WILL_READ,
    Converter,
    File,
    FileType,
    ImportSession,
    converted_file_name,
)
from file_handling.reading_limits import reading_limits
from reading.formats import extension_of
from reading.problems import Problem, UnreadableFile
from reading.process import inspect_heads
from reading.sources import Source

_CHUNK = 1024 * 1024


class Unreadable(Failure):
    """The answer is no file that Concord reads. `problems`: all that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("unreadable")
        self.problems = problems


def has_conversion(file: File, *, converter: Converter | None, session: ImportSession) -> bool:
    """Whether the stored conversion of `file` serves `session`, so that the converter need not be asked.

    It does while the converter has the same version; and for good once another session relies on its rows.
    """
    if not file.converted:
        return False
    if converter is None or (file.converter_id == converter.pk and file.converter_version == converter.version):
        return True
    first = file.first_page_id or file.pk
    others = ImportSession.objects.exclude(pk=session.pk).filter(Q(stat_file=first) | Q(recap_file=first))
    return others.filter(Q(written_at__isnull=False) | Q(status__in=WILL_READ)).exists()


def convert(file: File, *, converter: Converter, language: str, fence: Callable[[], None]) -> None:
    """Convert `file` and store the result, also on the instance. The converter's version is noted.

    `fence` is called inside the transaction that stores, and raises where the session is no longer the caller's.
    Raises Failure, NoAnswer (`calling`), OSError when the storage is full.
    """
    with file.file.open("rb") as source:
        content = source.read()
    converted = calling.convert(
        converter, content=content, extension=extension_of(file.name), kind=file.file_type, language=language
    )
    name = f"{file.name}.{converted.extension}"
    with TemporaryUploadedFile(name, "application/octet-stream", len(converted.content), None) as answer:
        for at in range(0, len(converted.content), _CHUNK):
            answer.write(converted.content[at : at + _CHUNK])
        answer.flush()
        _require_readable(answer, name=name, kind=FileType(file.file_type))
        _store(file, answer, converter, converted, fence)


def _require_readable(answer: TemporaryUploadedFile, *, name: str, kind: FileType) -> None:
    """The checks of an upload: its bytes, then its first rows in a child process. Raises Unreadable.

    A table that lacks columns is stored: the run names them.
    """
    problems = [replace(problem, file=name) for problem in content_problems(answer, name=name)]
    if not problems:
        source = Source(path=str(Path(answer.temporary_file_path())), name=name)
        (head,) = inspect_heads([(source, expected_kind(kind))], limits=reading_limits(), seconds=HEAD_SECONDS)
        problems = [] if head is None or head.is_readable else list(head.problems)
    if problems:
        raise Unreadable(problems)


def _store(
    file: File,
    answer: TemporaryUploadedFile,
    converter: Converter,
    converted: Converted,
    fence: Callable[[], None],
) -> None:
    digest, size = sha256_and_size(answer)
    storage = file.converted.storage
    with all_or_nothing() as stored:
        fence()
        File.objects.select_for_update().get(pk=file.pk)
        former = file.converted.name
        fields: dict[str, Any] = {
            "converted": stored.put(
                storage=storage, name=converted_file_name(file, f"x.{converted.extension}"), content=answer
            ),
            "converted_size": size,
            "converted_sha256": digest,
            "converted_at": timezone.now(),
            "converter": converter,
            "converter_name": converted.service.name,
            "converter_version": converted.service.version,
        }
        for field, value in fields.items():
            setattr(file, field, value)
        file.save(update_fields=list(fields))
        Converter.objects.filter(pk=converter.pk).update(version=converted.service.version)
        if former:
            delete_after_commit(storage=storage, names=[former])


def require_content(file: File) -> None:
    """Raises UnreadableFile for a file that must be converted first."""
    if not file.is_read_directly() and not file.converted:
        raise UnreadableFile([Problem("not_converted", file=file.name)])
