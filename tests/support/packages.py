"""Workbooks as other programs lay them out: each a package that Excel opens and Excel itself would not write."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Callable, Iterable

import xlrd

Parts = dict[str, bytes]

_OFFICE = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_STRICT = b"http://purl.oclc.org/ooxml/"
_RELATIONS = "xl/_rels/workbook.xml.rels"


def parts_of(workbook: bytes) -> Parts:
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def package_of(parts: Iterable[tuple[str, bytes]], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in parts:
            # The constructor of ZipInfo would replace back slashes on some systems.
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            archive.writestr(info, data)
    return buffer.getvalue()


def with_names(rename: Callable[[str], str]) -> Callable[[bytes], bytes]:
    """A change of the entries' names alone."""
    return lambda workbook: package_of((rename(name), data) for name, data in parts_of(workbook).items())


def with_parts(change: Callable[[Parts], None]) -> Callable[[bytes], bytes]:
    def changed(workbook: bytes) -> bytes:
        parts = parts_of(workbook)
        change(parts)
        return package_of(parts.items())

    return changed


def with_data(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return lambda workbook: package_of((name, change(data)) for name, data in parts_of(workbook).items())


def _main_part_elsewhere(target: str, folder: str, base: str) -> Callable[[bytes], bytes]:
    def change(parts: Parts) -> None:
        for name in [name for name in parts if name.startswith("xl/")]:
            moved = name.removeprefix("xl/").replace("workbook.xml", base)
            parts[folder + moved] = parts.pop(name)
        parts["_rels/.rels"] = parts["_rels/.rels"].replace(b"xl/workbook.xml", target.encode())

    return with_parts(change)


def _renamed(part: str, new: str) -> Callable[[bytes], bytes]:
    """A part under another name, and the relationship that leads there."""

    def change(parts: Parts) -> None:
        parts[f"xl/{new}"] = parts.pop(f"xl/{part}")
        parts[_RELATIONS] = parts[_RELATIONS].replace(part.encode(), new.encode())

    return with_parts(change)


def _in_other_case(parts: Parts) -> None:
    """As some exporters write the texts: the relationship and the entry differ in case."""
    parts["xl/SharedStrings.xml"] = parts.pop("xl/sharedStrings.xml")


def _listed(sheet: bytes) -> Callable[[bytes], bytes]:
    def change(parts: Parts) -> None:
        parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(b"<sheets>", b"<sheets>" + sheet)

    return with_parts(change)


def _with_macro_sheet(parts: Parts) -> None:
    parts["xl/macrosheets/sheet1.xml"] = b'<worksheet xmlns="' + _MAIN + b'"/>'
    relation = (
        b'<Relationship Id="rIdM" Type="http://schemas.microsoft.com/office/2006/relationships/xlMacrosheet"'
        b' Target="macrosheets/sheet1.xml"/></Relationships>'
    )
    parts[_RELATIONS] = parts[_RELATIONS].replace(b"</Relationships>", relation)
    sheet = b'<sheets><sheet name="Macro1" sheetId="9" state="veryHidden" r:id="rIdM"/>'
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(b"<sheets>", sheet)


def _with_targets(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    def changed(parts: Parts) -> None:
        parts[_RELATIONS] = re.sub(
            rb'Target="([^"]*)"', lambda match: b'Target="' + change(match[1]) + b'"', parts[_RELATIONS]
        )

    return with_parts(changed)


def _strict(data: bytes) -> bytes:
    return data.replace(_OFFICE, _STRICT + b"officeDocument/relationships").replace(
        _MAIN, _STRICT + b"spreadsheetml/main"
    )


def _with_prefix(parts: Parts) -> None:
    for name, data in parts.items():
        if name.startswith("xl/") and "theme" not in name and "_rels" not in name:
            parts[name] = re.sub(rb"<(/?)([A-Za-z])", rb"<\1x:\2", data).replace(b"xmlns=", b"xmlns:x=")


def _with_other_id_prefix(parts: Parts) -> None:
    main = parts["xl/workbook.xml"]
    parts["xl/workbook.xml"] = main.replace(b"xmlns:r=", b"xmlns:d3p1=").replace(b" r:id=", b" d3p1:id=")


def _utf_16(data: bytes) -> bytes:
    return data.decode().replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16")


def _twice(workbook: bytes) -> bytes:
    """A sheet's part stands twice in the archive: the later one counts."""
    parts = parts_of(workbook)
    empty = [(name, b'<worksheet xmlns="' + _MAIN + b'"/>') for name in parts if "worksheets/sheet" in name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile's own about the name that stands twice
        return package_of([*empty, *parts.items()])


def _streamed(workbook: bytes) -> bytes:
    """Sizes stand behind the data, as programs write that cannot go back in the file."""

    class Forward:
        def __init__(self) -> None:
            self.data = bytearray()

        def write(self, data: bytes) -> int:
            self.data += data
            return len(data)

        def flush(self) -> None:
            pass

    target = Forward()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        for name, data in parts_of(workbook).items():
            archive.writestr(name, data)
    return bytes(target.data)


def _zip64(workbook: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts_of(workbook).items():
            with archive.open(name, "w", force_zip64=True) as entry:
                entry.write(data)
    return buffer.getvalue()


# What is odd → the change that makes a plain workbook so.
def _with_column_range(data: bytes) -> bytes:
    return re.sub(rb'<dimension ref="[^"]*"/>', b'<dimension ref="A:M"/>', data)


ODD_PACKAGES: dict[str, Callable[[bytes], bytes]] = {
    "back slashes": with_names(lambda name: name.replace("/", "\\")),
    "upper case": with_names(str.upper),
    "lower case": with_names(str.lower),
    "leading slashes": with_names(lambda name: f"/{name}"),
    "leading dots": with_names(lambda name: f".\\{name}".replace("/", "\\")),
    "main part of another name": _main_part_elsewhere("xl/workbook22.xml", "xl/", "workbook22.xml"),
    "absolute target of the main part": _main_part_elsewhere("/xl/book.xml", "xl/", "book.xml"),
    "main part at the root": _main_part_elsewhere("book.xml", "", "book.xml"),
    "folder with escaped letters": _main_part_elsewhere("mes%20donn%C3%A9es/b.xml", "mes données/", "b.xml"),
    "texts of another name": _renamed("sharedStrings.xml", "texts.xml"),
    "texts in another case": with_parts(_in_other_case),
    "styles of another name": _renamed("styles.xml", "look.xml"),
    "listed sheet with an empty id": _listed(b'<sheet name="Module1" sheetId="9" state="veryHidden" r:id=""/>'),
    "listed sheet without an id": _listed(b'<sheet name="Module1" sheetId="9"/>'),
    "listed sheet without a part": _listed(b'<sheet name="Module1" sheetId="9" r:id="rId99"/>'),
    "macro sheet of Excel 4": with_parts(_with_macro_sheet),
    "absolute targets": _with_targets(lambda target: b"/xl/" + target),
    "targets through the parent": _with_targets(lambda target: b"../xl/./" + target),
    "targets with back slashes": _with_targets(lambda target: target.replace(b"/", b"\\")),
    "strict": with_data(_strict),
    "prefixes": with_parts(_with_prefix),
    "another prefix of the id": with_parts(_with_other_id_prefix),
    "UTF-16": with_data(_utf_16),
    "byte-order marks": with_data(lambda data: b"\xef\xbb\xbf" + data),
    "a part twice": _twice,
    "sizes behind the data": _streamed,
    "zip64": _zip64,
    "range of whole columns": with_data(_with_column_range),
}


def bare_stream(xls: bytes) -> bytes:
    """The stream of an old workbook without its OLE container, as old exporters write it."""
    document = xlrd.compdoc.CompDoc(xls)
    stream: bytes = document.get_named_stream("Workbook")
    return stream
