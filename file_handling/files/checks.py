"""What an uploaded file must be before it is stored: told from its name, its first bytes and its table of contents.

Nothing here reads cells: that is done by a process that may die. Names given by the sender are data, never paths.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import IO, Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.utils.translation import gettext as _

from common.errors import Invalid

EXTENSIONS = ("xlsx", "xls", "csv")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_CHUNK = 1 << 20
_MAX_ENTRIES = 1000
# OLE directory entries name the streams in UTF-16.
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_MACRO_STREAM = "_VBA_PROJECT_CUR".encode("utf-16-le")
_BIFF_BOF, _BIFF_FILEPASS = 0x0809, 0x002F
_UNREADABLE_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError, struct.error)


class InvalidUpload(Invalid):
    """The file cannot be imported; `sentences()` are all the reasons."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__({"file": reasons})


@dataclass(frozen=True)
class CheckedUpload:
    """An upload that may be stored. `extension`: lower case, no dot (`zip` only for recap pages); `size` in bytes."""

    name: str
    extension: str
    size: int

    @property
    def is_zip_of_pages(self) -> bool:
        return self.extension == "zip"


def is_lock_file(name: str) -> bool:
    """Whether Excel made this file to mark another as open (`~$…`): it is skipped, never refused (DOMAIN §4)."""
    return plain_name(name).startswith("~$")


def plain_name(name: str) -> str:
    """The last part of a name that may come as a path of any system."""
    return PurePosixPath(PureWindowsPath(name).name).name


def max_file_bytes() -> int:
    most: int = settings.CONCORD["MAX_FILE_BYTES"]
    return most


def check_upload(uploaded: UploadedFile, *, kind: str) -> CheckedUpload | None:
    """Check one file of `kind` (`stat` or `recap`; only a recap may be a .zip of pages). Leaves it rewound.

    None for a lock file of Excel, which is to be left out.

    Raises InvalidUpload with every reason: extension, size, content that is not what the name says, missing parts,
    macros, encryption.
    """
    name = plain_name(uploaded.name or "")
    if is_lock_file(name):
        return None
    size = uploaded.size or 0
    allowed = (*EXTENSIONS, "zip") if kind == "recap" else EXTENSIONS
    stream = _content(uploaded)
    stream.seek(0)
    try:
        errors = _errors(stream, name=name, size=size, allowed=allowed)
    finally:
        stream.seek(0)
    if errors:
        raise InvalidUpload(errors)
    return CheckedUpload(name, _extension(name), size)


def _content(uploaded: UploadedFile) -> IO[bytes]:
    stream: Any = uploaded.file
    content: IO[bytes] = stream
    return content


def _extension(name: str) -> str:
    return PurePosixPath(name).suffix.lower().lstrip(".")


def _errors(stream: IO[bytes], *, name: str, size: int, allowed: tuple[str, ...]) -> list[str]:
    extension = _extension(name)
    errors: list[str] = []
    if extension not in allowed:
        known = ", ".join(f".{one}" for one in allowed)
        errors.append(
            _("“%(file)s” cannot be imported: upload a file of one of the kinds %(known)s.")
            % {"file": name, "known": known}
        )
    if size > max_file_bytes():
        megabytes = max_file_bytes() // (1024 * 1024)
        errors.append(
            _(
                "“%(file)s” is larger than %(limit)d MB. Remove what is not needed, or split the period into several"
                " files."
            )
            % {"file": name, "limit": megabytes}
        )
    if errors:
        return errors
    head = stream.read(4096)
    if not head.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        return [_("“%(file)s” is empty. Export it again and upload the new file.") % {"file": name}]
    stream.seek(0)
    match extension:
        case "xlsx":
            return _xlsx_errors(stream, head, name)
        case "xls":
            return _xls_errors(stream, head, name)
        case "zip":
            return [] if head.startswith((_ZIP, _EMPTY_ZIP)) else [_not_what_it_says(name)]
        case _:
            return [_not_what_it_says(name)] if _is_not_text(head) else []


def _not_what_it_says(name: str) -> str:
    return _(
        "“%(file)s” does not contain what its name says, or was cut short. Open it in Excel, save it as an Excel"
        " workbook (.xlsx) and upload that."
    ) % {"file": name}


def _encrypted(name: str) -> str:
    return _("“%(file)s” is protected by a password. Save it without one and upload it again.") % {"file": name}


def _macros(name: str) -> str:
    return _("“%(file)s” contains macros. Save it as a workbook without macros (.xlsx) and upload that.") % {
        "file": name
    }


