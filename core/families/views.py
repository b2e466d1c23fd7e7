"""Families and corrections of persons in the API (DOMAIN §12)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from common.api_errors import AccessDenied
from common.errors import Invalid
from common.filters import StableOrdering, StrictFilterBackend
from common.parsing import is_dry_run, positive_int
from core.exports import RECORD_CHANGES
from core.families import correcting, merging, naming, splitting, undoing
from core.families.filters import RecordChangeFilter
from core.families.rights import preview
from core.families.serializers import (
    AttachSerializer,
    NameChoiceSerializer,
    PasswordSerializer,
    PeopleMergeSerializer,
    PeopleSplitSerializer,
    RecordChangeDetailSerializer,
    RecordChangeSerializer,
    RoleSerializer,
)
from core.models import Change, Insured, Membership
from users import audit
from users.access.actor import actor_of
from users.access.exporting import ExportMixin
from users.access.viewsets import AuditedReadViewSet, MayManageFamilies, MayReadRecords, ScopedViewSet
from users.accounts.confirmation import ConfirmationThrottle, confirm
from users.models import AuditAction
from users.serializers import DetailSerializer

if TYPE_CHECKING:
    _Base = ScopedViewSet
else:
    _Base = object

Answer = Callable[[], Change]


def carried_out(request: Request, service: Answer, *, password: str, target: Any) -> Response:
    """The change that the service makes once the password confirms it, or its preview."""
    actor = actor_of(request)
    if is_dry_run(request.query_params):
        change = preview(service)
        audit.record(actor=actor, action=AuditAction.PREVIEW, target=target, data={"kind": change.kind})
    else:
        confirm(actor=actor, password=password)
        change = service()
    return Response(RecordChangeSerializer(change).data)


def correction(form: type[BaseSerializer[Any]], name: str) -> Callable[[Any], Any]:
    """The decorators of an action that corrects a record, with this form."""

    def decorate(method: Any) -> Any:
        acting = action(
            detail=True,
            methods=["post"],
            url_path=name,
            url_name=name,
            permission_classes=[MayManageFamilies],
            throttle_classes=[ConfirmationThrottle],
            filter_backends=[],
            filterset_class=None,
        )(method)
        # Above the action, which would forget the description.
        described: Any = extend_schema(
            tags=["families"],
            filters=False,
            parameters=[
                OpenApiParameter("dry_run", bool, description="Only a preview: nothing changes, no password is needed")
            ],
            request=form,
            responses={
                200: RecordChangeSerializer,
                400: OpenApiResponse(description="Every reason, by field; `password` for a wrong one"),
                403: OpenApiResponse(DetailSerializer, description="Access denied"),
                404: OpenApiResponse(DetailSerializer, description="There is no such record"),
                409: OpenApiResponse(DetailSerializer, description="Something has changed meanwhile, or relies on it"),
            },
        )(acting)
        return described

    return decorate


def _read(form: type[BaseSerializer[Any]], request: Request) -> dict[str, Any]:
    serializer = form(data=request.data)
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values


class InsuredCorrections(_Base):
    """What may be corrected of a person."""

    @correction(PeopleMergeSerializer, "merge")
    def merge(self, request: Request, pk: str) -> Response:
        """Merge other records of the same person into this one."""
        kept: Insured = self.get_object()
        form = _read(PeopleMergeSerializer, request)
        others = self._named(form["insured"])
        return carried_out(
            request,
            lambda: merging.merge_people(actor=actor_of(request), kept=kept, absorbed=others),
            password=form["password"],
            target=kept,
        )

    @correction(PeopleSplitSerializer, "split")
    def split(self, request: Request, pk: str) -> Response:
        """Split off a record that was merged into this person."""
        kept: Insured = self.get_object()
        form = _read(PeopleSplitSerializer, request)
        return carried_out(
            request,
            lambda: splitting.split_person(
                actor=actor_of(request), kept=kept, merge=form.get("change"), absorbed=form.get("insured")
            ),
            password=form["password"],
            target=kept,
        )

    @correction(NameChoiceSerializer, "name")
    def choose_name(self, request: Request, pk: str) -> Response:
        """Choose the name among the known spellings."""
        insured: Insured = self.get_object()
        form = _read(NameChoiceSerializer, request)
        return carried_out(
            request,
            lambda: naming.choose_name(actor=actor_of(request), insured=insured, name=form["name"]),
            password=form["password"],
            target=insured,
        )

    def _named(self, ids: list[int]) -> list[Insured]:
        """The records with these ids: 403 where the caller may not see one, 400 where there is none."""
        found = Insured.objects.visible_to(self.request.user).in_bulk(ids)
        missing = [pk for pk in ids if pk not in found]
        if Insured.objects.filter(pk__in=missing).exists():
            raise AccessDenied
        if missing:
            numbers = ", ".join(map(str, missing))
            raise Invalid({"insured": [_("There is no record with this number: %(numbers)s.") % {"numbers": numbers}]})
        return [found[pk] for pk in ids]


class MembershipCorrections(_Base):
    """What may be corrected of a membership."""

    @correction(AttachSerializer, "attach")
    def attach(self, request: Request, pk: str) -> Response:
        """Attach a dependant to another principal of the policy."""
        membership: Membership = self.get_object()
        form = _read(AttachSerializer, request)
        return carried_out(
            request,
            lambda: correcting.attach(actor=actor_of(request), membership=membership, principal=form["principal"]),
            password=form["password"],
            target=membership,
        )

    @correction(RoleSerializer, "role")
    def role(self, request: Request, pk: str) -> Response:
        """Change the role. A new principal founds a family; a dependant needs a principal."""
        membership: Membership = self.get_object()
        form = _read(RoleSerializer, request)
        return carried_out(
            request,
            lambda: correcting.change_role(
                actor=actor_of(request), membership=membership, role=form["role"], principal=form["principal"]
            ),
            password=form["password"],
            target=membership,
        )


@extend_schema(tags=["families"])
class RecordChangeViewSet(ExportMixin, AuditedReadViewSet):
    """Corrections of a country's records: of persons and families, and merges of clients, providers and operators."""

    model = Change
    serializer_class = RecordChangeSerializer
    detail_serializer_class = RecordChangeDetailSerializer
    permission_classes = [MayReadRecords]
    filter_backends = [StrictFilterBackend, StableOrdering]
    filterset_class = RecordChangeFilter
    export_columns = RECORD_CHANGES
    ordering_fields = ["id"]
    ordering = ["-id"]
    personal = True

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(country__isnull=False).select_related("undone_by")

    def get_object(self) -> Change:
        if Change.objects.filter(pk=positive_int(self.kwargs["pk"]) or 0, country__isnull=True).exists():
            # A change of the catalogue has a list of its own.
            raise NotFound
        change: Change = super().get_object()
        return change

    @correction(PasswordSerializer, "undo")
    def undo(self, request: Request, pk: str) -> Response:
        """Undo the correction, while nothing later depends on it."""
        change = self.get_object()
        form = _read(PasswordSerializer, request)
        return carried_out(
            request,
            lambda: undoing.undo_change(actor=actor_of(request), change=change),
            password=form["password"],
            target=change,
        )
