"""The lines of a session's files as read, for checks of corrections: those that were kept, and others from the files,
which are read in child processes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from file_handling.files.storage import on_local_disk
from file_handling.models import File, FileType, ImportSession
from file_handling.reading_limits import reading_limits
from importer.corrections.kept_lines import kept_lines
from reading.columns import FileKind
from reading.problems import Problem, UnreadableFile
from reading.process import ReaderKilled, ReadJob, start_lines
from reading.sources import Source

# Id of the file, sheet, row.
LinePlace = tuple[int, str, int]
# The text of each field as read, null where it is empty.
Line = Mapping[str, str | None]


@dataclass(frozen=True)
class SessionFiles:
    """The files of a session by their ids, in the order in which a run reads them."""

    stat: File
    recap: list[File]

    @classmethod
    def of(cls, session: ImportSession) -> SessionFiles | None:
        """None where files of the session were deleted."""
        if session.stat_file is None or session.recap_file is None:
            return None
        return cls(session.stat_file, session.recap_file.all_pages())

    def all(self) -> list[File]:
        return [self.stat, *self.recap]

    def by_id(self) -> dict[int, File]:
        return {file.pk: file for file in self.all()}

    def of_side(self, kind: FileKind) -> list[File]:
        return [self.stat] if kind == FileType.STAT else self.recap

    def kind_of(self, file: File) -> FileKind:
        return "stat" if file.pk == self.stat.pk else "recap"


def lines_at(*, session: ImportSession, files: SessionFiles, places: Iterable[LinePlace]) -> dict[LinePlace, Line]:
    """The lines at those places that are lines of their files. Only files with a place of which no line was kept are
    read.

    Raises UnreadableFile, and OSError (ENOSPC) when the disk is full.
    """
    wanted = set(places)
    found = kept_lines(session.pk, wanted)
    wanted -= found.keys()
    if not wanted:
        return found
    with tempfile.TemporaryDirectory(prefix="lines-", dir=settings.UPLOAD_DIR) as folder, ExitStack() as stack:
        # Both sides are read at the same time.
        jobs = [
            (read, stack.enter_context(job))
            for kind in ("stat", "recap")
            for read, job in _started(stack, kind, session, files, wanted, Path(folder))
        ]
        for read, job in jobs:
            with _as_unreadable(read):
                result = job.wait()
            if result.problems:
                raise UnreadableFile(result.problems)
            found |= {(read[at].pk, sheet, row): line for (at, sheet, row), line in result.lines.items()}
    return found


def _started(
    stack: ExitStack, kind: FileKind, session: ImportSession, files: SessionFiles, wanted: set[LinePlace], folder: Path
) -> Iterator[tuple[list[File], ReadJob]]:
    named = {file_id for file_id, _sheet, _row in wanted}
    read = [file for file in files.of_side(kind) if file.pk in named]
    if not read:
        return
    index = {file.pk: at for at, file in enumerate(read)}
    with _as_unreadable(read):
        paths = [stack.enter_context(on_local_disk(storage=f.file.storage, name=f.file.name or "")) for f in read]
    sheet = session.stat_sheet or None if kind == FileType.STAT else None
    yield (
        read,
        start_lines(
            kind=kind,
            files=[Source(str(path), file.name, sheet) for file, path in zip(read, paths, strict=True)],
            places=[(index[file_id], *rest) for file_id, *rest in wanted if file_id in index],  # type: ignore[misc]
            out_dir=folder / kind,
            limits=reading_limits(),
        ),
    )


@contextmanager
def _as_unreadable(files: list[File]) -> Iterator[None]:
    """What keeps stored files from being read, as problems of them."""
    try:
        yield
    except FileNotFoundError as missing:
        raise UnreadableFile([Problem("not_stored", file=files[0].name)]) from missing
    except ReaderKilled as killed:
        raise UnreadableFile([Problem("reader_interrupted")]) from killed
