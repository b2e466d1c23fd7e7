"""Files: list, read, download, preview, delete, and their history (DOMAIN §1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.files.base import File as DjangoFile
from django.db.models import Count, QuerySet
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from common.api_errors import AccessDenied, BadRequest, FileNotFound
from common.errors import Gone
from common.filters import StableOrdering, StrictFilterBackend
from common.parsing import positive_int
from common.throttling import ExportThrottle, FileThrottle
from file_handling import permissions
from file_handling.files import exports, services
from file_handling.files.filters import FileFilter
from file_handling.files.history import history_of
from file_handling.files.preview import preview_file
from file_handling.files.serializers import (
    FileDetailSerializer,
    FileFormSerializer,
    FileSerializer,
    PreviewSerializer,
    RefusalSerializer,
    StillUsedSerializer,
    UploadedFileSerializer,
    with_heads,
)
from file_handling.files.uploads import upload_files
from file_handling.models import File
from file_handling.problem_texts import sentence
from reading.problems import Problem, UnreadableFile
from users import audit
from users.access.actor import actor_of
from users.access.audit_api import AuditEntrySerializer
from users.access.exporting import ExportMixin
from users.access.viewsets import MayImport, MayReadImports, ScopedReadViewSet
from users.models import AuditAction
from users.serializers import DetailSerializer

MAX_PREVIEW_ROWS = 100
CONTENT_TYPES = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xls": "application/vnd.ms-excel",
    ".csv": "text/csv",
    ".log": "text/plain; charset=utf-8",
}
DOWNLOADED = [CONTENT_TYPES[ending] for ending in File.EXTENSIONS] + ["application/octet-stream"]
DENIED = {
    401: OpenApiResponse(DetailSerializer, description="Not signed in"),
    403: OpenApiResponse(DetailSerializer, description="Access denied"),
}
DENIED_OR_NONE = DENIED | {404: OpenApiResponse(DetailSerializer, description="Not found")}
STORAGE_FAILS = {
    503: OpenApiResponse(DetailSerializer, description="The storage of files does not answer, or refuses this server")
}


def attachment(*, content: DjangoFile[Any], name: str) -> FileResponse:
    """A stored object as a streamed download, under the name that the user gave to it."""
    ending = name[name.rfind(".") :].lower() if "." in name else ""
    response = FileResponse(
        content,
        as_attachment=True,
        filename=services.displayable_name(name),
        content_type=CONTENT_TYPES.get(ending, "application/octet-stream"),
    )
    response["Cache-Control"] = "private, no-store"
    return response


def unreadable(problem: Problem) -> str:
    """Why a stored file cannot be shown, in the sentence of an import."""
    return _("Error reading file: %(reason)s") % {"reason": sentence(problem)}


@extend_schema_view(
    list=extend_schema(tags=["files"], responses={200: FileSerializer(many=True), **DENIED}),
    retrieve=extend_schema(tags=["files"], responses={200: FileDetailSerializer, **DENIED_OR_NONE}),
    export=extend_schema(tags=["files"]),
)
class FileViewSet(ExportMixin, ScopedReadViewSet):
    """Uploaded files. A list has one row for each recap, its first page."""

    model = File
    not_found = FileNotFound
    permission_classes = [MayReadImports]
    parser_classes = [MultiPartParser, FormParser, JSONParser]
    serializer_class = FileSerializer
    detail_serializer_class = FileDetailSerializer
    filter_backends = [StrictFilterBackend, StableOrdering]
    filterset_class = FileFilter
    export_columns = exports.FILES
    ordering_fields = ["id", "name", "size", "uploaded_at"]
    ordering = ["-id"]

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        rows = rows.select_related("country").annotate(page_count=Count("pages") + 1)
        if self.action == "retrieve":
            return rows.prefetch_related("pages")
        return rows.filter(first_page=None) if self.action in ("list", "export") else rows

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        file = self.get_object()
        self._note(AuditAction.READ, file)
        return Response(self.get_serializer(file).data)

    @extend_schema(
        tags=["files"],
        parameters=[
            OpenApiParameter(
                "force", enum=["true", "false"], default="false", description="Delete the file even if sessions used it"
            )
        ],
        responses={
            204: None,
            409: OpenApiResponse(
                StillUsedSerializer,
                description="An import still needs the file; or sessions used it, and `?force=true` deletes it anyway",
            ),
            **DENIED_OR_NONE,
        },
    )
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete a file with its pages. The records and sessions that came from it stay."""
        forced = request.query_params.get("force", "false")
        if forced not in ("true", "false"):
            raise BadRequest(_("Must be true or false."))
        file: File = self.get_object()
        if not permissions.may_delete_file(user=actor_of(request), file=file):
            raise AccessDenied()
        try:
            services.delete_file(actor=actor_of(request), file=file, force=forced == "true")
        except Gone as gone:
            raise FileNotFound() from gone
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(tags=["files"], filters=False, responses={200: AuditEntrySerializer(many=True), **DENIED_OR_NONE})
    @action(detail=True, filterset_class=None, filter_backends=[])
    def history(self, request: Request, pk: str) -> Response:
        """The history of a file, newest first: who uploaded, read, previewed, downloaded, imported or deleted it.

        The history stays when the file is deleted.
        """
        entries = history_of(pk=pk, user=actor_of(request))
        page = self.paginate_queryset(entries)
        return self.get_paginated_response(AuditEntrySerializer(page, many=True).data)

    def get_permissions(self) -> Sequence[Any]:
        if self.action in ("create", "destroy"):
            return [MayImport()]
        return super().get_permissions()

    def get_throttles(self) -> list[BaseThrottle]:
        return [FileThrottle()] if self.action == "create" else super().get_throttles()

    @extend_schema(
        tags=["files"],
        request={"multipart/form-data": FileFormSerializer},
        responses={
            201: UploadedFileSerializer,
            400: OpenApiResponse(RefusalSerializer, description="All problems of the form; nothing was stored"),
            413: OpenApiResponse(DetailSerializer, description="The files are too large"),
            507: OpenApiResponse(DetailSerializer, description="The server's disk is full; nothing was stored"),
            **STORAGE_FAILS,
            **DENIED,
        },
    )
    def create(self, request: Request) -> Response:
        """Store a file, after a look at its first rows. A file that cannot be read at all is refused.

        A file whose columns are incomplete is stored; `problems` says what it lacks. A file that a converter will
        convert (`converter`) is stored without a look at it, and needs a `file_type`.
        """
        uploads = upload_files(user=actor_of(request), data=request.data)
        rows = self.get_queryset().prefetch_related("pages").in_bulk([one.file.pk for one in uploads])
        first, *others = with_heads(uploads, rows=rows)
        first.others = others
        shown = UploadedFileSerializer(first, context=self.get_serializer_context()).data
        return Response(shown, status=status.HTTP_201_CREATED, headers={"Location": str(shown["url"])})

    @extend_schema(
        tags=["files"],
        responses={(200, *DOWNLOADED): OpenApiTypes.BINARY, **DENIED_OR_NONE, **STORAGE_FAILS},
    )
    @action(detail=True, throttle_classes=[ExportThrottle])
    def download(self, request: Request, pk: str) -> HttpResponseBase:
        """The file as it was uploaded."""
        file: File = self.get_object()
        return self._downloaded(file, file.file, name=file.name)

    @extend_schema(tags=["files"], responses={(200, *DOWNLOADED): OpenApiTypes.BINARY, **DENIED_OR_NONE})
    @action(detail=True, throttle_classes=[ExportThrottle])
    def converted(self, request: Request, pk: str) -> HttpResponseBase:
        """What a converter made of the file. 404 for a file that was not converted."""
        file: File = self.get_object()
        if not file.converted:
            raise FileNotFound()
        return self._downloaded(file, file.converted, name=file.read_name())

    def _downloaded(self, file: File, stored: FieldFile, *, name: str) -> HttpResponseBase:
        try:
            content = stored.open("rb")
        except FileNotFoundError as missing:
            self._note(AuditAction.DOWNLOAD, file, success=False)
            raise FileNotFound() from missing
        self._note(AuditAction.DOWNLOAD, file)
        return attachment(content=content, name=name)

    @extend_schema(
        tags=["files"],
        parameters=[
            OpenApiParameter("rows", OpenApiTypes.INT, description="Number of rows, 1 to 100; default 10"),
            OpenApiParameter("sheet", description="Name of a sheet; default: the first sheet"),
        ],
        responses={
            200: PreviewSerializer,
            400: OpenApiResponse(DetailSerializer, description="Error reading file: …"),
            507: OpenApiResponse(DetailSerializer, description="No room left to read the file"),
            **STORAGE_FAILS,
            **DENIED_OR_NONE,
        },
    )
    @action(detail=True, throttle_classes=[ExportThrottle])
    def preview(self, request: Request, pk: str) -> Response:
        file: File = self.get_object()
        rows = positive_int(request.query_params.get("rows", "10"))
        if rows is None or rows > MAX_PREVIEW_ROWS:
            raise BadRequest(_("`rows` must be a whole number from 1 to %(most)d.") % {"most": MAX_PREVIEW_ROWS})
        sheet = request.query_params.get("sheet") or None
        try:
            shown = preview_file(file, rows=rows, sheet=sheet)
        except UnreadableFile as reason:
            self._note(AuditAction.PREVIEW, file, success=False)
            raise BadRequest(unreadable(reason.problems[0])) from reason
        self._note(AuditAction.PREVIEW, file)
        return Response(shown)

    def _note(self, what: AuditAction, file: File, *, success: bool = True) -> None:
        audit.record(
            actor=actor_of(self.request),
            action=what,
            target=file,
            label=file.name,
            success=success,
        )
