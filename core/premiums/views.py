"""Premiums in the API (DOMAIN §9): list, export, detail, create, change, delete, history, and import from a file."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.http import FileResponse, HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.throttling import BaseThrottle

from common.api_errors import AccessDenied
from common.errors import Invalid
from common.exports import CONTENT_TYPES, XLSX
from common.parsing import is_dry_run
from common.throttling import UploadThrottle
from core.models import Client, Premium
from core.premiums import exports, from_sheet, services
from core.premiums.filters import PremiumFilter
from core.premiums.history import changes_of
from core.premiums.serializers import (
    PremiumChangeSerializer,
    PremiumFileSerializer,
    PremiumFormSerializer,
    PremiumRevisionSerializer,
    PremiumRowsSerializer,
    PremiumSerializer,
    PremiumUndoSerializer,
    UndonePremiumSerializer,
)
from core.premiums.template import FILE_NAME, write_template
from core.premiums.uploads import read_form
from core.views import RecordViewSet
from users import audit
from users.access.actor import actor_of
from users.access.viewsets import MayManagePremiums, visible_or_refused
from users.models import AuditAction, User
from users.serializers import DetailSerializer

_READS = ("list", "retrieve", "export", "history", "metadata")


@extend_schema(tags=["premiums"])
class PremiumViewSet(RecordViewSet):
    """What clients pay for their cover: an amount for the days from `start` to `end`, both included."""

    model = Premium
    serializer_class = PremiumSerializer
    filterset_class = PremiumFilter
    parser_classes = [JSONParser, FormParser, MultiPartParser]
    export_columns = exports.PREMIUMS
    ordering_fields = ["id", "start", "end", "amount", "created_at"]
    ordering = ["-start", "-id"]
    related = ("client", "author")

    def get_permissions(self) -> Sequence[Any]:
        if self.action is None or self.action in _READS:
            return super().get_permissions()
        return [MayManagePremiums()]

    def get_throttles(self) -> list[BaseThrottle]:
        return [UploadThrottle()] if self.action in ("preview_import", "import_file") else super().get_throttles()

    @extend_schema(request=PremiumFormSerializer, responses={201: PremiumSerializer})
    def create(self, request: Request) -> Response:
        """Enter a premium. It is refused when it overlaps another premium of the client, which the answer names."""
        values = self._form(PremiumFormSerializer)
        client = self._client(values.pop("client"))
        premium = services.create_premium(actor=actor_of(request), client=client, **values)
        return Response(PremiumSerializer(premium).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=PremiumChangeSerializer, responses={200: PremiumSerializer})
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change values of a premium. The earlier ones stay in its history."""
        premium = self.get_object()
        values = self._form(PremiumFormSerializer, partial=True)
        if values.pop("client", premium.client_id) != premium.client_id:
            reason = _("The client of a premium does not change. Delete it, and enter it for the other client.")
            raise Invalid({"client": [reason]})
        premium = services.change_premium(actor=actor_of(request), premium=premium, **values)
        return Response(PremiumSerializer(premium).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a premium. Its history stays."""
        services.delete_premium(actor=actor_of(request), premium=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(filters=False, responses={200: PremiumRevisionSerializer(many=True)})
    @action(detail=True, filterset_class=None, filter_backends=[])
    def history(self, request: Request, pk: str) -> Response:
        """Every change of a premium, newest first; also of one that was deleted."""
        actor = actor_of(request)
        changes = changes_of(actor, pk, not_found=NotFound, refused=AccessDenied)
        page = self.paginate_queryset(changes) or []
        audit.record(
            actor=actor,
            action=AuditAction.READ,
            target=Premium(pk=int(pk)),
            country_id=page[0].country_id if page else actor.country_id,
            data={"part": "history", "rows": len(page)},
        )
        return self.get_paginated_response(PremiumRevisionSerializer(page, many=True).data)

    @extend_schema(
        request=PremiumUndoSerializer,
        parameters=[OpenApiParameter("dry_run", bool, description="Only a preview: nothing changes")],
        responses={
            200: UndonePremiumSerializer,
            409: OpenApiResponse(DetailSerializer, description="The premium was changed again later"),
        },
    )
    @action(detail=True, methods=["post"], filterset_class=None, filter_backends=[])
    def undo(self, request: Request, pk: str) -> Response:
        """Undo the newest change of a premium, a deletion too. The undo is one more change in the history."""
        actor = actor_of(request)
        changes = changes_of(actor, pk, not_found=NotFound, refused=AccessDenied)
        revision = changes.filter(pk=self._form(PremiumUndoSerializer)["change"]).first()
        if revision is None:
            raise Invalid({"change": [_("This premium has no such change.")]})
        premium = services.undo_change(actor=actor, revision=revision, dry_run=is_dry_run(request.query_params))
        return Response(UndonePremiumSerializer({"premium": premium}).data)

    @extend_schema(request={"multipart/form-data": PremiumFileSerializer}, responses={200: PremiumRowsSerializer})
    @action(detail=False, methods=["post"], url_path="import/preview", parser_classes=[MultiPartParser, FormParser])
    def preview_import(self, request: Request) -> Response:
        """What an import of the file would do with each row. Nothing is written."""
        actor = actor_of(request)
        read = read_form(user=actor, data=request.data)
        judged = from_sheet.preview(actor=actor, country=read.country, file_name=read.file_name, rows=read.rows)
        return Response(PremiumRowsSerializer(judged).data)

    @extend_schema(
        request={"multipart/form-data": PremiumFileSerializer},
        responses={200: PremiumRowsSerializer, 201: PremiumRowsSerializer},
    )
    @action(detail=False, methods=["post"], url_path="import", parser_classes=[MultiPartParser, FormParser])
    def import_file(self, request: Request) -> Response:
        """Write the premiums of all rows that are not rejected, in one transaction: 201 if there are any, else 200."""
        actor = actor_of(request)
        read = read_form(user=actor, data=request.data)
        judged = from_sheet.import_rows(actor=actor, country=read.country, file_name=read.file_name, rows=read.rows)
        code = status.HTTP_201_CREATED if judged.writable else status.HTTP_200_OK
        return Response(PremiumRowsSerializer(judged).data, status=code)

    @extend_schema(
        filters=False,
        responses={
            (200, CONTENT_TYPES[XLSX]): OpenApiTypes.BINARY,
            507: OpenApiResponse(description="No room left to make it"),
        },
    )
    @action(detail=False, url_path="import/template", filterset_class=None, filter_backends=[], pagination_class=None)
    def template(self, request: Request) -> HttpResponseBase:
        """A workbook to fill in with premiums, in the language of `Accept-Language`, with the names of the clients."""
        return template_response(actor_of(request))

    def _client(self, pk: int) -> Client:
        """The client of a new premium. Raises Invalid for none, AccessDenied for one that the caller may not see."""
        client: Client = visible_or_refused(
            rows=Client.objects.visible_to(self.request.user), pk=str(pk), not_found=_NoClient
        )
        return client

    def _form(self, form_class: type[Serializer[Any]], *, partial: bool = False) -> dict[str, Any]:
        form = form_class(data=self.request.data, partial=partial)
        form.is_valid(raise_exception=True)
        values: dict[str, Any] = form.validated_data
        return values


class _NoClient(Invalid):
    def __init__(self) -> None:
        super().__init__({"client": [_("There is no such client.")]})


def template_response(actor: User) -> HttpResponseBase:
    """The template in the active language."""
    clients: Sequence[str] = ()
    country_id = actor.working_country_id()
    if country_id is not None:
        rows = Client.objects.visible_to(actor).filter(country_id=country_id)
        clients = list(rows.order_by("name").values_list("name", flat=True))
    with ExitStack() as unfinished:
        target = unfinished.enter_context(tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR, suffix=".xlsx"))
        write_template(target, clients=clients)
        audit.record(
            actor=actor,
            action=AuditAction.DOWNLOAD,
            target=Premium(),
            country_id=country_id,
            data={"type": "template", "clients": len(clients)},
        )
        target.seek(0)
        # From here FileResponse owns the temporary file and deletes it when sent.
        unfinished.pop_all()
    response = FileResponse(target, as_attachment=True, filename=FILE_NAME)
    response["Content-Type"] = CONTENT_TYPES[XLSX]
    response["Cache-Control"] = "private, no-store"
    return response
