"""Files for the tests of reading, written byte by byte where no library writes them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from reading.columns import RECAP_COLUMNS, STAT_COLUMNS, FileKind
from reading.limits import Limits
from reading.problems import Problem, UnreadableFile
from reading.sources import Source, read_file

STAT_HEADERS = [column.header for column in STAT_COLUMNS]
RECAP_HEADERS = [column.header for column in RECAP_COLUMNS]
_STAT_LINE = {
    "employer": "PORT DU GOLFE",
    "card_number": "C1001",
    "beneficiary": "LAWSON AFI",
    "insured_status": "A",
    "policy_number": "SN-1",
    "main_insured": "LAWSON AFI",
    "partner": "CLINIQUE BIASA",
    "claim_status": "Réglée",
    "incident_date": "01/02/2023",
    "settlement_date": "03/02/2023",
    "act_category": "IMAGERIES",
    "act": "RADIOGRAPHIE",
    "claimed_amount": "1000",
    "reimbursed_amount": "800",
}


def stat_line(number: str, **values: Any) -> list[Any]:
    cells = _STAT_LINE | {"claim_number": number} | values
    return [cells.get(column.field, "") for column in STAT_COLUMNS]


def recap_row(number: str, **values: Any) -> list[Any]:
    cells = {"claim_number": number, "settlement_date": "03/02/2023", "claimed_amount": 1000, "reimbursed_amount": 800}
    cells |= values
    return [cells.get(column.field, "") for column in RECAP_COLUMNS]


def write_xlsx(path: Path, sheets: dict[str, Sequence[Sequence[Any]]], *, shared: bool = True, **options: Any) -> Path:
    """`shared`: texts are shared strings, as Excel writes them; else they are in the cells, as in streamed files."""
    book = xlsxwriter.Workbook(path, options | {"constant_memory": not shared, "strings_to_formulas": False})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
    book.close()
    return path


def write_csv(path: Path, rows: Sequence[Sequence[Any]], *, separator: str = ";", encoding: str = "utf-8") -> Path:
    text = "".join(separator.join(str(cell) for cell in row) + "\r\n" for row in rows)
    path.write_bytes(text.encode(encoding))
    return path


def package(
    sheet_xml: str | bytes, *, workbook: str | None = None, styles: str = "", extra: dict[str, bytes] | None = None
) -> bytes:
    """A workbook of one sheet, `Feuil1`, with this XML."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    ml = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{types}"><Default Extension="rels" ContentType="application/vnd.openxml'
        f'formats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="{ml}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{ml}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{relations}"><Relationship Id="rId1" Type="{office}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": workbook
        or f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="Feuil1" sheetId="1" r:id="rId1"/></sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{relations}"><Relationship Id="rId1" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="{office}/styles" '
        'Target="styles.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": sheet_xml,
    }
    if styles:
        parts["xl/styles.xml"] = styles
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (parts | (extra or {})).items():
            archive.writestr(name, data)
    return buffer.getvalue()


def worksheet(cells: str, *, before: str = "") -> str:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    start = f'<?xml version="1.0" encoding="UTF-8"?>{before}<worksheet xmlns="{main}">'
    return f"{start}<sheetData>{cells}</sheetData></worksheet>"


def inline(reference: str, text: str) -> str:
    return f'<c r="{reference}" t="inlineStr"><is><t>{text}</t></is></c>'


def header_row(headers: Sequence[str]) -> str:
    letters = [chr(65 + at) for at in range(len(headers))]
    cells = (inline(f"{letter}1", header) for letter, header in zip(letters, headers, strict=True))
    return f'<row r="1">{"".join(cells)}</row>'


def read(path: Path, *, kind: FileKind, sheet: str | None = None, limits: Limits | None = None) -> pl.DataFrame:
    return read_file(Source(str(path), path.name, sheet), index=0, kind=kind, limits=limits or Limits()).frame


def problems_of(path: Path, *, kind: FileKind, sheet: str | None = None, limits: Limits | None = None) -> list[Problem]:
    try:
        read(path, kind=kind, sheet=sheet, limits=limits)
    except UnreadableFile as refused:
        return refused.problems
    return []
