"""The corrections of files in the API: list, export, detail, withdraw (DOMAIN §13)."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.filters import StableOrdering, StrictFilterBackend
from file_handling.files.views import DENIED, DENIED_OR_NONE
from file_handling.models import Correction
from importer.corrections import lists, service
from importer.corrections.serializers import CorrectionSerializer
from users.access.actor import actor_of
from users.access.exporting import ExportMixin
from users.access.viewsets import AuditedReadViewSet, MayManageAccounts, MayReadImports
from users.serializers import DetailSerializer


@extend_schema_view(
    list=extend_schema(tags=["corrections"], responses={200: CorrectionSerializer(many=True), **DENIED}),
    retrieve=extend_schema(tags=["corrections"], responses={200: CorrectionSerializer, **DENIED_OR_NONE}),
    export=extend_schema(tags=["corrections"]),
)
class CorrectionViewSet(ExportMixin, AuditedReadViewSet):
    """Corrected cells and left-out rows of files, newest first. They apply to every later session with the file."""

    model = Correction
    permission_classes = [MayReadImports]
    serializer_class = CorrectionSerializer
    filter_backends = [StrictFilterBackend, StableOrdering]
    filterset_class = lists.CorrectionFilter
    export_columns = lists.CORRECTIONS
    ordering_fields = ["id", "made_at", "withdrawn_at", "file_name", "row", "claim_number"]
    ordering = ["-id"]
    personal = True

    def get_permissions(self) -> Sequence[Any]:
        # Global roles, and the territorial admins of the country.
        return [MayManageAccounts()] if self.action == "withdraw" else super().get_permissions()

    @extend_schema(
        tags=["corrections"],
        request=None,
        responses={
            200: CorrectionSerializer,
            409: OpenApiResponse(DetailSerializer, description="The correction is withdrawn already"),
            **DENIED_OR_NONE,
        },
    )
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """End a correction: it applies to no later session or run. What was imported with it stays."""
        correction = service.withdraw(correction=self.get_object(), actor=actor_of(request))
        return Response(self.get_serializer(correction).data)
