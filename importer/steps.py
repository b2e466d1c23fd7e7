"""The steps of a run, in their order: convert, read, reconcile, plan, write. Each is a function over the run's context.

A step that cannot go on raises an exception of `run_context`, LeaseLost, or what went wrong; `runs` chooses the ending.
"""

import shutil
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from common.money import cents_of, to_decimal
from file_handling import problem_texts
from file_handling.converters import conversions
from file_handling.converters.calling import Failure, NoAnswer
from file_handling.converters.conversions import Unreadable, has_conversion
from file_handling.converters.registered import converters_for
from file_handling.models import Converter, EventLevel, File
from file_handling.wording import part
from importer import lease
from importer.corrections import kept_lines
from importer.corrections.applied import corrections_of_run
from importer.corrections.comparison import keep_claims
from importer.lease import LeaseLost
from importer.pipeline.reconcile import IMPORTED, NoCommonPeriod, Reconciliation
from importer.pipeline.reconcile import reconcile as reconcile_pair
from importer.planning import PlannedImport, plan_import
from importer.report import ending_texts
from importer.report.files import BackgroundReport
from importer.report.findings import SourceFiles
from importer.review_pairs import list_pairs, note_other_names
from importer.run_context import CannotImport, ConverterAway, OutcomeChanged, RunContext, SheetUnnamed
from importer.sql import analyze, prepare_write
from importer.writer import Origin, rows_by_table, write_findings, write_plan
from reading.formats import extension_of
from reading.problems import Problem
from reading.process import start_read
from reading.sources import Source
from reading.typed import dedupe_recap
from users.models import Country

log = structlog.get_logger(__name__)

WRITE_ATTEMPTS = 3
# A table that received fewer rows keeps its statistics: the plans stay good, and autovacuum renews them in time.
ANALYZE_FROM_ROWS = 1_000


@dataclass(frozen=True)
class Pair:
    """The pair as read. `duplicates`: how many repeated recap rows were left out of `recap`."""

    stat: pl.DataFrame
    recap: pl.DataFrame
    duplicates: int
    files: SourceFiles


@dataclass(frozen=True)
class Written:
    """What the write has committed, and the report that is being made of it."""

    planned: PlannedImport
    report: BackgroundReport


def begin(ctx: RunContext) -> None:
    ctx.folder.mkdir(mode=0o700)
    if ctx.lease.attempt > 1:
        ctx.record(
            "again",
            "started_again",
            progress=0,
            level=EventLevel.WARNING,
            data={"attempt": ctx.lease.attempt},
        )


def _files(ctx: RunContext) -> tuple[File, list[File]]:
    """The stat file and the recap pages. Raises CannotImport when they were deleted."""
    stat_file, recap_file = ctx.session.stat_file, ctx.session.recap_file
    if stat_file is None or recap_file is None:
        raise CannotImport([part("files_deleted")])
    return stat_file, recap_file.all_pages()


# ------------------------------------------------------------------------------------------------ converting


def convert(ctx: RunContext) -> None:
    """Have a converter read the files that Concord does not read itself. Raises CannotImport, ConverterAway.

    A conversion that an earlier attempt stored is not asked for again.
    """
    stat_file, pages = _files(ctx)
    files = [file for file in (stat_file, *pages) if not file.is_read_directly()]
    converters = converters_for([file.name for file in files])
    found = [(file, converters.get(extension_of(file.name))) for file in files]
    to_convert = [
        (file, converter)
        for file, converter in found
        if not has_conversion(file, converter=converter, session=ctx.session)
    ]
    without = [file for file, converter in to_convert if converter is None]
    if without:
        raise CannotImport([problem_texts.part(Problem("no_converter", file=file.name)) for file in without])
    counts = Counter(converter for _file, converter in to_convert)
    for file, converter in to_convert:
        if converter is not None:
            if converter in counts:
                data = {"converter": converter.name, "files": counts.pop(converter)}
                ctx.record("convert", "converting", progress=2, data=data)
            _convert(ctx, file, converter)
    if to_convert:
        ctx.record(
            "convert",
            "converted",
            progress=4,
            data={"services": list(dict.fromkeys(file.converted_by() for file, _converter in to_convert))},
        )


