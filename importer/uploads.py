"""Starting an import from a form: read all of it, list all problems, then store files and session together."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from common.api_errors import FileNotFound
from common.errors import Conflict, FormError, InvalidForm
from common.parsing import positive_int
from file_handling.files import services
from file_handling.files.storage import StoredObjects, all_or_nothing, local_path, sha256_and_size
from file_handling.files.uploads import FormReader, Page
from file_handling.models import File, FileType, ImportSession, OnConflict
from file_handling.problem_texts import sentence
from file_handling.reading_limits import reading_limits
from importer import lifecycle
from importer.idempotency import digest_of, start_once
from reading.process import inspect_upload
from reading.sources import Source
from users.access.viewsets import visible_or_refused
from users.models import Country, User

# The answer is due within 5 s. Problems that the first rows do not show in this time are found by the run.
LOOK_SECONDS = 2.5
_CURRENCY = re.compile(r"[A-Z]{3}")
_LONGEST_SHEET = 255


@dataclass(frozen=True)
class PairSide:
    """One side of the pair: pages just uploaded, or the first pages of files stored before, in the order of upload."""

    pages: Sequence[Page] = ()
    stored: Sequence[File] = ()

    def stored_pages(self) -> list[File]:
        """The pages of the stored files, in the order in which they were uploaded."""
        ids = [file.pk for file in self.stored]
        return list(File.objects.filter(Q(pk__in=ids) | Q(first_page__in=ids)).order_by("pk"))

    def digests(self) -> list[str]:
        """SHA-256 (hex) of each page's content, in order; uploads are left at their beginning."""
        if self.stored:
            return [page.sha256 for page in self.stored_pages()]
        return [sha256_and_size(page.content)[0] for page in self.pages]

    def named_paths(self) -> list[tuple[str, Path]]:
        """Name and path of each page that is on this machine and that Concord reads without a converter."""
        if not self.stored:
            return [(page.name, page.path) for page in self.pages if page.is_read_directly]
        found = [
            (page.name, local_path(storage=page.file.storage, name=page.file.name or ""))
            for page in self.stored_pages()
            if page.is_read_directly()
        ]
        return [(name, path) for name, path in found if path is not None and path.is_file()]


@dataclass(frozen=True)
class ImportForm:
    """A checked form: what the client wants imported."""

    country: Country
    stat: PairSide
    recap: PairSide
    stat_sheet: str
    dry_run: bool
    on_conflict: str
    currency: str

    def digest(self) -> str:
        """The fingerprint of files and options."""
        return digest_of(
            {
                "country": self.country.pk,
                "stat": self.stat.digests(),
                "recap": self.recap.digests(),
                "stat_sheet": self.stat_sheet,
                "dry_run": self.dry_run,
                "on_conflict": self.on_conflict,
                "currency": self.currency,
            }
        )


class _ImportFormReader(FormReader):
    """Reads the fields that only the form of an import has."""

    def sheet(self) -> str:
        name = self.text("stat_sheet")
        if len(name) > _LONGEST_SHEET:
            self.refuse("stat_sheet", _("No sheet has so long a name."))
            return ""
        return name

    def currency(self) -> str:
        code = self.text("currency").strip().upper()
        if code and not _CURRENCY.fullmatch(code):
            self.refuse("currency", _("Give the three letters of a currency, such as XOF."))
        return code

    def source(self, field: str, *, kind: FileType, country: Country | None) -> PairSide:
        """The files under `field`, or the stored ones that `<field>_id` or `<field>_ids` name: one of the three."""
        sent, named, several = self.values(field), self.text(f"{field}_id").strip(), self.values(f"{field}_ids")
        if (bool(sent), bool(named), bool(several)).count(True) > 1:
            self.refuse(field, _("Send either a file or the id of one, not both."))
        elif named or (several and kind == FileType.RECAP):
            at, ids = (f"{field}_id", [named]) if named else (f"{field}_ids", several)
            return PairSide(stored=self._stored(at, ids=ids, kind=kind, country=country))
        elif not sent:
            self.refuse(field, _("This is required: send a file, or the id of one that is stored."))
        else:
            return PairSide(pages=self.pages(field, kind=kind))
        return PairSide()

    def _stored(self, field: str, *, ids: Sequence[Any], kind: FileType, country: Country | None) -> list[File]:
        """The first pages that `ids` name, in the order of upload; none where one of them is refused."""
        refused_before = len(self.errors)
        if len(ids) > settings.CONCORD["MAX_PAGES"]:
            self.refuse(field, _("At most %(most)d pages at a time.") % {"most": settings.CONCORD["MAX_PAGES"]})
            return []
        visible = File.objects.visible_to(self.user).select_related("country")
        known = visible.in_bulk([pk for pk in (positive_int(str(one)) for one in ids) if pk is not None])
        found: dict[int, File] = {}
        for one in ids:
            file = known.get(positive_int(str(one)) or 0)
            # For the reason, as for any row.
            file = file or visible_or_refused(rows=visible, pk=str(one), not_found=FileNotFound)
            found[file.pk] = file
        for file in found.values():
            if file.file_type != kind:
                self.refuse(field, _("This file was uploaded as the other kind."), file=file.name)
            elif country is not None and file.country_id != country.pk:
                self.refuse(field, _("This file belongs to another country."), file=file.name)
            elif file.first_page_id is not None and file.first_page_id not in found:
                self.refuse(
                    field,
                    _("This is a later page; name the first one: its pages go with it."),
                    file=file.name,
                )
        # Later pages go with their first page. They are named when a request that joined them is sent again.
        firsts = sorted((file for file in found.values() if file.first_page_id is None), key=lambda file: file.pk)
        if len(firsts) > 1:
            for file in imported_before(firsts):
                self.refuse(
                    field,
                    _("This file was imported before, so it cannot become a page of another recap. Upload it again."),
                    file=file.name,
                )
        return firsts if len(self.errors) == refused_before else []


