"""Any rows of any sheet of a stored file, which is read once and kept on disk for some minutes.

Of a converted file, they are the rows of what it was converted into. To read a large workbook takes seconds, and a
person who looks for a row opens several pages. What is kept lies in the folder for temporary files of this
installation, never in a cache that installations share: it has personal data.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from file_handling.converters.conversions import require_content
from file_handling.files.storage import on_local_disk
from file_handling.models import File
from file_handling.reading_limits import reading_limits
from reading import process
from reading.problems import Problem, UnreadableFile
from reading.sources import Source

KEPT_SECONDS = 600
KEPT_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True)
class SheetRows:
    """Some rows of a sheet.

    `sheets`: the names of all sheets, none for CSV. `columns`: (letter, text of the header, "" for none) of each column
    shown. `header_row`: its number, 0 for none. `rows`: (number as a spreadsheet shows it, cells). `total_rows` and
    `total_columns`: of the sheet.
    """

    sheets: list[str]
    sheet: str
    columns: list[tuple[str, str]]
    header_row: int
    rows: list[tuple[int, list[str | None]]]
    total_rows: int
    total_columns: int


def sheet_rows(file: File, *, first: int, count: int, sheet: str | None = None) -> SheetRows:
    """`count` rows of a sheet from the row `first` (1-based); fewer, or none, at its end. No sheet: the first one.

    Raises UnreadableFile (with one problem), and OSError when the disk is full.
    """
    # Imported here: a worker's main process, which forks, loads this module but must not load the frames library.
    import polars as pl

    require_content(file)
    try:
        with _kept_sheet(file, sheet) as (facts, frame_path):
            cells = pl.scan_ipc(frame_path).slice(max(0, first - 1), count).collect(engine="in-memory")
    except FileNotFoundError as missing:
        raise UnreadableFile([Problem("not_stored", file=file.name)]) from missing
    except process.ReaderKilled as killed:
        raise UnreadableFile([Problem("reader_interrupted", file=file.name)]) from killed
    headers = [*facts["columns"], *[""] * cells.width][: cells.width]
    return SheetRows(
        sheets=facts["sheets"],
        sheet=facts["sheet"],
        columns=[(_letter(facts["first_column"] + at), header) for at, header in enumerate(headers)],
        header_row=facts["header_row"],
        rows=[(number, list(row)) for number, row in enumerate(cells.iter_rows(), start=max(1, first))],
        total_rows=facts["total_rows"],
        total_columns=facts["total_columns"],
    )


def forget_sheets(file: File) -> None:
    """Delete what is kept of a file."""
    for path in _folder().glob(f"{_file_key(file)}*"):
        path.unlink(missing_ok=True)


@contextmanager
def _kept_sheet(file: File, sheet: str | None) -> Iterator[tuple[dict[str, Any], Path]]:
    """The facts and the frame of a sheet. Requests for one file wait for each other, so that it is read once."""
    folder, key = _folder(), _file_key(file)
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / f"{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        facts_path = folder / f"{key}-{_digest(sheet or '')}.json"
        if not facts_path.exists():
            _delete_old(folder)
            _read(file, sheet, folder, key)
        facts = json.loads(facts_path.read_text())
        frame_path = folder / f"{key}-{_digest(facts['sheet'])}.arrow"
        # The folder too: the sweeper deletes a folder that nothing has changed for long.
        for path in (facts_path, frame_path, folder):
            os.utime(path)
        yield facts, frame_path


def _read(file: File, sheet: str | None, folder: Path, key: str) -> None:
    """Read the sheet. Its facts are kept under its name, too, where the first sheet was asked for without one."""
    target = folder / f"{key}-new.arrow"
    content = file.content()
    with on_local_disk(storage=content.storage, name=content.name or "") as path:
        facts = process.whole_sheet(Source(str(path), file.read_name(), sheet), target=target, limits=reading_limits())
    target.replace(folder / f"{key}-{_digest(facts['sheet'])}.arrow")
    for name in {sheet or "", facts["sheet"]}:
        (folder / f"{key}-{_digest(name)}.json").write_text(json.dumps(facts))


def _delete_old(folder: Path) -> None:
    """Delete what nobody has looked at for KEPT_SECONDS, and the oldest of what exceeds KEPT_BYTES."""
    kept, now = 0, time.time()
    found = []
    for path in folder.iterdir():
        try:
            found.append((path.stat().st_mtime, path.stat().st_size, path))
        except FileNotFoundError:
            # Another request deleted it.
            continue
    for changed, size, path in sorted(found, reverse=True):
        kept += size
        if path.is_file() and (now - changed > KEPT_SECONDS or kept > KEPT_BYTES):
            path.unlink(missing_ok=True)


def _folder() -> Path:
    return Path(settings.UPLOAD_DIR) / "sheets"


def _file_key(file: File) -> str:
    # A stored object never changes and its name is never used again, so the name stands for the content.
    return _digest(file.content().name or "")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _letter(at: int) -> str:
    """The letter of a column (0-based) as a spreadsheet shows it: 0 → A, 26 → AA."""
    letters = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
