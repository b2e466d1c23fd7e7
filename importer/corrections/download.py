"""The correction workbook of a session as a download."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack

from django.conf import settings
from django.db.models import QuerySet
from django.http import FileResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from common.api_errors import SessionNotFound
from common.errors import Conflict
from common.throttling import ExportThrottle
from file_handling.files.views import CONTENT_TYPES, DENIED_OR_NONE
from file_handling.models import ImportSession
from file_handling.problem_texts import sentence
from importer.corrections.workbook import write_workbook
from reading.problems import UnreadableFile
from users import audit
from users.access.actor import actor_of
from users.access.viewsets import MayReadImports, ScopedViewSet
from users.models import AuditAction, User
from users.serializers import DetailSerializer


class CorrectionWorkbookViewSet(ScopedViewSet):
    """The correction workbook of a session."""

    model = ImportSession
    not_found = SessionNotFound
    permission_classes = [MayReadImports]
    throttle_classes = [ExportThrottle]

    def with_related(self, rows: QuerySet[ImportSession]) -> QuerySet[ImportSession]:
        return rows.select_related("country", "stat_file", "recap_file")

    @extend_schema(
        tags=["corrections"],
        responses={
            (200, CONTENT_TYPES[".xlsx"]): OpenApiTypes.BINARY,
            409: OpenApiResponse(DetailSerializer, description="Nothing to correct, or the files cannot be read"),
            507: OpenApiResponse(DetailSerializer, description="No room left to make it"),
            **DENIED_OR_NONE,
        },
    )
    def retrieve(self, request: Request, pk: str) -> HttpResponseBase:
        """Every row of the session's findings as the files have it, with the reasons, to correct and send back.

        It is in the language of `Accept-Language`.
        """
        return workbook_response(self.get_object(), actor=actor_of(request))


def workbook_response(session: ImportSession, *, actor: User) -> HttpResponseBase:
    """The workbook in the active language. Raises Conflict when there is nothing to correct or to read."""
    with ExitStack() as unfinished:
        target = unfinished.enter_context(tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR, suffix=".xlsx"))
        try:
            rows = write_workbook(session, target)
        except UnreadableFile as unreadable:
            raise Conflict(" ".join(map(sentence, unreadable.problems))) from unreadable
        audit.record(
            actor=actor,
            action=AuditAction.DOWNLOAD,
            target=session,
            data={"type": "corrections", "rows": rows},
        )
        target.seek(0)
        # From here FileResponse owns the temporary file and deletes it when sent.
        unfinished.pop_all()
    response = FileResponse(target, as_attachment=True, filename=f"concord-{session.pk}-corrections.xlsx")
    response["Cache-Control"] = "private, no-store"
    return response
