"""Accounts and countries over the API. `services` and `countries` of this folder check rights and values."""

from collections.abc import Callable, Sequence
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.throttling import BaseThrottle

from common.filters import IdFilter, SearchFilter, StableOrdering, StrictFilterBackend, YesNoFilter
from common.keys import clean_text
from common.throttling import UploadThrottle
from users.access.actor import actor_of
from users.access.viewsets import (
    AuditedReadViewSet,
    MayManageAccounts,
    MayManageCountries,
    MayReadRecords,
    ScopedReadViewSet,
)
from users.accounts import countries, from_sheet, services
from users.models import Country, MailPurpose, Role, User
from users.serializers import (
    AccountChangeSerializer,
    AccountFormSerializer,
    AccountSerializer,
    AccountSheetSerializer,
    AssignmentSerializer,
    CountryDetailSerializer,
    CountryFormSerializer,
    PeopleSerializer,
)


def _matches_words(typed: str) -> Q | None:
    wanted = Q()
    for word in dict.fromkeys(clean_text(typed).split()):
        wanted &= (
            Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
            | Q(email__icontains=word)
            | Q(username__icontains=word)
        )
    return wanted or None


class AccountFilter(django_filters.FilterSet):
    role = django_filters.MultipleChoiceFilter(choices=Role.choices, label=_("Role"))
    country = IdFilter(field_name="country_id", of=Country, label=_("Country"))
    is_active = YesNoFilter(field_name="is_active", label=_("Active"))
    search = SearchFilter(
        condition=_matches_words,
        label=_("Search"),
        help_text=_("Words of the name, the e-mail address or the user name"),
    )

    class Meta:
        model = User
        fields: list[str] = []


class CountryFilter(django_filters.FilterSet):
    is_active = YesNoFilter(field_name="is_active", label=_("Active"))

    class Meta:
        model = Country
        fields: list[str] = []


@extend_schema_view(list=extend_schema(tags=["users"]), retrieve=extend_schema(tags=["users"]))
class AccountViewSet(AuditedReadViewSet):
    """The accounts that the caller sees. Changes are for accounts of lower roles."""

    model = User
    permission_classes = [MayManageAccounts]
    serializer_class = AccountSerializer
    filter_backends = [StrictFilterBackend, StableOrdering]
    filterset_class = AccountFilter
    ordering_fields = ["username", "email", "last_name", "role", "date_joined"]
    ordering = ["username"]
    personal = True

    def get_throttles(self) -> list[BaseThrottle]:
        return [UploadThrottle()] if self.action in ("preview_import", "import_sheet") else super().get_throttles()

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.select_related("country")

    @extend_schema(tags=["users"], request=AccountFormSerializer, responses={201: AccountSerializer})
    def create(self, request: Request) -> Response:
        values = self._values(AccountFormSerializer)
        account = services.create_account(actor=actor_of(request), **values)
        return self._shown(account, code=status.HTTP_201_CREATED)

    @extend_schema(tags=["users"], request=AccountChangeSerializer, responses={200: AccountSerializer})
    def partial_update(self, request: Request, pk: str) -> Response:
        account = self.get_object()
        values = self._values(AccountChangeSerializer)
        return self._changed(lambda: services.update_account(actor=actor_of(request), account=account, **values))

    @extend_schema(tags=["users"], request=None, responses={200: AccountSerializer})
    @action(detail=True, methods=["post"])
    def activate(self, request: Request, pk: str) -> Response:
        account = self.get_object()
        return self._changed(lambda: services.set_active(actor=actor_of(request), account=account, is_active=True))

    @extend_schema(tags=["users"], request=None, responses={200: AccountSerializer})
    @action(detail=True, methods=["post"])
    def deactivate(self, request: Request, pk: str) -> Response:
        account = self.get_object()
        return self._changed(lambda: services.set_active(actor=actor_of(request), account=account, is_active=False))

    @extend_schema(
        tags=["users"],
        request=None,
        responses={204: None},
        description="Sends the account a new one-time link to choose a password.",
    )
    @action(detail=True, methods=["post"], url_path="password-link")
    def password_link(self, request: Request, pk: str) -> Response:
        account = self.get_object()
        purpose = MailPurpose.RESET if account.has_usable_password() else MailPurpose.INVITATION
        services.send_password_link(actor=actor_of(request), account=account, purpose=purpose)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(tags=["users"], request=AssignmentSerializer, responses={200: AccountSerializer})
    @action(detail=True, methods=["post"], permission_classes=[MayManageCountries])
    def country(self, request: Request, pk: str) -> Response:
        """Assign a country, or another one."""
        account = self.get_object()
        assigned = self._values(AssignmentSerializer)["country"]
        return self._changed(lambda: services.move_account(actor=actor_of(request), account=account, country=assigned))

    @extend_schema(tags=["users"], request=None, responses={200: AccountSerializer})
    @country.mapping.delete
    def no_country(self, request: Request, pk: str) -> Response:
        """Remove the country: the account then has access to nothing."""
        account = self.get_object()
        return self._changed(lambda: services.move_account(actor=actor_of(request), account=account, country=None))

    @extend_schema(
        tags=["users"], request={"multipart/form-data": AccountSheetSerializer}, responses={200: PeopleSerializer}
    )
    @action(detail=False, methods=["post"], url_path="import/preview", parser_classes=[MultiPartParser, FormParser])
    def preview_import(self, request: Request) -> Response:
        """Every row of a sheet of accounts with all its problems. Nothing is created."""
        values = self._values(AccountSheetSerializer)
        rows = from_sheet.read(actor=actor_of(request), file=values.pop("file"))
        people = from_sheet.preview(actor=actor_of(request), rows=rows, **values)
        return self._people(people)

    @extend_schema(
        tags=["users"],
        request={"multipart/form-data": AccountSheetSerializer},
        responses={200: PeopleSerializer, 201: PeopleSerializer},
    )
    @action(detail=False, methods=["post"], url_path="import", parser_classes=[MultiPartParser, FormParser])
    def import_sheet(self, request: Request) -> Response:
        """Create an account for every row without a problem: 201 if any was created, else 200."""
        values = self._values(AccountSheetSerializer)
        rows = from_sheet.read(actor=actor_of(request), file=values.pop("file"))
        people = from_sheet.create(actor=actor_of(request), rows=rows, **values)
        return self._people(people)

    def _values(self, form_class: type[Serializer[Any]]) -> dict[str, Any]:
        form = form_class(data=self.request.data, context=self.get_serializer_context())
        form.is_valid(raise_exception=True)
        values: dict[str, Any] = form.validated_data
        return values

    def _changed(self, change: Callable[[], User]) -> Response:
        account = change()
        return self._shown(account)

    def _shown(self, account: User, *, code: int = status.HTTP_200_OK) -> Response:
        return Response(AccountSerializer(account).data, status=code)

    def _people(self, people: list[from_sheet.Person]) -> Response:
        created = sum(person.account is not None for person in people)
        shown = {
            "count": len(people),
            "valid": sum(not person.problems for person in people),
            "created": created,
            "rows": people,
        }
        return Response(PeopleSerializer(shown).data, status=status.HTTP_201_CREATED if created else status.HTTP_200_OK)


