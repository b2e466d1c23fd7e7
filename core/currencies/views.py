"""The reporting currency and its rates over the API, for the accounts that see all countries (DOMAIN §14)."""

import io
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from common.exports import CONTENT_TYPES, XLSX
from common.filters import KeyFilter, StableOrdering, StrictFilterBackend
from common.throttling import UploadThrottle
from core.currencies import services
from core.currencies.fixed import fixed_currencies, fixed_text
from core.currencies.serializers import (
    RateFormSerializer,
    RateRowsSerializer,
    RateSerializer,
    RateSheetSerializer,
    ReportingCurrencyFormSerializer,
    ReportingCurrencySerializer,
)
from core.currencies.sheet import read_rates, write_template
from core.currencies.values import code_of
from core.models import ExchangeRate, ReportingCurrency
from users.access.actor import actor_of
from users.access.viewsets import MayManageRates, ScopedReadViewSet
from users.serializers import DetailSerializer

TAGS = ["currencies"]
_NO_SETTING = OpenApiResponse(DetailSerializer, description="There is no reporting currency")


class RateFilter(django_filters.FilterSet):
    base = KeyFilter(field_name="base", key=code_of, label=_("Reporting currency"))
    currency = KeyFilter(field_name="currency", key=code_of, label=_("Currency"))

    class Meta:
        model = ExchangeRate
        fields: list[str] = []


@extend_schema_view(list=extend_schema(tags=TAGS), retrieve=extend_schema(tags=TAGS))
class RateViewSet(ScopedReadViewSet):
    """Dated exchange rates. From the day `from` on, one unit of `base` costs `rate` units of `currency`, until the next
    rate of the same two currencies.
    """

    model = ExchangeRate
    permission_classes = [MayManageRates]
    serializer_class = RateSerializer
    parser_classes = [JSONParser, FormParser, MultiPartParser]
    filter_backends = [StrictFilterBackend, StableOrdering]
    filterset_class = RateFilter
    ordering_fields = ["currency", "start"]
    ordering = ["currency", "-start"]

    def get_throttles(self) -> list[BaseThrottle]:
        return [UploadThrottle()] if self.action in ("preview", "import_sheet") else super().get_throttles()

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.select_related("author")

    @extend_schema(tags=TAGS, request=RateFormSerializer, responses={201: RateSerializer, 409: _NO_SETTING})
    def create(self, request: Request) -> Response:
        """Add a rate of the present reporting currency."""
        row = services.create_rate(actor=actor_of(request), **self._values(RateFormSerializer))
        return Response(self.get_serializer(row).data, status=status.HTTP_201_CREATED)

    @extend_schema(tags=TAGS, request=RateFormSerializer, responses={200: RateSerializer, 409: _NO_SETTING})
    def partial_update(self, request: Request, pk: str) -> Response:
        row = self.get_object()
        values = self._values(RateFormSerializer, partial=True)
        return Response(self.get_serializer(services.update_rate(actor=actor_of(request), row=row, **values)).data)

    @extend_schema(tags=TAGS, responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        services.delete_rate(actor=actor_of(request), rate=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        tags=TAGS,
        request={"multipart/form-data": RateSheetSerializer},
        responses={200: RateRowsSerializer, 409: _NO_SETTING},
    )
    @action(detail=False, methods=["post"], url_path="import/preview", parser_classes=[MultiPartParser, FormParser])
    def preview(self, request: Request) -> Response:
        """Every row of a sheet of rates: new, update, same, or rejected with its reasons. Nothing is stored."""
        file = self._values(RateSheetSerializer)["file"]
        rows = read_rates(name=file.name or "", content=file.file)
        return self._rows(services.preview(actor=actor_of(request), rows=rows))

    @extend_schema(
        tags=TAGS,
        request={"multipart/form-data": RateSheetSerializer},
        responses={200: RateRowsSerializer, 409: _NO_SETTING},
    )
    @action(detail=False, methods=["post"], url_path="import", parser_classes=[MultiPartParser, FormParser])
    def import_sheet(self, request: Request) -> Response:
        """Store the new and changed rates of a sheet in one transaction."""
        file = self._values(RateSheetSerializer)["file"]
        rows = read_rates(name=file.name or "", content=file.file)
        return self._rows(services.import_rows(actor=actor_of(request), rows=rows, file_name=file.name or ""))

    @extend_schema(tags=TAGS, responses={(200, CONTENT_TYPES[XLSX]): OpenApiTypes.BINARY}, filters=False)
    @action(detail=False, methods=["get"], pagination_class=None, filter_backends=[])
    def template(self, request: Request) -> HttpResponse:
        """An empty workbook with the columns of a sheet of rates."""
        return template_response()

    def _values(self, form_class: type[serializers.Serializer[Any]], *, partial: bool = False) -> dict[str, Any]:
        form = form_class(data=self.request.data, partial=partial)
        form.is_valid(raise_exception=True)
        values: dict[str, Any] = form.validated_data
        return values

    def _rows(self, rows: list[services.RateRow]) -> Response:
        counts = {outcome: sum(row.outcome == outcome for row in rows) for outcome in services.OUTCOMES}
        return Response(RateRowsSerializer({"count": len(rows), "rows": rows, **counts}).data)


def template_response() -> HttpResponse:
    target = io.BytesIO()
    write_template(target)
    response = HttpResponse(target.getvalue(), content_type=CONTENT_TYPES[XLSX])
    response["Content-Disposition"] = 'attachment; filename="concord-exchange-rates.xlsx"'
    response["Cache-Control"] = "private, no-store"
    return response


class ReportingCurrencyView(APIView):
    """The currency in which amounts of all countries are added up, beside those of each currency."""

    permission_classes = [MayManageRates]

    @extend_schema(tags=TAGS, responses=ReportingCurrencySerializer)
    def get(self, request: Request) -> Response:
        return self._shown(request)

    @extend_schema(tags=TAGS, request=ReportingCurrencyFormSerializer, responses={200: ReportingCurrencySerializer})
    def put(self, request: Request) -> Response:
        """Set it, or remove it with null. Rates stay; those of another reporting currency do not count."""
        form = ReportingCurrencyFormSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        services.set_reporting_currency(actor=actor_of(request), currency=form.validated_data["currency"])
        return self._shown(request)

    def _shown(self, request: Request) -> Response:
        setting = ReportingCurrency.objects.visible_to(actor_of(request)).first()
        base = setting.currency if setting else None
        fixed = [fixed_text(base, one) for one in fixed_currencies(base)] if base else []
        return Response(ReportingCurrencySerializer({"currency": base, "fixed": fixed}).data)
