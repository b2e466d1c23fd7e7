"""A person with a correction workbook: opens it, changes cells, saves it, sends it back."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl.worksheet.worksheet import Worksheet
from rest_framework.response import Response

from tests.support.api_user import API, ApiUser
from tests.support.responses import content_of

# The first row of a list below its header.
FIRST_ROW = 3


class CorrectionWorkbook:
    """A workbook as downloaded. Columns have the names that the hidden first row of a list has."""

    def __init__(self, content: bytes) -> None:
        self.book = openpyxl.load_workbook(io.BytesIO(content))

    @classmethod
    def of(cls, user: ApiUser, session_id: int, language: str = "en") -> CorrectionWorkbook:
        response = ask_for_workbook(user, session_id, language)
        assert response.status_code == 200, content_of(response)
        return cls(content_of(response))

    @property
    def stat(self) -> Worksheet:
        return self._list("stat")

    @property
    def recap(self) -> Worksheet:
        return self._list("recap")

    def _list(self, side: str) -> Worksheet:
        return next(sheet for sheet in self.book if f"/{side}/" in str(sheet["A1"].value))

    def cell(self, sheet: Worksheet, row: int, name: str) -> Any:
        """The cell of a column in the row that a spreadsheet shows under this number."""
        names = [cell.value for cell in sheet[1]]
        return sheet.cell(row, names.index(name) + 1)

    def rows(self, sheet: Worksheet) -> list[dict[str, Any]]:
        names = ["key", *[cell.value for cell in sheet[1]][1:]]
        return [dict(zip(names, row, strict=True)) for row in sheet.iter_rows(min_row=FIRST_ROW, values_only=True)]

    def row_of(self, sheet: Worksheet, claim: str, at: int = 0) -> int:
        """The number of a row of the claim, of several the one at this position."""
        found = [number for number, row in enumerate(self.rows(sheet), FIRST_ROW) if row["claim"] == claim]
        return found[at]

    def upload(self, name: str = "corrections.xlsx") -> SimpleUploadedFile:
        content = io.BytesIO()
        self.book.save(content)
        return SimpleUploadedFile(name, content.getvalue())


def ask_for_workbook(user: ApiUser, session_id: int, language: str = "en") -> Response:
    address = f"{API}import-sessions/{session_id}/corrections/workbook/"
    return user.client.get(address, headers={"accept-language": language})


def send_back(user: ApiUser, session_id: int, upload: Any, language: str = "en") -> Response:
    return user.client.post(
        f"{API}import-sessions/{session_id}/corrections/",
        {"workbook": upload},
        format="multipart",
        headers={"accept-language": language},
    )
