"""What a file is, by its content: the name only hints (DOMAIN §4 "Files")."""

from __future__ import annotations

import codecs
import posixpath
import re
import struct
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import IO, Literal
from urllib.parse import unquote

from reading.problems import Problem, UnreadableFile

Format = Literal["xlsx", "xls", "csv"]

EXTENSIONS = ("xlsx", "xls", "csv")
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = b"PK\x03\x04"
EMPTY_ZIP = b"PK\x05\x06"
# The exceptions of `zipfile` for an archive that is damaged or forged.
BAD_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError, struct.error)

_HEAD_BYTES = 64 * 1024
# A NUL in so many first bytes: no text. Further on, a text may have one, which the reader drops.
_BINARY_BYTES = 4096
_CHUNK = 1 << 20
_BLANK = b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"
# The first record of an Excel workbook that stands in the file without an OLE container: its number, and its length.
_BIFF_5_TO_8 = (b"\x09\x08\x08\x00", b"\x09\x08\x10\x00", b"\x09\x08\x06\x00")
_BIFF_2_TO_4 = tuple(
    start + bytes([length, 0]) for start in (b"\x09\x00", b"\x09\x02", b"\x09\x04") for length in (4, 6)
)
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "pdf"),
    (b"{\\rtf", "rtf"),
    (b"\x89PNG", "image"), (b"\xff\xd8\xff", "image"), (b"GIF87a", "image"), (b"GIF89a", "image"),
    (b"II*\0", "image"), (b"MM\0*", "image"),
    (b"\x1f\x8b", "archive"), (b"7z\xbc\xaf\x27\x1c", "archive"), (b"Rar!\x1a\x07", "archive"), (b"BZh", "archive"),
)  # fmt: skip
# Elements with which a web page begins: the first group alone tells, one of the second only before a table.
_PAGE_TAGS = frozenset({"html", "head", "body", "meta", "style", "table", "title", "link", "script"})
_TEXT_TAGS = frozenset(
    {"a", "b", "big", "br", "caption", "center", "col", "colgroup", "div", "em", "fieldset", "font", "form", "frameset",
     "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "i", "img", "input", "label", "main", "nav", "noscript", "ol",
     "p", "pre", "section", "small", "span", "strong", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul"}
)  # fmt: skip
_SKIPPED = re.compile(r"\s+|<!--.*?-->|<\?.*?\?>|<!doctype[^<>]*(?:\[.*?\]\s*)?>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<([a-z][\w.-]*:)?([a-z][\w.-]*)(?=[\s/>])([^<>]*)", re.IGNORECASE)
_TABLE = re.compile(r"<(?:table|tr|td|html|body)[\s>]", re.IGNORECASE)
_MAIL_HEADER = re.compile(r"(?:mime-version|from|subject|date|content-[\w-]+|x-[\w-]+):", re.IGNORECASE)
_MULTIPART = re.compile(r"^content-type:\s*multipart/", re.IGNORECASE | re.MULTILINE)
_SYLK_CELL = re.compile(r"^C;(?:[XY]\d+;)*[XYK]", re.MULTILINE)


def content_of(file: IO[bytes]) -> str:
    """What an open file is: `xlsx`, `xls`, `text`, `empty`, `old_xls` (Excel 2 to 4), `encrypted`, or a foreign format.

    The foreign formats are the keys of `file_handling.problem_texts.FOREIGN_FORMATS`. A damaged workbook counts as the
    workbook that its first bytes announce: the reader finds the damage.
    """
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    if not head.strip(_BLANK):
        return "empty"
    if head.startswith(ZIP):
        return _zip_content(file)
    if head.startswith(EMPTY_ZIP):
        return "zip"
    if head.startswith(OLE):
        return _ole_content(file)
    if head.startswith(_BIFF_5_TO_8):
        return "xls"
    if head.startswith(_BIFF_2_TO_4):
        return "old_xls"
    start = head.lstrip(b" \t\r\n")
    for magic, found in _MAGIC:
        if start.startswith(magic):
            return found
    return _text_content(head)


def format_of(file: IO[bytes], *, name: str) -> Format:
    """How to read an open file. `name`: the one that its owner gave it.

    Raises UnreadableFile: `wrong_extension`, `empty_file`, `encrypted`, `too_old`, `wrong_content` (`found`,
    `extension`).
    """
    extension = extension_of(name)
    if extension not in EXTENSIONS:
        raise UnreadableFile([Problem("wrong_extension", params={"known": list(EXTENSIONS)})])
    match content_of(file):
        case "xlsx":
            return "xlsx"
        case "xls":
            return "xls"
        case "text":
            return "csv"
        case "empty":
            raise UnreadableFile([Problem("empty_file")])
        case "encrypted":
            raise UnreadableFile([Problem("encrypted")])
        case "old_xls":
            raise UnreadableFile([Problem("too_old")])
        case found:
            raise UnreadableFile([Problem("wrong_content", params={"extension": extension, "found": found})])


def extension_of(name: str) -> str:
    """Lower case, without the dot."""
    return PurePosixPath(name).suffix.lower().lstrip(".")


def part_key(name: str) -> str:
    """What two names of one part of a package have in common: they compare without case, and with either slash."""
    name = unquote(name.replace("\\", "/"))
    return posixpath.normpath("/" + name.lstrip("/")).lower()


def contains(file: IO[bytes], *texts: str) -> bool:
    """Whether an OLE document has a stream of one of these names, or the name somewhere else."""
    needles = [text.encode("utf-16-le") for text in texts]
    longest = max(map(len, needles))
    file.seek(0)
    tail = b""
    while data := file.read(_CHUNK):
        data = tail + data
        if any(needle in data for needle in needles):
            return True
        tail = data[-longest:]
    return False


def _ole_content(file: IO[bytes]) -> str:
    if contains(file, "EncryptedPackage"):
        return "encrypted"
    if contains(file, "Workbook\0", "Book\0"):
        return "xls"
    return "office_document" if contains(file, "WordDocument\0", "PowerPoint Document\0", "VisioDocument\0") else "xls"


def _zip_content(file: IO[bytes]) -> str:
    try:
        file.seek(0)
        with zipfile.ZipFile(file) as archive:
            parts = {part_key(name): name for name in archive.namelist()}
            if "/mimetype" in parts:
                with archive.open(parts["/mimetype"]) as part:
                    kind = part.read(200)
                if b"opendocument" in kind:
                    return "ods" if b"spreadsheet" in kind else "office_document"
    except (*BAD_ZIP, RuntimeError):
        return "xlsx"
    if any(key.endswith(".iwa") for key in parts):
        return "numbers"
    if any(key.endswith("/workbook.bin") for key in parts):
        return "xlsb"
    if any(key.startswith("/xl/") for key in parts):
        return "xlsx"
    is_package = "/[content_types].xml" in parts
    if is_package and any(key.startswith(("/word/", "/ppt/", "/visio/")) for key in parts):
        return "office_document"
    return "xlsx" if is_package else "zip"


def _text_content(head: bytes) -> str:
    text = _decoded(head)
    if text is None:
        return "binary"
    start = text.lstrip("\ufeff\0 \t\r\n")
    if start.startswith("<"):
        return _markup(start)
    first_line = start.partition("\n")[0].strip()
    if _MAIL_HEADER.match(start) and _MULTIPART.search(start):
        return "mhtml"
    if first_line.startswith("ID;P") and _SYLK_CELL.search(start):
        return "sylk"
    if first_line == "TABLE" and re.match(r"TABLE\s*\r?\n0,1\r?\n", start):
        return "dif"
    return "text"


def _decoded(head: bytes) -> str | None:
    """The head as text, roughly: enough to see markup. None for bytes that are no text."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return head.decode("utf-16", "replace")
    bare = head.lstrip(b" \t\r\n\0")
    # Without its mark, UTF-16 is read as markup only: a text in it would be a guess.
    if bare.startswith(b"<\0") or head.startswith(b"\0<"):
        return head.decode("utf-16-le" if head.startswith(b"<\0") else "utf-16-be", "replace")
    if b"\0" in head[:_BINARY_BYTES]:
        return None
    return head.decode("utf-8-sig", "replace")


def _markup(text: str) -> str:
    """What a text that begins with `<` is; `text` where it is no markup (`<vide>;12`)."""
    at = 0
    prologue = ""
    while match := _SKIPPED.match(text, at):
        at = match.end()
        prologue += match[0].lower()
    is_xml = "<?xml" in prologue
    if "<!doctype html" in prologue:
        return "html"
    if 'progid="excel.sheet"' in prologue:
        return "xml_spreadsheet"
    tag = _TAG.match(text, at)
    if tag is None:
        if text.startswith("<!--", at):  # a comment that goes on beyond the head
            return "html"
        return "xml" if is_xml else "text"
    name, attributes = tag[2].lower(), tag[3].lower()
    if "office:spreadsheet" in attributes or (name == "workbook" and is_xml):
        return "xml_spreadsheet"
    if tag[1] and "opendocument" in attributes:
        return "ods"
    is_page = _TABLE.search(text) is not None or text.count("</") > 2
    if name in _PAGE_TAGS or "xhtml" in attributes or (name in _TEXT_TAGS and is_page):
        return "html"
    return "xml" if is_xml or "xmlns" in attributes else "text"