def _is_not_text(head: bytes) -> bool:
    if head.startswith((_ZIP, _OLE, b"%PDF")) or (b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff"))):
        return True
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<html", b"<!doctype", b"<table", b"<?xml"))


def _xlsx_errors(stream: IO[bytes], head: bytes, name: str) -> list[str]:
    if head.startswith(_OLE):
        return [_encrypted(name)] if _contains(stream, _ENCRYPTED_STREAM) else [_not_what_it_says(name)]
    if not head.startswith(_ZIP):
        return [_not_what_it_says(name)]
    try:
        with zipfile.ZipFile(stream) as archive:
            entries = archive.infolist()
    except _UNREADABLE_ZIP:
        return [_not_what_it_says(name)]
    names = {entry.filename.lower() for entry in entries}
    errors: list[str] = []
    if "[content_types].xml" not in names or not any(one.endswith("workbook.xml") for one in names):
        errors.append(_not_what_it_says(name))
    if len(entries) > _MAX_ENTRIES:
        errors.append(
            _("“%(file)s” holds more than %(limit)d parts. Save only the data in a new workbook.")
            % {"file": name, "limit": _MAX_ENTRIES}
        )
    if any(one.endswith("vbaproject.bin") for one in names):
        errors.append(_macros(name))
    if any(entry.flag_bits & 0x1 for entry in entries):
        errors.append(_encrypted(name))
    return errors


def _xls_errors(stream: IO[bytes], head: bytes, name: str) -> list[str]:
    if not head.startswith(_OLE):
        return [_not_what_it_says(name)]
    errors: list[str] = []
    if _contains(stream, _ENCRYPTED_STREAM) or _has_filepass(stream):
        errors.append(_encrypted(name))
    if _contains(stream, _MACRO_STREAM):
        errors.append(_macros(name))
    return errors


def _contains(stream: IO[bytes], needle: bytes) -> bool:
    stream.seek(0)
    tail = b""
    while data := stream.read(_CHUNK):
        if needle in tail + data:
            return True
        tail = data[-len(needle) :]
    return False


def _has_filepass(stream: IO[bytes]) -> bool:
    """Whether a workbook stream says at its start that it is encrypted; sectors begin at multiples of 512 bytes."""
    stream.seek(0)
    data = stream.read(_CHUNK)
    for start in range(512, len(data) - 8, 512):
        kind, length = struct.unpack_from("<HH", data, start)
        if kind != _BIFF_BOF or length not in (8, 16):
            continue
        at = start
        # The record stands within the first few of the stream, in clear.
        for _step in range(8):
            if at + 4 > len(data):
                break
            kind, length = struct.unpack_from("<HH", data, at)
            if kind == _BIFF_FILEPASS:
                return True
            at += 4 + length
    return False


def expand_recap_zip(uploaded: UploadedFile) -> list[TemporaryUploadedFile]:
    """The pages in a .zip, each as if it had been uploaded by itself, ordered by name; the caller closes them.

    Nested folders are looked into, names are never used as paths; lock files, hidden files and what macOS adds are
    skipped.
    Sizes are counted while inflating. Each page is checked as an upload of its own is.
    Raises InvalidUpload with every reason.
    """
    checked = check_upload(uploaded, kind="recap")
    if checked is None:
        return []
    errors: list[str] = []
    pages: list[TemporaryUploadedFile] = []
    try:
        with zipfile.ZipFile(_content(uploaded)) as archive:
            entries = [entry for entry in archive.infolist() if _is_page(entry)]
            errors += _archive_errors(entries, name=checked.name)
            if not errors:
                errors += _inflate_pages(archive, entries, pages=pages, zip_name=checked.name)
    except _UNREADABLE_ZIP:
        errors.append(_not_what_it_says(checked.name))
    if errors:
        for page in pages:
            page.close()
        raise InvalidUpload(errors)
    return pages


def _archive_errors(entries: list[zipfile.ZipInfo], *, name: str) -> list[str]:
    errors: list[str] = []
    max_pages = settings.CONCORD["MAX_PAGES"]
    if not entries:
        errors.append(_("“%(file)s” contains no page. Put .xlsx, .xls or .csv files in it.") % {"file": name})
    if len(entries) > max_pages:
        message = _("“%(file)s” contains %(count)d files; at most %(limit)d pages are read. Split it.")
        errors.append(message % {"file": name, "count": len(entries), "limit": max_pages})
    if any(entry.flag_bits & 0x1 for entry in entries):
        errors.append(_encrypted(name))
    return errors


def _is_page(entry: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
    if entry.is_dir() or not parts or "__MACOSX" in parts:
        return False
    return not is_lock_file(parts[-1]) and not parts[-1].startswith(".") and parts[-1].lower() != "thumbs.db"


def _inflate_pages(
    archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], *, pages: list[TemporaryUploadedFile], zip_name: str
) -> list[str]:
    """Inflate each entry into a file of its own, added to `pages`; answers what is wrong with them."""
    errors: list[str] = []
    left = most = settings.CONCORD["MAX_POST_BYTES"]
    for entry in sorted(entries, key=lambda one: one.filename):
        name = plain_name(entry.filename)
        page = TemporaryUploadedFile(name, "application/octet-stream", 0, None)
        pages.append(page)
        # One byte past the limit tells all that there is to know of a page that is too large.
        page.size = _inflate(archive, entry, page, most=min(left, max_file_bytes()) + 1)
        if page.size > left:
            return [
                *errors,
                _(
                    "The pages in “%(file)s” are larger than %(limit)d MB together. Split the period into several"
                    " imports."
                )
                % {"file": zip_name, "limit": most // (1024 * 1024)},
            ]
        left -= page.size
        page.seek(0)
        errors += _errors(page, name=name, size=page.size, allowed=EXTENSIONS)
        page.seek(0)
    return errors


def _inflate(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, page: TemporaryUploadedFile, *, most: int) -> int:
    size = 0
    with archive.open(entry) as part:
        while size < most and (data := part.read(min(_CHUNK, most - size))):
            page.write(data)
            size += len(data)
    page.flush()
    return size