def _convert(ctx: RunContext, file: File, converter: Converter) -> None:
    def fence() -> None:
        if not lease.current(ctx.lease).exists():
            raise LeaseLost

    ctx.heartbeat.check()
    facts = {"converter": converter.name, "file": file.name}
    try:
        with ctx.timed("convert"):
            conversions.convert(file, converter=converter, language=ctx.session.language, fence=fence)
    except Unreadable as wrong:
        raise CannotImport(
            [part("conversion_failed", **facts, **wrong.facts), *map(problem_texts.part, wrong.problems)]
        ) from wrong
    except Failure as failed:
        raise CannotImport([part("conversion_failed", **facts, **failed.facts)]) from failed
    except NoAnswer as away:
        raise ConverterAway(facts | away.facts) from away


# ------------------------------------------------------------------------------------------------ reading


def read(ctx: RunContext) -> Pair:
    """Read the stat file and the recap pages at the same time, each side in a process of its own."""
    session = ctx.session
    stat_file, pages = _files(ctx)
    ctx.record("read", "reading", progress=5, data={"pages": len(pages)})
    of_stat, of_recap = corrections_of_run(session, [stat_file], pages)
    if of_stat or of_recap:
        counts = {
            "cells": len(of_stat.cells) + len(of_recap.cells),
            "rows": len(of_stat.removals) + len(of_recap.removals),
        }
        ctx.record("read", "correcting", progress=5, data=counts)
    options: dict[str, Any] = {
        "limits": ctx.limits,
        "wall_seconds": settings.CONCORD["READER_WALL_SECONDS"],
        "currency": ctx.currency,
    }
    with (
        start_read(
            kind="stat",
            files=[Source(str(_local_path(ctx, stat_file)), stat_file.read_name(), session.stat_sheet or None)],
            out_dir=ctx.folder / "stat",
            corrections=of_stat,
            **options,
        ) as stat_job,
        start_read(
            kind="recap",
            files=[Source(str(_local_path(ctx, page)), page.read_name(), None) for page in pages],
            out_dir=ctx.folder / "recap",
            corrections=of_recap,
            **options,
        ) as recap_job,
    ):
        stat, recap = stat_job.wait(ctx.heartbeat.check), recap_job.wait(ctx.heartbeat.check)
    _require_readable([*stat.problems, *recap.problems])
    rows, duplicates = dedupe_recap(recap.frame)
    lone_marks = {"stat": stat.lone_marks, "recap": recap.lone_marks}
    ctx.record(
        "read",
        "read",
        progress=40,
        data={
            "stat_lines": stat.frame.height,
            "recap_rows": rows.height,
            "duplicates": duplicates,
            "seconds": {"stat": stat.seconds, "recap": recap.seconds},
            "peak_mb": {"stat": stat.peak_mb, "recap": recap.peak_mb},
            "lone_marks": lone_marks,
        },
    )
    files = SourceFiles(
        stat=[(stat_file.pk, stat_file.name)],
        recap=[(page.pk, page.name) for page in pages],
        lone_marks=lone_marks,
    )
    return Pair(stat.frame, rows, duplicates, files)


def _local_path(ctx: RunContext, file: File) -> Path:
    """The path at which the reader finds the content of a file: a copy when the storage is not local."""
    content = file.content()
    try:
        return Path(content.path)
    except NotImplementedError:
        pass
    target = ctx.folder / f"source-{file.pk}{Path(content.name or '').suffix}"
    with content.open("rb") as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy, 1024 * 1024)
    return target


def _require_readable(problems: list[Problem]) -> None:
    several = [problem for problem in problems if problem.code == "several_sheets"]
    if several and len(several) == len(problems):
        raise SheetUnnamed(list(several[0].params["sheets"]))
    if problems:
        raise CannotImport([problem_texts.part(problem) for problem in problems])


# ------------------------------------------------------------------------------------------------ deciding


def reconcile(ctx: RunContext, pair: Pair) -> Reconciliation:
    ctx.heartbeat.check()
    try:
        reconciliation = reconcile_pair(
            stat=pair.stat,
            recap=pair.recap,
            duplicates_removed=pair.duplicates,
            tolerance_cents=cents_of(ctx.session.country.tolerance),
        )
    except NoCommonPeriod as apart:
        raise CannotImport([ending_texts.no_common_period(apart.stat_range, apart.recap_range)]) from None
    counts = reconciliation.summary()["claims"]
    ctx.record(
        "reconcile",
        "reconciled",
        progress=50,
        data=counts | {"agreed": sum(counts["by_category"].get(c, 0) for c in IMPORTED)},
    )
    return reconciliation


def plan(
    ctx: RunContext, reconciliation: Reconciliation, files: SourceFiles, lines: pl.DataFrame | None = None
) -> PlannedImport:
    """Plan against what the country has now. `lines`: the importable ones, where an earlier plan has them already."""
    ctx.heartbeat.check()
    with ctx.timed("plan"):
        planned = plan_import(ctx.session, reconciliation, recap_names=[name for _id, name in files.recap], lines=lines)
    ctx.record("plan", "planned", progress=60, data=planned.outcome())
    return planned


