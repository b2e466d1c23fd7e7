"""The checks of an uploaded file before it is stored, by its name, its first bytes and its table of contents.

The child process alone reads cells. Names given by the sender are data, never paths.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import PurePosixPath, PureWindowsPath
from typing import IO, Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.utils.translation import gettext as _

from common.errors import Invalid
from file_handling.problem_texts import sentence
from file_handling.reading_limits import reading_limits
from reading.excel.package import open_package
from reading.formats import BAD_ZIP, EXTENSIONS, contains, content_of, extension_of, format_of
from reading.problems import Problem, UnreadableFile

_CHUNK = 1 << 20
_MACRO_STREAM = "_VBA_PROJECT_CUR"
_BIFF_BOF, _BIFF_FILEPASS = 0x0809, 0x002F


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


def is_lock_file(name: str) -> bool:
    """Whether Excel made this file to mark another one as open (`~$…`): it is skipped, never refused (DOMAIN §4)."""
    return plain_name(name).startswith("~$")


def plain_name(name: str) -> str:
    """The last part of a name, which may be a path of any system."""
    return PurePosixPath(PureWindowsPath(name).name).name


def max_file_bytes() -> int:
    most: int = settings.CONCORD["MAX_FILE_BYTES"]
    return most


def upload_limits() -> dict[str, int]:
    """The limits that the form of an upload shows: megabytes of a file and of a request, number of pages."""
    megabyte = 1024 * 1024
    return {
        "file": max_file_bytes() // megabyte,
        "post": settings.CONCORD["MAX_POST_BYTES"] // megabyte,
        "pages": settings.CONCORD["MAX_PAGES"],
    }


def check_upload(uploaded: UploadedFile, *, kind: str | None, converted: Collection[str] = ()) -> CheckedUpload | None:
    """Check one file of `kind` (`stat`, `recap`, None if not known; a stat cannot be a .zip). Leaves it rewound.

    `converted`: further extensions, of files that a converter reads. Only their size is checked.

    None for a lock file of Excel, which is to be left out.

    Raises InvalidUpload with every reason: extension, size, a content that is neither a workbook nor CSV, damage,
    macros, encryption.
    """
    name = plain_name(uploaded.name or "")
    if is_lock_file(name):
        return None
    size = uploaded.size or 0
    known = EXTENSIONS if kind == "stat" else (*EXTENSIONS, "zip")
    stream = _content(uploaded)
    stream.seek(0)
    try:
        errors = _errors(stream, name=name, size=size, known=known, converted=converted)
    finally:
        stream.seek(0)
    if errors:
        raise InvalidUpload(errors)
    return CheckedUpload(name, extension_of(name), size)


def _content(uploaded: UploadedFile) -> IO[bytes]:
    stream: Any = uploaded.file
    content: IO[bytes] = stream
    return content


def _errors(
    stream: IO[bytes], *, name: str, size: int, known: tuple[str, ...], converted: Collection[str]
) -> list[str]:
    errors: list[str] = []
    extension = extension_of(name)
    if extension not in known and extension not in converted:
        params = {"known": [*known, *sorted(converted)]}
        errors.append(sentence(Problem("wrong_extension", file=name, params=params)))
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
    if extension == "zip":
        problems = _archive_problems(stream)
    elif extension in converted:
        problems = [] if size else [Problem("empty_file")]
    else:
        problems = content_problems(stream, name=name)
    return [sentence(replace(problem, file=name)) for problem in problems]


def _archive_problems(stream: IO[bytes]) -> list[Problem]:
    """The problems of an archive of pages."""
    match content_of(stream):
        case "zip":
            return []
        case "empty":
            return [Problem("empty_file")]
        case "xlsx":
            return [] if _has_no_workbook(stream) else [_wrong_content("xlsx", "zip")]
        case "ods" | "xlsb" | "numbers" | "office_document" as found:
            return [_wrong_content(found, "zip")]
        case _:
            return [Problem("bad_archive")]


def _has_no_workbook(stream: IO[bytes]) -> bool:
    """Whether a zip whose parts look like a workbook's is none: a damaged archive, or pages in a folder `xl`."""
    try:
        open_package(stream).archive.close()
    except UnreadableFile:
        return True
    return False


