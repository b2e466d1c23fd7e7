"""Where a record came from: links to its file, row and session, as far as the account may open them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Value
from django.urls import reverse

from file_handling.models import File, ImportSession
from users.models import User


@dataclass(frozen=True)
class Place:
    """A row of a file, or a file (`row` is None). `preview` and `source` are empty where the account may not read it.

    `preview`: the address of the row in the preview of the file; `source`: that of the records that came from it.
    `converted_by`: name and version of the converter that made the file in which sheet and row are.
    """

    name: str
    sheet: str
    row: int | None
    preview: str = ""
    source: str = ""
    converted_by: str = ""


class Origins:
    """Files and sessions of some records, read in one statement. Data-entry managers see names without links."""

    def __init__(self, user: User, *, files: Iterable[int | None] = (), sessions: Iterable[int | None] = ()) -> None:
        wanted: dict[Any, set[int]] = {
            File: {pk for pk in files if pk},
            ImportSession: {pk for pk in sessions if pk},
        }
        of_files, of_sessions = (
            model.objects.visible_to(user).filter(pk__in=pks).order_by().values_list(Value(model.__name__), "pk")
            for model, pks in wanted.items()
        )
        self._visible = set(of_files.union(of_sessions, all=True))

    def place(self, file: File | None, sheet: str = "", row: int | None = None) -> Place | None:
        """None for a record whose file was deleted and of which no row is known."""
        if file is None:
            return None if row is None else Place("", sheet, row)
        if ("File", file.pk) not in self._visible:
            return Place(file.name, sheet, row, converted_by=file.converted_by())
        if row is None:
            return Place(
                file.name, sheet, row, preview=reverse("page-file", args=[file.pk]), converted_by=file.converted_by()
            )
        at = {"sheet": sheet, "row": row} if sheet else {"row": row}
        return Place(
            file.name,
            sheet,
            row,
            preview=f"{reverse('page-file-preview', args=[file.pk])}?{urlencode(at)}",
            source=f"{reverse('page-source')}?{urlencode({'file': file.pk, **at})}",
            converted_by=file.converted_by(),
        )

    def session(self, session_id: int | None) -> tuple[int, str] | None:
        """The number of a session and its address, which is empty where the account may not open it."""
        if session_id is None:
            return None
        return session_id, reverse("page-import", args=[session_id]) if (
            "ImportSession",
            session_id,
        ) in self._visible else ""
