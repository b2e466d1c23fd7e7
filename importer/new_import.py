"""The page on which an import starts: a plain form, and a script that sends the files one by one before it."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request

from common.formats import format_count
from common.parsing import positive_int
from file_handling.files.checks import max_file_bytes, upload_limits
from file_handling.files.heads import FileHead, look_at
from file_handling.files.serializers import RecognisedFileSerializer, with_heads
from file_handling.files.storage import local_path
from file_handling.files.uploads import Uploaded, with_same_content
from file_handling.models import File, FileType
from file_handling.wording import OBSERVATIONS
from importer.form_upload import FIELDS, KEY_FIELD, UploadResult, converted_formats, start_upload
from importer.pipeline.page_names import warnings_of_names
from users.access.pages import PageView
from users.access.viewsets import MayImport
from users.models import Country, User

WAITING_HOURS = 24
# The page waits for this: files that were not looked at by then are looked at when the import starts.
LOOK_AGAIN_SECONDS = 5.0
# How often the script sends a file by itself when the line breaks.
TRIES = 4


class NewImportPage(PageView):
    """The form of an import. Without the script it sends all files at once."""

    permission = MayImport
    template_name = "importer/new_import.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._form(UploadResult())

    def post(self, request: HttpRequest) -> HttpResponse:
        result = start_upload(request, user=self.user)
        if result.session is not None:
            return redirect("page-import", pk=result.session.pk)
        return self._form(result)

    def _form(self, result: UploadResult) -> HttpResponse:
        values = self.request.POST if self.request.method == "POST" else self.request.GET
        limits, formats = upload_limits(), converted_formats()
        return self.page(
            status=result.status,
            errors=result.errors,
            general_errors=result.errors.get("", []),
            limits={name: format_count(limit) for name, limit in limits.items()},
            countries=Country.objects.filter(is_active=True) if self.user.is_superuser_role() else [],
            values={name: values.get(name, "") for name in (*FIELDS, "dry_run")},
            key=values.get(KEY_FIELD) or secrets.token_urlsafe(24),
            script=_script_settings(formats["converted"]),
            **formats,
        )


class WaitingFiles(PageView):
    """JSON for the script: the files that the account sent within a day and that no import has read."""

    permission = MayImport

    def get(self, request: HttpRequest) -> HttpResponse:
        files = list(waiting_files(user=self.user)[: settings.CONCORD["MAX_PAGES"] + 1])
        # The stat file first: the choice of its sheet depends on the look at it.
        files.sort(key=lambda file: (file.file_type != FileType.STAT, file.pk))
        return JsonResponse({"files": _as_json(files, user=self.user, request=request)})


class MissingPages(PageView):
    """JSON for the script: what is missing among the names of the recap files that `?ids=1,2` names."""

    permission = MayImport

    def get(self, request: HttpRequest) -> HttpResponse:
        ids = [pk for text in request.GET.get("ids", "").split(",") if (pk := positive_int(text)) is not None]
        ids = ids[: settings.CONCORD["MAX_PAGES"]]
        pages = File.objects.visible_to(self.user).filter(Q(pk__in=ids) | Q(first_page__in=ids))
        names = pages.filter(file_type=FileType.RECAP).values_list("name", flat=True)
        warnings = [OBSERVATIONS.text(one["code"], one) for one in warnings_of_names(names)]
        return JsonResponse({"warnings": warnings})


def waiting_files(*, user: User) -> QuerySet[File]:
    """The files that `user` sent in the last day for an import that has not started yet, newest first."""
    since = timezone.now() - dt.timedelta(hours=WAITING_HOURS)
    files: QuerySet[File] = (
        File.objects.visible_to(user)
        .filter(user=user, first_page=None, uploaded_at__gte=since, stat_sessions=None, recap_sessions=None)
        .select_related("country")
        .annotate(page_count=Count("pages") + 1)
        .order_by("-pk")
    )
    return files


def _as_json(files: list[File], *, user: User, request: HttpRequest) -> Any:
    heads = _heads(files)
    uploads: list[Uploaded] = []
    for country in {file.country for file in files}:
        own = [(file, heads[file.pk]) for file in files if file.country_id == country.pk]
        uploads += with_same_content(own, user=user, country=country)
    rows = with_heads(uploads, rows={file.pk: file for file in files})
    return RecognisedFileSerializer(rows, many=True, context={"request": Request(request)}).data


def _heads(files: list[File]) -> dict[int, FileHead]:
    """The head of each file by id. Files in a remote storage are looked at when the import starts."""
    paths = {file.pk: local_path(storage=file.file.storage, name=file.file.name or "") for file in files}
    local = [(file, path) for file in files if (path := paths[file.pk]) is not None and path.is_file()]
    looked = look_at([(file.name, path, FileType(file.file_type)) for file, path in local], seconds=LOOK_AGAIN_SECONDS)
    unknown = {file.pk: FileHead(is_known=False) for file in files}
    return unknown | {file.pk: head for (file, _path), head in zip(local, looked, strict=True)}


def _script_settings(converted: list[str]) -> dict[str, Any]:
    """The addresses, limits and texts of the script, which has none of its own. `%(name)s` is filled by the script."""
    return {
        "files": reverse("file-list"),
        "sessions": reverse("import-session-list"),
        "waiting": reverse("page-import-new-waiting"),
        "missingPages": reverse("page-import-new-missing-pages"),
        "page": reverse("page-import", kwargs={"pk": 0}),
        "converted": converted,
        "maxBytes": max_file_bytes(),
        "maxPages": settings.CONCORD["MAX_PAGES"],
        "tries": TRIES,
        "kinds": {FileType.STAT: _("stat file"), FileType.RECAP: _("recap file")},
        "texts": _script_texts(),
    }


def _script_texts() -> dict[str, str]:
    return {
        "tooLarge": _(
            "“%(file)s” is larger than %(limit)d MB. Remove what is not needed, or split the period into several files."
        ),
        "waits": _("Waits for its turn"),
        "asks": _("It will be converted. Is it the stat file or a recap page?"),
        "needKind": _("Choose for each file to convert whether it is the stat file or a recap page."),
        "willConvert": _("“%(converter)s” converts it when the import starts."),
        "sending": _("Is being sent"),
        "checking": _("Sent. Its first rows are being checked"),
        "ready": _("Ready"),
        "sentBefore": _("Ready. You sent it before and have not imported it yet"),
        "refused": _("Refused: nothing of it is stored"),
        "problem": _("Cannot be imported like this"),
        "broken": _("The line broke. The file is sent again in %(seconds)s seconds"),
        "failed": _("Could not be sent. Check the line, then send it again"),
        "notRecognised": _("not recognised"),
        "sameContent": _("It has the same content as “%(name)s” in this list. Remove one of the two."),
        "sameName": _("Another file in this list has the same name. Check that both are needed."),
        "sentEarlier": _("The country already has a file with this content: “%(name)s”."),
        "secondStat": _("There is more than one stat file. Keep one and remove the others."),
        "removed": _("“%(file)s” was removed."),
        "notRemoved": _("“%(file)s” could not be removed. Try again."),
        "summary": _("Files: %(all)s. Ready: %(ready)s. Being sent: %(sending)s. With a problem: %(problems)s."),
        "announced": _("“%(file)s”: %(state)s"),
        "needCountry": _("Choose the country first."),
        "needFiles": _("Choose the stat file and the recap pages."),
        "needStat": _("The stat file is missing."),
        "needRecap": _("The recap is missing: add at least one page."),
        "needSheet": _("Choose the sheet of the stat file."),
        "needFixed": _("Some files have a problem. Remove them, or send corrected ones."),
        "needSent": _("Some files are still being sent."),
        "tooManyPages": _("There are too many pages: at most %(limit)s are read. Remove some."),
        "allReady": _("Everything is ready."),
        "starting": _("The import is being started…"),
        "notStarted": _("The import could not be started. Check the line, then try again: it is started only once."),
        "size": _("%(size)s MB"),
        "sizeSmall": _("%(size)s kB"),
    }
