"""Starting and steering imports (DOMAIN §7). The views that read sessions are those of file_handling."""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, PolymorphicProxySerializer, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from common.api_errors import BadRequest
from common.errors import InvalidForm
from common.throttling import UploadThrottle
from file_handling.files.serializers import RefusalSerializer
from file_handling.files.views import DENIED_OR_NONE, STORAGE_FAILS
from file_handling.models import CorrectionOrigin, ImportSession
from file_handling.problem_texts import sentence
from file_handling.sessions.serializers import SessionDetailSerializer
from file_handling.sessions.views import SessionReadViewSet
from importer import lifecycle, transitions
from importer.corrections.entries import read_json
from importer.corrections.from_workbook import start_from_workbook
from importer.corrections.requests import correct_once
from importer.corrections.serializers import (
    ComparedClaimSerializer,
    CorrectionFormSerializer,
    CorrectionWorkbookFormSerializer,
    EntriesRefusedSerializer,
)
from importer.idempotency import HEADER, read_key
from importer.serializers import (
    RevertPreviewSerializer,
    RevertRefusedSerializer,
    RevertSerializer,
    SessionFormSerializer,
    SheetSerializer,
)
from importer.transitions import Transition
from importer.uploads import read_form, start_form_once, start_import
from reading.problems import UnreadableFile
from users import audit
from users.access.actor import actor_of
from users.access.viewsets import MayImport
from users.models import AuditAction
from users.serializers import DetailSerializer

_READING = {"list", "export", "retrieve", "download", "comparison"}
REPEATED = "Idempotent-Replayed"
_KEY_PARAMETERS = [
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
]


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
        parameters=_KEY_PARAMETERS,
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
        if key:
            session, repeated = start_form_once(user=actor_of(request), form=form, key=key)
        else:
            session, repeated = start_import(user=actor_of(request), form=form), False
        return self._started(session, repeated=repeated)

    @extend_schema(
        tags=["corrections"],
        parameters=_KEY_PARAMETERS,
        request={
            "application/json": CorrectionFormSerializer,
            "multipart/form-data": CorrectionWorkbookFormSerializer,
        },
        responses={
            202: SessionDetailSerializer,
            400: OpenApiResponse(
                EntriesRefusedSerializer,
                description=(
                    "Every entry that does not fit, by its index: the cells come first, the rows to remove continue "
                    "behind them. Of a workbook every problem, with its sheet and row. Nothing was stored"
                ),
            ),
            409: OpenApiResponse(
                DetailSerializer,
                description=(
                    "The session that the key started was deleted, or this session cannot be corrected. Allowed in: "
                    + ", ".join(transitions.CORRECT.from_statuses)
                ),
            ),
            422: OpenApiResponse(DetailSerializer, description="The key was used for another request"),
            507: OpenApiResponse(DetailSerializer, description="No room left; nothing was stored"),
            **DENIED_OR_NONE,
        },
    )
    @action(detail=True, methods=["post"], throttle_classes=[UploadThrottle])
    def corrections(self, request: Request, pk: str) -> Response:
        """Correct cells of the session's files, and leave rows out: a new session with them runs and waits for review.

        The files stay as they are. The corrections apply to every later session with the same files.
        """
        try:
            key = read_key(request.headers.get(HEADER))
        except InvalidForm as invalid:
            # `errors` names entries here, and no fields.
            raise BadRequest(invalid.sentence()) from invalid
        workbook = request.FILES.get("workbook")
        if workbook is not None:
            started = start_from_workbook(self.get_object(), upload=workbook, user=actor_of(request), key=key)
            return self._started(started[0], repeated=started[1])
        try:
            session, repeated = correct_once(
                session=self.get_object(),
                entries=read_json(request.data),
                user=actor_of(request),
                origin=CorrectionOrigin.CELLS,
                key=key,
                content=request.data,
            )
        except UnreadableFile as unreadable:
            raise BadRequest("\n".join(map(sentence, unreadable.problems))) from unreadable
        return self._started(session, repeated=repeated)

    @extend_schema(
        tags=["corrections"],
        filters=False,
        responses={
            200: ComparedClaimSerializer(many=True),
            404: OpenApiResponse(DetailSerializer, description="No such session, or it does not correct another one"),
            409: OpenApiResponse(DetailSerializer, description="The files of one of them are not reconciled yet"),
            403: DENIED_OR_NONE[403],
        },
    )
    @action(detail=True, filter_backends=[], filterset_class=None)
    def comparison(self, request: Request, pk: str) -> Response:
        """The claims that a corrected session has otherwise than the session that it corrects, and those of the
        corrected rows, by number.
        """
        # Imported here: a web process loads the frames library once it needs it.
        from importer.corrections.comparison import compared_claims

        session: ImportSession = self.get_object()
        if session.corrects_id is None:
            raise NotFound(_("This session does not correct another one, so there is nothing to compare."))
        page = self.paginate_queryset(compared_claims(session)) or []
        audit.record(
            actor=actor_of(request),
            action=AuditAction.READ,
            target=session,
            data={"part": "comparison", "rows": len(page)},
        )
        return self.get_paginated_response(ComparedClaimSerializer(page, many=True).data)  # type: ignore[arg-type]

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

    @extend_schema(
        tags=["import sessions"],
        parameters=[
            OpenApiParameter(
                "dry_run",
                enum=["true", "false"],
                default="false",
                description="Revert nothing, and answer what a revert would do",
            )
        ],
        request=RevertSerializer,
        responses={
            **_responses(transitions.REVERT),
            200: PolymorphicProxySerializer(
                component_name="RevertAnswer",
                serializers=[SessionDetailSerializer, RevertPreviewSerializer],
                resource_type_field_name=None,
            ),
            400: OpenApiResponse(RefusalSerializer, description="The token is none of a preview of this session"),
            409: OpenApiResponse(
                RevertRefusedSerializer,
                description="The session does not allow it, or the situation is not the previewed one any more. "
                f"Allowed in: {', '.join(transitions.REVERT.from_statuses)}",
            ),
        },
    )
    @action(detail=True, methods=["post"])
    def revert(self, request: Request, pk: str) -> Response:
        """Remove what the session created and nothing later relies on; with `dry_run`, only say what that is."""
        dry_run = request.query_params.get("dry_run", "false")
        if dry_run not in ("true", "false"):
            raise BadRequest(_("Must be true or false."))
        session = self.steerable()
        if dry_run == "true":
            return Response(lifecycle.preview_of_revert(session=session))
        form = RevertSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return self._steered(session, lifecycle.revert, preview_token=form.validated_data["preview_token"])

    @extend_schema(tags=["import sessions"], request=None, responses=_responses(transitions.REPORT))
    @action(detail=True, methods=["post"])
    def report(self, request: Request, pk: str) -> Response:
        """Make the report again."""
        return self._steered(self.steerable(), lifecycle.remake_report)

    def _started(self, session: ImportSession, *, repeated: bool) -> Response:
        shown = self._shown(session)
        headers = {"Location": str(shown["url"])} | ({REPEATED: "true"} if repeated else {})
        return Response(shown, status=status.HTTP_202_ACCEPTED, headers=headers)

    def _steered(self, session: ImportSession, service: Callable[..., ImportSession], **arguments: Any) -> Response:
        service(session=session, actor=actor_of(self.request), **arguments)
        return Response(self._shown(session))

    def _shown(self, session: ImportSession) -> Any:
        row = self.get_queryset().get(pk=session.pk)
        return SessionDetailSerializer(row, context=self.get_serializer_context()).data
