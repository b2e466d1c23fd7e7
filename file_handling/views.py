"""Files and sessions: list, read, download, preview, delete (DOMAIN §1). Imports are steered above this app."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.core.files.base import File as DjangoFile
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from common.errors import AccessDenied, BadRequest, Conflict, FileNotFound, SessionNotFound
from common.filters import StableOrdering
from common.throttling import ExportThrottle, UploadThrottle
from file_handling import rules, services
from file_handling.filters import EventFilter, FileFilter, FindingFilter, SessionFilter
from file_handling.forms import upload_files
from file_handling.models import File, Finding, ImportSession, SessionEvent
from file_handling.preview import PreviewFailed, preview_file
from file_handling.serializers import (
    EventSerializer,
    FileDetailSerializer,
    FileFormSerializer,
    FileSerializer,
    FindingSerializer,
    PreviewSerializer,
    RefusalSerializer,
    SessionSerializer,
)
from file_handling.session_log import log_lines
from file_handling.storage import on_local_disk
from users import audit
from users.models import AuditAction
from users.serializers import DetailSerializer
from users.viewsets import MayImport, MayReadImports, ScopedReadViewSet, ScopedViewSet, row_id, visible_or_refused

MOST_PREVIEW_ROWS = 100
CONTENT_TYPES = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xls": "application/vnd.ms-excel",
    ".csv": "text/csv",
    ".log": "text/plain; charset=utf-8",
}
DENIED = {
    401: OpenApiResponse(DetailSerializer, description="Not signed in"),
    403: OpenApiResponse(DetailSerializer, description="Access denied"),
}
DENIED_OR_NONE = DENIED | {404: OpenApiResponse(DetailSerializer, description="There is no such thing")}


def attachment(*, content: DjangoFile[Any], name: str) -> FileResponse:
    """A stored object as a download, streamed, under the name that people know it by."""
    ending = name[name.rfind(".") :].lower() if "." in name else ""
    response = FileResponse(
        content,
        as_attachment=True,
        filename=services.displayable_name(name),
        content_type=CONTENT_TYPES.get(ending, "application/octet-stream"),
    )
    response["Cache-Control"] = "private, no-store"
    return response


def unreadable(problem: str) -> str:
    """Why a stored file cannot be shown, from the code that the reader gave."""
    match problem:
        case "gone":
            reason = _("it is no longer stored.")
        case "no_such_sheet":
            reason = _("it has no sheet of this name.")
        case "empty_file":
            reason = _("it is empty.")
        case "reader_too_slow" | "reader_out_of_memory":
            reason = _("it takes too much to read.")
        case _:
            reason = _(
                "its content is not what its name says, or is damaged. Open it in Excel, save it again, upload that."
            )
    return _("Error reading file: %(reason)s") % {"reason": reason}


@extend_schema_view(
    list=extend_schema(tags=["files"], responses={200: FileSerializer(many=True), **DENIED}),
    retrieve=extend_schema(tags=["files"], responses={200: FileDetailSerializer, **DENIED_OR_NONE}),
    destroy=extend_schema(
        tags=["files"],
        responses={
            204: None,
            409: OpenApiResponse(DetailSerializer, description="An import still needs it"),
            **DENIED_OR_NONE,
        },
    ),
)
class FileViewSet(mixins.DestroyModelMixin, ScopedReadViewSet):
    """Uploaded files. Lists name each recap once, by its first page."""

    model = File
    not_found = FileNotFound
    permission_classes = [MayReadImports]
    parser_classes = [MultiPartParser, FormParser, JSONParser]
    serializer_class = FileSerializer
    filter_backends = [DjangoFilterBackend, StableOrdering]
    filterset_class = FileFilter
    ordering_fields = ["id", "name", "size", "uploaded_at"]
    ordering = ["-id"]

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return FileDetailSerializer if self.action == "retrieve" else FileSerializer

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        rows = rows.select_related("country").annotate(later_pages=Count("pages"))
        return rows.filter(first_page=None) if self.action == "list" else rows

    def perform_destroy(self, instance: File) -> None:
        user = self.request.user
        if not rules.may_delete_file(user=user, file=instance):  # type: ignore[arg-type]
            raise AccessDenied()
        try:
            services.delete_file(actor=user, file=instance)  # type: ignore[arg-type]
        except services.InUseError as reason:
            raise Conflict(str(reason)) from reason
        except services.GoneError as reason:
            raise FileNotFound() from reason

    def get_permissions(self) -> Sequence[Any]:
        if self.action in ("create", "destroy"):
            return [MayImport()]
        return super().get_permissions()

    def get_throttles(self) -> list[BaseThrottle]:
        return [UploadThrottle()] if self.action == "create" else super().get_throttles()

    @extend_schema(
        tags=["files"],
        request={"multipart/form-data": FileFormSerializer},
        responses={
            201: FileDetailSerializer,
            400: OpenApiResponse(RefusalSerializer, description="All that is wrong; nothing was stored"),
            413: OpenApiResponse(DetailSerializer, description="The files are too large"),
            507: OpenApiResponse(DetailSerializer, description="No room left; nothing was stored"),
            **DENIED,
        },
    )
    def create(self, request: Request) -> Response:
        file = upload_files(user=request.user, data=request.data)  # type: ignore[arg-type]
        shown = FileDetailSerializer(
            self.get_queryset().prefetch_related("pages").get(pk=file.pk), context=self.get_serializer_context()
        ).data
        return Response(shown, status=status.HTTP_201_CREATED, headers={"Location": shown["url"]})

    @extend_schema(
        tags=["files"],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, **DENIED_OR_NONE},
    )
    @action(detail=True, throttle_classes=[ExportThrottle])
    def download(self, request: Request, pk: str) -> HttpResponseBase:
        file: File = self.get_object()
        try:
            content = file.file.open("rb")
        except FileNotFoundError as missing:
            raise FileNotFound() from missing
        self._note(AuditAction.DOWNLOAD, file)
        return attachment(content=content, name=file.name)

    @extend_schema(
        tags=["files"],
        parameters=[
            OpenApiParameter("rows", OpenApiTypes.INT, description="How many, 1 to 100; 10 unless said"),
            OpenApiParameter("sheet", description="The first one unless said"),
        ],
        responses={
            200: PreviewSerializer,
            400: OpenApiResponse(DetailSerializer, description="Error reading file: …"),
            **DENIED_OR_NONE,
        },
    )
    @action(detail=True, throttle_classes=[ExportThrottle])
    def preview(self, request: Request, pk: str) -> Response:
        file: File = self.get_object()
        rows = row_id(request.query_params.get("rows", "10"))
        if rows is None or rows > MOST_PREVIEW_ROWS:
            raise BadRequest(_("`rows` must be a whole number from 1 to %(most)d.") % {"most": MOST_PREVIEW_ROWS})
        sheet = request.query_params.get("sheet") or None
        try:
            with on_local_disk(storage=file.file.storage, name=file.file.name or "") as path:
                shown = preview_file(str(path), name=file.name, rows=rows, sheet=sheet)
        except FileNotFoundError as missing:
            raise BadRequest(unreadable("gone")) from missing
        except PreviewFailed as reason:
            raise BadRequest(unreadable(reason.problem)) from reason
        self._note(AuditAction.PREVIEW, file)
        return Response(shown)

    def _note(self, what: AuditAction, file: File) -> None:
        audit.record(
            actor=self.request.user,  # type: ignore[arg-type]
            action=what,
            target=file,
            country_id=file.country_id,
            label=file.name,
        )


def with_session_related(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Sessions with what SessionSerializer shows of other tables."""
    later_pages = (
        File.objects.filter(first_page=OuterRef("recap_file"))
        .order_by()
        .values("first_page")
        .annotate(number=Count("pk"))
        .values("number")
    )
    return rows.select_related("country", "stat_file", "recap_file").annotate(
        recap_later_pages=Coalesce(Subquery(later_pages), 0)
    )


