"""What the first rows of files show when they arrive: their kind, their sheets, and what keeps them from being read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from file_handling.converters.registered import converters_for, is_read_directly
from file_handling.models import Converter, File, FileType
from file_handling.problem_texts import sentence
from file_handling.reading_limits import reading_limits
from reading.columns import FileKind
from reading.formats import extension_of
from reading.heads import Head
from reading.problems import Problem
from reading.process import inspect_heads
from reading.sources import Source
from users.models import Country, User

# Most heads need half a second. The rest is for old workbooks (.xls), which are read to their end.
HEAD_SECONDS = 10.0


@dataclass(frozen=True)
class HeadProblem:
    """One problem of the first rows: its code, a sentence in the active language, the file and its sheet."""

    code: str
    message: str
    file: str = ""
    sheet: str = ""


@dataclass(frozen=True)
class FileHead:
    """`recognised_as`: the kind that the columns show, None for neither. `sheets`: the sheets that show it.

    `problems`: all that keeps the file from being imported. `is_known`: False where the first rows were not looked at
    in time, which is no problem of the file: the run looks again. `converter`: the name of the converter without which
    the file cannot be read; its head is not known.
    """

    recognised_as: FileType | None = None
    sheets: Sequence[str] = ()
    problems: Sequence[HeadProblem] = ()
    is_readable: bool = True
    is_known: bool = True
    converter: str = ""


def look_at(files: Sequence[tuple[str, Path, FileType | None]], *, seconds: float = HEAD_SECONDS) -> list[FileHead]:
    """The head of each file, in their order. With each its name, its path and the kind that was named, if any."""
    own = [(name, path, kind) for name, path, kind in files if is_read_directly(name)]
    sources = [(Source(path=str(path), name=name), expected_kind(kind)) for name, path, kind in own]
    looked = iter(inspect_heads(sources, limits=reading_limits(), seconds=seconds) if sources else [])
    converters = converters_for([name for name, _path, _kind in files])
    return [
        _as_file_head(next(looked)) if is_read_directly(name) else _unconverted(name, kind, converters)
        for name, _path, kind in files
    ]


def _unconverted(name: str, kind: FileType | None, converters: Mapping[str, Converter]) -> FileHead:
    """The head of a file that a converter reads."""
    converter = converters.get(extension_of(name))
    if converter is not None:
        return FileHead(recognised_as=kind, is_known=False, converter=converter.name)
    problem = Problem("no_converter", file=name)
    return FileHead(problems=[HeadProblem(problem.code, sentence(problem), file=name)], is_readable=False)


def expected_kind(kind: FileType | None) -> FileKind | None:
    if kind is None:
        return None
    return "stat" if kind == FileType.STAT else "recap"


def _as_file_head(head: Head | None) -> FileHead:
    if head is None:
        return FileHead(is_known=False)
    return FileHead(
        recognised_as=None if head.recognised_as is None else FileType(head.recognised_as),
        sheets=head.sheets,
        problems=[HeadProblem(one.code, sentence(one), file=one.file, sheet=one.sheet) for one in head.problems],
        is_readable=head.is_readable,
    )


def reasons_to_refuse(head: FileHead, *, name: str, kind: FileType | None) -> list[str]:
    """Why a file with this head cannot be stored, as sentences; nothing for one that can."""
    if not head.is_known:
        if kind is not None:
            return []
        if head.converter:
            return [
                _(
                    "“%(file)s” will be converted by “%(converter)s” when it is imported, so its kind is not known yet."
                    " Send it with its kind: stat file or recap (`file_type`)."
                )
                % {"file": name, "converter": head.converter}
            ]
        return [
            _("Looking at “%(file)s” took too long. Send it with its kind, or save it as .xlsx and send that.")
            % {"file": name}
        ]
    if not head.is_readable or (kind is None and head.recognised_as is None):
        return [problem.message for problem in head.problems]
    return []


def of_all_pages(heads: Sequence[FileHead]) -> FileHead:
    """One head for the pages of one upload: the kind that they share, and the problems of all."""
    if len(heads) == 1:
        return heads[0]
    kinds = {head.recognised_as for head in heads}
    return FileHead(
        recognised_as=kinds.pop() if len(kinds) == 1 else None,
        problems=[problem for head in heads for problem in head.problems],
        converter=", ".join(dict.fromkeys(head.converter for head in heads if head.converter)),
    )


def same_content(files: Sequence[File], *, user: User, country: Country) -> dict[str, File]:
    """SHA-256 → the newest other file of the country with this content that the user may see."""
    earlier = (
        File.objects.visible_to(user)
        .filter(country=country, sha256__in={file.sha256 for file in files})
        .exclude(pk__in=[file.pk for file in files])
    )
    return {
        file.sha256: file
        for file in earlier.only("pk", "name", "sha256", "converted", "converter_name", "converter_version").order_by(
            "pk"
        )
    }
