"""Typing rates and subscribers over the API (DOMAIN §10). The service functions check rights and values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.coverage import services
from core.models import Plan, Policy
from core.serializers import PlanSerializer, PolicySerializer
from users.access.actor import actor_of
from users.access.viewsets import MayTypeRates, ScopedViewSet

if TYPE_CHECKING:
    _Base = ScopedViewSet
else:
    _Base = object


class _RateField(serializers.DecimalField):
    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        # An empty text would count as null, which gives the rate back.
        if data == "":
            self.fail("invalid")
        return super().validate_empty_values(data)


class RateSerializer(serializers.Serializer[Any]):
    """The rate to type, above 0 and up to 1; null gives it back to the observed one."""

    rate = _RateField(max_digits=3, decimal_places=2, allow_null=True)


class SubscriberSerializer(serializers.Serializer[Any]):
    """The subscriber to type; empty or null gives it back to the deduced one."""

    subscriber = serializers.CharField(max_length=services.LONGEST_NAME, allow_blank=True, allow_null=True)


class _TypesRates(_Base):
    """Adds `rate/` to the lists of policies and plans."""

    def _type_rate(self, request: Request) -> Any:
        record = self.get_object()
        form = RateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        record = services.type_rate(actor=actor_of(request), record=record, rate=form.validated_data["rate"])
        return self.get_queryset().get(pk=record.pk)


class TypesPolicyRates(_TypesRates):
    @extend_schema(request=RateSerializer, responses={200: PolicySerializer})
    @action(detail=True, methods=["patch"], permission_classes=[MayTypeRates])
    def rate(self, request: Request, pk: str) -> Response:
        """Type the coverage rate of the policy, or give it back to the observed one."""
        policy: Policy = self._type_rate(request)
        return Response(PolicySerializer(policy).data)

    @extend_schema(request=SubscriberSerializer, responses={200: PolicySerializer})
    @action(detail=True, methods=["patch"], permission_classes=[MayTypeRates])
    def subscriber(self, request: Request, pk: str) -> Response:
        """Type who took the policy out, or give it back to the deduced one."""
        policy = self.get_object()
        form = SubscriberSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        name = form.validated_data["subscriber"] or ""
        policy = services.type_subscriber(actor=actor_of(request), policy=policy, name=name)
        return Response(PolicySerializer(self.get_queryset().get(pk=policy.pk)).data)


class TypesPlanRates(_TypesRates):
    @extend_schema(request=RateSerializer, responses={200: PlanSerializer})
    @action(detail=True, methods=["patch"], permission_classes=[MayTypeRates])
    def rate(self, request: Request, pk: str) -> Response:
        """Type the coverage rate of the plan, or give it back to the observed one."""
        plan: Plan = self._type_rate(request)
        return Response(PlanSerializer(plan).data)
