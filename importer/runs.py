"""One run of a session: its claim, the order of its steps, and which ending follows which exception.

A run always ends: the session gets its last status or goes back to the queue. A run writes only under its own token
(`lease`).
"""

import gc
import traceback
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import rmtree

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError

from common.errors import StorageFailure, StorageUnavailable, is_disk_full
from file_handling.models import ImportSession
from file_handling.reading_limits import reading_limits
from file_handling.wording import part
from importer import endings, lease, steps
from importer.lease import Heartbeat, Lease, LeaseLost
from importer.run_context import CannotImport, ConverterAway, OutcomeChanged, RunContext, SheetUnnamed
from importer.steps import Written
from reading.process import ReaderKilled

log = structlog.get_logger(__name__)

# Failures that another attempt may not meet.
PASSING_FAILURES = (ReaderKilled, OperationalError, InterfaceError, ConnectionError)


def run_session(session_id: int) -> None:
    """Claim the session and run it. Returns at once when it does not wait for a run."""
    claimed = lease.claim(session_id)
    if claimed is None:
        log.info("session_not_to_be_had", session=session_id)
        return
    run_claimed(claimed)


def run_claimed(claimed: Lease) -> None:
    """Run the session of a lease to one of its endings."""
    session = ImportSession.objects.select_related("country", "stat_file", "recap_file", "user").get(
        pk=claimed.session_id
    )
    log.info("run_started", session=session.pk, attempt=claimed.attempt)
    folder = Path(settings.UPLOAD_DIR) / f"run-{session.pk}-{claimed.token}-{uuid.uuid4().hex[:8]}"
    with Heartbeat(claimed) as heartbeat, _gc_disabled(), ExitStack() as cleanup:
        cleanup.callback(rmtree, folder, ignore_errors=True)
        ctx = RunContext(session, claimed, heartbeat, reading_limits(), folder, cleanup)
        written = _run(ctx)
        # After the end of the session, here and below: nobody waits for it.
        steps.keep_lines(ctx)
    if written is not None:
        steps.analyze_written(ctx, written)
    log.info("run_ended", session=session.pk, attempt=claimed.attempt)


@contextmanager
def _gc_disabled() -> Iterator[None]:
    """Disable the cyclic garbage collector: a run creates no cycles, and the collector would take 20 % of planning."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _run(ctx: RunContext) -> Written | None:
    if ctx.session.written_at is not None:
        _end_written(ctx, lambda: _finish_interrupted(ctx))
        return None
    written = _write_or_end(ctx)
    if written is not None:
        _end_written(ctx, lambda: _finish(ctx, written))
    return written


def _finish_interrupted(ctx: RunContext) -> None:
    steps.begin(ctx)
    endings.finish_interrupted(ctx)


def _finish(ctx: RunContext, written: Written) -> None:
    with ctx.timed("end"):
        endings.finish(ctx, written)


def _write_or_end(ctx: RunContext) -> Written | None:
    """All steps up to the commit of the write. None: the run has ended without writing."""
    try:
        return _steps(ctx)
    except LeaseLost:
        _log_lease_lost(ctx)
    except CannotImport as refusal:
        endings.fail(ctx, refusal.parts)
    except SheetUnnamed as several:
        endings.ask_for_sheet(ctx, several.sheets)
    except ConverterAway as away:
        endings.wait_for_converter(ctx, away.facts)
    except Exception as error:  # noqa: BLE001
        if is_disk_full(error):
            endings.fail(ctx, [part("no_room")])
        elif isinstance(error, StorageUnavailable) and ctx.lease.attempt < settings.CONCORD["MAX_ATTEMPTS"]:
            endings.hand_back(ctx, error, wait=True)
        elif isinstance(error, StorageFailure):
            endings.fail(ctx, [part("storage_away" if isinstance(error, StorageUnavailable) else "storage_refused")])
        elif isinstance(error, PASSING_FAILURES):
            endings.hand_back(ctx, error)
        else:
            _log_failure(ctx, error)
            endings.fail(ctx, [part("unexpected")])
    return None


def _steps(ctx: RunContext) -> Written | None:
    steps.begin(ctx)
    if ctx.lease.attempt > settings.CONCORD["MAX_ATTEMPTS"]:
        raise CannotImport([part("given_up", attempts=settings.CONCORD["MAX_ATTEMPTS"])])
    steps.convert(ctx)
    with ctx.timed("read") as facts:
        pair = steps.read(ctx)
        facts |= {"stat_lines": pair.stat.height, "recap_rows": pair.recap.height}
    with ctx.timed("reconcile"):
        reconciliation = steps.reconcile(ctx, pair)
    planned = steps.plan(ctx, reconciliation, pair.files)
    if ctx.session.dry_run and not ctx.session.commit_requested:
        endings.review(ctx, planned, pair.files)
        return None
    try:
        steps.require_reviewed(ctx, planned)
        with ctx.timed("write") as facts:
            written = steps.write(ctx, planned, pair.files)
            facts |= {"claims": written.planned.plan.claims.height, "lines": written.planned.plan.lines.height}
        return written
    except OutcomeChanged as changed:
        endings.review(ctx, changed.planned, pair.files)
        return None


def _end_written(ctx: RunContext, finish: Callable[[], None]) -> None:
    """End a run whose claims are written: whatever fails from here on, they stay imported (RELIABILITY F12)."""
    try:
        finish()
    except LeaseLost:
        _log_lease_lost(ctx)
    except PASSING_FAILURES as error:
        endings.hand_back(ctx, error)
    except Exception as error:  # noqa: BLE001
        _log_failure(ctx, error)
        endings.end_written(ctx, parts=[part("claims_imported")], complete=False, report=None)


def _log_lease_lost(ctx: RunContext) -> None:
    log.warning("lease_lost", session=ctx.session.pk, token=ctx.lease.token)


def _log_failure(ctx: RunContext, error: Exception) -> None:
    # The message of any exception may contain data, so the log gets the type and the places alone.
    places = traceback.format_list(traceback.extract_tb(error.__traceback__))
    log.error("run_failed", session=ctx.session.pk, error=type(error).__name__, places=places)
