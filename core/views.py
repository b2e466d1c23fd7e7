"""The records, read only, as far as the caller may see them (DOMAIN §1)."""

from typing import Any

from django.db.models import Model, Prefetch, QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from common.filters import StableOrdering
from core import filters
from core.models import (
    Act,
    ActCategory,
    Claim,
    ClaimLine,
    Client,
    Insured,
    Invoice,
    Membership,
    Operator,
    Partner,
    Payment,
    Plan,
    Policy,
)
from core.serializers import (
    ActCategorySerializer,
    ActSerializer,
    ClaimDetailSerializer,
    ClaimSerializer,
    ClientSerializer,
    InsuredDetailSerializer,
    InsuredSerializer,
    InvoiceSerializer,
    MembershipSerializer,
    OperatorSerializer,
    PartnerSerializer,
    PaymentSerializer,
    PlanSerializer,
    PolicySerializer,
)
from users import audit
from users.models import AuditAction
from users.viewsets import MayReadRecords, ScopedReadViewSet


@extend_schema(tags=["records"])
class RecordViewSet(ScopedReadViewSet):
    """List and detail of one kind of record. Reading one record leaves an audit entry; `audited` turns that off."""

    permission_classes = [MayReadRecords]
    filter_backends = [DjangoFilterBackend, StableOrdering]
    ordering_fields = ["id", "name"]
    ordering = ["id"]
    related: tuple[str, ...] = ()
    audited = True

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.select_related(*self.related) if self.related else rows

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        record = self.get_object()
        if self.audited:
            audit.record(
                actor=request.user,  # type: ignore[arg-type]
                action=AuditAction.READ,
                target=record,
                country_id=country_of(record),
            )
        return Response(self.get_serializer(record).data)


def country_of(record: Model) -> int | None:
    """The id of the country that a record belongs to, by its model's `country_path`; None for the shared catalogue."""
    path = getattr(record, "country_path", None)
    if path is None:
        return None
    value: Any = record
    for part in path.split("__"):
        value = getattr(value, part)
    return int(value)


class ClientViewSet(RecordViewSet):
    model = Client
    serializer_class = ClientSerializer
    filterset_class = filters.ClientFilter


class PolicyViewSet(RecordViewSet):
    model = Policy
    serializer_class = PolicySerializer
    filterset_class = filters.PolicyFilter
    ordering_fields = ["id", "number"]


class PlanViewSet(RecordViewSet):
    model = Plan
    serializer_class = PlanSerializer
    filterset_class = filters.PlanFilter
    related = ("policy",)


class InsuredViewSet(RecordViewSet):
    model = Insured
    serializer_class = InsuredSerializer
    filterset_class = filters.InsuredFilter

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return InsuredDetailSerializer if self.action == "retrieve" else InsuredSerializer

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        if self.action != "retrieve":
            return rows
        memberships = Membership.objects.select_related(*MembershipViewSet.related).order_by("id")
        return rows.prefetch_related("spellings", Prefetch("memberships", queryset=memberships))


class MembershipViewSet(RecordViewSet):
    model = Membership
    serializer_class = MembershipSerializer
    filterset_class = filters.MembershipFilter
    related = ("insured", "principal", "policy", "client", "plan")
    ordering_fields = ["id", "first_settlement_date", "last_settlement_date"]


class PartnerViewSet(RecordViewSet):
    model = Partner
    serializer_class = PartnerSerializer
    filterset_class = filters.PartnerFilter


class OperatorViewSet(RecordViewSet):
    model = Operator
    serializer_class = OperatorSerializer
    filterset_class = filters.OperatorFilter


class InvoiceViewSet(RecordViewSet):
    model = Invoice
    serializer_class = InvoiceSerializer
    filterset_class = filters.InvoiceFilter
    related = ("partner",)
    ordering_fields = ["id", "number"]


class PaymentViewSet(RecordViewSet):
    model = Payment
    serializer_class = PaymentSerializer
    filterset_class = filters.PaymentFilter
    related = ("partner",)
    ordering_fields = ["id", "number"]


class ActCategoryViewSet(RecordViewSet):
    model = ActCategory
    serializer_class = ActCategorySerializer
    filterset_class = filters.ActCategoryFilter
    audited = False


class ActViewSet(RecordViewSet):
    model = Act
    serializer_class = ActSerializer
    filterset_class = filters.ActFilter
    audited = False

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.select_related("category").prefetch_related("aliases")


class ClaimViewSet(RecordViewSet):
    """Claims on which stat and recap agree; the detail names the file, sheet and row of every line."""

    model = Claim
    serializer_class = ClaimSerializer
    filterset_class = filters.ClaimFilter
    related = ("insured", "policy", "client", "partner", "file")
    ordering_fields = ["id", "number", "settlement_date", "incident_date", "claimed_amount", "reimbursed_amount"]

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return ClaimDetailSerializer if self.action == "retrieve" else ClaimSerializer

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        rows = rows.select_related(*self.related)
        if self.action != "retrieve":
            return rows
        lines = ClaimLine.objects.select_related("act", "category", "operator", "invoice", "payment", "file").order_by(
            "position"
        )
        members = [f"membership__{name}" for name in MembershipViewSet.related]
        return rows.select_related(*self.related, "recap_file", *members).prefetch_related(
            Prefetch("lines", queryset=lines)
        )
