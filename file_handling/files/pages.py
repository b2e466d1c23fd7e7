"""Pages of files: the list, a file with what it created and its history, any of its rows, and its deletion."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import django_tables2 as tables
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.parsing import positive_int
from common.tables import CountColumn, ListTable, StateColumn
from file_handling import permissions
from file_handling.files import services
from file_handling.files.filters import FileFilter
from file_handling.files.history import history_of
from file_handling.files.sheets import SheetRows, sheet_rows
from file_handling.files.views import unreadable
from file_handling.lineage import created_by_file, rows_with_records
from file_handling.models import File, ImportSession
from file_handling.page_parts import Created, created_records, offer_uploaders, throttled
from reading.problems import UnreadableFile
from users import audit
from users.access.pages import ListPage, PageView
from users.access.refusals import carry_out
from users.access.viewsets import MayImport, MayReadImports
from users.models import AuditAction

ROWS_SHOWN = 50
# So many rows of a page stand above the row that was asked for.
ROWS_ABOVE = 15
HISTORY_SHOWN = 30


class FileTable(ListTable):
    name = tables.Column(gettext_lazy("Name"), linkify=("page-file", {"pk": tables.A("pk")}))
    file_type = StateColumn(gettext_lazy("Kind"))
    page_count = CountColumn(verbose_name=gettext_lazy("Pages"))
    size = tables.Column(gettext_lazy("Size"), attrs={"th": {"class": "number"}, "td": {"class": "number"}})
    uploaded_by_name = tables.Column(gettext_lazy("Uploaded by"))
    uploaded_at = tables.DateTimeColumn(
        short=True, verbose_name=gettext_lazy("Uploaded"), attrs={"td": {"class": "day"}}
    )
    country = tables.Column(gettext_lazy("Country"), accessor="country__name")

    class Meta(ListTable.Meta):
        pass

    def render_size(self, value: int) -> str:
        return filesizeformat(value)

    def before_render(self, request: HttpRequest) -> None:
        if not request.user.sees_all_countries():  # type: ignore[union-attr]
            self.columns.hide("country")


class FilePageFilter(FileFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_uploaders(self)


class FilesPage(ListPage):
    """A recap of many pages is one row."""

    permission = MayReadImports
    template_name = "file_handling/files/list.html"
    model = File
    table_class = FileTable
    filterset_class = FilePageFilter
    title = gettext_lazy("Files")
    lead = gettext_lazy("The stat and recap files that were uploaded. A recap of several pages is one row.")
    export = "file-export"
    main_filters = ("name", "file_type", "uploaded", "user", "country")
    orderings = {
        "-uploaded_at": gettext_lazy("Newest first"),
        "uploaded_at": gettext_lazy("Oldest first"),
        "name": gettext_lazy("Name"),
        "-size": gettext_lazy("Largest first"),
    }

    def rows(self) -> QuerySet[Any]:
        return super().rows().filter(first_page=None).select_related("country").annotate(page_count=Count("pages") + 1)


class _OneFilePage(PageView):
    permission = MayReadImports

    def file(self, pk: int) -> File:
        file: File = self.row(File.objects.visible_to(self.user).select_related("country", "first_page"), pk)
        return file

    def note(self, what: AuditAction, file: File, *, success: bool = True) -> None:
        audit.record(actor=self.user, action=what, target=file, label=file.name, success=success)


class FilePage(_OneFilePage):
    """Facts, pages, the sessions that used the file, what it created, its history."""

    template_name = "file_handling/files/file.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        file = self.file(pk)
        self.note(AuditAction.READ, file)
        pages = list(file.pages.order_by("id"))
        first = file.first_page or file
        sessions = ImportSession.objects.visible_to(self.user).filter(Q(stat_file=first) | Q(recap_file=first))
        return self.page(
            title=file.name,
            file=file,
            pages=[file, *pages] if pages else [],
            sessions=sessions.order_by("-pk"),
            created=_created(file, pages),
            history=history_of(pk=str(pk), user=self.user)[:HISTORY_SHOWN],
            may_delete=file.first_page_id is None and permissions.may_delete_file(user=self.user, file=file),
        )


class FilePreviewPage(_OneFilePage):
    """Rows of any sheet: from `from` on, or around `row`, which is marked."""

    template_name = "file_handling/files/preview.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        file = self.file(pk)
        if throttled(request):
            return self.page(
                status=429, title=file.name, file=file, problem=_("Too many downloads. Wait a while, then try again.")
            )
        row, start = self._number("row"), self._number("from")
        sheet = request.GET.get("sheet") or None
        if row == 0 or start == 0:
            return self._refused(file, _("A row is a whole number, 1 or more."))
        first = start or max(1, (row or 1) - ROWS_ABOVE)
        try:
            shown = sheet_rows(file, first=first, count=ROWS_SHOWN, sheet=sheet)
            if not shown.rows and shown.total_rows:
                # Beyond the end: its last rows.
                first = max(1, shown.total_rows - ROWS_SHOWN + 1)
                shown = sheet_rows(file, first=first, count=ROWS_SHOWN, sheet=sheet)
        except UnreadableFile as reason:
            self.note(AuditAction.PREVIEW, file, success=False)
            return self._refused(file, unreadable(reason.problems[0]))
        self.note(AuditAction.PREVIEW, file)
        return self._shown(file, shown, row=row)

    def _number(self, name: str) -> int | None:
        """The parameter as a whole number; None where it is not given, 0 where it is no such number."""
        text = self.request.GET.get(name, "").strip()
        return (positive_int(text) or 0) if text else None

    def _refused(self, file: File, problem: str) -> HttpResponse:
        return self.page(status=400, title=file.name, file=file, problem=problem)

    def _shown(self, file: File, shown: SheetRows, *, row: int | None) -> HttpResponse:
        first = shown.rows[0][0] if shown.rows else 1
        last = shown.rows[-1][0] if shown.rows else 0
        sources = rows_with_records(file, sheet=shown.sheet, first=first, last=last)

        def link(**place: object) -> str:
            return f"?{urlencode({'sheet': shown.sheet} | place)}"

        return self.page(
            title=file.name,
            file=file,
            shown=shown,
            row=row,
            first=first,
            last=last,
            is_beyond=row is not None and row > shown.total_rows,
            hidden_columns=shown.total_columns - len(shown.columns),
            sheets=[(name, f"?{urlencode({'sheet': name})}", name == shown.sheet) for name in shown.sheets],
            previous=link(**{"from": max(1, first - ROWS_SHOWN)}) if first > 1 else "",
            next=link(**{"from": last + 1}) if last < shown.total_rows else "",
            lines=[
                {
                    "number": number,
                    "cells": cells,
                    "is_marked": number == row,
                    "is_header": number == shown.header_row,
                    "source": _source(file, shown.sheet, number) if number in sources else "",
                }
                for number, cells in shown.rows
            ],
        )


class FileDeletePage(_OneFilePage):
    """GET shows what is deleted and what stays; POST deletes with the service that the API uses."""

    permission = MayImport
    template_name = "file_handling/files/delete.html"

    def file(self, pk: int) -> File:
        file = super().file(pk)
        if not permissions.may_delete_file(user=self.user, file=file):
            raise PermissionDenied
        return file

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        file = self.file(pk)
        pages = list(file.pages.order_by("id"))
        return self.page(
            title=_("Delete this file?"),
            file=file,
            pages=[file, *pages],
            created=_created(file, pages),
            sessions=ImportSession.objects.filter(Q(stat_file=file) | Q(recap_file=file)).order_by("-pk"),
        )

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        file = self.file(pk)
        force = request.POST.get("force") == "yes"
        if not carry_out(request, lambda: services.delete_file(actor=self.user, file=file, force=force)):
            return redirect("page-file", pk)
        messages.success(request, _("“%(name)s” was deleted.") % {"name": file.name})
        return redirect("page-files")


def _created(file: File, pages: list[File]) -> list[Created]:
    """What came from the file. The lists can be filtered by one file, so that of several pages has no links."""
    return created_records(file, created_by_file(file, pages=pages), with_links=not pages)


def _source(file: File, sheet: str, row: int) -> str:
    return f"{reverse('page-source')}?{urlencode({'file': file.pk, 'sheet': sheet, 'row': row})}"
