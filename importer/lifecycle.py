"""Starting and steering sessions (DOMAIN §7). API, admin and commands call these; the actor is an argument.

Each change of status is one conditional UPDATE, so that two people, or a person and a run, never both succeed.
"""

from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from common.errors import Conflict
from file_handling.models import File, ImportSession, OnConflict
from file_handling.sessions.services import pair_sha256
from file_handling.wording import part
from importer import dispatch, events
from importer.transitions import CANCEL, COMMIT, REPORT, RETRY, REVERT, SHEET, Transition
from importer.undo import undo_session
from notifications.models import Ending
from notifications.outbox import session_ended
from users import audit
from users.models import AuditAction, Country, User


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
    """Create a session that waits for a run; a worker is called once the session is committed."""
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
        events.append(session.pk, step="received", code="received")
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
    """Choose the sheet of the stat workbook; the session goes on with it."""
    if SHEET.objection(session) is None and stat_sheet not in session.sheet_choices:
        raise Conflict(
            _("The stat workbook has no sheet of this name with claims. Choose one of: %(sheets)s.")
            % {"sheets": ", ".join(session.sheet_choices)}
        )
    return _steer(SHEET, session, actor, event_data={"sheet": stat_sheet}, stat_sheet=stat_sheet)


def request_commit(*, session: ImportSession, actor: User) -> ImportSession:
    """Have a run write what was reviewed (DOMAIN §7, REVIEW)."""
    return _steer(COMMIT, session, actor)


def retry(*, session: ImportSession, actor: User) -> ImportSession:
    """Run a session that failed or was cancelled again, from its files."""
    return _steer(RETRY, session, actor)


def cancel(*, session: ImportSession, actor: User) -> ImportSession:
    """Stop a session before it has written. A run that is under way notices and writes nothing."""
    return _steer(CANCEL, session, actor)


def revert(*, session: ImportSession, actor: User) -> ImportSession:
    """Remove what the session created and nothing later relies on, in one transaction (DOMAIN §6, undo)."""
    with transaction.atomic():
        Country.objects.select_for_update(no_key=True).get(pk=session.country_id)
        _change(REVERT, session)
        removed = undo_session(session_id=session.pk, country_id=session.country_id)
        counts = {name: count for name, count in removed.items() if name not in ("kept_claims", "relied_on")}
        ImportSession.objects.filter(pk=session.pk).update(message_parts=[part("reverted", **removed)])
        Country.objects.filter(pk=session.country_id).update(data_version=F("data_version") + 1)
        events.append(session.pk, step="reverted", code="reverted", progress=100, data=removed)
        audit.record(actor=actor, action=AuditAction.REVERT, target=session, data=counts)
        session_ended(
            session.pk,
            Ending.REVERTED,
            counts={"claims_removed": removed["claims"], "claim_lines_removed": removed["claim_lines"]},
        )
    session.refresh_from_db()
    return session


def remake_report(*, session: ImportSession, actor: User) -> ImportSession:
    """Make report and log again from what the database has of the session.

    Raises OSError when the storage cannot be written.
    """
    # Imported here: a worker's main process, which forks, loads this module but must not load the frames library.
    from importer.report.files import make_report_and_log

    objection = REPORT.objection(session)
    if objection is not None:
        raise Conflict(str(objection))
    make_report_and_log(session)
    audit.record(actor=actor, action=AuditAction.STEER, target=session, data={"act": REPORT.name})
    session.refresh_from_db()
    return session


def report_in_language(session: ImportSession, language: str, name: str) -> str:
    """Make the report of a session in the language, store it under the name; → the name that it has.

    Raises OSError when the storage cannot be written.
    """
    # Imported here, as in `remake_report`.
    from importer.report.files import make_report

    return make_report(session, language, name)


def _steer(
    transition: Transition,
    session: ImportSession,
    actor: User,
    *,
    event_data: dict[str, str] | None = None,
    **fields: Any,
) -> ImportSession:
    """Change the session as the transition says, with an event and an audit entry, and call a worker where due."""
    with transaction.atomic():
        _change(transition, session, **fields)
        events.append(session.pk, step="steered", code=transition.event, data=event_data)
        audit.record(actor=actor, action=AuditAction.STEER, target=session, data={"status": str(transition.to_status)})
        if transition.calls_worker:
            dispatch.enqueue_after_commit(session.pk)
    session.refresh_from_db()
    return session


def _change(transition: Transition, session: ImportSession, **fields: Any) -> None:
    """The one conditional UPDATE. Raises Conflict when the session's row does not allow the transition."""
    rows = ImportSession.objects.filter(pk=session.pk)
    changed = rows.filter(**transition.filter()).update(
        **transition.changes, **fields, status=transition.to_status or F("status")
    )
    if not changed:
        row = rows.first()
        raise Conflict(str((row and transition.objection(row)) or transition.refusal))
