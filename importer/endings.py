"""The endings of a run. Each stores the log and changes the session's status, under the run's token."""

from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import connection, transaction
from django.db.models.functions import Now

from file_handling.models import EventLevel, SessionStatus
from file_handling.wording import part
from importer import dispatch, lease
from importer.corrections.comparison import keep_claims
from importer.lease import LeaseLost
from importer.planning import PlannedImport
from importer.report import ending_texts, files
from importer.report.ending_texts import Part
from importer.report.files import BackgroundReport
from importer.report.findings import SourceFiles
from importer.run_context import RunContext
from importer.steps import Written
from importer.writer import write_findings
from notifications.models import Ending
from notifications.outbox import session_ended

log = structlog.get_logger(__name__)

S = SessionStatus


def finish(ctx: RunContext, written: Written) -> None:
    """The claims are written: store report and log, and say what was imported."""
    planned = written.planned
    ctx.record("write", "written", progress=90, data=planned.summary["entities"])
    parts = [ending_texts.imported(planned.outcome(), planned.summary)]
    end_written(ctx, parts=parts, complete=planned.complete(), report=written.report)


def finish_interrupted(ctx: RunContext) -> None:
    """An earlier run wrote the claims and died before it ended: make report and log, and set the status."""
    outcome = ctx.session.outcome
    has_attempts = ctx.lease.attempt <= settings.CONCORD["MAX_ATTEMPTS"]
    end_written(
        ctx,
        parts=[ending_texts.imported(outcome, ctx.session.summary or {})],
        complete=bool(outcome.get("complete")),
        report=ctx.start_report_from_database() if has_attempts else None,
    )


def end_written(ctx: RunContext, *, parts: list[Part], complete: bool, report: BackgroundReport | None) -> None:
    """`parts`: the message of the session. `complete`: every claim of the period is imported.

    A report or log that cannot be stored never undoes the import. Raises LeaseLost when the session is no
    longer this run's.
    """
    paths, trouble = {"error_file": ""}, []
    if report is None:
        trouble = [part("no_report")]
    else:
        try:
            paths = report.store()
        except Exception as error:  # noqa: BLE001
            # The claims are imported; a report that cannot be written must not undo or hide that (RELIABILITY F12).
            log.error("report_failed", session=ctx.session.pk, error=type(error).__name__)
            trouble = [part("no_report")]
    _record_end(ctx, "done", parts + trouble, level=EventLevel.WARNING if trouble else EventLevel.INFO)
    paths |= _store_log(ctx)
    if not paths["log_file_path"]:
        trouble.append(part("no_log"))
    _close(
        ctx,
        paths,
        Ending.COMPLETED,
        status=S.DONE if complete and not trouble else S.DONE_WITH_ERRORS,
        message_parts=parts + trouble,
        completed_at=Now(),
    )


def review(ctx: RunContext, planned: PlannedImport, source_files: SourceFiles) -> None:
    """End of a dry run: reconciled, report stored, nothing written (DOMAIN §7, REVIEW).

    Also the end of a commit whose outcome would differ from what was reviewed; the message then lists the differences.
    """
    report = ctx.start_report(planned, source_files, is_written=False)
    if ctx.session.commit_requested:
        before = ctx.session.outcome.get("reviewed") or {}
        parts = [part("changed", before=before, now=planned.review_facts(), currency=ctx.currency)]
    else:
        parts = [part("review")]
    paths = {"error_file": ""}
    try:
        paths = report.store()
    except OSError as error:
        log.error("report_failed", session=ctx.session.pk, error=type(error).__name__)
        parts.append(part("no_report"))
    _record_end(ctx, "review", parts)
    paths |= _store_log(ctx)
    fields = planned.session_fields()
    fields["outcome"] |= {"reviewed": planned.review_facts()}
    with transaction.atomic():
        write_findings(ctx.session.pk, ctx.session.country_id, report.findings())
        keep_claims(ctx.session.pk, planned)
        _close(ctx, paths, Ending.REVIEW, status=S.REVIEW, message_parts=parts, **fields)


def ask_for_sheet(ctx: RunContext, sheets: list[str]) -> None:
    parts = [part("sheet_needed", sheets=sheets)]
    _record_end(ctx, "sheet", parts, progress=0, level=EventLevel.WARNING)
    ctx.heartbeat.flush()
    with transaction.atomic():
        if lease.current(ctx.lease).update(
            status=S.AWAITING_SHEET, message_parts=parts, sheet_choices=sheets, lease_expires_at=None
        ):
            session_ended(ctx.session.pk, Ending.SHEET)


def fail(ctx: RunContext, parts: list[Part]) -> None:
    """Nothing was written. `parts`: the message for the user, why and what to do."""
    _record_end(ctx, "failed", parts, progress=0, level=EventLevel.ERROR)
    paths = _store_log(ctx)
    with transaction.atomic():
        is_current = lease.current(ctx.lease).update(
            status=S.ERROR,
            message_parts=parts,
            completed_at=Now(),
            lease_expires_at=None,
            commit_requested=False,
            **paths,
        )
        if is_current:
            session_ended(ctx.session.pk, Ending.FAILED)
    if is_current:
        files.delete_stored({ctx.session.log_file_path} - set(paths.values()))
    else:
        files.delete_stored(paths.values())


def hand_back(ctx: RunContext, reason: Exception, *, wait: bool = False) -> None:
    """A passing failure (a killed reader, a restart of the database) ended the run: back to the queue.

    `wait`: not before RING_AGAIN_SECONDS, when the sweeper calls a worker.
    """
    log.warning("run_broken_off", session=ctx.session.pk, error=type(reason).__name__)
    connection.close()
    try:
        if lease.release(ctx.lease, is_called=wait) and not wait:
            dispatch.enqueue(ctx.session.pk)
    except DatabaseFailure:
        # The database is still away. The lease expires, and the sweeper calls a worker.
        log.warning("not_handed_back", session=ctx.session.pk)


def wait_for_converter(ctx: RunContext, facts: dict[str, Any]) -> None:
    """A converter did not convert a file: back to the queue for some time, or the end after the last attempt.

    `facts`: see `run_context.ConverterAway`.
    """
    if ctx.lease.attempt >= settings.CONCORD["MAX_ATTEMPTS"]:
        fail(ctx, [part("converter_away", attempts=ctx.lease.attempt, **facts)])
        return
    waits = settings.CONVERTERS
    seconds = min(waits["LONGEST_WAIT_SECONDS"], waits["FIRST_WAIT_SECONDS"] * 4 ** (ctx.lease.attempt - 1))
    log.warning("converter_away", session=ctx.session.pk, failure=facts["failure"])
    ctx.record("convert", "converter_waiting", progress=0, level=EventLevel.WARNING, data={"seconds": seconds} | facts)
    ctx.heartbeat.flush()
    # The sweeper calls a worker when the time has come.
    lease.release(ctx.lease, wait=timedelta(seconds=seconds))


def _record_end(
    ctx: RunContext, step: str, parts: list[Part], *, progress: int = 100, level: str = EventLevel.INFO
) -> None:
    ctx.record(step, "ended", progress=progress, level=level, data={"parts": parts})


def _close(ctx: RunContext, paths: dict[str, str], ending: Ending, **fields: Any) -> None:
    """Set the session's last fields, and store what others are to be told of the ending.

    Delete the stored files of its earlier runs, or these when it was taken over.
    """
    with transaction.atomic():
        is_current = lease.current(ctx.lease).update(
            progress=100, lease_expires_at=None, commit_requested=False, **fields, **paths
        )
        if is_current:
            session_ended(ctx.session.pk, ending)
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
