"""The records that the caller may see (DOMAIN §1), read only: lists, exports, details."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from common.filters import StableOrdering, StrictFilterBackend
from common.parsing import positive_int
from core import exports, filters
from core.families.filters import FamilyListFilter, heads_of_families
from core.families.serializers import FamilyDetailSerializer, FamilySerializer
from core.families.views import InsuredCorrections, MembershipCorrections
from core.merge.api import ClientMerging, OperatorMerging, PartnerMerging
from core.models import (
    Act,
    ActAlias,
    ActCategory,
    Claim,
    ClaimLine,
    ClaimRevision,
    Client,
    Insured,
    InsuredSpelling,
    Invoice,
    Membership,
    Operator,
    Partner,
    Payment,
    Plan,
    Policy,
)
from core.serializers import (
    ActAliasSerializer,
    ActCategorySerializer,
    ActSerializer,
    ClaimDetailSerializer,
    ClaimLineRecordSerializer,
    ClaimRevisionSerializer,
    ClaimSerializer,
    ClientSerializer,
    InsuredDetailSerializer,
    InsuredSerializer,
    InsuredSpellingSerializer,
    InvoiceSerializer,
    MembershipSerializer,
    OperatorSerializer,
    PartnerSerializer,
    PaymentSerializer,
    PlanSerializer,
    PolicySerializer,
)
from users import audit
from users.access.actor import actor_of
from users.access.exporting import ExportMixin
from users.access.viewsets import AuditedReadViewSet, MayReadRecords
from users.models import AuditAction


@extend_schema(tags=["records"])
class RecordViewSet(ExportMixin, AuditedReadViewSet):
    """List, export and detail of one kind of record."""

    permission_classes = [MayReadRecords]
    filter_backends = [StrictFilterBackend, StableOrdering]
    ordering_fields = ["id", "name"]
    ordering = ["id"]
    related: tuple[str, ...] = ("file",)

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.select_related(*self.related) if self.related else rows


class ClientViewSet(ClientMerging, RecordViewSet):
    """Employers that have policies for their employees."""

    model = Client
    serializer_class = ClientSerializer
    filterset_class = filters.ClientFilter
    export_columns = exports.CLIENTS


class PolicyViewSet(RecordViewSet):
    """Contracts; one may cover several clients."""

    model = Policy
    serializer_class = PolicySerializer
    filterset_class = filters.PolicyFilter
    export_columns = exports.POLICIES
    ordering_fields = ["id", "number"]


class PlanViewSet(RecordViewSet):
    """The plans of policies: the cover that a policy grants."""

    model = Plan
    serializer_class = PlanSerializer
    filterset_class = filters.PlanFilter
    export_columns = exports.PLANS
    related = ("policy", "file")


class InsuredViewSet(InsuredCorrections, RecordViewSet):
    """Covered persons. The detail has their memberships and known spellings."""

    model = Insured
    serializer_class = InsuredSerializer
    detail_serializer_class = InsuredDetailSerializer
    filterset_class = filters.InsuredFilter
    export_columns = exports.INSURED
    personal = True

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        rows = super().with_related(rows)
        if self.action != "retrieve":
            return rows
        memberships = Membership.objects.select_related(*MembershipViewSet.related).order_by("id")
        return rows.prefetch_related("spellings", Prefetch("memberships", queryset=memberships))


class InsuredSpellingViewSet(RecordViewSet):
    """Other spellings of persons' names, from lines that have the person's card number."""

    model = InsuredSpelling
    serializer_class = InsuredSpellingSerializer
    filterset_class = filters.InsuredSpellingFilter
    export_columns = exports.SPELLINGS
    related = ("insured", "file")
    personal = True


class MembershipViewSet(MembershipCorrections, RecordViewSet):
    """The cover of a person by a policy, for a client, in a role."""

    model = Membership
    serializer_class = MembershipSerializer
    filterset_class = filters.MembershipFilter
    export_columns = exports.MEMBERSHIPS
    related = ("insured", "principal", "policy", "client", "plan", "file")
    ordering_fields = ["id", "first_settlement_date", "last_settlement_date"]
    personal = True


class FamilyViewSet(RecordViewSet):
    """Families: a principal on a policy, with the dependants there (DOMAIN §12). The detail has the members."""

    model = Membership
    serializer_class = FamilySerializer
    detail_serializer_class = FamilyDetailSerializer
    filterset_class = FamilyListFilter
    export_columns = exports.FAMILIES
    related = ("insured", "policy", "client", "plan", "file")
    ordering_fields = ["id"]
    personal = True

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return heads_of_families(super().with_related(rows))

    def get_object(self) -> Membership:
        visible = Membership.objects.visible_to(self.request.user).filter(pk=positive_int(self.kwargs["pk"]) or 0)
        if visible.exists() and not self.get_queryset().filter(pk__in=visible).exists():
            # A membership that heads no family.
            raise NotFound
        head: Membership = super().get_object()
        return head


class PartnerViewSet(PartnerMerging, RecordViewSet):
    """Care providers."""

    model = Partner
    serializer_class = PartnerSerializer
    filterset_class = filters.PartnerFilter
    export_columns = exports.PARTNERS


class OperatorViewSet(OperatorMerging, RecordViewSet):
    """Persons who entered claims into the claims system."""

    model = Operator
    serializer_class = OperatorSerializer
    filterset_class = filters.OperatorFilter
    export_columns = exports.OPERATORS
    personal = True


class _ProviderNumberViewSet(RecordViewSet):
    related = ("partner", "file")
    ordering_fields = ["id", "number"]


class InvoiceViewSet(_ProviderNumberViewSet):
    """Providers' invoices."""

    model = Invoice
    serializer_class = InvoiceSerializer
    filterset_class = filters.InvoiceFilter
    export_columns = exports.INVOICES