@extend_schema_view(list=extend_schema(tags=["countries"]), retrieve=extend_schema(tags=["countries"]))
class CountryViewSet(ScopedReadViewSet):
    """The countries that the caller sees: all, or the own one."""

    model = Country
    serializer_class = CountryDetailSerializer
    parser_classes = [JSONParser, FormParser, MultiPartParser]
    filter_backends = [StrictFilterBackend, StableOrdering]
    filterset_class = CountryFilter
    ordering_fields = ["name", "code"]
    ordering = ["name"]

    def get_permissions(self) -> Sequence[Any]:
        if self.action in ("list", "retrieve") or self.action is None:
            return [MayReadRecords()]
        return [MayManageCountries()]

    @extend_schema(tags=["countries"], request=CountryFormSerializer, responses={201: CountryDetailSerializer})
    def create(self, request: Request) -> Response:
        form = CountryFormSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        country = countries.create_country(actor=actor_of(request), **form.validated_data)
        return Response(CountryDetailSerializer(country).data, status=status.HTTP_201_CREATED)

    @extend_schema(tags=["countries"], request=CountryFormSerializer, responses={200: CountryDetailSerializer})
    def partial_update(self, request: Request, pk: str) -> Response:
        country = self.get_object()
        form = CountryFormSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        country = countries.update_country(
            actor=actor_of(request),
            country=country,
            **form.validated_data,
        )
        return Response(CountryDetailSerializer(country).data)

    @extend_schema(tags=["countries"], request=None, responses={200: CountryDetailSerializer})
    @action(detail=True, methods=["post"])
    def activate(self, request: Request, pk: str) -> Response:
        return self._set_active(request, is_active=True)

    @extend_schema(tags=["countries"], request=None, responses={200: CountryDetailSerializer})
    @action(detail=True, methods=["post"])
    def deactivate(self, request: Request, pk: str) -> Response:
        """Refuse the country's accounts and tokens at once. Nothing is deleted; `activate` restores everything."""
        return self._set_active(request, is_active=False)

    def _set_active(self, request: Request, *, is_active: bool) -> Response:
        country = self.get_object()
        country = countries.set_country_active(
            actor=actor_of(request),
            country=country,
            is_active=is_active,
        )
        return Response(CountryDetailSerializer(country).data)