@extend_schema_view(
    list=extend_schema(tags=["import sessions"], responses={200: SessionSerializer(many=True), **DENIED}),
    retrieve=extend_schema(tags=["import sessions"], responses={200: SessionSerializer, **DENIED_OR_NONE}),
    destroy=extend_schema(
        tags=["import sessions"],
        responses={
            204: None,
            409: OpenApiResponse(DetailSerializer, description="It is under way"),
            **DENIED_OR_NONE,
        },
    ),
)
class SessionReadViewSet(mixins.DestroyModelMixin, ScopedReadViewSet):
    """Import sessions, newest first."""

    model = ImportSession
    not_found = SessionNotFound
    permission_classes = [MayReadImports]
    serializer_class = SessionSerializer
    filter_backends = [DjangoFilterBackend, StableOrdering]
    filterset_class = SessionFilter
    ordering_fields = ["id", "created_at", "completed_at", "status"]
    ordering = ["-id"]

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return with_session_related(rows)

    def steerable(self) -> ImportSession:
        """The session that the path names, where the caller may steer it. Raises AccessDenied where only seen."""
        session: ImportSession = self.get_object()
        if not rules.may_steer(user=self.request.user, session=session):  # type: ignore[arg-type]
            raise AccessDenied()
        return session

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        try:
            services.delete_session(actor=request.user, session=self.steerable())  # type: ignore[arg-type]
        except services.InUseError as reason:
            raise Conflict(str(reason)) from reason
        except services.GoneError as reason:
            raise SessionNotFound() from reason
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        tags=["import sessions"],
        parameters=[
            OpenApiParameter("type", enum=["error", "log"], required=True, description="The report or the log")
        ],
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            400: DetailSerializer,
            **DENIED_OR_NONE,
        },
    )
    @action(detail=True, throttle_classes=[ExportThrottle])
    def download(self, request: Request, pk: str) -> HttpResponseBase:
        session: ImportSession = self.get_object()
        match request.query_params.get("type"):
            case "error":
                response = self._report(session)
            case "log":
                response = self._log(session)
            case _:
                raise BadRequest(_("Say which file: ?type=error (the report) or ?type=log."))
        audit.record(
            actor=request.user,  # type: ignore[arg-type]
            action=AuditAction.DOWNLOAD,
            target=session,
            country_id=session.country_id,
            data={"type": request.query_params["type"]},
        )
        return response

    @staticmethod
    def _report(session: ImportSession) -> HttpResponseBase:
        if not session.error_file:
            raise NotFound(_("This session has no report."))
        try:
            content = session.error_file.open("rb")
        except FileNotFoundError as missing:
            raise NotFound(_("The report is no longer stored. It can be made again.")) from missing
        return attachment(content=content, name=f"concord-{session.pk}.xlsx")

    @staticmethod
    def _log(session: ImportSession) -> HttpResponseBase:
        name = f"concord-{session.pk}.log"
        storage = session.error_file.storage
        if session.log_file_path and storage.exists(session.log_file_path):
            return attachment(content=storage.open(session.log_file_path, "rb"), name=name)
        response = StreamingHttpResponse(log_lines(session), content_type=CONTENT_TYPES[".log"])
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "private, no-store"
        return response


