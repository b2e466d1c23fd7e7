"""Watches the place where files are dropped: `COUNTRY/NAME/` becomes an import, then moves to `done/` or `failed/`.

What is done with a folder stands in its row (`DroppedFolder`), so a watch that is killed goes on where it was. What
keeps a folder from being imported is in the log, as codes, and in a text beside the folder, for whoever dropped it.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from contextlib import suppress

import structlog
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from common.errors import is_disk_full
from file_handling.models import UNFINISHED, DroppedFolder, ImportSession, SessionStatus
from file_handling.sessions.log import log_lines
from importer.drop_folder.intake import (
    READY,
    FolderChanged,
    FolderRefused,
    files_to_read,
    is_ready,
    service_account,
    start,
)
from importer.drop_folder.places import Listing, Place
from users import audit
from users.models import AuditAction, Country

log = structlog.get_logger(__name__)

DONE, FAILED = "done", "failed"
# The ending of the texts that this module writes, which no file of a delivery has.
NOTE = ".concord.txt"
S = SessionStatus
SUCCEEDED = (S.DONE, S.DONE_WITH_ERRORS)
WAITING = (*UNFINISHED, S.AWAITING_SHEET, S.REVIEW)


class Watch:
    """One watch of a place. Call `step` every few seconds."""

    def __init__(self, place: Place, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.place, self.clock = place, clock
        self.seconds: float = settings.WATCH["SECONDS"]
        # Folder → what it contained, and since when.
        self._seen: dict[str, tuple[Listing, float]] = {}
        # Folder → what it contained when it was refused: it is read again once that has changed.
        self._refused: dict[str, Listing] = {}
        # Folder → when it is tried again after a failure of place or disk.
        self._not_before: dict[str, float] = {}
        self._notes: dict[str, str] = {}
        self._is_gone = False

    def step(self) -> None:
        """Go on with every folder that can go on now. A failure of one folder does not keep the others."""
        for row in DroppedFolder.objects.filter(ended_at=None).select_related("country", "session").order_by("pk"):
            self._guarded(f"{row.country.code}/{row.name}", lambda row=row: self._go_on(row))  # type: ignore[misc]
        try:
            root = self.place.listing("")
        except OSError as error:
            self._say_gone(error)
            return
        if self._is_gone:
            log.info("drop_place_is_back")
        self._is_gone = False
        countries = {country.code: country for country in Country.objects.filter(is_active=True)}
        for name in root.folders:
            if name.startswith("."):
                continue
            if (country := countries.get(name)) is not None:
                self._guarded(name, lambda country=country: self._look_through(country))  # type: ignore[misc]
            else:
                self._note(name, _("There is no active country with the code %(code)s.") % {"code": name})

    def _guarded(self, folder: str, work: Callable[[], None]) -> None:
        if self.clock() < self._not_before.get(folder, 0):
            return
        try:
            work()
        except OSError as error:
            # The folder and its row are as they were: it is tried again later.
            self._not_before[folder] = self.clock() + self.seconds
            log.warning("drop_folder_failed", folder=folder, error=type(error).__name__, disk_full=is_disk_full(error))
            if is_disk_full(error):
                self._note(folder, _("There is no room left on a disk. This is tried again by itself."))

    def _say_gone(self, error: OSError) -> None:
        if not self._is_gone:
            log.error("drop_place_is_gone", error=type(error).__name__)
        self._is_gone = True
        self._seen.clear()

    # ------------------------------------------------------------------------------------------------ folders

    def _look_through(self, country: Country) -> None:
        listing = self.place.listing(country.code)
        loose = [one.name for one in listing.files if not one.name.startswith(".") and not one.name.endswith(NOTE)]
        if loose:
            text = _("These files stand outside a folder and are not imported: %(files)s. Put each pair into a folder.")
            self._note(country.code, text % {"files": ", ".join(loose)})
        else:
            self._clear_note(country.code)
        under_way = set(DroppedFolder.objects.filter(country=country, ended_at=None).values_list("name", flat=True))
        for name in listing.folders:
            if name not in (DONE, FAILED, *under_way) and not name.startswith("."):
                folder = f"{country.code}/{name}"
                self._guarded(folder, lambda name=name: self._look_at(country, name))  # type: ignore[misc]

    def _look_at(self, country: Country, name: str) -> None:
        """Start the import of a folder that is complete."""
        folder = f"{country.code}/{name}"
        listing = self.place.listing(folder)
        if not listing.files and not listing.folders:
            self._seen.pop(folder, None)
            return
        seen, since = self._seen.get(folder, (None, 0.0))
        if seen != listing:
            self._seen[folder] = listing, self.clock()
            since = self.clock()
        if not is_ready(listing) and self.clock() - since < self.seconds:
            return
        try:
            user = service_account(country)
        except FolderRefused as refused:
            self._refuse(folder, refused)
            return
        if self._refused.get(folder) == listing:
            return
        with override(user.language):
            try:
                row = start(place=self.place, country=country, name=name, listing=listing)
            except FolderChanged:
                del self._seen[folder]
            except FolderRefused as refused:
                self._refused[folder] = listing
                self._refuse(folder, refused)
            else:
                log.info("drop_folder_taken", folder=folder, session=row.session_id, again=row.first_id is not None)
                self._seen.pop(folder, None)
                self._refused.pop(folder, None)
                self._clear_note(folder)

    def _refuse(self, folder: str, refused: FolderRefused) -> None:
        lines = [_("This folder is not imported yet:"), *(f"- {reason}" for reason in refused.reasons)]
        self._note(folder, "\n".join([*lines, _("Correct this here: the folder is looked at again when it changes.")]))

    # ------------------------------------------------------------------------------------------------ sessions

    def _go_on(self, row: DroppedFolder) -> None:
        """Move the folder once its session has ended, with report and log beside."""
        folder, session = f"{row.country.code}/{row.name}", row.session
        with override(session.language if session else settings.LANGUAGE_CODE):
            if session is not None and session.status in WAITING:
                if session.status == S.AWAITING_SHEET:
                    self._note(folder, _session_text(session))
                return
            if not row.moving_to:
                kind = DONE if session is not None and session.status in SUCCEEDED else FAILED
                row.moving_to = self._free_name(f"{row.country.code}/{kind}", row.name)
                row.save(update_fields=["moving_to"])
            if session is not None:
                self._write_results(session, row.moving_to)
            self._write(f"{row.moving_to}{NOTE}", self._result_text(row, folder))
            self.place.move(folder, row.moving_to)
        row.ended_at = timezone.now()
        row.save(update_fields=["ended_at"])
        self._clear_note(folder)
        log.info("drop_folder_moved", folder=folder, target=row.moving_to, session=row.session_id)

    def _free_name(self, parent: str, name: str) -> str:
        """A name that neither a folder nor a row has there."""
        taken: set[str] = set()
        with suppress(FileNotFoundError):
            taken = set(self.place.listing(parent).folders)
        number, free = 1, name
        while free in taken or DroppedFolder.objects.filter(moving_to=f"{parent}/{free}").exists():
            number += 1
            free = f"{name}-{number}"
        return f"{parent}/{free}"

    def _write_results(self, session: ImportSession, target: str) -> None:
        self._write(f"{target}.log", "".join(log_lines(session, language=session.language)))
        if session.error_file:
            with suppress(FileNotFoundError), session.error_file.open("rb") as report:
                self.place.write(f"{target}.report.xlsx", report)
                audit.record(
                    actor=session.user,
                    action=AuditAction.DOWNLOAD,
                    target=session,
                    data={"type": "error", "to": "drop folder"},
                )

    def _result_text(self, row: DroppedFolder, folder: str) -> str:
        if row.session is None:
            return _("The import of these files was deleted. The same files are not imported again from here.")
        lines = [_session_text(row.session)]
        if row.first_id is not None:
            lines.insert(0, _("These files were delivered before, and are not imported a second time."))
        late = [name for name in self._names(folder) if name not in row.files and name.lower() != READY]
        if late:
            text = _("These files came after the import had started and are not imported: %(files)s.")
            lines.append(text % {"files": ", ".join(late)})
        return "\n".join(lines)

    def _names(self, folder: str) -> list[str]:
        """The files that the import of a folder reads, as far as they are there."""
        try:
            return [one.name for one in files_to_read(self.place.listing(folder))]
        except FileNotFoundError:
            log.warning("drop_folder_is_gone", folder=folder)
        except FolderRefused:
            pass
        return []

    # ------------------------------------------------------------------------------------------------ notes

    def _note(self, folder: str, text: str) -> None:
        """Write why a folder waits, once, into a text beside it and into the log, which has no words of the files."""
        if self._notes.get(folder) == text:
            return
        log.warning("drop_folder_waits", folder=folder)
        with suppress(OSError):
            self._write(f"{folder}{NOTE}", text)
            self._notes[folder] = text

    def _clear_note(self, folder: str) -> None:
        if self._notes.get(folder) != "":
            self.place.delete(f"{folder}{NOTE}")
            self._notes[folder] = ""

    def _write(self, path: str, text: str) -> None:
        self.place.write(path, io.BytesIO(f"{text.rstrip()}\n".encode()))


def _session_text(session: ImportSession) -> str:
    address = f"{settings.PUBLIC_URL}{reverse('page-import', args=[session.pk])}"
    status = session.get_status_display()
    return "\n".join(
        filter(
            None,
            [_("Import %(number)d: %(status)s.") % {"number": session.pk, "status": status}, session.message, address],
        )
    )
