"""Report and log as files: made beside the write or again later, stored, and deleted when outdated."""

import shutil
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import structlog
from django.conf import settings
from django.core.files import File as StoredFile
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from common.timing import timed
from file_handling.models import ImportSession, SessionStatus
from file_handling.sessions.log import log_lines
from file_handling.sessions.reports import in_all_languages
from importer.pipeline.similar_records import SimilarPair, similar_records
from importer.planning import PlannedImport
from importer.report.contents import ReportFacts, build_report, findings_frame
from importer.report.findings import SourceFiles, build_findings
from importer.report.workbook import write_report

log = structlog.get_logger(__name__)

# The files of so many earlier runs are looked for when a session deletes them.
EARLIER_RUNS = 10


class BackgroundReport:
    """Findings and report of a run, made in a thread: while the database works, the run would only wait.

    An exception of the thread is raised in the run's own thread, by the method that returns the result.
    """

    def __init__(self, session: ImportSession, *, token: int, folder: Path) -> None:
        self.path = folder / f"report-{uuid.uuid4().hex}.xlsx"
        self.session, self.token = session, token
        self._found: Future[pl.DataFrame] = Future()
        self._similar: list[SimilarPair] = []
        self._written: Future[None] = Future()

    def start(self, planned: PlannedImport, files: SourceFiles, *, is_written: bool) -> None:
        """Make them from a plan that is being written (`is_written`) or only reviewed."""

        def find() -> pl.DataFrame:
            self._similar = similar_records(planned.plan, planned.snapshot)
            return build_findings(
                reconciliation=planned.reconciliation,
                lines=planned.lines,
                plan=planned.plan,
                similar=self._similar,
                missing_pages=planned.missing_pages,
                files=files,
                currency=self.session.currency or self.session.country.currency_code,
            )

        self._start_thread(
            find,
            _facts_of(self.session, summary=planned.summary, outcome=planned.outcome(), is_written=is_written),
        )

    def start_from_database(self) -> None:
        """Make them from what the database has of the session."""
        found = findings_frame(self.session)
        self._start_thread(lambda: found, _facts_from_database(self.session))

    def findings(self) -> pl.DataFrame:
        return self._found.result()

    def similar(self) -> list[SimilarPair]:
        """The new records of the plan whose names are nearly those of others; none for a report of the database."""
        self._found.result()
        return self._similar

    def store(self) -> dict[str, str]:
        """Wait for the report and store it; → the field of the session with its path."""
        self._written.result()
        return {"error_file": _store(self.path, _report_name(self.session, self.token))}

    def wait(self) -> None:
        """Wait until the thread has ended its work."""
        self._written.exception()

    def _start_thread(self, find: Callable[[], pl.DataFrame], facts: ReportFacts) -> None:
        def write(found: pl.DataFrame) -> None:
            write_report(self.path, build_report(facts, found, language=self.session.language))

        threading.Thread(target=self._make, args=(find, write), name=f"report-{self.session.pk}", daemon=True).start()

    def _make(self, find: Callable[[], pl.DataFrame], write: Callable[[pl.DataFrame], None]) -> None:
        try:
            with timed("findings", session=self.session.pk) as facts:
                found = find()
                facts["findings"] = found.height
        except BaseException as error:  # noqa: BLE001
            self._found.set_exception(error)
            self._written.set_exception(error)
            return
        self._found.set_result(found)
        try:
            with timed("report", session=self.session.pk):
                write(found)
        except BaseException as error:  # noqa: BLE001
            self._written.set_exception(error)
        else:
            self._written.set_result(None)


def _facts_of(
    session: ImportSession, *, summary: dict[str, Any], outcome: dict[str, Any], is_written: bool
) -> ReportFacts:
    # Queried before the thread starts, which has no connection to the database.
    names = [page.name for page in session.recap_file.all_pages()] if session.recap_file else []
    return ReportFacts(session, names, summary, outcome, is_written)


def _facts_from_database(session: ImportSession) -> ReportFacts:
    is_written = session.written_at is not None
    return _facts_of(session, summary=session.summary or {}, outcome=session.outcome, is_written=is_written)


def make_report_and_log(session: ImportSession) -> None:
    """Make report and log of a reconciled session again, from the database.

    Raises OSError when the storage cannot be written.
    """
    with _temporary_folder(session) as folder:
        report = BackgroundReport(session, token=session.lease_token, folder=folder)
        report.start_from_database()
        old = [session.error_file.name, session.log_file_path]
        changes: dict[str, Any] = report.store() | store_log(session, session.lease_token)
        if session.outcome.get("complete") and session.status == SessionStatus.DONE_WITH_ERRORS:
            changes["status"] = SessionStatus.DONE
        ImportSession.objects.filter(pk=session.pk, status=session.status).update(**changes)
        delete_stored(old)


def make_report(session: ImportSession, language: str, name: str) -> str:
    """Make the report of a reconciled session in a language, from the database, and store it; → its stored name.

    Raises OSError when the storage cannot be written.
    """
    with _temporary_folder(session) as folder, timed("report", session=session.pk):
        path = folder / "report.xlsx"
        report = build_report(_facts_from_database(session), findings_frame(session), language=language)
        write_report(path, report)
        with path.open("rb") as content:
            return default_storage.save(name, _WholeFile(content))


class _WholeFile(StoredFile):
    """A file that local storage moves into its place at once: nobody can read a part of it."""

    def temporary_file_path(self) -> str:
        return str(self.name)


@contextmanager
def _temporary_folder(session: ImportSession) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=f"report-{session.pk}-", dir=settings.UPLOAD_DIR))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def store_log(session: ImportSession, token: int) -> dict[str, str]:
    """Store the log in the session's language, made of its events; → the field of the session with its path."""
    content = ContentFile("".join(log_lines(session, language=session.language)).encode())
    return {"log_file_path": default_storage.save(_log_name(session, token), content)}


def delete_older(session: ImportSession, token: int, in_use: Iterable[str | None]) -> None:
    """Delete the files of earlier runs of the session: of a review, and of runs that were killed before their end."""
    older = {session.error_file.name, session.log_file_path}
    for earlier in range(max(1, token - EARLIER_RUNS), token):
        older |= {_report_name(session, earlier), _log_name(session, earlier)}
    delete_stored(older - set(in_use))


def delete_stored(names: Iterable[str | None]) -> None:
    """Delete stored files that no row names any more, in all languages. A failure is logged and ignored."""
    for name in (one for stored in filter(None, names) for one in in_all_languages(stored)):
        try:
            default_storage.delete(name)
        except Exception as error:  # noqa: BLE001
            # The exceptions differ between storages. The session is in order without this.
            log.warning("stored_file_stays", name=name, error=type(error).__name__)


def _store(path: Path, name: str) -> str:
    with path.open("rb") as content:
        return default_storage.save(name, StoredFile(content))


def _report_name(session: ImportSession, token: int) -> str:
    return f"reports/{session.country_id}/session-{session.pk}-{token}.xlsx"


def _log_name(session: ImportSession, token: int) -> str:
    return f"logs/{session.country_id}/session-{session.pk}-{token}.log"
