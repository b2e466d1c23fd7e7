"""Deleting a session, and finding earlier sessions with the same files."""

import hashlib

from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Conflict, Gone
from file_handling.files.storage import delete_after_commit
from file_handling.models import UNFINISHED, File, ImportSession
from file_handling.sessions.reports import in_all_languages
from users import audit
from users.models import AuditAction, User

_MAX_SESSION_IDS = 10


def delete_session(*, actor: User, session: ImportSession) -> None:
    """Delete a session with its events, findings, report and log; the records that it created stay (DOMAIN §1, §6).

    Raises Conflict while the session waits or runs, Gone when it is already deleted.
    """
    with transaction.atomic():
        locked = ImportSession.objects.select_for_update().filter(pk=session.pk).first()
        if locked is None:
            raise Gone
        if locked.status in UNFINISHED:
            raise Conflict(_("This import is still under way. Let it end or cancel it, then delete it."))
        audit.record(actor=actor, action=AuditAction.DELETE, target=locked)
        storage = locked.error_file.storage
        delete_after_commit(
            storage=storage, names=[*in_all_languages(locked.error_file.name or ""), locked.log_file_path]
        )
        locked.delete()


def pair_sha256(*, stat_file: File, recap_file: File) -> str:
    """Digest (hex) of the contents of a pair. File names and the order of the recap pages do not matter."""
    contents = [stat_file.sha256, *sorted(page.sha256 for page in recap_file.all_pages())]
    return hashlib.sha256("\n".join(contents).encode()).hexdigest()


def sessions_of_same_files(*, session: ImportSession, user: User) -> list[int]:
    """Ids of earlier sessions of the same country with the same contents, if `user` may see them; newest first."""
    if not session.files_sha256:
        return []
    earlier = ImportSession.objects.visible_to(user).filter(
        country_id=session.country_id, files_sha256=session.files_sha256, pk__lt=session.pk
    )
    return list(earlier.order_by("-pk").values_list("pk", flat=True)[:_MAX_SESSION_IDS])
