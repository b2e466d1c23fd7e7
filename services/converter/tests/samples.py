"""Small files of the formats that are converted, written byte by byte."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Sequence

Rows = Sequence[Sequence[str | float]]


def _zip(parts: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return target.getvalue()


# ------------------------------------------------------------------------------------------------ .ods


def ods(sheets: dict[str, Rows], *, day: str = "") -> bytes:
    """`day`: an ISO date that is added as the last cell of each sheet."""
    tables = []
    for name, rows in sheets.items():
        lines = "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows)
        if day:
            lines += (
                f'<table:table-row><table:table-cell office:value-type="date" office:date-value="{day}">'
                "<text:p>a day</text:p></table:table-cell></table:table-row>"
            )
        tables.append(f'<table:table table:name="{name}">{lines}</table:table>')
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    body = f"<office:body><office:spreadsheet>{''.join(tables)}</office:spreadsheet></office:body>"
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces}>{body}</office:document-content>'
    )
    manifest = (
        '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/></manifest:manifest>'
    )
    return _zip(
        {"mimetype": kind.encode(), "content.xml": content.encode(), "META-INF/manifest.xml": manifest.encode()}
    )


def _ods_cell(value: str | float) -> str:
    if isinstance(value, str):
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'
    shown = f"<text:p>{value}</text:p>"
    return f'<table:table-cell office:value-type="float" office:value="{value}">{shown}</table:table-cell>'


# ------------------------------------------------------------------------------------------------ .xlsb


def xlsb(name: str, rows: Rows) -> bytes:
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    types = (
        f'<Types xmlns="{package}/content-types"><Default Extension="bin" '
        'ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/>'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>'
    )

    def relation(kind: str, target: str) -> bytes:
        one = f'<Relationship Id="rId1" Type="{office}/{kind}" Target="{target}"/>'
        return f'<?xml version="1.0"?><Relationships xmlns="{package}/relationships">{one}</Relationships>'.encode()

    book = b"".join(
        [_record(0x83), _record(0x8F), _record(0x9C, struct.pack("<II", 0, 1) + _text("rId1") + _text(name)),
         _record(0x90), _record(0x9D, bytes(26)), _record(0x84)]
    )  # fmt: skip
    widest = max(map(len, rows))
    cells = [_record(0x81), _record(0x94, struct.pack("<IIII", 0, len(rows) - 1, 0, widest - 1)), _record(0x91)]
    for at, row in enumerate(rows):
        cells.append(_record(0x00, struct.pack("<I", at) + bytes(13)))
        for column, value in enumerate(row):
            place = struct.pack("<II", column, 0)
            if isinstance(value, str):
                cells.append(_record(0x06, place + _text(value)))
            else:
                cells.append(_record(0x05, place + struct.pack("<d", value)))
    cells += [_record(0x92), _record(0x82)]
    return _zip(
        {
            "[Content_Types].xml": types.encode(),
            "_rels/.rels": relation("officeDocument", "xl/workbook.bin"),
            "xl/_rels/workbook.bin.rels": relation("worksheet", "worksheets/sheet1.bin"),
            "xl/workbook.bin": book,
            "xl/worksheets/sheet1.bin": b"".join(cells),
        }
    )


def _record(kind: int, data: bytes = b"") -> bytes:
    head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    return head + _length(len(data)) + data


def _length(number: int) -> bytes:
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def _text(value: str) -> bytes:
    return struct.pack("<I", len(value)) + value.encode("utf-16-le")


# ------------------------------------------------------------------------------------------------ .pdf


def pdf(pages: Sequence[Sequence[Sequence[str]]], *, lines: bool = True) -> bytes:
    """A table on each page, with or without lines around its cells."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for rows in pages:
        drawn = _drawn(rows, lines=lines)
        objects.append(f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream")
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 700 800] /Resources << /Font << /F1 3 0 R >> >> "
            f"/Contents {len(objects)} 0 R >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{' '.join(kids)}] >>"
    content, places = "%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(content))
        content += f"{number} 0 obj\n{one}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    content += f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\n"
    return f"{content}startxref\n{content.index('xref')}\n%%EOF\n".encode("latin-1")


def _drawn(rows: Sequence[Sequence[str]], *, lines: bool) -> str:
    parts = []
    for at, row in enumerate(rows):
        for column, text in enumerate(row):
            x, y = 40 + 150 * column, 740 - 20 * at
            if lines:
                parts.append(f"{x} {y} 150 20 re S")
            parts.append(f"BT /F1 9 Tf {x + 4} {y + 6} Td ({text}) Tj ET")
    return "\n".join(parts)