def require_reviewed(ctx: RunContext, planned: PlannedImport) -> None:
    """A commit writes what was reviewed, or nothing (DOMAIN §7). Raises OutcomeChanged."""
    if ctx.session.commit_requested and planned.review_facts() != ctx.session.outcome.get("reviewed"):
        raise OutcomeChanged(planned)


# ------------------------------------------------------------------------------------------------ writing


def write(ctx: RunContext, planned: PlannedImport, files: SourceFiles) -> Written:
    """Write in one transaction, all or nothing; plan again when the country has changed since the plan was made.

    Findings and report are made beside the write: while the database works, this process would only wait.
    """
    lines = planned.plan.lines.height
    ctx.record("write", "writing", progress=65, data={"lines": lines})
    # Before the write begins: SQLite lets nobody else write until it ends, and the progress would not move.
    ctx.heartbeat.flush()
    report = ctx.start_report(planned, files, is_written=True)
    for attempt in range(1, WRITE_ATTEMPTS + 1):
        try:
            with transaction.atomic():
                return _write_once(ctx, Written(planned, report), files, is_outdated=attempt > 1)
        except IntegrityError:
            # A person changed a record between the plan and the write. The next attempt plans under the lock.
            if attempt == WRITE_ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def _write_once(ctx: RunContext, to_write: Written, files: SourceFiles, *, is_outdated: bool) -> Written:
    session = ctx.session
    prepare_write(lease.writer_name(session.pk, ctx.lease.token))
    country = Country.objects.select_for_update(no_key=True).get(pk=session.country_id)
    planned, report = to_write.planned, to_write.report
    if is_outdated or country.data_version != planned.snapshot.data_version:
        planned = plan(ctx, planned.reconciliation, files, planned.lines)
        require_reviewed(ctx, planned)
        report = ctx.start_report(planned, files, is_written=True)
    origin = Origin(
        country_id=session.country_id,
        session_id=session.pk,
        stat_file_id=session.stat_file_id,
        stat_files=[id_ for id_, _name in files.stat],
        recap_files=[id_ for id_, _name in files.recap],
    )
    created = write_plan(planned.plan, origin)
    planned = replace(planned, summary=planned.summary | {"entities": created})
    write_findings(session.pk, session.country_id, report.findings())
    list_pairs(country_id=country.pk, session_id=session.pk, similar=report.similar())
    note_other_names(planned, country_id=country.pk, session_id=session.pk)
    keep_claims(session.pk, planned)
    claims = planned.plan.claims
    if claims.height:
        Country.objects.filter(pk=country.pk).update(data_version=F("data_version") + 1)
    # The fence comes last: when the session is no longer this run's, the transaction is rolled back.
    is_current = lease.current(ctx.lease).update(
        written_at=Now(),
        # On SQLite no heartbeat could be written while this transaction lasted.
        lease_expires_at=lease.renewed(),
        insured_created_count=created["insured"],
        claims_created_count=planned.outcome()["claims_to_create"],
        total_claimed_amount=_total(claims["claimed_cents"]),
        total_reimbursed_amount=_total(claims["reimbursed_cents"]),
        **planned.session_fields(),
    )
    if not is_current:
        raise LeaseLost
    return Written(planned, report)


def _total(cents: pl.Series) -> Any:
    return to_decimal(int(cents.cast(pl.Int128).sum() or 0))


def keep_lines(ctx: RunContext) -> None:
    """Keep what the corrections of this session will need, so that they are fast. Without it they read the files."""
    try:
        stat_file, pages = _files(ctx)
        with ctx.timed("keep_lines"):
            sides = [(ctx.folder / "stat", [stat_file.pk]), (ctx.folder / "recap", [page.pk for page in pages])]
            kept_lines.keep_lines(ctx.session.pk, sides)
    except Exception as error:  # noqa: BLE001  (the session has ended, and nothing depends on this)
        log.warning("lines_not_kept", session=ctx.session.pk, error=type(error).__name__)


def analyze_written(ctx: RunContext, written: Written) -> None:
    """Renew the statistics of the tables that the import filled, so that lists are fast before autovacuum comes."""
    rows = rows_by_table(written.planned.plan, findings=written.report.findings().height)
    tables = [table for table, count in rows.items() if count >= ANALYZE_FROM_ROWS]
    if tables:
        with ctx.timed("analyze") as facts:
            analyze(tables)
            facts["tables"] = len(tables)
