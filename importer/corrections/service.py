"""Correcting a session: a new session with the same files, which first stops in REVIEW (DOMAIN §13)."""

from __future__ import annotations

from collections.abc import Sequence

from file_handling.models import ImportSession
from importer.corrections.entries import CellEntry, RemoveEntry
from users.models import User


def correct(
    session: ImportSession,
    *,
    cells: Sequence[CellEntry],
    removals: Sequence[RemoveEntry],
    user: User,
    origin: str,
) -> ImportSession:
    """Store the corrections and start a session with them; → that session, which waits for a worker.

    Raises InvalidEntries with the problems of all entries, Conflict when the session does not allow corrections,
    UnreadableFile when its files can no longer be read.
    """
    raise NotImplementedError
