"""A dropped folder becomes an import: its files are copied, checked and recognised as the upload page does.

Nothing is stored of a folder with a problem; all its problems are named at once. The same content never becomes a
second session (docs/decisions/0033-drop-folder.md).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db import IntegrityError
from django.utils.translation import gettext as _

from common.errors import InvalidForm
from file_handling.files.checks import is_lock_file, max_file_bytes, plain_name
from file_handling.files.heads import FileHead, look_at, reasons_to_refuse
from file_handling.files.storage import all_or_nothing
from file_handling.files.uploads import Page, check_files
from file_handling.models import DroppedFolder, FileType, OnConflict
from importer.drop_folder.places import CHUNK_BYTES, Dropped, Listing, Place
from importer.uploads import ImportForm, PairSide, first_rows_errors, store
from users.models import Country, User

READY = "ready"
LONGEST_NAME = 255
# Names of files that another program is still writing, and of files that systems add to folders.
UNFINISHED_ENDINGS = (".part", ".partial", ".filepart", ".tmp", ".crdownload")
SYSTEM_FILES = ("thumbs.db", "desktop.ini")


class FolderRefused(Exception):
    """The folder cannot be imported as it is. `reasons`: all of them, as sentences."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(f"{len(reasons)} reasons")
        self.reasons = list(dict.fromkeys(reasons))


class FolderChanged(Exception):
    """A file of the folder was changed, added or removed while it was copied."""


def service_account(country: Country) -> User:
    """The account in whose name the folders of the country are imported. Raises FolderRefused when there is none."""
    name = settings.WATCH["ACCOUNT"].format(country=country.code.lower())
    user = User.objects.filter(username__iexact=name, country=country, is_active=True).first()
    if user is None or not (user.is_admin_territorial() or user.is_chef_dept_tech()) or not user.working_country_id():
        raise FolderRefused(
            [
                _(
                    "%(country)s has no account “%(name)s” for its dropped files. Create it in this country, as head "
                    "of the technical department."
                )
                % {"country": country.code, "name": name}
            ]
        )
    return user


def is_ready(listing: Listing) -> bool:
    return any(one.name.lower() == READY for one in listing.files)


def files_to_read(listing: Listing) -> list[Dropped]:
    """The files of the import, without the mark and what systems add. Raises FolderRefused."""
    files = [one for one in listing.files if one.name.lower() != READY and not _is_system_file(one.name)]
    reasons = [
        _("“%(file)s” is still being copied, or its copy was broken off.") % {"file": one.name}
        for one in files
        if one.name.lower().endswith(UNFINISHED_ENDINGS)
    ]
    reasons += [
        _("“%(folder)s” is a folder. Put its files directly beside the others.") % {"folder": name}
        for name in listing.folders
    ]
    if not files:
        reasons.append(_("There is no file to read here."))
    if reasons:
        raise FolderRefused(reasons)
    return files


def start(*, place: Place, country: Country, name: str, listing: Listing) -> DroppedFolder:
    """Import a folder, or find the import of the same content; → its row, with the session.

    Raises FolderRefused with every problem, FolderChanged, OSError when the place or the disk fails; then nothing is
    stored.
    """
    user = service_account(country)
    if len(name) > LONGEST_NAME:
        raise FolderRefused(
            [_("The name of the folder is too long: at most %(most)d characters.") % {"most": LONGEST_NAME}]
        )
    files = files_to_read(listing)
    folder = f"{country.code}/{name}"
    with _copies(place, folder, files) as uploads:
        if place.listing(folder) != listing:
            raise FolderChanged
        form = _form(country, uploads)
        row = DroppedFolder(
            country=country, name=name, content_sha256=_digest(form), files=[one.name for one in listing.files]
        )
        if (first := _first(row)) is None:
            try:
                with all_or_nothing() as stored:
                    row.session = store(stored=stored, user=user, form=form)
                    row.save()
                    return row
            except IntegrityError:
                # Another process took the same content at the same time.
                if (first := _first(row)) is None:
                    raise
        row.first, row.session = first, first.session
        row.save()
        return row


