"""Webhooks over the API. `services` checks rights and values."""

from collections.abc import Callable
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.filters import IdFilter, StableOrdering, StrictFilterBackend
from notifications import services
from notifications.models import EndpointState, MessageState, WebhookEndpoint, WebhookMessage
from notifications.serializers import (
    MessageSerializer,
    NewSecretSerializer,
    NewWebhookFormSerializer,
    WebhookFormSerializer,
    WebhookSerializer,
)
from users.access.actor import actor_of
from users.access.viewsets import MayManageWebhooks, ScopedReadViewSet, ScopedViewSet, visible_or_refused
from users.models import Country


class WebhookFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=EndpointState.choices, label=_("State"))
    country = IdFilter(field_name="country_id", of=Country, label=_("Country"))

    class Meta:
        model = WebhookEndpoint
        fields: list[str] = []


class MessageFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=MessageState.choices, label=_("State"))

    class Meta:
        model = WebhookMessage
        fields: list[str] = []


@extend_schema_view(list=extend_schema(tags=["webhooks"]), retrieve=extend_schema(tags=["webhooks"]))
class WebhookViewSet(ScopedReadViewSet):
    """The webhooks that the caller manages: of the own country, or all."""

    model = WebhookEndpoint
    permission_classes = [MayManageWebhooks]
    serializer_class = WebhookSerializer
    filter_backends = [StrictFilterBackend, StableOrdering]
    filterset_class = WebhookFilter
    ordering_fields = ["id", "name"]
    ordering = ["-id"]

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.select_related("country")

    @extend_schema(tags=["webhooks"], request=NewWebhookFormSerializer, responses={201: NewSecretSerializer})
    def create(self, request: Request) -> Response:
        """Register an address. Only this answer has the secret with which its messages are signed."""
        form = NewWebhookFormSerializer(data=request.data, context=self.get_serializer_context())
        form.is_valid(raise_exception=True)
        endpoint, secret = services.register(actor=actor_of(request), **form.validated_data)
        return self._with_secret(endpoint, secret, code=status.HTTP_201_CREATED)

    @extend_schema(tags=["webhooks"], request=WebhookFormSerializer, responses={200: WebhookSerializer})
    def partial_update(self, request: Request, pk: str) -> Response:
        endpoint = self.get_object()
        form = WebhookFormSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        return self._shown(services.change(actor=actor_of(request), endpoint=endpoint, **form.validated_data))

    @extend_schema(tags=["webhooks"], request=None, responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete the webhook with its messages and its log."""
        services.delete(actor=actor_of(request), endpoint=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(tags=["webhooks"], request=None, responses={200: WebhookSerializer})
    @action(detail=True, methods=["post"])
    def enable(self, request: Request, pk: str) -> Response:
        """Deliver again, beginning with the messages that wait."""
        return self._steered(services.enable)

    @extend_schema(tags=["webhooks"], request=None, responses={200: WebhookSerializer})
    @action(detail=True, methods=["post"])
    def disable(self, request: Request, pk: str) -> Response:
        """Deliver nothing and store no new messages until the webhook is enabled again."""
        return self._steered(services.disable)

    @extend_schema(tags=["webhooks"], request=None, responses={200: NewSecretSerializer})
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str) -> Response:
        """Replace the secret. Until `former_secret_until`, messages are signed with both."""
        endpoint, secret = services.rotate(actor=actor_of(request), endpoint=self.get_object())
        return self._with_secret(endpoint, secret)

    @extend_schema(tags=["webhooks"], request=None, responses={202: MessageSerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Send a message of the type `webhook.test`."""
        message = services.send_test(actor=actor_of(request), endpoint=self.get_object())
        return Response(MessageSerializer(message).data, status=status.HTTP_202_ACCEPTED)

    def _steered(self, act: Callable[..., WebhookEndpoint]) -> Response:
        return self._shown(act(actor=actor_of(self.request), endpoint=self.get_object()))

    def _shown(self, endpoint: WebhookEndpoint) -> Response:
        return Response(WebhookSerializer(endpoint).data)

    def _with_secret(self, endpoint: WebhookEndpoint, secret: str, *, code: int = status.HTTP_200_OK) -> Response:
        return Response(NewSecretSerializer(endpoint, context={"secret": secret}).data, status=code)


_WEBHOOK_ID = OpenApiParameter("webhook_pk", OpenApiTypes.INT, OpenApiParameter.PATH)


@extend_schema_view(list=extend_schema(tags=["webhooks"], parameters=[_WEBHOOK_ID]))
class MessageViewSet(mixins.ListModelMixin, ScopedViewSet):
    """The messages of a webhook, newest first, each with its delivery log."""

    model = WebhookMessage
    permission_classes = [MayManageWebhooks]
    serializer_class = MessageSerializer
    filter_backends = [StrictFilterBackend, StableOrdering]
    filterset_class = MessageFilter
    ordering_fields = ["id"]
    ordering = ["-id"]

    def get_queryset(self) -> QuerySet[Any]:
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows
        endpoint = visible_or_refused(
            rows=WebhookEndpoint.objects.visible_to(self.request.user),
            pk=self.kwargs["webhook_pk"],
            not_found=self.not_found,
        )
        return rows.filter(endpoint=endpoint)

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.prefetch_related("log")

    @extend_schema(
        tags=["webhooks"],
        request=None,
        responses={202: MessageSerializer},
        parameters=[_WEBHOOK_ID, OpenApiParameter("id", OpenApiTypes.INT, OpenApiParameter.PATH)],
    )
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, webhook_pk: str, pk: str) -> Response:
        """Deliver a message once more, with the same id and content."""
        message = services.replay(actor=actor_of(request), message=self.get_object())
        return Response(MessageSerializer(message).data, status=status.HTTP_202_ACCEPTED)
