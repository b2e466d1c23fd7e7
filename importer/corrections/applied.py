"""The corrections that a run applies to its files, as the reading processes take them (DOMAIN §13)."""

from __future__ import annotations

from collections.abc import Sequence

from file_handling.models import Correction, File, ImportSession
from reading.corrections import CellCorrection, Corrections


def corrections_of_run(session: ImportSession, *sides: Sequence[File]) -> list[Corrections]:
    """For each side, the newest correction of every cell, with the indices of the side's files.

    They are those that were made before the session, so that a second run of it has the same; without those that
    were withdrawn meanwhile. A content that a side has twice is corrected twice.
    """
    newest = {(one.sha256, one.sheet, one.row, one.field): one for one in Correction.objects.of_session(session)}
    return [_of_side(list(newest.values()), files) for files in sides]


def _of_side(corrections: Sequence[Correction], files: Sequence[File]) -> Corrections:
    indices: dict[str, list[int]] = {}
    for index, file in enumerate(files):
        indices.setdefault(file.sha256, []).append(index)
    placed = [(index, one) for one in corrections for index in indices.get(one.sha256, [])]
    return Corrections(
        cells=[
            CellCorrection(index, one.sheet, one.row, one.field, one.was, one.value)
            for index, one in placed
            if not one.removes_row
        ],
        removals=[(index, one.sheet, one.row) for index, one in placed if one.removes_row],
    )
