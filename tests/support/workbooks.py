"""The cells of a workbook as its XML has them, which a library that reads workbooks would round."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO


def numbers_in_column(workbook: bytes, *, sheet: int, column: str) -> list[str]:
    """The texts of the numbers in a column (a letter) of a sheet (counted from 1), from the top."""
    with zipfile.ZipFile(BytesIO(workbook)) as archive:
        xml = archive.read(f"xl/worksheets/sheet{sheet}.xml").decode()
    return re.findall(rf'<c r="{column}\d+"(?![^>]*t=)[^>]*><v>([^<]*)</v>', xml)
