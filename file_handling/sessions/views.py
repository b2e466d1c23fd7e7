"""Sessions with their findings and events: list, read, download, delete (DOMAIN §1).

The importer app starts and steers sessions.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from common.api_errors import AccessDenied, BadRequest, SessionNotFound
from common.errors import Gone
from common.filters import StableOrdering, StrictFilterBackend
from common.throttling import ExportThrottle
from file_handling import permissions
from file_handling.files.views import CONTENT_TYPES, DENIED, DENIED_OR_NONE, STORAGE_FAILS, attachment
from file_handling.models import File, Finding, ImportSession, SessionEvent
from file_handling.sessions import exports, reports, services
from file_handling.sessions.filters import EventFilter, FindingFilter, SessionFilter
from file_handling.sessions.log import log_lines
from file_handling.sessions.serializers import (
    EventSerializer,
    FindingSerializer,
    SessionDetailSerializer,
    SessionSerializer,
)
from users import audit
from users.access.actor import actor_of
from users.access.exporting import ExportMixin
from users.access.viewsets import MayReadImports, ScopedReadViewSet, ScopedViewSet, visible_or_refused
from users.models import AuditAction
from users.serializers import DetailSerializer


def with_session_related(rows: QuerySet[Any]) -> QuerySet[Any]:
    """The same sessions, with the values of other tables that SessionSerializer needs."""
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
    retrieve=extend_schema(tags=["import sessions"], responses={200: SessionDetailSerializer, **DENIED_OR_NONE}),
    export=extend_schema(tags=["import sessions"]),
    destroy=extend_schema(
        tags=["import sessions"],
        responses={
            204: None,
            409: OpenApiResponse(DetailSerializer, description="The session waits or runs"),
            **DENIED_OR_NONE,
        },
    ),
)
class SessionReadViewSet(ExportMixin, mixins.DestroyModelMixin, ScopedReadViewSet):
    """Import sessions, newest first."""

    model = ImportSession
    not_found = SessionNotFound
    permission_classes = [MayReadImports]
    serializer_class = SessionSerializer
    detail_serializer_class = SessionDetailSerializer
    filter_backends = [StrictFilterBackend, StableOrdering]
    filterset_class = SessionFilter
    export_columns = exports.SESSIONS
    ordering_fields = ["id", "created_at", "completed_at", "status"]
    ordering = ["-id"]

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return with_session_related(rows)

    def steerable(self) -> ImportSession:
        """The session in the path. Raises AccessDenied when the caller may see but not steer it."""
        session: ImportSession = self.get_object()
        if not permissions.may_steer(user=actor_of(self.request), session=session):
            raise AccessDenied()
        return session

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        try:
            services.delete_session(actor=actor_of(request), session=self.steerable())
        except Gone as reason:
            raise SessionNotFound() from reason
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        tags=["import sessions"],
        parameters=[
            OpenApiParameter(
                "type", enum=["error", "log"], required=True, description="error: the report; log: the log"
            )
        ],
        responses={
            (200, CONTENT_TYPES[".xlsx"], "text/plain"): OpenApiTypes.BINARY,
            400: DetailSerializer,
            **DENIED_OR_NONE,
            **STORAGE_FAILS,
        },
    )
    @action(detail=True, throttle_classes=[ExportThrottle])
    def download(self, request: Request, pk: str) -> HttpResponseBase:
        """Report or log in the language of `Accept-Language`; that of the upload is stored, another is made now."""
        session: ImportSession = self.get_object()
        match request.query_params.get("type"):
            case "error":
                response = self.report_response(session)
            case "log":
                response = self.log_response(session)
            case _:
                raise BadRequest(_("Give the type: ?type=error (the report) or ?type=log (the log)."))
        audit.record(
            actor=actor_of(request),
            action=AuditAction.DOWNLOAD,
            target=session,
            data={"type": request.query_params["type"]},
        )
        return response

    @staticmethod
    def report_response(session: ImportSession) -> HttpResponseBase:
        if not session.error_file:
            raise NotFound(_("This session has no report."))
        try:
            content = reports.open_report(session, language=get_language() or session.language)
        except FileNotFoundError as missing:
            raise NotFound(_("The report is no longer stored. It can be made again.")) from missing
        return attachment(content=content, name=f"concord-{session.pk}.xlsx")

    @staticmethod
    def log_response(session: ImportSession) -> HttpResponseBase:
        name = f"concord-{session.pk}.log"
        storage = session.error_file.storage
        language = get_language() or session.language
        if language == session.language and session.log_file_path and storage.exists(session.log_file_path):
            return attachment(content=storage.open(session.log_file_path, "rb"), name=name)
        response = StreamingHttpResponse(log_lines(session, language=language), content_type=CONTENT_TYPES[".log"])
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "private, no-store"
        return response


class _SessionPartViewSet(mixins.ListModelMixin, ScopedViewSet):
    """Rows that belong to the session in the path."""

    permission_classes = [MayReadImports]
    lookup_field = "session_pk"
    filter_backends = [StrictFilterBackend, StableOrdering]
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
    ),
    export=extend_schema(tags=["import sessions"], parameters=[_SESSION_ID]),
)
class FindingViewSet(ExportMixin, _SessionPartViewSet):
    """Claims and rows that a session did not import, and its warnings, with reason and places (DOMAIN §5)."""

    model = Finding
    serializer_class = FindingSerializer
    filterset_class = FindingFilter
    export_columns = exports.FINDINGS
    ordering_fields = [
        "sequence",
        "category",
        "claim_number",
        "stat_claimed",
        "stat_reimbursed",
        "recap_claimed",
        "recap_reimbursed",
    ]

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = super().list(request, *args, **kwargs)
        self._note(AuditAction.READ, rows=len(response.data["results"]))
        return response

    def record_export(self, *, kind: str, rows: int) -> None:
        self._note(AuditAction.EXPORT, rows=rows, format=kind)

    def _note(self, what: AuditAction, **facts: Any) -> None:
        session = ImportSession.objects.get(pk=self.kwargs["session_pk"])
        audit.record(
            actor=actor_of(self.request),
            action=what,
            target=session,
            data={"part": "findings", "filters": audit.filter_names(self.request.query_params.dict()), **facts},
        )

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        # Only the report needs the source lines, which are by far the largest column.
        return rows.defer("lines")


@extend_schema_view(
    list=extend_schema(
        tags=["import sessions"],
        parameters=[_SESSION_ID],
        responses={200: EventSerializer(many=True), **DENIED_OR_NONE},
    )
)
class EventViewSet(_SessionPartViewSet):
    """The events of a session, step by step. `after`: only events with a higher sequence number."""

    model = SessionEvent
    serializer_class = EventSerializer
    filterset_class = EventFilter
