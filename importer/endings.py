"""The endings of a run. Each stores the log and changes the session's status, under the run's token."""

from typing import Any

import structlog
from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from file_handling.models import EventLevel, SessionStatus
from importer import dispatch, lease
from importer.lease import LeaseLost
from importer.planning import PlannedImport
from importer.report import ending_texts, files
from importer.report.files import BackgroundReport
from importer.report.findings import SourceFiles
from importer.run_context import RunContext
from importer.steps import Written
from importer.writer import write_findings

log = structlog.get_logger(__name__)

S = SessionStatus


def finish(ctx: RunContext, written: Written) -> None:
    """The claims are written: store report and log, and say what was imported."""
    planned = written.planned
    ctx.record("write", _("Written."), progress=90, data=planned.summary["entities"])
    message = ending_texts.imported(planned.outcome(), ending_texts.left_out(planned.summary))
    end_written(ctx, message=message, complete=planned.complete(), report=written.report)


def finish_interrupted(ctx: RunContext) -> None:
    """An earlier run wrote the claims and died before it ended: make report and log, and set the status."""
    summary, outcome = ctx.session.summary or {}, ctx.session.outcome
    has_attempts = ctx.lease.attempt <= settings.CONCORD["MAX_ATTEMPTS"]
    end_written(
        ctx,
        message=ending_texts.imported(outcome, ending_texts.left_out(summary)),
        complete=bool(outcome.get("complete")),
        report=ctx.start_report_from_database() if has_attempts else None,
    )


def end_written(ctx: RunContext, *, message: str, complete: bool, report: BackgroundReport | None) -> None:
    """`complete`: every claim of the period is imported. A report or log that cannot be stored never undoes the import.

    Raises LeaseLost when the session is no longer this run's.
    """
    paths, trouble = {"error_file": ""}, ""
    if report is None:
        trouble = ending_texts.no_report()
    else:
        try:
            paths = report.store()
        except Exception as error:  # noqa: BLE001
            # The claims are imported; a report that cannot be written must not undo or hide that (RELIABILITY F12).
            log.error("report_failed", session=ctx.session.pk, error=type(error).__name__)
            trouble = ending_texts.no_report()
    message = _lines(message, trouble)
    ctx.record("done", message, progress=100, level=EventLevel.WARNING if trouble else EventLevel.INFO)
    paths |= _store_log(ctx)
    if not paths["log_file_path"]:
        trouble = ending_texts.no_log()
        message = _lines(message, trouble)
    _close(
        ctx,
        paths,
        status=S.DONE if complete and not trouble else S.DONE_WITH_ERRORS,
        message=message,
        completed_at=Now(),
    )


def review(ctx: RunContext, planned: PlannedImport, source_files: SourceFiles) -> None:
    """End of a dry run: reconciled, report stored, nothing written (DOMAIN §7, REVIEW).

    Also the end of a commit whose outcome would differ from what was reviewed; the message then lists the differences.
    """
    report = ctx.start_report(planned, source_files, is_written=False)
    if ctx.session.commit_requested:
        before = ctx.session.outcome.get("reviewed") or {}
        message = ending_texts.changed(before, planned.review_facts(), ctx.currency)
    else:
        message = _("Nothing is written yet. Read the report, then commit or cancel.")
    paths = {"error_file": ""}
    try:
        paths = report.store()
    except OSError as error:
        log.error("report_failed", session=ctx.session.pk, error=type(error).__name__)
        message = _lines(message, ending_texts.no_report())
    ctx.record("review", message, progress=100)
    paths |= _store_log(ctx)
    fields = planned.session_fields()
    fields["outcome"] |= {"reviewed": planned.review_facts()}
    with transaction.atomic():
        write_findings(ctx.session.pk, ctx.session.country_id, report.findings())
        _close(ctx, paths, status=S.REVIEW, message=message, **fields)


def ask_for_sheet(ctx: RunContext, sheets: list[str]) -> None:
    message = _("The stat workbook has several sheets with claims: %(sheets)s. Name the one to import.") % {
        "sheets": ", ".join(sheets)
    }
    ctx.record("sheet", message, progress=0, level=EventLevel.WARNING)
    ctx.heartbeat.flush()
    lease.current(ctx.lease).update(
        status=S.AWAITING_SHEET, message=message, sheet_choices=sheets, lease_expires_at=None
    )


def fail(ctx: RunContext, message: str) -> None:
    """Nothing was written. `message` tells the user why and what to do."""
    ctx.record("failed", message, progress=0, level=EventLevel.ERROR)
    paths = _store_log(ctx)
    is_current = lease.current(ctx.lease).update(
        status=S.ERROR, message=message, completed_at=Now(), lease_expires_at=None, commit_requested=False, **paths
    )
    if is_current:
        files.delete_stored({ctx.session.log_file_path} - set(paths.values()))
    else:
        files.delete_stored(paths.values())


def hand_back(ctx: RunContext, reason: Exception) -> None:
    """A passing failure (a killed reader, a restart of the database) ended the run: back to the queue."""
    log.warning("run_broken_off", session=ctx.session.pk, error=type(reason).__name__)
    connection.close()
    try:
        if lease.release(ctx.lease):
            dispatch.enqueue(ctx.session.pk)
    except DatabaseFailure:
        # The database is still away. The lease expires, and the sweeper calls a worker.
        log.warning("not_handed_back", session=ctx.session.pk)


def _close(ctx: RunContext, paths: dict[str, str], **fields: Any) -> None:
    """Set the session's last fields; delete the stored files of its earlier runs, or these when it was taken over."""
    is_current = lease.current(ctx.lease).update(
        progress=100, lease_expires_at=None, commit_requested=False, **fields, **paths
    )
    if not is_current:
        files.delete_stored(paths.values())
        raise LeaseLost
    # After the commit: a rollback must leave the files that the row names then.
    transaction.on_commit(lambda: files.delete_older(ctx.session, ctx.lease.token, paths.values()))


def _store_log(ctx: RunContext) -> dict[str, str]:
    """Store the log, made of the session's events; → the field of the session with its path."""
    ctx.heartbeat.flush()
    try:
        return files.store_log(ctx.session, ctx.lease.token)
    except Exception as error:  # noqa: BLE001
        # The events are in the database, and the log can be made from them at any time.
        log.error("log_failed", session=ctx.session.pk, error=type(error).__name__)
        return {"log_file_path": ""}


def _lines(*parts: str) -> str:
    return "\n".join(part for part in parts if part)
