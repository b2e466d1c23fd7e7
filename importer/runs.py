"""One session's run, from the claim of its row to its end, as a list of steps that each leave an event.

Whatever happens, the session ends or goes back to the queue; what a run writes, it writes under its own token
(`lease`).
"""

import gc
import shutil
import traceback
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import structlog
from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from common.errors import is_disk_full
from common.money import cents_of, to_decimal
from common.timing import timed
from file_handling.models import EventLevel, File, ImportSession, SessionStatus
from file_handling.problem_texts import sentence
from file_handling.reading_limits import reading_limits
from importer import dispatch, lease
from importer.lease import Heartbeat, Lease, LeaseLost
from importer.pipeline.reconcile import NoCommonPeriod, Reconciliation, reconcile
from importer.planning import PlannedImport, plan_import
from importer.report import ending_texts, finding_texts
from importer.report.files import BackgroundReport, forget, forget_older, store_log
from importer.report.findings import SourceFiles
from importer.writer import Origin, write_findings, write_plan
from reading.problems import Problem
from reading.process import ReaderKilled, start_read
from reading.sources import Source
from reading.typed import dedupe_recap
from users.models import Country

log = structlog.get_logger(__name__)

S = SessionStatus
WRITE_TRIES = 3


class Refused(Exception):
    """The files cannot be imported. `str()` tells the user why and what to do."""


class SheetUnnamed(Exception):
    def __init__(self, sheets: list[str]) -> None:
        super().__init__("several sheets")
        self.sheets = sheets


class OutcomeChanged(Exception):
    """What was reviewed would no longer come about."""

    def __init__(self, planned: PlannedImport) -> None:
        super().__init__("outcome changed")
        self.planned = planned


def run_session(session_id: int) -> None:
    """Run the session if it waits for a run; leave at once if somebody else has it."""
    held = lease.claim(session_id)
    if held is None:
        log.info("session_not_to_be_had", session=session_id)
        return
    session = ImportSession.objects.select_related("country", "stat_file", "recap_file", "user").get(pk=held.session_id)
    log.info("run_started", session=session_id, attempt=held.attempt)
    with override(session.language), Heartbeat(held) as heartbeat, _gc_disabled():
        _Run(session, held, heartbeat).go()
    log.info("run_ended", session=session_id, attempt=held.attempt)


