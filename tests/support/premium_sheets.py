"""Files of premiums, and clients to whom they belong."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook

from common.keys import label_key
from core.models import Client
from tests.support.cast import Cast
from users.models import Country

PREMIUMS = "/api/v1/premiums/"
IMPORT, PREVIEW = f"{PREMIUMS}import/", f"{PREMIUMS}import/preview/"
HEADER = "Employeur;Prime;Début;Fin;Effectif"
Rows = Sequence[Sequence[Any]]


def make_client(country: Country, name: str) -> Client:
    return Client.objects.create(country=country, name=name, key=label_key(name))


def sheet_text(*lines: str, header: str = HEADER, name: str = "primes.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, "\r\n".join([header, *lines]).encode())


def workbook(sheets: dict[str, Rows], name: str = "primes.xlsx") -> SimpleUploadedFile:
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return SimpleUploadedFile(name, out.getvalue())


def send(cast: Cast, actor: str, path: str, file: SimpleUploadedFile, **more: Any) -> Any:
    return cast.client(actor).post(path, {"file": file, **more}, format="multipart")
