"""`…/{id}/merge/` of clients, care providers and operators (DOMAIN §12): confirmed with one's own password."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, PolymorphicProxySerializer, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from common.api_errors import AccessDenied
from core.families.rights import preview
from core.merge.serializers import (
    ClientMergeFormSerializer,
    MergeSerializer,
    OperatorMergeFormSerializer,
    PartnerMergeFormSerializer,
)
from core.models import Change
from users.access.actor import actor_of
from users.access.viewsets import MayReview, ScopedViewSet
from users.accounts.confirmation import ConfirmationThrottle, confirm
from users.serializers import DetailSerializer

DRY_RUN = OpenApiParameter("dry_run", bool, description="Only preview: nothing is changed")
_FORMS: dict[str, Any] = {
    "clients": ClientMergeFormSerializer,
    "partners": PartnerMergeFormSerializer,
    "operators": OperatorMergeFormSerializer,
}

if TYPE_CHECKING:
    _Base = ScopedViewSet
else:
    _Base = object


def is_dry_run(request: Request) -> bool:
    """`?dry_run=true`. Raises ValidationError for any word but `true` and `false`."""
    word = request.query_params.get("dry_run", "false")
    if word not in ("true", "false"):
        raise ValidationError({"dry_run": [_("Choose from: %(choices)s.") % {"choices": "true, false"}]})
    return word == "true"


class MergeMixin(_Base):
    """Adds `merge/` to the detail of a record. `merge_field`: the name of the ids in the form."""

    merge_service: ClassVar[Callable[..., Change]]
    merge_field: ClassVar[str]

    @extend_schema(
        filters=False,
        parameters=[DRY_RUN],
        request=PolymorphicProxySerializer(
            component_name="MergeForm", serializers=list(_FORMS.values()), resource_type_field_name=None
        ),
        responses={
            200: MergeSerializer,
            409: OpenApiResponse(DetailSerializer, description="One of the records is gone"),
        },
    )
    @action(
        detail=True,
        methods=["post"],
        permission_classes=[MayReview],
        throttle_classes=[ConfirmationThrottle],
        filterset_class=None,
        filter_backends=[],
    )
    def merge(self, request: Request, pk: str) -> Response:
        """Merge other records into this one: what refers to them moves, and their names lead later imports here."""
        kept = self.get_object()
        is_preview = is_dry_run(request)
        form = _FORMS[self.merge_field](data=request.data)
        form.is_valid(raise_exception=True)
        absorbed = self._others(form.validated_data[self.merge_field])
        actor = actor_of(request)

        def service() -> Change:
            return self.merge_service(actor=actor, kept=kept, absorbed=absorbed)

        if not is_preview:
            confirm(actor=actor, password=form.validated_data["password"])
        return Response(MergeSerializer(preview(service) if is_preview else service()).data)

    def _others(self, ids: Sequence[int]) -> list[Any]:
        """The other records. Raises AccessDenied for one that the caller may not see, ValidationError for no record."""
        found = self.get_queryset().in_bulk(ids)
        missing = [id_ for id_ in ids if id_ not in found]
        if missing and self.model._default_manager.filter(pk__in=missing).exists():
            raise AccessDenied
        if missing:
            sentence = _("There is no record with the id %(id)d.")
            raise ValidationError({self.merge_field: [sentence % {"id": id_} for id_ in missing]})
        return [found[id_] for id_ in dict.fromkeys(ids)]
