"""The review list in the API (DOMAIN §12): list, export, detail, answer."""

from collections.abc import Sequence
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.exports import Column
from common.filters import StableOrdering, StrictFilterBackend
from common.parsing import is_dry_run
from core.models import Policy, ReviewDecision, ReviewKind, ReviewPair, ReviewState
from core.review.facts import facts_of
from core.review.filters import ReviewPairFilter
from core.review.serializers import (
    DecidedPairSerializer,
    PairDecisionSerializer,
    ReviewPairDetailSerializer,
    ReviewPairSerializer,
)
from core.review.services import decide, preview_decision, suggested
from users import audit
from users.access.actor import actor_of
from users.access.exporting import ExportMixin
from users.access.viewsets import AuditedReadViewSet, MayReadReview, MayReview
from users.models import AuditAction
from users.serializers import DetailSerializer

EXPORTED = (
    Column(gettext_lazy("Id"), "id", "integer"),
    Column(gettext_lazy("Country"), "country__code"),
    Column(gettext_lazy("Kind"), "kind", "choice", ReviewKind.choices),
    Column(gettext_lazy("State"), "state", "choice", ReviewState.choices),
    Column(gettext_lazy("Policy"), "policy_number"),
    Column(gettext_lazy("Name of the first record"), "one_name"),
    Column(gettext_lazy("Name of the second record"), "other_name"),
    Column(gettext_lazy("Import session"), "import_session_id", "integer"),
    Column(gettext_lazy("Answered by"), "decided_label"),
)

DRY_RUN = OpenApiParameter("dry_run", bool, description="Only a preview: nothing changes")


def with_policy(rows: QuerySet[Any]) -> QuerySet[Any]:
    """The pairs with `state`, and with `policy_number` where they are persons of one policy."""
    policies = Policy.objects.filter(country=OuterRef("country"), key=OuterRef("policy_key"))
    return rows.with_state().annotate(policy_number=Subquery(policies.values("number")[:1]))  # type: ignore[attr-defined]


@extend_schema_view(
    list=extend_schema(tags=["review"]), retrieve=extend_schema(tags=["review"]), export=extend_schema(tags=["review"])
)
class ReviewPairViewSet(ExportMixin, AuditedReadViewSet):
    """Records with nearly the same name, which imports listed. People answer whether they are one."""

    model = ReviewPair
    permission_classes = [MayReadReview]
    serializer_class = ReviewPairSerializer
    detail_serializer_class = ReviewPairDetailSerializer
    filter_backends = [StrictFilterBackend, StableOrdering]
    filterset_class = ReviewPairFilter
    export_columns = EXPORTED
    ordering_fields = ["id", "found_at", "decided_at", "one_name"]
    ordering = ["id"]
    personal = True

    def get_permissions(self) -> Sequence[Any]:
        return [MayReview()] if self.action == "decide" else super().get_permissions()

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return with_policy(rows)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        pair = self.get_object()
        facts = facts_of(ReviewKind(pair.kind), (pair.one_id, pair.other_id), with_files=True)
        audit.record(actor=actor_of(request), action=AuditAction.READ, target=pair)
        context = {
            **self.get_serializer_context(),
            "facts": facts,
            "suggested": suggested(pair) if len(facts) == 2 else None,
        }
        return Response(ReviewPairDetailSerializer(pair, context=context).data)

    @extend_schema(
        tags=["review"],
        parameters=[DRY_RUN],
        request=PairDecisionSerializer,
        responses={
            200: DecidedPairSerializer,
            409: OpenApiResponse(DetailSerializer, description="The records are merged, or one of them is not there"),
        },
    )
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str) -> Response:
        """Answer a pair: `same` merges the two records, `different` is remembered and never asked again."""
        pair = self.get_object()
        is_preview = is_dry_run(request.query_params)
        form = PairDecisionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        values: dict[str, Any] = {
            "decision": ReviewDecision(form.validated_data["decision"]),
            "keep": form.validated_data.get("keep"),
        }
        service = preview_decision if is_preview else decide
        decided = service(actor=actor_of(request), pair=pair, **values)
        if is_preview:
            audit.record(
                actor=actor_of(request), action=AuditAction.PREVIEW, target=pair, data={"decision": values["decision"]}
            )
        decided.pair.policy_number = pair.policy_number  # type: ignore[attr-defined]
        context = {**self.get_serializer_context(), "change": decided.change}
        return Response(DecidedPairSerializer(decided.pair, context=context).data)
