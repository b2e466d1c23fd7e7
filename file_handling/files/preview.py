"""The first rows of a stored file, read with the limits of this installation."""

from __future__ import annotations

from typing import Any

from file_handling.converters.conversions import require_content
from file_handling.files.storage import on_local_disk
from file_handling.models import File
from file_handling.reading_limits import reading_limits
from reading import process
from reading.problems import Problem, UnreadableFile
from reading.sources import Source


def preview_file(file: File, *, rows: int, sheet: str | None = None) -> dict[str, Any]:
    """`sheets`, `sheet`, `columns`, `rows` (lists of text or null), `total_rows`, `total_columns` of a file;
    of a converted one, those of what it was converted into.

    Raises UnreadableFile (with one problem), and OSError when the disk is full.
    """
    require_content(file)
    content = file.content()
    try:
        with on_local_disk(storage=content.storage, name=content.name or "") as path:
            return process.preview(Source(str(path), file.read_name(), sheet), rows=rows, limits=reading_limits())
    except FileNotFoundError as missing:
        raise UnreadableFile([Problem("not_stored", file=file.name)]) from missing
    except process.ReaderKilled as killed:
        raise UnreadableFile([Problem("reader_interrupted", file=file.name)]) from killed