def imported_before(files: Sequence[File]) -> list[File]:
    """Those of `files` that a session reads or has read."""
    ids = [file.pk for file in files]
    used = Q(stat_sessions__isnull=False) | Q(recap_sessions__isnull=False)
    return list(File.objects.filter(used, pk__in=ids).distinct().order_by("pk"))


def read_form(*, user: User, data: object) -> ImportForm:
    """Read and check all that the client sent, including the first rows of the files.

    Raises InvalidForm with all problems; AccessDenied or FileNotFound for the id of a file that is not the user's.
    """
    form = _ImportFormReader(user=user, data=data)
    country = form.country()
    stat_sheet = form.sheet()
    dry_run = form.yes_no("dry_run")
    on_conflict = form.choice("on_conflict", choices=OnConflict.values, default=OnConflict.REPORT)
    currency = form.currency()
    stat = form.source("stat_file", kind=FileType.STAT, country=country)
    recap = form.source("recap_file", kind=FileType.RECAP, country=country)
    errors = form.errors + first_rows_errors(stat=stat, recap=recap, stat_sheet=stat_sheet)
    if errors or country is None:
        raise InvalidForm(errors)
    return ImportForm(
        country=country,
        stat=stat,
        recap=recap,
        stat_sheet=stat_sheet,
        dry_run=dry_run,
        on_conflict=on_conflict,
        currency=currency,
    )


def start_import(*, user: User, form: ImportForm) -> ImportSession:
    """Store the files and the session in one transaction; a worker is called after the commit.

    Raises OSError when the storage is full, FileNotFound when a stored file was deleted meanwhile; then nothing is
    stored.
    """
    with all_or_nothing() as stored:
        return store(stored=stored, user=user, form=form)


def start_form_once(*, user: User, form: ImportForm, key: str) -> tuple[ImportSession, bool]:
    """`start_import` under an idempotency key; → session, whether an earlier request started it.

    Raises as `start_once`, and OSError as `start_import`.
    """
    return start_once(
        user=user, key=key, digest=form.digest(), start=lambda stored: store(stored=stored, user=user, form=form)
    )


def store(*, stored: StoredObjects, user: User, form: ImportForm) -> ImportSession:
    """`start_import` inside the caller's transaction; `stored` collects the objects to remove on failure."""
    return lifecycle.create_session(
        user=user,
        country=form.country,
        stat_file=_stored_file(form.stat, stored=stored, user=user, country=form.country, kind=FileType.STAT),
        recap_file=_stored_file(form.recap, stored=stored, user=user, country=form.country, kind=FileType.RECAP),
        stat_sheet=form.stat_sheet,
        dry_run=form.dry_run,
        on_conflict=form.on_conflict,
        currency=form.currency,
        language=(get_language() or "en")[:2],
    )


def _stored_file(source: PairSide, *, stored: StoredObjects, user: User, country: Country, kind: FileType) -> File:
    if not source.stored:
        return services.store_upload(stored=stored, user=user, country=country, file_type=kind, uploads=source.pages)
    return _joined(source.stored)


def _joined(files: Sequence[File]) -> File:
    """The first of `files`, with the others and their pages as its later pages. Raises FileNotFound, Conflict."""
    ids = [file.pk for file in files]
    # Locked, so that nobody deletes or joins the files before the session that needs them is stored.
    locked = list(File.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    if len(locked) < len(ids):
        raise FileNotFound()
    first, *others = locked
    if any(file.first_page_id for file in locked) or (others and imported_before(locked)):
        raise Conflict(_("Another import took one of these files meanwhile. Choose the files again."))
    if others:
        File.objects.filter(Q(pk__in=ids[1:]) | Q(first_page__in=ids[1:])).update(first_page=first)
    return first


def first_rows_errors(*, stat: PairSide, recap: PairSide, stat_sheet: str) -> list[FormError]:
    """The problems that the first rows show. Several stat sheets are no problem: the session asks for one."""
    sources: list[tuple[str, str, Source]] = []
    for field, source, sheet in (("stat_file", stat, stat_sheet), ("recap_file", recap, "")):
        for name, path in source.named_paths():
            # With a number, because two pages can have the same name and each problem belongs to one of them.
            sources.append((field, name, Source(path=str(path), name=f"{len(sources)}/{name}", sheet=sheet or None)))
    if not sources:
        return []
    problems = inspect_upload(
        stat=next((one for field, _name, one in sources if field == "stat_file"), None),
        recaps=[one for field, _name, one in sources if field == "recap_file"],
        seconds=LOOK_SECONDS,
        limits=reading_limits(),
    )
    errors = []
    for problem in problems:
        if problem.code == "several_sheets":
            continue
        field, name, _source = sources[int(problem.file.partition("/")[0])]
        at = "stat_sheet" if problem.code == "no_such_sheet" else field
        errors.append(FormError(at, sentence(replace(problem, file=name)), name))
    return errors
