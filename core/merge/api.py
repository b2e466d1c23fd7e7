"""`…/{id}/merge/` of clients, care providers and operators (DOMAIN §12): confirmed with one's own password."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from common.api_errors import AccessDenied
from common.errors import Invalid
from core.families.serializers import PasswordSerializer
from core.families.views import carried_out, correction
from core.merge import services
from users.access.actor import actor_of
from users.access.viewsets import ScopedViewSet

if TYPE_CHECKING:
    _Base = ScopedViewSet
else:
    _Base = object


def _ids() -> Any:
    return serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        allow_empty=False,
        max_length=services.MOST_AT_ONCE,
        help_text="Ids of the records that go into this one",
    )


class ClientMergeSerializer(PasswordSerializer):
    clients = _ids()


class PartnerMergeSerializer(PasswordSerializer):
    partners = _ids()


class OperatorMergeSerializer(PasswordSerializer):
    operators = _ids()


class _Merging(_Base):
    def _carried_out(self, request: Request, form: Any, field: str, merge: Any) -> Response:
        kept = self.get_object()
        values = form(data=request.data)
        values.is_valid(raise_exception=True)
        absorbed = self._named(field, values.validated_data[field])
        return carried_out(
            request,
            lambda: merge(actor=actor_of(request), kept=kept, absorbed=absorbed),
            password=values.validated_data["password"],
            target=kept,
        )

    def _named(self, field: str, ids: Sequence[int]) -> list[Any]:
        """The records with these ids: 403 where the caller may not see one, 400 where there is none."""
        found = self.get_queryset().in_bulk(ids)
        missing = [pk for pk in ids if pk not in found]
        if self.model._default_manager.filter(pk__in=missing).exists():
            raise AccessDenied
        if missing:
            numbers = ", ".join(map(str, missing))
            raise Invalid({field: [_("There is no record with this number: %(numbers)s.") % {"numbers": numbers}]})
        return [found[pk] for pk in dict.fromkeys(ids)]


class ClientMerging(_Merging):
    @correction(ClientMergeSerializer, "merge")
    def merge(self, request: Request, pk: str) -> Response:
        """Merge other clients into this one: what refers to them moves, and their names lead later imports here."""
        return self._carried_out(request, ClientMergeSerializer, "clients", services.merge_clients)


class PartnerMerging(_Merging):
    @correction(PartnerMergeSerializer, "merge")
    def merge(self, request: Request, pk: str) -> Response:
        """Merge other providers into this one: what refers to them moves, and their names lead later imports here."""
        return self._carried_out(request, PartnerMergeSerializer, "partners", services.merge_partners)


class OperatorMerging(_Merging):
    @correction(OperatorMergeSerializer, "merge")
    def merge(self, request: Request, pk: str) -> Response:
        """Merge other operators into this one: their lines move, and their names lead later imports here."""
        return self._carried_out(request, OperatorMergeSerializer, "operators", services.merge_operators)
