"""Kinds of odd packages: workbooks whose archive is laid out in another way, and contents under another name."""

from __future__ import annotations

import html
import io
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from random import Random

from samples.layout import Layout
from samples.odd.kind import OddKind, Repack
from samples.spelling import csv_text

Entries = dict[str, bytes]
_WORKBOOK, _STRINGS, _SHEET = "xl/workbook.xml", "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"
_RELATIONS, _ROOT_RELATIONS, _TYPES = "xl/_rels/workbook.xml.rels", "_rels/.rels", "[Content_Types].xml"
_WORKBOOK_ONLY = ("xlsx",)
_RELATION = (
    b'<Relationship Id="rId99" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"'
)


def _entries(change: Callable[[Entries], Entries]) -> Repack:
    def repack(content: bytes, layout: Layout) -> bytes:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = change({name: archive.read(name) for name in archive.namelist()})
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in entries.items():
                archive.writestr(name, data)
        return written.getvalue()

    return repack


def _renamed(entries: Entries, names: dict[str, str]) -> Entries:
    return {names.get(name, name): data for name, data in entries.items()}


def _back_slashes(entries: Entries) -> Entries:
    return {name.replace("/", "\\"): data for name, data in entries.items()}


def _other_case(entries: Entries) -> Entries:
    return _renamed(
        entries,
        {_STRINGS: "xl/SharedStrings.xml", _SHEET: "xl/Worksheets/Sheet1.xml", "xl/styles.xml": "xl/Styles.xml"},
    )


def _main_part_renamed(entries: Entries) -> Entries:
    for name in (_ROOT_RELATIONS, _TYPES):
        entries[name] = entries[name].replace(b"xl/workbook.xml", b"xl/workbook22.xml")
    return _renamed(entries, {_WORKBOOK: "xl/workbook22.xml", _RELATIONS: "xl/_rels/workbook22.xml.rels"})


def _other_folder(entries: Entries) -> Entries:
    entries[_ROOT_RELATIONS] = entries[_ROOT_RELATIONS].replace(b'"xl/', b'"classeur/')
    entries[_TYPES] = entries[_TYPES].replace(b'"/xl/', b'"/classeur/')
    return {
        "classeur/" + name.removeprefix("xl/") if name.startswith("xl/") else name: data
        for name, data in entries.items()
    }


def _part_renamed(old: str, new: str) -> Callable[[Entries], Entries]:
    def change(entries: Entries) -> Entries:
        entries[_TYPES] = entries[_TYPES].replace(f'"/{old}"'.encode(), f'"/{new}"'.encode())
        inner_old, inner_new = old.removeprefix("xl/").encode(), new.removeprefix("xl/").encode()
        entries[_RELATIONS] = entries[_RELATIONS].replace(b'"' + inner_old + b'"', b'"' + inner_new + b'"')
        return _renamed(entries, {old: new})

    return change


def _absolute_targets(entries: Entries) -> Entries:
    entries[_RELATIONS] = entries[_RELATIONS].replace(b'Target="', b'Target="/xl/')
    entries[_ROOT_RELATIONS] = entries[_ROOT_RELATIONS].replace(b'Target="', b'Target="/')
    return entries


def _sheet_without(relation: str, *, target: bytes | None = None) -> Callable[[Entries], Entries]:
    """Lists a hidden sheet before the others: without a relation, or with one whose part is not in the archive."""

    def change(entries: Entries) -> Entries:
        sheet = f'<sheets><sheet name="Module1" sheetId="99" state="veryHidden" r:id="{relation}"/>'
        entries[_WORKBOOK] = entries[_WORKBOOK].replace(b"<sheets>", sheet.encode())
        if target is not None:
            row = _RELATION + b' Target="' + target + b'"/></Relationships>'
            entries[_RELATIONS] = entries[_RELATIONS].replace(b"</Relationships>", row)
        return entries

    return change


def _tabs(layout: Layout, rng: Random, turn: int) -> Layout:
    return replace(layout, separator="\t")


def _web_page(content: bytes, layout: Layout) -> bytes:
    rows, _ = layout.grid()
    cells = (
        "".join(f"<td>{html.escape(csv_text(cell, layout.table.date_pattern))}</td>" for cell in row) for row in rows
    )
    table = "\n".join(f"<tr>{row}</tr>" for row in cells)
    page = f'<html><head><meta charset="utf-8"></head><body><table border="1">\n{table}\n</table></body></html>\n'
    return page.encode()


