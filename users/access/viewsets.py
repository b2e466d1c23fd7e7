"""Base classes of all lists and details of the API: rows only through `visible_to` (DOMAIN §1)."""

from typing import Any, ClassVar

from django.db import models
from rest_framework import mixins
from rest_framework.exceptions import NotFound
from rest_framework.permissions import OperandHolder
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from common.api_errors import AccessDenied
from common.parsing import positive_int
from users import audit
from users.access.actor import actor_of
from users.models import AuditAction
from users.permissions import (
    HasAccessCountry,
    IsChefDeptTech,
    IsGlobalAdmin,
    IsSuperUser,
    IsTerritorialAdmin,
    IsTerritorialAdminAndAssignedCountry,
)

# The rights of DOMAIN §1: manage countries; manage accounts and read the audit trail; manage exchange rates; manage
# webhooks; manage converters; change the act catalogue; import; read files and sessions; read records (every account
# that has a country to see); correct persons and families of the own country; change premiums; type coverage rates and
# subscribers.
MayManageCountries: OperandHolder = IsSuperUser | IsGlobalAdmin
MayManageAccounts: OperandHolder = MayManageCountries | IsTerritorialAdminAndAssignedCountry
MayManageRates = MayManageCountries
MayManageWebhooks = MayManageAccounts
MayManageConverters = IsSuperUser
MayEditCatalogue = MayManageCountries
MayImport = IsSuperUser | (HasAccessCountry & (IsTerritorialAdmin | IsChefDeptTech))
MayReadImports = MayImport | IsGlobalAdmin
MayReadRecords = HasAccessCountry
# Decide whether records are one, merge them; read the review list.
MayReview = MayImport
MayReadReview = MayReview | IsGlobalAdmin
MayManageFamilies = IsSuperUser | (HasAccessCountry & (IsTerritorialAdmin | IsChefDeptTech))
MayManagePremiums = MayImport
MayTypeRates = IsSuperUser | IsTerritorialAdminAndAssignedCountry


def visible_or_refused(
    *, rows: models.QuerySet[Any], pk: str, not_found: type[Exception], refused: type[Exception] = AccessDenied
) -> Any:
    """The row with the id `pk` among `rows`, which the caller may see.

    Raises `refused` for a row that exists but is not among them, `not_found` for one that does not exist (DOMAIN §1).
    """
    wanted = positive_int(str(pk))
    if wanted is None:
        raise not_found()
    row = rows.filter(pk=wanted).first()
    if row is None:
        exists = rows.model._default_manager.filter(pk=wanted).exists()
        raise refused() if exists else not_found()
    return row


class ScopedViewSet(GenericViewSet[Any]):
    """Views over the rows of one model that the caller may see."""

    model: ClassVar[type[models.Model]]
    not_found: ClassVar[type[NotFound]] = NotFound
    permission_classes = [MayReadRecords]
    detail_serializer_class: ClassVar[type[BaseSerializer[Any]] | None] = None

    def get_queryset(self) -> models.QuerySet[Any]:
        rows: models.QuerySet[Any] = self.model._default_manager.all().visible_to(self.request.user)  # type: ignore[attr-defined]
        return self.with_related(rows)

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        is_detail = self.action == "retrieve" and self.detail_serializer_class is not None
        return self.detail_serializer_class if is_detail else super().get_serializer_class()  # type: ignore[return-value]

    def with_related(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """The rows with the related rows that their JSON needs, so that no row causes a query of its own."""
        return rows

    def get_object(self) -> Any:
        """The row of the path. Raises `not_found` if it does not exist, AccessDenied if the caller may not see it."""
        row = visible_or_refused(
            rows=self.get_queryset(),
            pk=self.kwargs[self.lookup_url_kwarg or self.lookup_field],
            not_found=self.not_found,
        )
        self.check_object_permissions(self.request, row)
        return row


class ScopedReadViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """List and detail of one model."""


class AuditedReadViewSet(ScopedReadViewSet):
    """List and detail. Reading one row writes an audit entry, unless `audited` is False.

    `personal`: the rows concern persons, so reading a page of the list writes an entry, too.
    """

    audited: ClassVar[bool] = True
    personal: ClassVar[bool] = False

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = super().list(request, *args, **kwargs)
        if self.personal:
            audit.record_listing(
                actor=actor_of(request),
                model=self.model,
                rows=len(response.data["results"]),
                query=request.query_params.dict(),
            )
        return response

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        row = self.get_object()
        if self.audited:
            audit.record(
                actor=actor_of(request),
                action=AuditAction.READ,
                target=row,
            )
        return Response(self.get_serializer(row).data)