def _first(row: DroppedFolder) -> DroppedFolder | None:
    same = DroppedFolder.objects.filter(country=row.country, content_sha256=row.content_sha256, first=None)
    return same.select_related("session").first()


def _is_system_file(name: str) -> bool:
    return name.startswith(".") or name.lower() in SYSTEM_FILES or is_lock_file(name)


@contextmanager
def _copies(place: Place, folder: str, files: Sequence[Dropped]) -> Iterator[list[TemporaryUploadedFile]]:
    """The files, copied to the disk of this machine."""
    most = settings.CONCORD["MAX_POST_BYTES"]
    if sum(one.size for one in files) > most:
        raise FolderRefused(
            [
                _("The files are larger than %(limit)d MB together. Split the period into several folders.")
                % {"limit": most // (1024 * 1024)}
            ]
        )
    copies: list[TemporaryUploadedFile] = []
    try:
        for file in files:
            copy = TemporaryUploadedFile(plain_name(file.name), "application/octet-stream", 0, None)
            copies.append(copy)
            # A larger file is refused by its size, so its content is not needed.
            copy.size = file.size
            if file.size <= max_file_bytes():
                copy.size = _copy(place, f"{folder}/{file.name}", copy)
        yield copies
    finally:
        for copy in copies:
            copy.close()


def _copy(place: Place, path: str, copy: TemporaryUploadedFile) -> int:
    try:
        source = place.open(path)
    except FileNotFoundError as gone:
        raise FolderChanged from gone
    size = 0
    with source:
        while chunk := source.read(CHUNK_BYTES):
            copy.write(chunk)
            size += len(chunk)
    copy.flush()
    copy.seek(0)
    return size


def _form(country: Country, uploads: Sequence[TemporaryUploadedFile]) -> ImportForm:
    """The form of the import that these files make. Raises FolderRefused."""
    pages, errors = check_files(field="", kind=None, uploads=uploads)
    try:
        if errors:
            raise FolderRefused([error.message for error in errors])
        return _recognised(country, pages)
    except BaseException:
        for page in pages:
            # A page that came out of an archive is no copy of `_copies`.
            page.content.close()
        raise


def _recognised(country: Country, pages: Sequence[Page]) -> ImportForm:
    reasons: list[str] = []
    heads = look_at([(page.name, page.path, None) for page in pages])
    for page, head in zip(pages, heads, strict=True):
        reasons += reasons_to_refuse(head, name=page.name, kind=None)
    stat, recap = _of_kind(pages, heads, FileType.STAT), _of_kind(pages, heads, FileType.RECAP)
    if not reasons:
        if len(stat) != 1:
            reasons.append(
                _("There must be one stat file; here are %(count)d: %(files)s.")
                % {"count": len(stat), "files": ", ".join(page.name for page in stat)}
                if stat
                else _("The stat file is missing.")
            )
        if not recap:
            reasons.append(_("The recap is missing: add at least one page."))
    if reasons:
        raise FolderRefused(reasons)
    form = ImportForm(
        country=country,
        stat=PairSide(pages=stat),
        recap=PairSide(pages=recap),
        stat_sheet="",
        dry_run=False,
        on_conflict=OnConflict.REPORT,
        currency="",
    )
    problems = first_rows_errors(stat=form.stat, recap=form.recap, stat_sheet="")
    if problems:
        raise FolderRefused(InvalidForm(problems).sentences())
    return form


def _of_kind(pages: Sequence[Page], heads: Sequence[FileHead], kind: FileType) -> list[Page]:
    return [page for page, head in zip(pages, heads, strict=True) if head.recognised_as == kind]


def _digest(form: ImportForm) -> str:
    """Of the contents alone: the same files under other names, or in another order, are the same delivery."""
    contents = {"stat": form.stat.digests(), "recap": sorted(form.recap.digests())}
    return hashlib.sha256(json.dumps(contents).encode()).hexdigest()
