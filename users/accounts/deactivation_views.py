"""Requests to deactivate a country over the API. `deactivations` of this folder checks rights and values."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from common.filters import IdFilter, StableOrdering, StrictFilterBackend
from users.access.actor import actor_of
from users.access.viewsets import MayManageCountries, ScopedReadViewSet
from users.accounts import deactivations
from users.models import Country, CountryDeactivation, DeactivationStatus, DeactivationVote
from users.serializers import CountryIdField, CountrySerializer, DetailSerializer

_ENDED = OpenApiResponse(DetailSerializer, description="The request has ended, or the account has voted")


class DeactivationVoteSerializer(serializers.ModelSerializer[DeactivationVote]):
    vote = serializers.SerializerMethodField()
    counts = serializers.SerializerMethodField(help_text="False: the account was deactivated or lost its role")

    class Meta:
        model = DeactivationVote
        fields = ["voter", "voter_label", "vote", "counts", "at"]
        read_only_fields = fields

    def get_vote(self, vote: DeactivationVote) -> str:
        return deactivations.APPROVE if vote.approves else deactivations.REJECT

    def get_counts(self, vote: DeactivationVote) -> bool:
        return not vote.is_struck


class DeactivationSerializer(serializers.ModelSerializer[CountryDeactivation]):
    country = CountrySerializer(read_only=True)
    approvals = serializers.SerializerMethodField(help_text="Approvals that count")
    rejections = serializers.SerializerMethodField(help_text="Rejections that count")
    may_vote = serializers.SerializerMethodField(help_text="Whether the caller may still vote")
    may_withdraw = serializers.SerializerMethodField(help_text="Whether the caller may withdraw the request")
    votes = DeactivationVoteSerializer(many=True, read_only=True)

    class Meta:
        model = CountryDeactivation
        fields = [
            "id",
            "country",
            "reason",
            "status",
            "asked_by",
            "asked_by_label",
            "asked_at",
            "expires_at",
            "voters",
            "needed",
            "approvals",
            "rejections",
            "may_vote",
            "may_withdraw",
            "decided_at",
            "decided_by",
            "decided_by_label",
            "votes",
        ]
        read_only_fields = fields

    def get_approvals(self, row: CountryDeactivation) -> int:
        return deactivations.approvals(row.votes.all())

    def get_rejections(self, row: CountryDeactivation) -> int:
        return deactivations.rejections(row.votes.all())

    def get_may_vote(self, row: CountryDeactivation) -> bool:
        return deactivations.may_vote(actor_of(self.context["request"]), row, row.votes.all())

    def get_may_withdraw(self, row: CountryDeactivation) -> bool:
        return deactivations.may_withdraw(actor_of(self.context["request"]), row)


class DeactivationFormSerializer(serializers.Serializer[None]):
    country = CountryIdField(help_text="Id of an active country")
    reason = serializers.CharField(max_length=2000, help_text="For those who decide: at most 1,000 characters")


class VoteFormSerializer(serializers.Serializer[None]):
    vote = serializers.ChoiceField(choices=deactivations.VOTES)


class DeactivationFilter(django_filters.FilterSet):
    country = IdFilter(field_name="country_id", of=Country, label=_("Country"))
    status = django_filters.MultipleChoiceFilter(choices=DeactivationStatus.choices, label=_("State"))

    class Meta:
        model = CountryDeactivation
        fields: list[str] = []


@extend_schema_view(list=extend_schema(tags=["countries"]), retrieve=extend_schema(tags=["countries"]))
class DeactivationViewSet(ScopedReadViewSet):
    """Requests to deactivate a country, the newest first. For the accounts that see all countries."""

    model = CountryDeactivation
    permission_classes = [MayManageCountries]
    serializer_class = DeactivationSerializer
    parser_classes = [JSONParser, FormParser, MultiPartParser]
    filter_backends = [StrictFilterBackend, StableOrdering]
    filterset_class = DeactivationFilter
    ordering_fields = ["asked_at", "expires_at"]
    ordering = ["-asked_at"]

    def get_queryset(self) -> QuerySet[Any]:
        # A request whose time has passed is never shown as pending. The description of the API asks for no rows.
        if not getattr(self, "swagger_fake_view", False):
            deactivations.expire_due()
        return super().get_queryset()

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.select_related("country").prefetch_related("votes")

    @extend_schema(
        tags=["countries"], request=DeactivationFormSerializer, responses={
            201: DeactivationSerializer,
            409: OpenApiResponse(DetailSerializer, description="The country is inactive, or a request is pending"),
        },
        description="Asks for the deactivation of a country; asking is the first approval. A superuser's request is"
        " approved at once. One request for each country may be pending.",
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        values = self._values(DeactivationFormSerializer)
        row = deactivations.ask(actor=actor_of(request), **values)
        return self._shown(row, code=status.HTTP_201_CREATED)

    @extend_schema(
        tags=["countries"], request=VoteFormSerializer, responses={200: DeactivationSerializer, 409: _ENDED},
        description="Approves or rejects a pending request; each account votes once. A superuser's vote ends it.",
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def vote(self, request: Request, pk: str) -> Response:
        row = self.get_object()
        values = self._values(VoteFormSerializer)
        return self._shown(deactivations.vote(actor=actor_of(request), request=row, choice=values["vote"]))

    @extend_schema(tags=["countries"], request=None, responses={200: DeactivationSerializer, 409: _ENDED})
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """End one's own pending request."""
        return self._shown(deactivations.withdraw(actor=actor_of(request), request=self.get_object()))

    def _values(self, form_class: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        form = form_class(data=self.request.data, context=self.get_serializer_context())
        form.is_valid(raise_exception=True)
        values: dict[str, Any] = form.validated_data
        return values

    def _shown(self, row: CountryDeactivation, *, code: int = status.HTTP_200_OK) -> Response:
        fresh = self.with_related(CountryDeactivation.objects.visible_to(actor_of(self.request))).get(pk=row.pk)
        return Response(self.get_serializer(fresh).data, status=code)