class PaymentViewSet(_ProviderNumberViewSet):
    """Cheques and transfers to providers."""

    model = Payment
    serializer_class = PaymentSerializer
    filterset_class = filters.PaymentFilter
    export_columns = exports.PAYMENTS


class CatalogueViewSet(RecordViewSet):
    """The act catalogue, shared by all countries. Its rows have no file and no session: these belong to one country."""

    related: tuple[str, ...] = ()
    audited = False


class ActCategoryViewSet(CatalogueViewSet):
    """The categories of the act catalogue."""

    model = ActCategory
    serializer_class = ActCategorySerializer
    filterset_class = filters.ActCategoryFilter
    export_columns = exports.ACT_CATEGORIES


class ActViewSet(CatalogueViewSet):
    """The medical acts of the catalogue, with their aliases."""

    model = Act
    serializer_class = ActSerializer
    filterset_class = filters.ActFilter
    export_columns = exports.ACTS

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.select_related("category").prefetch_related("aliases")


class ActAliasViewSet(CatalogueViewSet):
    """Other names of acts, added by administrators."""

    model = ActAlias
    serializer_class = ActAliasSerializer
    filterset_class = filters.ActAliasFilter
    export_columns = exports.ACT_ALIASES
    related = ("act",)


class ClaimViewSet(RecordViewSet):
    """Claims on which stat and recap agree. The detail has the file, sheet and row of every line."""

    model = Claim
    serializer_class = ClaimSerializer
    detail_serializer_class = ClaimDetailSerializer
    filterset_class = filters.ClaimFilter
    export_columns = exports.CLAIMS
    related = ("insured", "policy", "client", "partner", "file")
    ordering_fields = ["id", "number", "settlement_date", "incident_date", "claimed_amount", "reimbursed_amount"]
    personal = True

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        rows = super().with_related(rows)
        if self.action != "retrieve":
            return rows
        lines = ClaimLine.objects.with_corrected().select_related(*_LINE_RELATED).order_by("position")
        # In a query of its own: to plan a statement with thirteen tables takes longer than to run two smaller ones.
        memberships = Membership.objects.select_related(*MembershipViewSet.related)
        return (
            rows.with_corrected_recap()  # type: ignore[attr-defined]
            .select_related("recap_file")
            .prefetch_related(Prefetch("membership", queryset=memberships), Prefetch("lines", queryset=lines))
        )

    @extend_schema(filters=False, responses={200: ClaimRevisionSerializer(many=True)})
    @action(detail=True, filterset_class=None, filter_backends=[])
    def revisions(self, request: Request, pk: str) -> Response:
        """The versions of the claim before imports replaced it (DOMAIN §6), newest first."""
        claim = self.get_object()
        revisions = ClaimRevision.objects.visible_to(request.user).filter(claim=claim).order_by("-id")
        page = self.paginate_queryset(revisions) or []
        audit.record(
            actor=actor_of(request),
            action=AuditAction.READ,
            target=claim,
            data={"part": "revisions", "rows": len(page)},
        )
        return self.get_paginated_response(ClaimRevisionSerializer(page, many=True).data)


_LINE_RELATED = ("act", "category", "operator", "invoice", "payment", "file")


class ClaimLineViewSet(RecordViewSet):
    """The acts of claims, each with the file, sheet and row from which it was read."""

    model = ClaimLine
    serializer_class = ClaimLineRecordSerializer
    filterset_class = filters.ClaimLineFilter
    export_columns = exports.CLAIM_LINES
    related = ("claim", *_LINE_RELATED)
    ordering_fields = ["id", "settlement_date", "claimed_amount", "reimbursed_amount"]
    # Claim by claim: the lines of a country are read in this order from one index.
    ordering = ["claim_id", "position"]
    personal = True

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return super().with_related(rows).with_corrected()  # type: ignore[attr-defined]


class ClaimRevisionViewSet(RecordViewSet):
    """Versions of claims before imports replaced them (DOMAIN §6)."""

    model = ClaimRevision
    serializer_class = ClaimRevisionSerializer
    filterset_class = filters.ClaimRevisionFilter
    export_columns = exports.REVISIONS
    related = ()
    ordering_fields = ["id", "number", "replaced_at"]
    ordering = ["-id"]
    personal = True
