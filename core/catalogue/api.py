"""The act catalogue over the API: its changes, what they would do, and how to undo them (DOMAIN §11).

`services` and `candidates` of this folder check rights and values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from common.errors import Gone
from common.filters import IdFilter, StableOrdering, StrictFilterBackend, YesNoFilter
from common.parsing import is_dry_run, positive_int
from core.catalogue import candidates, services
from core.catalogue.history import usage_of
from core.catalogue.kinds import ACTS, CATEGORIES, Kind
from core.catalogue.serializers import (
    ActDecisionFormSerializer,
    ActMergeFormSerializer,
    CandidateSerializer,
    CatalogueChangeSerializer,
    CategoryDecisionFormSerializer,
    CategoryFormSerializer,
    CategoryMergeFormSerializer,
    DecisionSerializer,
    NameFormSerializer,
    OwnAliasSerializer,
    UsageSerializer,
)
from core.exports import CATALOGUE_CHANGES
from core.models import CATALOGUE_KINDS, ActCategory, Change, ChangeKind, ChangeSubject
from users.access.actor import actor_of
from users.access.exporting import ExportMixin
from users.access.viewsets import MayEditCatalogue, ScopedReadViewSet, ScopedViewSet
from users.serializers import DetailSerializer

_PREVIEW = OpenApiParameter(
    "dry_run", OpenApiTypes.BOOL, description="`true` changes nothing: the answer says what would move, with `id` null"
)
_CHANGE = {
    200: CatalogueChangeSerializer,
    409: OpenApiResponse(DetailSerializer, description="Something has changed meanwhile, or relies on it"),
}

if TYPE_CHECKING:
    _Base = ScopedViewSet
else:
    _Base = object


class CatalogueActions(_Base):
    """Adds the changes of the catalogue to the list of acts, or of categories. `kind`: which of them."""

    kind: ClassVar[Kind]

    @extend_schema(request=NameFormSerializer, responses=_CHANGE, parameters=[_PREVIEW], filters=False)
    @action(detail=True, methods=["post"], permission_classes=[MayEditCatalogue])
    def rename(self, request: Request, pk: str) -> Response:
        """Give it another name; the old one becomes an alias. A name that another one has is refused: merge the two."""
        name = _values(NameFormSerializer, request)["name"]
        return self._changed(self.kind.rename, services.rename, row=self.get_object(), name=name)

    @extend_schema(responses={200: OwnAliasSerializer(many=True)}, filters=False)
    @action(detail=True, methods=["get"], filterset_class=None, filter_backends=[], pagination_class=None)
    def aliases(self, request: Request, pk: str) -> Response:
        """Its other names. Added or removed, an alias counts from the next import on; lines stay where they are."""
        rows: Any = self.kind.aliases([self.get_object().pk]).order_by("name", "pk")
        return Response(OwnAliasSerializer(rows, many=True).data)

    @aliases.mapping.post
    @extend_schema(request=NameFormSerializer, responses=_CHANGE, parameters=[_PREVIEW])
    def add_alias(self, request: Request, pk: str) -> Response:
        name = _values(NameFormSerializer, request)["name"]
        return self._changed(self.kind.alias_add, services.add_alias, row=self.get_object(), name=name)

    @aliases.mapping.delete
    @extend_schema(
        request=None,
        responses=_CHANGE,
        parameters=[
            _PREVIEW,
            OpenApiParameter("id", OpenApiTypes.INT, description="Id of the alias"),
            OpenApiParameter("name", OpenApiTypes.STR, description="Or its name, in any case and with any accents"),
        ],
    )
    def remove_alias(self, request: Request, pk: str) -> Response:
        alias = self._alias(self.get_object(), request)
        return self._changed(self.kind.alias_remove, services.remove_alias, alias=alias)

    @extend_schema(responses={200: UsageSerializer}, filters=False)
    @action(detail=True, filterset_class=None, filter_backends=[], pagination_class=None)
    def usage(self, request: Request, pk: str) -> Response:
        """How many claim lines it has, and the categories that they have."""
        usage = usage_of(self.get_object(), user=actor_of(request))
        return Response(UsageSerializer(usage).data)

    @extend_schema(responses={200: CandidateSerializer(many=True)}, filters=False)
    @action(
        detail=False, permission_classes=[MayEditCatalogue], filter_backends=[StrictFilterBackend], filterset_class=None
    )
    def candidates(self, request: Request) -> Response:
        """Pairs of names that are nearly the same and that nobody has decided, the most similar first."""
        self.filter_queryset(self.get_queryset().none())
        page = self.paginate_queryset(candidates.pairs_of(self.kind))
        found = candidates.candidates_of(self.kind, page or [])
        return self.get_paginated_response(CandidateSerializer(found, many=True).data)

    def merged(self, request: Request, form: type[Serializer[None]]) -> Response:
        ids = _values(form, request)[self.kind.others]
        return self._changed(self.kind.merge, services.merge, kept=self.get_object(), absorbed=ids)

    def decided(self, request: Request, form: type[Serializer[None]]) -> Response:
        values = _values(form, request)
        pair: dict[str, Any] = {"actor": actor_of(request), "kind": self.kind, "ids": values[self.kind.others]}
        change = None
        match values["decision"]:
            case "same":
                change = candidates.decide_same(**pair, keep=values.get("keep")).change
            case "different":
                candidates.decide_different(**pair)
            case "open":
                candidates.take_back(**pair)
        shown = None if change is None else CatalogueChangeSerializer(change).data
        return Response({"decision": values["decision"], "change": shown})

    def _changed(self, kind: ChangeKind, service: Callable[..., services.Outcome], **values: Any) -> Response:
        outcome = service(actor=actor_of(self.request), dry_run=is_dry_run(self.request.query_params), **values)
        change = outcome.change
        if change is None:
            row = values.get("row") or values.get("kept") or values.get("act")
            subject = row.pk if row is not None else getattr(values["alias"], f"{self.kind.owner}_id")
            change = Change(kind=kind, data={"subject": subject, "moved": outcome.moved})
        return Response(CatalogueChangeSerializer(change).data)

    def _alias(self, row: Any, request: Request) -> Any:
        """The alias of `row` that the address names by `id` or by `name`; a body may name it too."""
        given = {**request.query_params.dict(), **(request.data if isinstance(request.data, dict) else {})}
        aliases = self.kind.aliases([row.pk])
        if given.get("id"):
            found = aliases.filter(pk=positive_int(str(given["id"]))).first()
        elif given.get("name"):
            found = aliases.filter(key=services.key_of(str(given["name"]))).first()
        else:
            raise ValidationError({"id": [_("Name the alias by its id or its name.")]})
        if found is None:
            raise Gone(_("It has no such alias."))
        return found

    def get_permissions(self) -> Any:
        if self.action in ("add_alias", "remove_alias"):
            return [MayEditCatalogue()]
        return super().get_permissions()


class ActActions(CatalogueActions):
    kind = ACTS

    @extend_schema(request=ActMergeFormSerializer, responses=_CHANGE, parameters=[_PREVIEW], filters=False)
    @action(detail=True, methods=["post"], permission_classes=[MayEditCatalogue])
    def merge(self, request: Request, pk: str) -> Response:
        """Merge other acts into this one: their lines, aliases and history move, their names become aliases."""
        return self.merged(request, ActMergeFormSerializer)

    @extend_schema(request=CategoryFormSerializer, responses=_CHANGE, parameters=[_PREVIEW], filters=False)
    @action(detail=True, methods=["post"], permission_classes=[MayEditCatalogue])
    def category(self, request: Request, pk: str) -> Response:
        """Put the act into another category. Its lines keep the categories that their files give."""
        act = self.get_object()
        id_ = _values(CategoryFormSerializer, request)["category"]
        category = ActCategory.objects.visible_to(request.user).filter(pk=id_).first()
        if category is None:
            raise ValidationError({"category": [_("There is no such category.")]})
        return self._changed(ChangeKind.ACT_CATEGORY, services.set_category, act=act, category=category)

    @extend_schema(request=ActDecisionFormSerializer, responses={200: DecisionSerializer}, filters=False)
    @action(detail=False, methods=["post"], url_path="candidates/decide", permission_classes=[MayEditCatalogue])
    def decide(self, request: Request) -> Response:
        """Say of two acts whether they are the same, which merges them, or different, which is remembered."""
        return self.decided(request, ActDecisionFormSerializer)


class CategoryActions(CatalogueActions):
    kind = CATEGORIES

    @extend_schema(request=CategoryMergeFormSerializer, responses=_CHANGE, parameters=[_PREVIEW], filters=False)
    @action(detail=True, methods=["post"], permission_classes=[MayEditCatalogue])
    def merge(self, request: Request, pk: str) -> Response:
        """Merge other categories into this one: their acts, lines, aliases and history move."""
        return self.merged(request, CategoryMergeFormSerializer)

    @extend_schema(request=CategoryDecisionFormSerializer, responses={200: DecisionSerializer}, filters=False)
    @action(detail=False, methods=["post"], url_path="candidates/decide", permission_classes=[MayEditCatalogue])
    def decide(self, request: Request) -> Response:
        """Say of two categories whether they are the same, which merges them, or different, which is remembered."""
        return self.decided(request, CategoryDecisionFormSerializer)


def _values(form_class: type[Serializer[None]], request: Request) -> dict[str, Any]:
    form = form_class(data=request.data)
    form.is_valid(raise_exception=True)
    values: dict[str, Any] = form.validated_data
    return values


# ------------------------------------------------------------------------------------------------ history


class CatalogueChangeFilter(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(
        choices=[(kind.value, kind.label) for kind in CATALOGUE_KINDS], label=gettext_lazy("Kind")
    )
    undone = YesNoFilter(field_name="undone_at", method="keep_undone", label=gettext_lazy("Undone"))
    act = IdFilter(method="of_act", label=gettext_lazy("Act"))
    category = IdFilter(method="of_category", label=gettext_lazy("Act category"))

    class Meta:
        model = Change
        fields: list[str] = []

    def keep_undone(self, rows: QuerySet[Change], name: str, value: bool) -> QuerySet[Change]:
        return rows.filter(undone_at__isnull=not value)

    def of_act(self, rows: QuerySet[Change], name: str, value: int) -> QuerySet[Change]:
        return self._about(rows, ACTS, value)

    def of_category(self, rows: QuerySet[Change], name: str, value: int) -> QuerySet[Change]:
        return self._about(rows, CATEGORIES, value)

    @staticmethod
    def _about(rows: QuerySet[Change], kind: Kind, value: int) -> QuerySet[Change]:
        subjects = ChangeSubject.objects.filter(model=kind.label, row_id=int(value))
        return rows.filter(pk__in=subjects.values("change"))


@extend_schema_view(
    list=extend_schema(tags=["records"]),
    retrieve=extend_schema(tags=["records"]),
    export=extend_schema(tags=["records"]),
)
class CatalogueChangeViewSet(ExportMixin, ScopedReadViewSet):
    """What was changed in the act catalogue, newest first."""

    model = Change
    permission_classes = [MayEditCatalogue]
    serializer_class = CatalogueChangeSerializer
    filter_backends = [StrictFilterBackend, StableOrdering]
    filterset_class = CatalogueChangeFilter
    export_columns = CATALOGUE_CHANGES
    ordering_fields = ["id"]
    ordering = ["-id"]

    def get_queryset(self) -> QuerySet[Any]:
        rows: Any = super().get_queryset()
        return rows.of_catalogue()

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.select_related("undone_by")

    def get_object(self) -> Any:
        # The changes of a country's records have a list of their own.
        pk = positive_int(str(self.kwargs["pk"]))
        if not self.get_queryset().filter(pk=pk).exists():
            raise NotFound
        return super().get_object()

    @extend_schema(tags=["records"], request=None, responses=_CHANGE, parameters=[_PREVIEW], filters=False)
    @action(detail=True, methods=["post"], filterset_class=None, filter_backends=[])
    def undo(self, request: Request, pk: str) -> Response:
        """Bring back what moved. Refused with 409 while something later depends on the change."""
        change = services.undo(
            actor=actor_of(request), change=self.get_object(), dry_run=is_dry_run(request.query_params)
        )
        return Response(CatalogueChangeSerializer(change).data)