def _wrong_content(found: str, extension: str) -> Problem:
    return Problem("wrong_content", params={"found": found, "extension": extension})


def content_problems(stream: IO[bytes], *, name: str) -> list[Problem]:
    """Why the content of a file cannot be read, as far as its first bytes and its table of contents show."""
    try:
        match format_of(stream, name=name):
            case "xlsx":
                return _xlsx_problems(stream)
            case "xls":
                return _xls_problems(stream)
            case "csv":
                return []
    except UnreadableFile as unreadable:
        return unreadable.problems


def _xlsx_problems(stream: IO[bytes]) -> list[Problem]:
    package = open_package(stream)
    with package.archive:
        entries = package.archive.infolist()
    problems: list[Problem] = []
    most = reading_limits().max_entries
    if len(entries) > most:
        problems.append(Problem("too_many_entries", params={"limit": most}))
    if package.has_macros:
        problems.append(Problem("macros"))
    if any(entry.flag_bits & 0x1 for entry in entries):
        problems.append(Problem("encrypted"))
    return problems


def _xls_problems(stream: IO[bytes]) -> list[Problem]:
    problems: list[Problem] = []
    if _has_filepass(stream):
        problems.append(Problem("encrypted"))
    if contains(stream, _MACRO_STREAM):
        problems.append(Problem("macros"))
    return problems


def _has_filepass(stream: IO[bytes]) -> bool:
    """Whether a workbook stream is marked at its start as encrypted; sectors begin at multiples of 512 bytes."""
    stream.seek(0)
    data = stream.read(_CHUNK)
    for start in range(0, len(data) - 8, 512):
        kind, length = struct.unpack_from("<HH", data, start)
        if kind != _BIFF_BOF or length not in (8, 16):
            continue
        at = start
        # The mark is among the first records of the stream, which are never encrypted.
        for _step in range(8):
            if at + 4 > len(data):
                break
            kind, length = struct.unpack_from("<HH", data, at)
            if kind == _BIFF_FILEPASS:
                return True
            at += 4 + length
    return False


def expand_recap_zip(uploaded: UploadedFile, *, converted: Collection[str] = ()) -> list[TemporaryUploadedFile]:
    """The pages in a .zip, each as an upload of its own, ordered by name; the caller closes them.

    Pages may stand in folders; names are never used as paths. Lock files, hidden files and the files that macOS adds
    are skipped. Sizes are counted while inflating. Each page is checked like any other upload. `converted`: as for
    `check_upload`.
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
                errors += _inflate_pages(archive, entries, pages=pages, zip_name=checked.name, converted=converted)
    except (*BAD_ZIP, RuntimeError):
        errors.append(sentence(Problem("bad_archive", file=checked.name)))
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
        errors.append(sentence(Problem("encrypted", file=name)))
    return errors


def _is_page(entry: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
    if entry.is_dir() or not parts or "__MACOSX" in parts:
        return False
    return not is_lock_file(parts[-1]) and not parts[-1].startswith(".") and parts[-1].lower() != "thumbs.db"


def _inflate_pages(
    archive: zipfile.ZipFile,
    entries: list[zipfile.ZipInfo],
    *,
    pages: list[TemporaryUploadedFile],
    zip_name: str,
    converted: Collection[str],
) -> list[str]:
    """Inflate each entry into a file of its own, added to `pages`; returns what is wrong with them."""
    errors: list[str] = []
    left = most = settings.CONCORD["MAX_POST_BYTES"]
    for entry in sorted(entries, key=lambda one: one.filename):
        name = plain_name(entry.filename)
        page = TemporaryUploadedFile(name, "application/octet-stream", 0, None)
        pages.append(page)
        # One byte past the limit is enough to know that a page is too large.
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
        errors += _errors(page, name=name, size=page.size, known=EXTENSIONS, converted=converted)
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
