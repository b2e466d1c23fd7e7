"""What the API and the admin do to files and sessions: the same functions, with the actor as an argument."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from django.core.files.base import File as DjangoFile
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from file_handling.models import UNFINISHED, File, FileType, ImportSession, SessionStatus, stored_file_name
from file_handling.storage import Placed, delete_after_commit, sha256_and_size
from users import audit
from users.models import AuditAction, Country, User

# Sessions that will read their files again. A failed one does so only when asked, and says then what it lacks.
_READS_AGAIN = (*UNFINISHED, SessionStatus.AWAITING_SHEET, SessionStatus.REVIEW)
_LONGEST_NAME = 255


class InUseError(Exception):
    """Something else still needs what was to be deleted; the argument is a sentence that says what to do."""


class GoneError(Exception):
    """What was to be deleted was deleted meanwhile."""


class Upload(Protocol):
    """A file that passed the upload checks: what it is called, and its content, open."""

    @property
    def name(self) -> str: ...

    @property
    def content(self) -> DjangoFile[Any]: ...


def displayable_name(name: str) -> str:
    """What the user called a file, without folders or control characters, its ending kept when it is too long."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(c for c in name if c.isprintable()).strip() or "file"
    if len(name) <= _LONGEST_NAME:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 10:
        return name[:_LONGEST_NAME]
    return stem[: _LONGEST_NAME - len(ending) - 1] + dot + ending


def store_upload(
    *, placed: Placed, user: User, country: Country, file_type: FileType, uploads: Sequence[Upload]
) -> File:
    """Store the pages of one upload inside the caller's transaction; returns the first, to which the others point.

    `uploads`: at least one, in page order. Raises OSError when the storage is full; `placed` then knows what to remove.
    """
    first: File | None = None
    for upload in uploads:
        page = File(
            user=user, country=country, file_type=file_type, name=displayable_name(upload.name), first_page=first
        )
        page.sha256, page.size = sha256_and_size(upload.content)
        page.file = placed.put(
            storage=page.file.storage, name=stored_file_name(page, page.name), content=upload.content
        )
        # A page from an archive has nobody else who would close it.
        upload.content.close()
        page.save()
        first = first or page
    if first is None:
        raise ValueError("an upload has at least one file")
    audit.record(
        actor=user,
        action=AuditAction.UPLOAD,
        target=first,
        country_id=country.pk,
        label=first.name,
        data={"pages": len(uploads)},
    )
    return first


def delete_file(*, actor: User, file: File) -> None:
    """Delete a file with its later pages; records that came from it stay, without it (DOMAIN §6).

    Raises InUseError for a later page and for a file that a session will still read, GoneError when it is gone already.
    """
    with transaction.atomic():
        locked = File.objects.select_for_update().filter(pk=file.pk).first()
        if locked is None:
            raise GoneError
        if locked.first_page_id is not None:
            raise InUseError(
                _("This is a later page of file %(id)d. Delete that one: its pages go with it.")
                % {"id": locked.first_page_id}
            )
        reader = (
            ImportSession.objects.filter(Q(stat_file=locked) | Q(recap_file=locked), status__in=_READS_AGAIN)
            .order_by("pk")
            .first()
        )
        if reader is not None:
            raise InUseError(
                _("Import session %(id)d still needs this file. Let it end or cancel it, then delete the file.")
                % {"id": reader.pk}
            )
        names = [page.file.name or "" for page in locked.all_pages()]
        audit.record(
            actor=actor,
            action=AuditAction.DELETE,
            target=locked,
            country_id=locked.country_id,
            label=locked.name,
            data={"pages": len(names)},
        )
        delete_after_commit(storage=locked.file.storage, names=names)
        locked.delete()


def delete_session(*, actor: User, session: ImportSession) -> None:
    """Delete a session with its events, findings, report and log; what it imported stays (DOMAIN §1, §6).

    Raises InUseError while it waits to run or runs, GoneError when it is gone already.
    """
    with transaction.atomic():
        locked = ImportSession.objects.select_for_update().filter(pk=session.pk).first()
        if locked is None:
            raise GoneError
        if locked.status in UNFINISHED:
            raise InUseError(_("This import is still under way. Let it end or cancel it, then delete it."))
        audit.record(actor=actor, action=AuditAction.DELETE, target=locked, country_id=locked.country_id)
        storage = locked.error_file.storage
        delete_after_commit(storage=storage, names=[locked.error_file.name or "", locked.log_file_path])
        locked.delete()