def _cut_short(content: bytes, layout: Layout) -> bytes:
    return content[: len(content) * 2 // 3]


def _encrypted(content: bytes, layout: Layout) -> bytes:
    """A compound file as Excel makes it for a workbook with a password: two streams, with noise as their content."""
    sector, free, end, fat_sector = 512, 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    noise = Random(len(content)).randbytes(8 * sector)
    header = struct.pack(
        "<8s16sHHHHH6sIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        bytes(16),
        0x3E,
        3,
        0xFFFE,
        9,
        6,
        bytes(6),
        0,
        1,
        1,
        0,
        4096,
        end,
        0,
        end,
        0,
    )
    header += struct.pack("<109I", 0, *[free] * 108)
    # Sector 0: allocation table; sector 1: directory; sectors 2 to 9: the encrypted package.
    table = [fat_sector, end, *range(3, 10), end]
    allocation = struct.pack("<128I", *table, *[free] * (128 - len(table)))

    def entry(name: str, kind: int, *, child: int, start: int, size: int) -> bytes:
        text = name.encode("utf-16-le")
        head = text.ljust(64, b"\0") + struct.pack("<HBB", len(text) + 2 if text else 0, kind, 1)
        return head + struct.pack("<III36sIQ", free, free, child, bytes(36), start, size)

    directory = entry("Root Entry", 5, child=1, start=end, size=0)
    directory += entry("EncryptedPackage", 2, child=free, start=2, size=len(noise))
    directory += entry("", 0, child=free, start=0, size=0) * 2
    return header + allocation + directory + noise


KINDS = (
    OddKind(
        name="package-back-slashes",
        description="the entries of the archive are named with back slashes",
        formats=_WORKBOOK_ONLY,
        repack=_entries(_back_slashes),
    ),
    OddKind(
        name="package-other-case",
        description="entries of the archive are in another case than their names in the relations",
        formats=_WORKBOOK_ONLY,
        repack=_entries(_other_case),
    ),
    OddKind(
        name="package-main-part",
        description="the main part is xl/workbook22.xml",
        formats=_WORKBOOK_ONLY,
        repack=_entries(_main_part_renamed),
    ),
    OddKind(
        name="package-other-folder",
        description="the parts are in the folder classeur/ instead of xl/",
        formats=_WORKBOOK_ONLY,
        repack=_entries(_other_folder),
    ),
    OddKind(
        name="package-strings-renamed",
        description="the shared strings are the part xl/textes.xml",
        formats=_WORKBOOK_ONLY,
        repack=_entries(_part_renamed(_STRINGS, "xl/textes.xml")),
    ),
    OddKind(
        name="package-sheet-renamed",
        description="the sheet is the part xl/feuilles/a.xml",
        formats=_WORKBOOK_ONLY,
        repack=_entries(_part_renamed(_SHEET, "xl/feuilles/a.xml")),
    ),
    OddKind(
        name="package-absolute-targets",
        description="the relations name their parts by absolute paths",
        formats=_WORKBOOK_ONLY,
        repack=_entries(_absolute_targets),
    ),
    OddKind(
        name="package-sheet-without-relation",
        description="a sheet with an empty relation is listed before the real one",
        formats=_WORKBOOK_ONLY,
        repack=_entries(_sheet_without("")),
    ),
    OddKind(
        name="package-sheet-with-unknown-relation",
        description="a sheet with a relation that does not exist is listed before the real one",
        formats=_WORKBOOK_ONLY,
        repack=_entries(_sheet_without("rId99")),
    ),
    OddKind(
        name="package-sheet-without-part",
        description="a sheet whose part is not in the archive is listed before the real one",
        formats=_WORKBOOK_ONLY,
        repack=_entries(_sheet_without("rId99", target=b"worksheets/module1.xml")),
    ),
    OddKind(
        name="package-workbook-named-xls",
        description="the content of an .xlsx under the name .xls",
        formats=_WORKBOOK_ONLY,
        extension="xls",
    ),
    OddKind(
        name="package-workbook-named-csv",
        description="the content of an .xlsx under the name .csv",
        formats=_WORKBOOK_ONLY,
        extension="csv",
    ),
    OddKind(
        name="package-text-named-xls",
        description="tab-separated text under the name .xls",
        formats=("csv",),
        arrange=_tabs,
        extension="xls",
    ),
    OddKind(
        name="package-text-named-xlsx",
        description="tab-separated text under the name .xlsx",
        formats=("csv",),
        arrange=_tabs,
        extension="xlsx",
    ),
    OddKind(
        name="package-web-page-named-xls",
        description="a web page with the table under the name .xls",
        effect="refused: it is a web page",
        formats=("csv",),
        repack=_web_page,
        extension="xls",
        refusal=("web page", "page web"),
    ),
    OddKind(
        name="package-encrypted",
        description="a workbook with a password",
        effect="refused: it has a password",
        formats=_WORKBOOK_ONLY,
        repack=_encrypted,
        refusal=("password", "mot de passe"),
    ),
    OddKind(
        name="package-cut-short",
        description="the first two thirds of a workbook",
        effect="refused: it is damaged",
        formats=_WORKBOOK_ONLY,
        repack=_cut_short,
        refusal=("damaged", "cut short", "endommagé", "tronqué"),
    ),
)
