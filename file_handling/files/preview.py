"""The first rows of a stored file, read by a process of its own with limits on its memory and time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings

# Named, not imported: what reads files stands above this app.
_READER_MODULE = "reading.child"
_SECONDS = 60
_ENVIRONMENT = ("PATH", "LANG", "PYTHONPATH", "VIRTUAL_ENV", "TMPDIR")


class PreviewFailed(Exception):
    """The file cannot be read; `problem` is the code that the reader gave."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def preview_file(path: str, *, name: str, rows: int = 10, sheet: str | None = None) -> dict[str, Any]:
    """`sheets`, `sheet`, `columns`, `rows` (lists of text or null), `total_rows`, `total_columns` of a file.

    Raises PreviewFailed.
    """
    with tempfile.TemporaryDirectory(prefix="preview-") as folder:
        out = Path(folder)
        job = {"mode": "preview", "path": path, "name": name, "rows": rows, "sheet": sheet, "out": folder}
        (out / "job.json").write_text(json.dumps(job | {"parent": os.getpid()}))
        kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        try:
            done = subprocess.run(
                [sys.executable, "-m", _READER_MODULE, str(out / "job.json")],
                cwd=settings.BASE_DIR,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_SECONDS,
                env=kept,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise PreviewFailed("reader_too_slow") from error
        if done.returncode != 0:
            raise PreviewFailed("reader_crashed")
        facts: dict[str, Any] = json.loads((out / "facts.json").read_text())
    if facts["problems"]:
        raise PreviewFailed(facts["problems"][0]["code"])
    return {key: facts[key] for key in ("sheets", "sheet", "columns", "rows", "total_rows", "total_columns")}
