"""Sheets from which accounts are created."""

from __future__ import annotations

import io
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook

PREVIEW = "/api/v1/users/import/preview/"
IMPORT = "/api/v1/users/import/"
HEADER = "first_name,last_name,email,role"
GOOD = f"{HEADER}\nAfi,Lawson,afi@example.org,CHEF_DEPT_TECH\nKossi,Amegan,kossi@example.org,RESP_OPERATEUR\n"


def sheet_text(content: str | bytes, name: str = "people.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)


def sheet_workbook(rows: list[list[Any]], name: str = "people.xlsx") -> SimpleUploadedFile:
    book = Workbook()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]
    out = io.BytesIO()
    book.save(out)
    return SimpleUploadedFile(name, out.getvalue())