class _SessionPartViewSet(mixins.ListModelMixin, ScopedViewSet):
    """What belongs to one session, which the path names."""

    permission_classes = [MayReadImports]
    lookup_field = "session_pk"
    filter_backends = [DjangoFilterBackend, StableOrdering]
    ordering_fields: ClassVar[list[str]] = ["sequence"]
    ordering = ["sequence"]

    def get_queryset(self) -> QuerySet[Any]:
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows
        session = visible_or_refused(
            rows=ImportSession.objects.visible_to(self.request.user),
            pk=self.kwargs["session_pk"],
            not_found=SessionNotFound,
        )
        return rows.filter(session=session)


_SESSION_ID = OpenApiParameter("session_pk", OpenApiTypes.INT, OpenApiParameter.PATH)


@extend_schema_view(
    list=extend_schema(
        tags=["import sessions"],
        parameters=[_SESSION_ID],
        responses={200: FindingSerializer(many=True), **DENIED_OR_NONE},
    )
)
class FindingViewSet(_SessionPartViewSet):
    """What a session did not import, and what else it noticed, with the reason and the places (DOMAIN §5)."""

    model = Finding
    serializer_class = FindingSerializer
    filterset_class = FindingFilter
    ordering_fields = ["sequence", "category", "claim_number"]

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        # The source lines are the report's; here they would be most of what is read.
        return rows.defer("lines")


@extend_schema_view(
    list=extend_schema(
        tags=["import sessions"],
        parameters=[_SESSION_ID],
        responses={200: EventSerializer(many=True), **DENIED_OR_NONE},
    )
)
class EventViewSet(_SessionPartViewSet):
    """What a session did, step by step; `after` asks only for news."""

    model = SessionEvent
    serializer_class = EventSerializer
    filterset_class = EventFilter
