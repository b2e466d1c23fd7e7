"""What every list and detail of the API stands on: rows come from `visible_to`, and nothing else (DOMAIN §1)."""

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
from users import audit
from users.models import AuditAction
from users.permissions import (
    HasAccessCountry,
    IsChefDeptTech,
    IsGlobalAdmin,
    IsSuperUser,
    IsTerritorialAdmin,
    IsTerritorialAdminAndAssignedCountry,
)
from users.scoping import country_id_of

# DOMAIN §1, "May": who manages countries, who manages accounts and reads the trail, who imports, who reads files and
# sessions, who reads records (all who have a country to see).
MayManageCountries: OperandHolder = IsSuperUser | IsGlobalAdmin
MayManageAccounts: OperandHolder = MayManageCountries | IsTerritorialAdminAndAssignedCountry
MayImport = IsSuperUser | (HasAccessCountry & (IsTerritorialAdmin | IsChefDeptTech))
MayReadImports = MayImport | IsGlobalAdmin
MayReadRecords = HasAccessCountry

# Beyond it no row has ever been numbered, and some databases refuse to compare.
_LARGEST_ID = 2**63 - 1


def row_id(text: str) -> int | None:
    """The id that a path or field names; None when it can be no row's."""
    if not (text.isascii() and text.isdigit()) or len(text) > 19:
        return None
    number = int(text)
    return number if 0 < number <= _LARGEST_ID else None


def visible_or_refused(
    *, rows: models.QuerySet[Any], pk: str, not_found: type[Exception], refused: type[Exception] = AccessDenied
) -> Any:
    """The row of `rows`, which are those that the caller may see, whose id is `pk`.

    Raises `refused` when there is such a row beyond them, `not_found` when there is none at all (DOMAIN §1).
    """
    wanted = row_id(str(pk))
    if wanted is None:
        raise not_found()
    row = rows.filter(pk=wanted).first()
    if row is None:
        exists = rows.model._default_manager.filter(pk=wanted).exists()
        raise refused() if exists else not_found()
    return row


class ScopedViewSet(GenericViewSet[Any]):
    """Views over rows of one model, as far as the caller may see them."""

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
        """The same rows with what their JSON needs, so that no row asks the database again."""
        return rows

    def get_object(self) -> Any:
        """The row that the path names. Raises `not_found` for none, AccessDenied for one beyond sight."""
        row = visible_or_refused(
            rows=self.get_queryset(),
            pk=self.kwargs[self.lookup_url_kwarg or self.lookup_field],
            not_found=self.not_found,
        )
        self.check_object_permissions(self.request, row)
        return row


class ScopedReadViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """List and detail of one model."""


class NotedReadViewSet(ScopedReadViewSet):
    """List and detail of which reading one row leaves an audit entry; `audited` turns that off.

    `personal`: what names or concerns a person leaves an entry for each page of its list as well.
    """

    audited: ClassVar[bool] = True
    personal: ClassVar[bool] = False

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = super().list(request, *args, **kwargs)
        if self.personal:
            audit.record_listing(
                actor=request.user,  # type: ignore[arg-type]
                model=self.model,
                rows=len(response.data["results"]),
                asked=request.query_params.dict(),
            )
        return response

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        row = self.get_object()
        if self.audited:
            audit.record(
                actor=request.user,  # type: ignore[arg-type]
                action=AuditAction.READ,
                target=row,
                country_id=country_id_of(row),
            )
        return Response(self.get_serializer(row).data)
