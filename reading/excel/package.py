"""The parts of an .xlsx package: which sheets it has and where each stands, from the package's own XML.

A part is found as Excel finds it: through the relationships, whatever its name, without case and with either slash.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from reading.formats import BAD_ZIP, part_key
from reading.problems import Problem, UnreadableFile

# The exceptions of the libraries for a package that is damaged or forged.
DAMAGED = (*BAD_ZIP, ParseError, KeyError, LookupError)
# A sheet states the range of its cells before its rows: within this many bytes in every known export.
_START_BYTES = 4096
DIMENSION = re.compile(
    rb"""<(?:\w+:)?dimension\s[^<>]*?ref\s*=\s*["']([^"']*)["'][^<>]*?(?:/>|>\s*</(?:\w+:)?dimension\s*>)"""
)
_RANGE = re.compile(rb"[A-Za-z]{1,3}[0-9]{1,7}(?::[A-Za-z]{1,3}[0-9]{1,7})?")
_SMALL_PART_BYTES = 4 * 1024 * 1024
_ROOT_RELATIONS = "_rels/.rels"
_MAIN_PART = "xl/workbook.xml"
_MAIN_RELATIONS = "xl/_rels/workbook.xml.rels"
_STRINGS_PART = "xl/sharedStrings.xml"
_STYLES_PART = "xl/styles.xml"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
_SHEET_KINDS = ("worksheet", "chartsheet", "dialogsheet")
_READ_BY_ALL = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# An XML part that begins so is UTF-8, without a mark.
_UTF_8_START = re.compile(rb"""\s*<(?!\?xml[^>]*encoding\s*=\s*["'](?!utf-?8["']|us-ascii["']))""", re.IGNORECASE)


@dataclass(frozen=True)
class Package:
    """An open .xlsx: `sheets` maps a sheet's name to its part, in the workbook's order.

    Listed sheets without a part, and sheets of another kind (macros, charts, dialogs), are not among them.
    `counts_from_1904`: which of Excel's two calendars its dates use. `is_standard`: whether its parts have the names
    and the encoding that Excel gives them, which is all that some readers know.
    """

    archive: zipfile.ZipFile
    sheets: dict[str, str]
    shared_strings: str | None
    styles: str | None
    counts_from_1904: bool
    has_macros: bool
    is_standard: bool


@dataclass(frozen=True)
class _Relation:
    """`part`: the entry that `target` leads to; None when there is none."""

    type: str
    target: str
    part: str | None

    @property
    def kind(self) -> str:
        return self.type.rsplit("/", 1)[-1]

    def is_plain(self) -> bool:
        """Whether a reader that follows targets only in the way of Excel's own files finds the part."""
        target = self.target.removeprefix("/")
        return self.type.startswith(_OFFICE) and self.part in (target, f"xl/{target}") and self.part is not None


def refuse_damaged() -> UnreadableFile:
    return UnreadableFile([Problem("damaged")])


def open_package(file: str | IO[bytes]) -> Package:
    """Open a workbook. Raises UnreadableFile: `damaged`, `not_a_workbook`, `entities`, `encrypted`."""
    try:
        archive = zipfile.ZipFile(file)
    except DAMAGED as error:
        raise refuse_damaged() from error
    try:
        return _read_package(archive)
    except DefusedXmlException as error:
        archive.close()
        raise UnreadableFile([Problem("entities")]) from error
    except RuntimeError as error:
        # zipfile raises it for an entry that needs a password.
        archive.close()
        raise UnreadableFile([Problem("encrypted")]) from error
    except DAMAGED as error:
        archive.close()
        raise refuse_damaged() from error
    except UnreadableFile:
        archive.close()
        raise


