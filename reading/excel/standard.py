"""Every workbook in the one form that all readers open: right ending, standard names, UTF-8.

Excel finds the parts of a package through its relationships; calamine knows most of them by name, and the guard reads
UTF-8 only. An odd package is therefore copied into the standard layout first. A standard one is left alone.
"""

from __future__ import annotations

import codecs
import os
import re
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.sax.saxutils import quoteattr

from reading.excel.guard import EntityWatch, Inflated
from reading.excel.ole import write_ole
from reading.excel.package import DAMAGED, DIMENSION, Package, chunks, open_package, refuse_damaged
from reading.formats import OLE, Format
from reading.limits import Limits
from reading.problems import Problem, UnreadableFile

_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_ENCODING = re.compile(rb"""\s*<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_ENCODINGS = frozenset({"utf-8", "utf-16", "utf-16-le", "utf-16-be", "ascii", "iso8859-1", "iso8859-15", "cp1252"})


@contextmanager
def standard_workbook(path: str, *, file_format: Format, limits: Limits) -> Iterator[str]:
    """A path under which every reader opens the workbook at `path`: the same, or a temporary copy or link.

    Raises UnreadableFile: what `open_package` refuses, `too_many_entries`, `inflates_too_much`, `entities`.
    """
    with tempfile.TemporaryDirectory(prefix="standard-") as folder:
        target = os.path.join(folder, f"workbook.{file_format}")
        if file_format == "xlsx":
            package = open_package(path)
            with package.archive:
                if not package.is_standard:
                    _copy_package(package, target, file_bytes=os.path.getsize(path), limits=limits)
        elif not _is_ole(path):
            write_ole(path, target)
        if not os.path.exists(target):
            if path.lower().endswith(f".{file_format}"):
                target = path
            else:
                # calamine goes by the ending of the name.
                os.symlink(os.path.abspath(path), target)
        yield target


def _is_ole(path: str) -> bool:
    with Path(path).open("rb") as file:
        return file.read(len(OLE)) == OLE


def _copy_package(package: Package, target: str, *, file_bytes: int, limits: Limits) -> None:
    """Write the sheets, texts and styles of `package` in the standard layout; the other parts are looked through."""
    infos = package.archive.infolist()
    if len(infos) > limits.max_entries:
        raise UnreadableFile([Problem("too_many_entries", params={"limit": limits.max_entries})])
    places: dict[str, list[str]] = {}
    for number, part in enumerate(package.sheets.values(), start=1):
        places.setdefault(part, []).append(f"xl/worksheets/sheet{number}.xml")
    for source, place in ((package.shared_strings, "xl/sharedStrings.xml"), (package.styles, "xl/styles.xml")):
        if source is not None:
            places.setdefault(source, []).append(place)
    inflated = Inflated(file_bytes=file_bytes, limits=limits)
    try:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as copy:
            for name, text in _frame(package).items():
                copy.writestr(name, text)
            for info in infos:
                # Of two entries with one name, the later one counts.
                is_last = package.archive.getinfo(info.filename) is info
                for place in places.get(info.filename, ()) if is_last else ():
                    with copy.open(place, "w", force_zip64=True) as entry:
                        for data in _as_utf_8(package.archive, info, inflated):
                            entry.write(data)
                if info.filename not in places or not is_last:
                    for _ in _watched(package.archive, info, inflated):
                        pass
    except RuntimeError as error:
        raise UnreadableFile([Problem("encrypted")]) from error
    except DAMAGED as error:
        raise refuse_damaged() from error


def _watched(archive: zipfile.ZipFile, info: zipfile.ZipInfo, inflated: Inflated) -> Iterator[bytes]:
    is_xml = info.filename.lower().endswith((".xml", ".rels", ".vml"))
    watch = EntityWatch()
    with archive.open(info) as part:
        for data in chunks(part):
            inflated.add(len(data))
            if is_xml:
                watch.feed(data)
            yield data


def _as_utf_8(archive: zipfile.ZipFile, info: zipfile.ZipInfo, inflated: Inflated) -> Iterator[bytes]:
    """The XML of a part as UTF-8, whatever its encoding, without the range that a sheet states, in pieces."""
    decoder: codecs.IncrementalDecoder | None = None
    is_first = True
    for data in _watched(archive, info, inflated):
        if is_first:
            encoding = _encoding(data)
            decoder = codecs.getincrementaldecoder(encoding)() if encoding != "utf-8" else None
        if decoder is None:
            yield DIMENSION.sub(b"", data, count=1) if is_first else data
        else:
            text = decoder.decode(data)
            plain = (_DECLARATION.sub("", text.lstrip("\ufeff"), count=1) if is_first else text).encode()
            yield DIMENSION.sub(b"", plain, count=1) if is_first else plain
        is_first = False
    if decoder is not None:
        yield decoder.decode(b"", final=True).encode()


def _encoding(head: bytes) -> str:
    """The encoding of an XML part, from its first bytes. Raises LookupError for one that no workbook has."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith(b"<\0"):
        return "utf-16-le"
    if head.startswith(b"\0<"):
        return "utf-16-be"
    declared = _ENCODING.match(head)
    name = codecs.lookup(declared[1].decode()).name if declared else "utf-8"
    if name not in _ENCODINGS:
        raise LookupError(name)
    return name


def _frame(package: Package) -> dict[str, str]:
    """The parts that lead to the others, by name."""
    numbers = range(1, len(package.sheets) + 1)
    overrides = [("xl/workbook.xml", "sheet.main"), *((f"xl/worksheets/sheet{n}.xml", "worksheet") for n in numbers)]
    relations = [(f"rId{n}", "worksheet", f"worksheets/sheet{n}.xml") for n in numbers]
    for part, kind in ((package.shared_strings, "sharedStrings"), (package.styles, "styles")):
        if part is not None:
            overrides.append((f"xl/{kind}.xml", kind))
            relations.append((kind, kind, f"{kind}.xml"))
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(package.sheets, start=1)
    )
    calendar = '<workbookPr date1904="1"/>' if package.counts_from_1904 else ""
    return {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        + "".join(f'<Override PartName="/{name}" ContentType="{_TYPES}.{kind}+xml"/>' for name, kind in overrides)
        + "</Types>",
        "_rels/.rels": _relations_xml([("rId1", "officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": f'<workbook xmlns="{_SPREADSHEET}" xmlns:r="{_OFFICE}">{calendar}'
        f"<sheets>{sheets}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": _relations_xml(relations),
    }


def _relations_xml(relations: list[tuple[str, str, str]]) -> str:
    lines = "".join(
        f'<Relationship Id="{name}" Type="{_OFFICE}/{kind}" Target="{target}"/>' for name, kind, target in relations
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{lines}</Relationships>'