@contextmanager
def _gc_disabled() -> Iterator[None]:
    """Looking for cycles among the millions of small objects of a run, which have none, takes a fifth of its plan."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class _Run:
    def __init__(self, session: ImportSession, held: Lease, heartbeat: Heartbeat) -> None:
        self.session, self.lease, self.heartbeat = session, held, heartbeat
        self.limits = reading_limits()
        self.folder = Path(settings.UPLOAD_DIR) / f"run-{session.pk}-{held.token}-{uuid.uuid4().hex[:8]}"
        self.is_written = session.written_at is not None
        self.reports: list[BackgroundReport] = []

    # -------------------------------------------------------------------------------------------- the whole

    def go(self) -> None:
        """Every end of a run: done, refused, handed back, lost, or failed with its traceback in the log."""
        try:
            self.folder.mkdir(mode=0o700)
            if self.lease.attempt > 1:
                self.heartbeat.record(
                    step="again",
                    message=_("Begun again: attempt %(count)d. The one before broke off.")
                    % {"count": self.lease.attempt},
                    progress=0,
                    level=EventLevel.WARNING,
                )
            if self.is_written:
                self.finish_what_was_written()
            elif self.lease.attempt > settings.CONCORD["MAX_ATTEMPTS"]:
                self.fail(ending_texts.given_up(settings.CONCORD["MAX_ATTEMPTS"]))
            else:
                self.steps()
        except LeaseLost:
            log.warning("lease_lost", session=self.session.pk, token=self.lease.token)
        except Refused as refused:
            self.fail(str(refused))
        except SheetUnnamed as several:
            self.ask_for_sheet(several.sheets)
        except OutcomeChanged as changed:
            self.review(changed.planned, before=self.session.outcome)
        except (ReaderKilled, OperationalError, InterfaceError, ConnectionError) as passing:
            if is_disk_full(passing) and not self.is_written:
                self.fail(ending_texts.no_room())
            else:
                self.hand_back(passing)
        except Exception as error:  # noqa: BLE001
            if is_disk_full(error) and not self.is_written:
                self.fail(ending_texts.no_room())
                return
            # Data may stand in the message of any exception, so the log gets its type and its place alone.
            places = traceback.format_list(traceback.extract_tb(error.__traceback__))
            log.error("run_failed", session=self.session.pk, error=type(error).__name__, places=places)
            if self.is_written:
                self.end(message=_("The claims are imported."), complete=False, report=None)
                return
            self.fail(ending_texts.unexpected())
        finally:
            for report in self.reports:
                # What still writes into the folder would keep it from going.
                report.wait()
            shutil.rmtree(self.folder, ignore_errors=True)

    def steps(self) -> None:
        with self.timed("read") as facts:
            stat, recap, duplicates = self.read()
            facts |= {"stat_lines": stat.height, "recap_rows": recap.height}
        with self.timed("reconcile"):
            reconciliation = self.reconcile(stat, recap, duplicates)
        planned = self.plan(reconciliation)
        if self.session.dry_run and not self.session.commit_requested:
            self.review(planned)
            return
        if self.session.commit_requested:
            self.require_reviewed(planned)
        with self.timed("write") as facts:
            written, report = self.write(planned)
            facts |= {"claims": written.plan.claims.height, "lines": written.plan.lines.height}
        with self.timed("end"):
            self.finish(written, report)

    def timed(self, step: str) -> AbstractContextManager[dict[str, int | float | str | None]]:
        return timed(step, session=self.session.pk, attempt=self.lease.attempt)

    # -------------------------------------------------------------------------------------------- steps

    def record(self, step: str, message: str, progress: int, **data: Any) -> None:
        self.heartbeat.record(step=step, message=message, progress=progress, data=data)

    def read(self) -> tuple[pl.DataFrame, pl.DataFrame, int]:
        """Stat file and recap pages side by side, each group in a process of its own."""
        session = self.session
        if session.stat_file is None or session.recap_file is None:
            raise Refused(_("The session's files were deleted. Upload them again in a new session."))
        pages = session.recap_file.all_pages()
        self.record(
            "read",
            ngettext(
                "Reading the stat file and %(count)d recap page.",
                "Reading the stat file and %(count)d recap pages.",
                len(pages),
            )
            % {"count": len(pages)},
            5,
            pages=len(pages),
        )
        self.files = SourceFiles(
            stat=[(session.stat_file.pk, session.stat_file.name)], recap=[(page.pk, page.name) for page in pages]
        )
        options: dict[str, Any] = {
            "limits": self.limits,
            "wall_seconds": settings.CONCORD["READER_WALL_SECONDS"],
            "currency": session.currency or session.country.currency_code,
        }
        with (
            start_read(
                kind="stat",
                files=[Source(str(self.local(session.stat_file)), session.stat_file.name, session.stat_sheet or None)],
                out_dir=self.folder / "stat",
                **options,
            ) as stat_job,
            start_read(
                kind="recap",
                files=[Source(str(self.local(page)), page.name, None) for page in pages],
                out_dir=self.folder / "recap",
                **options,
            ) as recap_job,
        ):
            stat, recap = stat_job.wait(self.heartbeat.check), recap_job.wait(self.heartbeat.check)
        self.refuse_problems([*stat.problems, *recap.problems])
        lone_marks = {"stat": stat.lone_marks, "recap": recap.lone_marks}
        self.files = replace(self.files, lone_marks=lone_marks)
        rows, duplicates = dedupe_recap(recap.frame)
        frame = stat.frame
        self.record(
            "read",
            _("Read: %(lines)d stat lines, %(rows)d recap rows (%(duplicates)d repeated ones left out).")
            % {"lines": frame.height, "rows": rows.height, "duplicates": duplicates},
            40,
            stat_lines=frame.height,
            recap_rows=rows.height,
            duplicates=duplicates,
            seconds={"stat": stat.seconds, "recap": recap.seconds},
            peak_mb={"stat": stat.peak_mb, "recap": recap.peak_mb},
            lone_marks=lone_marks,
        )
        return frame, rows, duplicates

    def local(self, file: File) -> Path:
        """Where the reader finds the file: in place, or fetched from a storage that is elsewhere."""
        try:
            return Path(file.file.path)
        except NotImplementedError:
            pass
        target = self.folder / f"source-{file.pk}{file.extension()}"
        with file.file.open("rb") as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy, 1024 * 1024)
        return target

    def refuse_problems(self, problems: list[Problem]) -> None:
        several = [p for p in problems if p.code == "several_sheets"]
        if several and len(several) == len(problems):
            raise SheetUnnamed(list(several[0].params["sheets"]))
        if problems:
            raise Refused("\n".join(sentence(problem) for problem in problems))

    def reconcile(self, stat: pl.DataFrame, recap: pl.DataFrame, duplicates: int) -> Reconciliation:
        self.heartbeat.check()
        try:
            result = reconcile(
                stat=stat,
                recap=recap,
                duplicates_removed=duplicates,
                tolerance_cents=cents_of(self.session.country.tolerance),
            )
        except NoCommonPeriod as apart:
            raise Refused(finding_texts.no_common_period(apart.stat_range, apart.recap_range)) from None
        counts = result.summary()["claims"]
        self.record(
            "reconcile",
            _("Reconciled: %(agreed)d of %(total)d claims agree.")
            % {
                "agreed": sum(counts["by_category"].get(c, 0) for c in ("conform", "cancelled")),
                "total": counts["total"],
            },
            50,
            **counts,
        )
        return result

    def plan(self, reconciliation: Reconciliation, lines: pl.DataFrame | None = None) -> PlannedImport:
        """Hold the reconciliation against what the country has."""
        self.heartbeat.check()
        with self.timed("plan"):
            planned = plan_import(self.session, reconciliation, lines)
        outcome = planned.outcome()
        self.record(
            "plan",
            _(
                "Planned: %(new)d claims to create, %(replaced)d to replace, %(there)d already there, "
                "%(differ)d that differ."
            )
            % {
                "new": outcome["claims_to_create"],
                "replaced": outcome["claims_to_replace"],
                "there": outcome["claims_skipped"],
                "differ": outcome["claims_in_conflict"],
            },
            60,
            **outcome,
        )
        return planned

    def require_reviewed(self, planned: PlannedImport) -> None:
        """DOMAIN §7: a commit writes what was reviewed, or nothing."""
        if planned.review_facts() != self.session.outcome.get("reviewed"):
            raise OutcomeChanged(planned)

    def background_report(self, planned: PlannedImport, *, is_written: bool) -> BackgroundReport:
        """Findings and report, begun beside what the run does next."""
        report = BackgroundReport(self.session, token=self.lease.token, folder=self.folder)
        report.begin(planned, self.files, is_written=is_written)
        # Only what has begun will end, and is waited for.
        self.reports.append(report)
        return report

    def write(self, planned: PlannedImport) -> tuple[PlannedImport, BackgroundReport]:
        """One transaction, all or nothing; → what was written, planned anew when the country had moved on meanwhile.

        Findings and report are made beside it: while the database works, this process would only wait.
        """
        self.record("write", _("Writing to the database."), 65, lines=planned.plan.lines.height)
        # Told before the write begins: SQLite lets nobody else write until it ends, and progress would stand still.
        self.heartbeat.flush()
        report = self.background_report(planned, is_written=True)
        for attempt in range(1, WRITE_TRIES + 1):
            try:
                with transaction.atomic():
                    written = self._write_once(planned, report, again=attempt > 1)
                self.is_written = True
                return written
            except IntegrityError:
                # Somebody changed a record by hand between the look and the write. Under the lock, look again.
                if attempt == WRITE_TRIES:
                    raise
        raise AssertionError("unreachable")

    def _write_once(
        self, planned: PlannedImport, report: BackgroundReport, *, again: bool
    ) -> tuple[PlannedImport, BackgroundReport]:
        session = self.session
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                name = lease.writer_name(session.pk, self.lease.token)
                # References are checked with the rows, not all at the commit, so that other work goes on meanwhile.
                cursor.execute("SELECT set_config('application_name', %s, true)", [name])
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        country = Country.objects.select_for_update(no_key=True).get(pk=session.country_id)
        if again or country.data_version != planned.snapshot.data_version:
            planned = self.plan(planned.reconciliation, planned.lines)
            if session.commit_requested:
                self.require_reviewed(planned)
            report = self.background_report(planned, is_written=True)
        plan = planned.plan
        created = write_plan(
            plan,
            Origin(
                country_id=session.country_id,
                session_id=session.pk,
                stat_file_id=session.stat_file_id,
                stat_files=[id_ for id_, _name in self.files.stat],
                recap_files=[id_ for id_, _name in self.files.recap],
            ),
        )
        written = replace(planned, summary=planned.summary | {"entities": created})
        write_findings(session.pk, report.findings())
        if plan.claims.height:
            Country.objects.filter(pk=country.pk).update(data_version=F("data_version") + 1)
        # The fence, last: if the session is no longer this run's, nothing of the above has happened.
        fenced = lease.current(self.lease).update(
            written_at=Now(),
            # SQLite's one writer kept the heartbeats waiting as long as this transaction lasted.
            lease_expires_at=lease.renewed(),
            insured_created_count=created["insured"],
            claims_created_count=plan.outcome()["claims_to_create"],
            total_claimed_amount=to_decimal(int(plan.claims["claimed_cents"].cast(pl.Int128).sum() or 0)),
            total_reimbursed_amount=to_decimal(int(plan.claims["reimbursed_cents"].cast(pl.Int128).sum() or 0)),
            **written.session_fields(),
        )
        if not fenced:
            raise LeaseLost
        return written, report

    # -------------------------------------------------------------------------------------------- ends

    def finish(self, written: PlannedImport, report: BackgroundReport) -> None:
        outcome = written.outcome()
        left_out = written.summary["claims"]["total"] - written.summary["importable"]["claims"]
        message = ending_texts.imported(outcome, left_out)
        self.record("write", _("Written."), 90, **written.summary["entities"])
        self.end(message=message, complete=written.complete(), report=report)

    def finish_what_was_written(self) -> None:
        """An earlier run wrote and died before it could say so: only the report, the log and the status are missing."""
        session = self.session
        summary, outcome = session.summary or {}, session.outcome
        left_out = summary["claims"]["total"] - summary["importable"]["claims"]
        report: BackgroundReport | None = None
        if self.lease.attempt <= settings.CONCORD["MAX_ATTEMPTS"]:
            report = BackgroundReport(session, token=self.lease.token, folder=self.folder)
            report.begin_again()
            self.reports.append(report)
        self.end(
            message=ending_texts.imported(outcome, left_out), complete=bool(outcome.get("complete")), report=report
        )

    def end(self, *, message: str, complete: bool, report: BackgroundReport | None) -> None:
        places, trouble = {"error_file": ""}, ""
        if report is None:
            trouble = ending_texts.no_report()
        else:
            try:
                places = report.store()
            except Exception as error:  # noqa: BLE001
                # The claims are in; a report that cannot be written must not undo or hide that (RELIABILITY F12).
                log.error("report_failed", session=self.session.pk, error=type(error).__name__)
                trouble = ending_texts.no_report()
        message = "\n".join(part for part in (message, trouble) if part)
        level = EventLevel.WARNING if trouble else EventLevel.INFO
        self.heartbeat.record(step="done", message=message, progress=100, level=level)
        places |= self.store_log()
        if not places["log_file_path"]:
            trouble = ending_texts.no_log()
            message = f"{message}\n{trouble}"
        status = S.DONE if complete and not trouble else S.DONE_WITH_ERRORS
        if not lease.current(self.lease).update(
            status=status, message=message, progress=100, completed_at=Now(), lease_expires_at=None,
            commit_requested=False, **places,
        ):  # fmt: skip
            forget(places.values())
            raise LeaseLost
        forget_older(self.session, self.lease.token, places.values())

    def review(self, planned: PlannedImport, before: dict[str, Any] | None = None) -> None:
        """A dry run ends here: reconciled, report ready, nothing written (DOMAIN §7, REVIEW)."""
        report = self.background_report(planned, is_written=False)
        message = _("Nothing is written yet. Read the report, then commit or cancel.")
        if before is not None:
            message = ending_texts.changed(before.get("reviewed") or {}, planned.review_facts(), self.session.currency)
        places, trouble = {"error_file": ""}, ""
        try:
            places = report.store()
        except OSError as error:
            log.error("report_failed", session=self.session.pk, error=type(error).__name__)
            trouble = ending_texts.no_report()
        message = "\n".join(part for part in (message, trouble) if part)
        self.heartbeat.record(step="review", message=message, progress=100)
        places |= self.store_log()
        facts = planned.session_fields()
        facts["outcome"] |= {"reviewed": planned.review_facts()}
        with transaction.atomic():
            write_findings(self.session.pk, report.findings())
            if not lease.current(self.lease).update(
                status=S.REVIEW, message=message, progress=100, lease_expires_at=None, commit_requested=False,
                **facts, **places,
            ):  # fmt: skip
                forget(places.values())
                raise LeaseLost
        forget_older(self.session, self.lease.token, places.values())

    def ask_for_sheet(self, sheets: list[str]) -> None:
        message = _("The stat workbook has several sheets with claims: %(sheets)s. Name the one to import.") % {
            "sheets": ", ".join(sheets)
        }
        self.heartbeat.record(step="sheet", message=message, progress=0, level=EventLevel.WARNING)
        self.heartbeat.flush()
        lease.current(self.lease).update(
            status=S.AWAITING_SHEET, message=message, sheet_choices=sheets, lease_expires_at=None
        )

    def fail(self, message: str) -> None:
        self.heartbeat.record(step="failed", message=message, progress=0, level=EventLevel.ERROR)
        places = self.store_log()
        if lease.current(self.lease).update(
            status=S.ERROR, message=message, completed_at=Now(), lease_expires_at=None, commit_requested=False, **places
        ):
            forget({self.session.log_file_path} - set(places.values()))
        else:
            forget(places.values())

    def hand_back(self, reason: Exception) -> None:
        """Something passing broke the run off (a killed reader, a database restart): the queue has it again."""
        log.warning("run_broken_off", session=self.session.pk, error=type(reason).__name__)
        connection.close()
        try:
            if lease.release(self.lease):
                dispatch.enqueue(self.session.pk)
        except DatabaseFailure:
            # Still away. The lease runs out and the sweeper rings.
            log.warning("not_handed_back", session=self.session.pk)

    def store_log(self) -> dict[str, str]:
        """The log as a file, from the events; → what the session's row keeps of it."""
        self.heartbeat.flush()
        try:
            return store_log(self.session, self.lease.token)
        except Exception as error:  # noqa: BLE001
            # The events are in the database, and the log can be made from them at any time.
            log.error("log_failed", session=self.session.pk, error=type(error).__name__)
            return {"log_file_path": ""}