def _read_package(archive: zipfile.ZipFile) -> Package:
    names = _entries(archive)
    if "/[content_types].xml" not in names:
        # Excel does not open a package without its list of types.
        raise refuse_damaged()
    root_relations = names.get("/_rels/.rels")
    main = _main_relation(archive, root_relations, names)
    main_part = main.part if main is not None and main.part is not None else names.get("/xl/workbook.xml")
    if main_part is None:
        raise UnreadableFile([Problem("not_a_workbook")])
    data = _small_part(archive, main_part)
    workbook: Element = fromstring(data, forbid_dtd=True)
    if _local(workbook.tag) != "workbook":
        raise UnreadableFile([Problem("not_a_workbook")])
    folder, base = posixpath.split(part_key(main_part))
    relations_part = names.get(f"{folder.rstrip('/')}/_rels/{base}.rels")
    if relations_part is None:
        raise refuse_damaged()
    relations = _relations(archive, relations_part, folder=folder, names=names)
    listed = [element for element in workbook.iter() if _local(element.tag) == "sheet"]
    found = [(one.get("name", ""), relations.get(_relation_id(one))) for one in listed]
    sheets = {
        name: relation.part
        for name, relation in found
        if relation is not None and relation.kind == "worksheet" and relation.part is not None
    }
    if listed and not sheets:
        raise refuse_damaged()
    shared_strings = _by_kind(relations, "sharedStrings") or names.get(part_key(_STRINGS_PART))
    styles = _by_kind(relations, "styles") or names.get(part_key(_STYLES_PART))
    needed = [main_part, relations_part, *sheets.values(), *filter(None, (root_relations, shared_strings, styles))]
    is_standard = (
        (root_relations, main_part, relations_part) == (_ROOT_RELATIONS, _MAIN_PART, _MAIN_RELATIONS)
        and main is not None
        and main.target.removeprefix("/") == _MAIN_PART
        and shared_strings in (None, _STRINGS_PART)
        and styles in (None, _STYLES_PART)
        and all(one is not None and one.is_plain() and one.kind in _SHEET_KINDS for _, one in found)
        # A reader knows the attribute by the usual prefix of its namespace.
        and data.count(b" r:id=") >= len(listed)
        and all(_is_plain_entry(archive, part) for part in needed)
        and len(set(archive.namelist())) == len(archive.namelist())
    )
    properties = next((element for element in workbook.iter() if _local(element.tag) == "workbookPr"), None)
    return Package(
        archive,
        sheets,
        shared_strings,
        styles,
        counts_from_1904=properties is not None and properties.get("date1904", "").lower() in ("1", "true", "on"),
        has_macros=any(one.kind == "vbaProject" for one in relations.values())
        or any(key.endswith("vbaproject.bin") for key in names),
        is_standard=is_standard,
    )


def _entries(archive: zipfile.ZipFile) -> dict[str, str]:
    """The name of each entry by its `part_key`. Of several with one key: the one in lower case or Excel's own case."""
    names: dict[str, str] = {}
    for name in archive.namelist():
        key = part_key(name)
        if key not in names or f"/{name}" == key or name in (_STRINGS_PART, "[Content_Types].xml"):
            names[key] = name
    return names


def _main_relation(archive: zipfile.ZipFile, part: str | None, names: dict[str, str]) -> _Relation | None:
    """The relation that leads to the main part."""
    if part is None:
        return None
    relations = _relations(archive, part, folder="/", names=names).values()
    return next((one for one in relations if one.kind == "officeDocument" and one.part is not None), None)


def _relations(archive: zipfile.ZipFile, part: str, *, folder: str, names: dict[str, str]) -> dict[str, _Relation]:
    found: dict[str, _Relation] = {}
    for element in fromstring(_small_part(archive, part), forbid_dtd=True):
        target = element.get("Target", "")
        if element.get("TargetMode", "") == "External":
            continue
        key = part_key(target if target[:1] in ("/", "\\") else f"{folder}/{target}")
        found[element.get("Id", "")] = _Relation(element.get("Type", ""), target, names.get(key))
    return found


def _relation_id(sheet: Element) -> str:
    # The attribute `id` of a namespace, beside `sheetId`.
    return next((value for key, value in sheet.attrib.items() if key.endswith("}id")), "")


def _by_kind(relations: dict[str, _Relation], kind: str) -> str | None:
    return next((one.part for one in relations.values() if one.kind == kind and one.part is not None), None)


def _is_plain_entry(archive: zipfile.ZipFile, name: str) -> bool:
    info = archive.getinfo(name)
    if info.compress_type not in _READ_BY_ALL:
        return False
    with archive.open(info) as part:
        start = part.read(_START_BYTES)
    return _UTF_8_START.match(start) is not None and not states_odd_range(start)


def states_odd_range(start: bytes) -> bool:
    """Whether a sheet states the range of its cells as some readers refuse it (`A:M`); Excel ignores the range."""
    dimension = DIMENSION.search(start)
    return dimension is not None and _RANGE.fullmatch(dimension[1]) is None


def _small_part(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as part:
        data = part.read(_SMALL_PART_BYTES + 1)
    if len(data) > _SMALL_PART_BYTES:
        raise refuse_damaged()
    return data


def _local(tag: str) -> str:
    return tag.rsplit("}", 1)[-1]


def chunks(part: IO[bytes], size: int = 1 << 20) -> Iterator[bytes]:
    while data := part.read(size):
        yield data
