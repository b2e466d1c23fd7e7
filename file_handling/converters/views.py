"""Converters over the API, for superusers. `services` checks rights and values."""

from typing import Any

import django_filters
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.filters import StableOrdering, StrictFilterBackend
from file_handling.converters import services
from file_handling.converters.serializers import (
    ConverterFormSerializer,
    ConverterSerializer,
    NewConverterSecretSerializer,
)
from file_handling.models import Converter
from users.access.actor import actor_of
from users.access.viewsets import MayManageConverters, ScopedReadViewSet


class ConverterFilter(django_filters.FilterSet):
    is_active = django_filters.BooleanFilter(label=_("Active"))

    class Meta:
        model = Converter
        fields: list[str] = []


@extend_schema_view(list=extend_schema(tags=["converters"]), retrieve=extend_schema(tags=["converters"]))
class ConverterViewSet(ScopedReadViewSet):
    """The services that turn files of other formats into one that Concord reads."""

    model = Converter
    permission_classes = [MayManageConverters]
    serializer_class = ConverterSerializer
    filter_backends = [StrictFilterBackend, StableOrdering]
    filterset_class = ConverterFilter
    ordering_fields = ["id", "name"]
    ordering = ["name"]

    @extend_schema(tags=["converters"], request=ConverterFormSerializer, responses={201: NewConverterSecretSerializer})
    def create(self, request: Request) -> Response:
        """Register a service. Only this answer has the secret with which requests to it are signed."""
        form = ConverterFormSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        converter, secret = services.register(actor=actor_of(request), **form.validated_data)
        return self._with_secret(converter, secret, code=status.HTTP_201_CREATED)

    @extend_schema(tags=["converters"], request=ConverterFormSerializer, responses={200: ConverterSerializer})
    def partial_update(self, request: Request, pk: str) -> Response:
        converter = self.get_object()
        form = ConverterFormSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        changed = services.change(actor=actor_of(request), converter=converter, **form.validated_data)
        return Response(ConverterSerializer(changed).data)

    @extend_schema(tags=["converters"], request=None, responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete the converter. What it made stays, with its name and version."""
        services.delete(actor=actor_of(request), converter=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(tags=["converters"], request=None, responses={200: NewConverterSecretSerializer})
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str) -> Response:
        """Replace the secret at once."""
        converter, secret = services.rotate(actor=actor_of(request), converter=self.get_object())
        return self._with_secret(converter, secret)

    @extend_schema(tags=["converters"], request=None, responses={200: ConverterSerializer})
    @action(detail=True, methods=["post"])
    def check(self, request: Request, pk: str) -> Response:
        """Ask the service for its version, without a file."""
        return Response(ConverterSerializer(services.check(actor=actor_of(request), converter=self.get_object())).data)

    def _with_secret(self, converter: Converter, secret: str, *, code: int = status.HTTP_200_OK) -> Response:
        shown: Any = NewConverterSecretSerializer(converter, context={"secret": secret})
        return Response(shown.data, status=code)
