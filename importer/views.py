"""Starting and steering imports (DOMAIN §7). The views that read sessions are those of file_handling."""

from collections.abc import Callable, Sequence
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from common.throttling import UploadThrottle
from file_handling.files.serializers import RefusalSerializer
from file_handling.files.views import DENIED_OR_NONE, STORAGE_FAILS
from file_handling.models import ImportSession
from file_handling.sessions.serializers import SessionDetailSerializer
from file_handling.sessions.views import SessionReadViewSet
from importer import lifecycle, transitions
from importer.idempotency import HEADER, read_key, start_once
from importer.serializers import SessionFormSerializer, SheetSerializer
from importer.transitions import Transition
from importer.uploads import read_form, start_import
from users.access.actor import actor_of
from users.access.viewsets import MayImport
from users.serializers import DetailSerializer

_READING = {"list", "export", "retrieve", "download"}
REPEATED = "Idempotent-Replayed"


def _responses(transition: Transition) -> dict[int, Any]:
    """The description of the answers to an act; the 409 names the statuses that allow it."""
    statuses = ", ".join(transition.from_statuses)
    return {
        200: SessionDetailSerializer,
        409: OpenApiResponse(DetailSerializer, description=f"The session does not allow it. Allowed in: {statuses}"),
        **DENIED_OR_NONE,
    }


class ImportSessionViewSet(SessionReadViewSet):
    """Imports: an upload of two files starts a session, which people then steer."""

    parser_classes = [MultiPartParser, FormParser, JSONParser]

    def get_permissions(self) -> Sequence[Any]:
        if self.action in _READING or self.action is None:
            return super().get_permissions()
        return [MayImport()]

    def get_throttles(self) -> list[BaseThrottle]:
        return [UploadThrottle()] if self.action == "create" else super().get_throttles()

    @extend_schema(
        tags=["import sessions"],
        parameters=[
            OpenApiParameter(
                HEADER,
                location=OpenApiParameter.HEADER,
                description="A request that is sent again under the same key returns the session of the first",
            ),
            OpenApiParameter(
                REPEATED,
                location=OpenApiParameter.HEADER,
                response=[202],
                enum=["true"],
                description="Present when an earlier request with this key started the session",
            ),
        ],
        request={"multipart/form-data": SessionFormSerializer},
        responses={
            202: SessionDetailSerializer,
            400: OpenApiResponse(RefusalSerializer, description="All problems of the form; nothing was stored"),
            409: OpenApiResponse(DetailSerializer, description="The session that the key started was deleted"),
            422: OpenApiResponse(DetailSerializer, description="The key was used for other files or options"),
            413: OpenApiResponse(DetailSerializer, description="The files are too large"),
            507: OpenApiResponse(DetailSerializer, description="No room left; nothing was stored"),
            **STORAGE_FAILS,
            **DENIED_OR_NONE,
        },
    )
    def create(self, request: Request) -> Response:
        """Start an import. Files that the country has imported before are accepted again; see `same_files_as`."""
        key = read_key(request.headers.get(HEADER))
        form = read_form(user=actor_of(request), data=request.data)
        headers = {}
        if key:
            session, repeated = start_once(user=actor_of(request), form=form, key=key)
            headers = {REPEATED: "true"} if repeated else {}
        else:
            session = start_import(user=actor_of(request), form=form)
        shown = self._shown(session)
        return Response(shown, status=status.HTTP_202_ACCEPTED, headers={"Location": str(shown["url"])} | headers)

    @extend_schema(tags=["import sessions"], request=SheetSerializer, responses=_responses(transitions.SHEET))
    @action(detail=True, methods=["post"])
    def sheet(self, request: Request, pk: str) -> Response:
        session = self.steerable()
        form = SheetSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return self._steered(session, lifecycle.name_sheet, stat_sheet=form.validated_data["stat_sheet"])

    @extend_schema(tags=["import sessions"], request=None, responses=_responses(transitions.COMMIT))
    @action(detail=True, methods=["post"])
    def commit(self, request: Request, pk: str) -> Response:
        return self._steered(self.steerable(), lifecycle.request_commit)

    @extend_schema(tags=["import sessions"], request=None, responses=_responses(transitions.RETRY))
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        return self._steered(self.steerable(), lifecycle.retry)

    @extend_schema(tags=["import sessions"], request=None, responses=_responses(transitions.CANCEL))
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        return self._steered(self.steerable(), lifecycle.cancel)

    @extend_schema(tags=["import sessions"], request=None, responses=_responses(transitions.REVERT))
    @action(detail=True, methods=["post"])
    def revert(self, request: Request, pk: str) -> Response:
        return self._steered(self.steerable(), lifecycle.revert)

    @extend_schema(tags=["import sessions"], request=None, responses=_responses(transitions.REPORT))
    @action(detail=True, methods=["post"])
    def report(self, request: Request, pk: str) -> Response:
        """Make the report again."""
        return self._steered(self.steerable(), lifecycle.remake_report)

    def _steered(self, session: ImportSession, service: Callable[..., ImportSession], **arguments: Any) -> Response:
        service(session=session, actor=actor_of(self.request), **arguments)
        return Response(self._shown(session))

    def _shown(self, session: ImportSession) -> Any:
        row = self.get_queryset().get(pk=session.pk)
        return SessionDetailSerializer(row, context=self.get_serializer_context()).data
