"""Starting and steering sessions (DOMAIN §7). API, admin and commands call these; who acts is an argument.

Each change of status is one conditional UPDATE, so that two people, or a person and a run, never both succeed.
"""

from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import override

from common.errors import Conflict
from file_handling.models import File, ImportSession, OnConflict, SessionStatus
from file_handling.sessions.services import pair_sha256
from importer import dispatch, events
from users import audit
from users.models import AuditAction, Country, User

S = SessionStatus


def create_session(
    *,
    user: User,
    country: Country,
    stat_file: File,
    recap_file: File,
    stat_sheet: str = "",
    dry_run: bool = False,
    on_conflict: str = OnConflict.REPORT,
    currency: str = "",
    language: str = "en",
) -> ImportSession:
    """A session that waits for a worker, who is rung for once it is committed."""
    with transaction.atomic():
        session = ImportSession.objects.create(
            user=user,
            country=country,
            stat_file=stat_file,
            recap_file=recap_file,
            stat_sheet=stat_sheet,
            dry_run=dry_run,
            on_conflict=on_conflict,
            currency=currency or country.currency_code,
            language=language,
            files_sha256=pair_sha256(stat_file=stat_file, recap_file=recap_file),
        )
        with override(language):
            events.append(session.pk, step="received", message=_("Files received; waiting for a worker."))
        audit.record(actor=user, action=AuditAction.IMPORT, target=session)
        for file in (stat_file, recap_file):
            # The file's own history names the import too.
            audit.record(
                actor=user,
                action=AuditAction.IMPORT,
                target=file,
                label=file.name,
                data={"import_session": session.pk},
            )
        dispatch.enqueue_after_commit(session.pk)
    return session


def name_sheet(*, session: ImportSession, actor: User, stat_sheet: str) -> ImportSession:
    """Tell which sheet of the stat workbook is meant; the session goes on."""
    if session.status == S.AWAITING_SHEET and stat_sheet not in session.sheet_choices:
        raise Conflict(
            _("The stat workbook has no such sheet with claims. Choose one of: %(sheets)s.")
            % {"sheets": ", ".join(session.sheet_choices)}
        )
    return _steer(
        session,
        actor,
        allowed=(S.AWAITING_SHEET,),
        message=_("Sheet “%(sheet)s” chosen.") % {"sheet": stat_sheet},
        refusal=_("This session does not wait for a sheet."),
        stat_sheet=stat_sheet,
        message_field="",
        **_QUEUED,
    )


def request_commit(*, session: ImportSession, actor: User) -> ImportSession:
    """Write what was reviewed (DOMAIN §7, REVIEW)."""
    return _steer(
        session,
        actor,
        allowed=(S.REVIEW,),
        message=_("Commit requested."),
        refusal=_("Only a session that waits for review can be committed."),
        commit_requested=True,
        **_QUEUED,
    )


def retry(*, session: ImportSession, actor: User) -> ImportSession:
    """Run again a session that failed or was cancelled, from its files."""
    if session.stat_file is None or session.recap_file is None:
        raise Conflict(_("The session's files were deleted. Upload them again in a new session."))
    return _steer(
        session,
        actor,
        allowed=(S.ERROR, S.CANCELLED),
        message=_("Run again."),
        refusal=_("Only a session that failed or was cancelled can be run again."),
        commit_requested=False,
        completed_at=None,
        started_at=None,
        summary=None,
        outcome={},
        message_field="",
        **_QUEUED,
    )


def cancel(*, session: ImportSession, actor: User) -> ImportSession:
    """Stop a session before it has written. A run under way notices and writes nothing."""
    return _steer(
        session,
        actor,
        allowed=(S.PENDING, S.PROCESSING, S.AWAITING_SHEET, S.REVIEW),
        condition={"written_at__isnull": True},
        message=_("Cancelled."),
        refusal=_(
            "This session has ended or is already written; it cannot be cancelled. A written one can be reverted."
        ),
        status=S.CANCELLED,
        lease_token=F("lease_token") + 1,
        lease_expires_at=None,
        completed_at=Now(),
        message_field=_("Cancelled; nothing was written."),
        call_worker=False,
    )


def revert(*, session: ImportSession, actor: User) -> ImportSession:
    """Take back what the session created and nothing later relies on, in one transaction (DOMAIN §6, undo)."""
    from importer.undo import undo_session

    with transaction.atomic():
        Country.objects.select_for_update(no_key=True).get(pk=session.country_id)
        reverted = ImportSession.objects.filter(pk=session.pk, status__in=(S.DONE, S.DONE_WITH_ERRORS)).update(
            status=S.REVERTED
        )
        if not reverted:
            raise Conflict(_("Only a session that is done can be reverted."))
        removed = undo_session(session_id=session.pk, country_id=session.country_id)
        kept, relied_on = removed.pop("kept_claims"), removed.pop("relied_on")
        message = _("Reverted: %(claims)d claims and %(lines)d lines removed.") % {
            "claims": removed["claims"],
            "lines": removed["claim_lines"],
        }
        if kept:
            message += " " + _("%(count)d claims that this session had replaced keep their present lines.") % {
                "count": kept
            }
        if relied_on:
            message += " " + _("%(count)d claims that a later session replaced stay as that one has them.") % {
                "count": relied_on
            }
        ImportSession.objects.filter(pk=session.pk).update(message=message)
        Country.objects.filter(pk=session.country_id).update(data_version=F("data_version") + 1)
        events.append(session.pk, step="reverted", message=message, progress=100, data=removed)
        audit.record(actor=actor, action=AuditAction.REVERT, target=session, data=removed)
    session.refresh_from_db()
    return session


def remake_report(*, session: ImportSession, actor: User) -> ImportSession:
    """Make report and log again from what the database keeps of the session."""
    if session.status not in (S.DONE, S.DONE_WITH_ERRORS, S.REVIEW):
        raise Conflict(_("There is a report once the session is reconciled."))
    from importer.report.files import make_report_and_log

    make_report_and_log(session)
    audit.record(actor=actor, action=AuditAction.STEER, target=session, data={"act": "report"})
    session.refresh_from_db()
    return session


# What sends a session back to the queue, as new: its attempts count from zero.
_QUEUED: dict[str, Any] = {
    "status": S.PENDING,
    "attempts": 0,
    "progress": 0,
    "rung_at": None,
    "lease_expires_at": None,
}


def _steer(
    session: ImportSession,
    actor: User,
    *,
    allowed: tuple[str, ...],
    message: str,
    refusal: str,
    condition: dict[str, Any] | None = None,
    call_worker: bool = True,
    message_field: str | None = None,
    **changes: Any,
) -> ImportSession:
    if message_field is not None:
        changes["message"] = message_field
    with transaction.atomic():
        changed = ImportSession.objects.filter(pk=session.pk, status__in=allowed, **(condition or {})).update(**changes)
        if not changed:
            raise Conflict(refusal)
        events.append(session.pk, step="steered", message=message)
        audit.record(
            actor=actor,
            action=AuditAction.STEER,
            target=session,
            data={"status": str(changes["status"])},
        )
        if call_worker:
            dispatch.enqueue_after_commit(session.pk)
    session.refresh_from_db()
    return session
