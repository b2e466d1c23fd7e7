"""Storing and deleting files. The API and the admin call these functions; the actor is an argument."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

from django.core.files.base import File as DjangoFile
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from common.errors import Conflict, Gone
from file_handling.files.sheets import forget_sheets
from file_handling.files.storage import StoredObjects, delete_after_commit, sha256_and_size
from file_handling.lineage import created_by_file
from file_handling.models import WILL_READ, File, FileType, ImportSession, stored_file_name
from users import audit
from users.models import AuditAction, Country, User

_MAX_NAME_LENGTH = 255
_MAX_SESSION_IDS = 10


class FileUsed(Conflict):
    """Sessions imported from the file, so the caller must confirm its deletion.

    `sessions`: their ids. `stays`: how many records of each kind stay without the file. The API answers with both.
    """

    def __init__(self, *, sessions: list[int], stays: dict[str, int]) -> None:
        numbers = ", ".join(str(pk) for pk in sessions[:_MAX_SESSION_IDS]) + (
            "…" if sessions[_MAX_SESSION_IDS:] else ""
        )
        super().__init__(
            _(
                "Import sessions used this file: %(sessions)s. They stay with their reports, and so do the %(claims)d "
                "claims and %(lines)d claim lines that came from it, but none of these will lead to the file any "
                "more, and the sessions cannot be run again. Delete it with force=true."
            )
            % {
                "sessions": numbers,
                "claims": stays.get("claims", 0) + stays.get("settled_claims", 0),
                "lines": stays.get("claim_lines", 0),
            },
            facts={"sessions": sessions, "stays": stays},
        )


class Upload(Protocol):
    """A file that passed the upload checks: its name and its open content."""

    @property
    def name(self) -> str: ...

    @property
    def content(self) -> DjangoFile[Any]: ...


def displayable_name(name: str) -> str:
    """The name that the user gave to a file, without folders and control characters. A long name keeps its ending."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(c for c in name if c.isprintable()).strip() or "file"
    if len(name) <= _MAX_NAME_LENGTH:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 10:
        return name[:_MAX_NAME_LENGTH]
    return stem[: _MAX_NAME_LENGTH - len(ending) - 1] + dot + ending


def store_upload(
    *, stored: StoredObjects, user: User, country: Country, file_type: FileType, uploads: Sequence[Upload]
) -> File:
    """Store the pages of one upload inside the caller's transaction; → the first page, to which the others point.

    `uploads`: at least one, in page order. Raises OSError when the storage is full; `stored` then lists the objects to
    delete.
    """
    first: File | None = None
    for upload in uploads:
        page = File(
            user=user, country=country, file_type=file_type, name=displayable_name(upload.name), first_page=first
        )
        page.sha256, page.size = sha256_and_size(upload.content)
        page.file = stored.put(
            storage=page.file.storage, name=stored_file_name(page, page.name), content=upload.content
        )
        # Closed here, because nothing else closes a page that came out of an archive.
        upload.content.close()
        page.save()
        first = first or page
    if first is None:
        raise ValueError("an upload has at least one file")
    audit.record(
        actor=user,
        action=AuditAction.UPLOAD,
        target=first,
        label=first.name,
        data={"pages": len(uploads)},
    )
    return first


def delete_file(*, actor: User, file: File, force: bool = False) -> None:
    """Delete a file with its later pages. The records that came from it stay and lose their file (DOMAIN §6).

    A file that sessions used is deleted only with `force`; without it FileUsed is raised. Raises Conflict for a later
    page and for a file that a session will still read, even with `force`; Gone when it is already deleted. A refusal is
    audited too.
    """
    try:
        _delete_file(actor=actor, file=file, force=force)
    except Conflict as refused:
        audit.record(
            actor=actor,
            action=AuditAction.DELETE,
            target=file,
            label=file.name,
            success=False,
            data={"reason": type(refused).__name__},
        )
        raise


def _delete_file(*, actor: User, file: File, force: bool) -> None:
    with transaction.atomic():
        locked = File.objects.select_for_update().filter(pk=file.pk).first()
        if locked is None:
            raise Gone
        if locked.first_page_id is not None:
            raise Conflict(
                _("This is a later page of file %(id)d. Delete that one: its pages go with it.")
                % {"id": locked.first_page_id}
            )
        used_by = ImportSession.objects.filter(Q(stat_file=locked) | Q(recap_file=locked)).order_by("pk")
        reader = used_by.filter(status__in=WILL_READ).first()
        if reader is not None:
            raise Conflict(
                _("Import session %(id)d still needs this file. Let it end or cancel it, then delete the file.")
                % {"id": reader.pk}
            )
        pages = locked.all_pages()
        sessions = list(used_by.values_list("pk", flat=True))
        if sessions and not force:
            raise FileUsed(sessions=sessions, stays=created_by_file(locked, pages=pages[1:]))
        audit.record(
            actor=actor,
            action=AuditAction.DELETE,
            target=locked,
            label=locked.name,
            data={"pages": len(pages), "sessions": sessions},
        )
        objects = [stored.name or "" for page in pages for stored in (page.file, page.converted)]
        delete_after_commit(storage=locked.file.storage, names=objects)
        for page in pages:
            transaction.on_commit(partial(forget_sheets, page), robust=True)
        locked.delete()
