"""The parts of an .xlsx package: which sheets it has and where each stands, from the package's own XML."""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from reading.problems import Problem, UnreadableFile

# What a damaged or forged package raises while it is opened or inflated.
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, ParseError, KeyError, NotImplementedError, UnicodeDecodeError)
_SMALL_PART_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Package:
    """An open .xlsx: `sheets` maps a sheet's name to its part, in the workbook's order."""

    archive: zipfile.ZipFile
    sheets: dict[str, str]
    shared_strings: str | None


def refuse_damaged() -> UnreadableFile:
    return UnreadableFile([Problem("damaged")])


def open_package(path: str) -> Package:
    """Open the workbook at `path`. Raises UnreadableFile: `damaged`, `not_a_workbook`, `entities`, `encrypted`."""
    try:
        archive = zipfile.ZipFile(path)
    except DAMAGED as error:
        raise refuse_damaged() from error
    try:
        return _read_package(archive)
    except DefusedXmlException as error:
        archive.close()
        raise UnreadableFile([Problem("entities")]) from error
    except RuntimeError as error:
        # zipfile's own way to say that an entry needs a password.
        archive.close()
        raise UnreadableFile([Problem("encrypted")]) from error
    except DAMAGED as error:
        archive.close()
        raise refuse_damaged() from error
    except UnreadableFile:
        archive.close()
        raise


def _read_package(archive: zipfile.ZipFile) -> Package:
    names = {name.lower(): name for name in archive.namelist()}
    workbook_part = _workbook_part(archive, names)
    workbook = _xml(archive, workbook_part)
    folder, base = posixpath.split(workbook_part)
    rels_name = names.get(f"{folder}/_rels/{base}.rels".lstrip("/").lower())
    if rels_name is None:
        raise refuse_damaged()
    targets: dict[str, tuple[str, str]] = {}
    for relation in _xml(archive, rels_name):
        target = relation.get("Target", "")
        part = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
        targets[relation.get("Id", "")] = (relation.get("Type", "").rsplit("/", 1)[-1], names.get(part.lower(), part))
    sheets: dict[str, str] = {}
    for element in workbook.iter():
        if _local(element.tag) == "sheet":
            relation_id = next((value for key, value in element.attrib.items() if _local(key) == "id"), "")
            kind, part = targets.get(relation_id, ("", ""))
            if kind == "worksheet":
                sheets[element.get("name", "")] = part
    strings = next((part for kind, part in targets.values() if kind == "sharedStrings" and part.lower() in names), None)
    return Package(archive, sheets, strings)


def _workbook_part(archive: zipfile.ZipFile, names: dict[str, str]) -> str:
    if "_rels/.rels" in names:
        for relation in _xml(archive, names["_rels/.rels"]):
            if relation.get("Type", "").endswith("/officeDocument"):
                part = relation.get("Target", "").lstrip("/")
                if part.lower() in names:
                    return names[part.lower()]
    if "xl/workbook.xml" in names:
        return names["xl/workbook.xml"]
    raise UnreadableFile([Problem("not_a_workbook")])


def _xml(archive: zipfile.ZipFile, name: str) -> Element:
    with archive.open(name) as part:
        data = part.read(_SMALL_PART_BYTES + 1)
    if len(data) > _SMALL_PART_BYTES:
        raise refuse_damaged()
    root: Element = fromstring(data, forbid_dtd=True)
    return root


def _local(tag: str) -> str:
    return tag.rsplit("}", 1)[-1]


def chunks(part: IO[bytes], size: int = 1 << 20) -> Iterator[bytes]:
    while data := part.read(size):
        yield data
