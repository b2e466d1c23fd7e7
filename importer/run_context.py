"""What every step and every ending of a run has in common, and the exceptions by which a step ends the run."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.timing import timed
from file_handling.models import EventLevel, ImportSession
from importer.lease import Heartbeat, Lease
from importer.planning import PlannedImport
from importer.report.files import BackgroundReport
from importer.report.findings import SourceFiles
from reading.limits import Limits


class CannotImport(Exception):
    """The files cannot be imported. `parts`: the message for the user, why and what to do (`wording.part`)."""

    def __init__(self, parts: list[dict[str, Any]]) -> None:
        super().__init__(", ".join(one["code"] for one in parts))
        self.parts = parts


class SheetUnnamed(Exception):
    """The stat workbook has several sheets with claims, and the session names none of them."""

    def __init__(self, sheets: list[str]) -> None:
        super().__init__("several sheets")
        self.sheets = sheets


class ConverterAway(Exception):
    """A converter did not convert a file, and may do so later. `facts`: the parameters of `converter_away`, such as the
    name of the converter (`file_handling.converters.texts`).
    """

    def __init__(self, facts: dict[str, Any]) -> None:
        super().__init__(facts["failure"])
        self.facts = facts


class OutcomeChanged(Exception):
    """A commit would write something else than what was reviewed (DOMAIN §7)."""

    def __init__(self, planned: PlannedImport) -> None:
        super().__init__("outcome changed")
        self.planned = planned


@dataclass(frozen=True)
class RunContext:
    """One run of a session.

    `session` comes with its country, files and user. `folder` holds the run's temporary files. `cleanup` is closed when
    the run ends: it waits for the threads of the reports, then removes the folder.
    """

    session: ImportSession
    lease: Lease
    heartbeat: Heartbeat
    limits: Limits
    folder: Path
    cleanup: ExitStack

    @property
    def currency(self) -> str:
        return self.session.currency or self.session.country.currency_code

    def timed(self, step: str) -> AbstractContextManager[dict[str, int | float | str | None]]:
        return timed(step, session=self.session.pk, attempt=self.lease.attempt)

    def record(
        self,
        step: str,
        code: str,
        *,
        progress: int,
        level: str = EventLevel.INFO,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """Append an event to the session and move its progress bar. `data`: the parameters of the code, and counts."""
        self.heartbeat.record(step=step, code=code, progress=progress, level=level, data=dict(data or {}))

    def start_report(self, planned: PlannedImport, files: SourceFiles, *, is_written: bool) -> BackgroundReport:
        """Findings and report of the plan, made in a thread beside what the run does next."""
        report = self._new_report()
        report.start(planned, files, is_written=is_written)
        return report

    def start_report_from_database(self) -> BackgroundReport:
        """The report of an earlier run that wrote the claims and ended before its report was stored."""
        report = self._new_report()
        report.start_from_database()
        return report

    def _new_report(self) -> BackgroundReport:
        report = BackgroundReport(self.session, token=self.lease.token, folder=self.folder)
        # A thread that still writes into the folder would keep it from being removed.
        self.cleanup.callback(report.wait)
        return report
