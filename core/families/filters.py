"""Families and corrections in lists: the rows, and their filters."""

from typing import Any

import django_filters
from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from common.filters import IdFilter, SearchFilter, YesNoFilter, has_words
from common.keys import reference_key
from core.filters import RecordFilter
from core.models import (
    RECORD_KINDS,
    Change,
    ChangeSubject,
    Client,
    Insured,
    InsuredSpelling,
    Membership,
    MembershipRole,
    Policy,
)
from users.models import Country


def heads_of_families(memberships: QuerySet[Any]) -> QuerySet[Any]:
    """One membership for each principal on a policy (DOMAIN §12): the first. `dependants`: how many there are."""
    primary = Membership.objects.filter(role=MembershipRole.PRIMARY)
    earlier = primary.filter(insured=OuterRef("insured"), policy=OuterRef("policy"), pk__lt=OuterRef("pk"))
    dependants = Membership.objects.filter(principal=OuterRef("insured"), policy=OuterRef("policy"))
    counted = dependants.order_by().values("principal").annotate(number=Count("insured", distinct=True))
    return memberships.filter(~Exists(earlier), role=MembershipRole.PRIMARY).annotate(
        dependants=Coalesce(Subquery(counted.values("number"), output_field=IntegerField()), 0)
    )


def _principals(typed: str) -> Q | None:
    """Families by the name of the principal, another known spelling of it, or the whole card number."""
    name = has_words(field="insured__name_key", typed=typed)
    if name is None:
        return None
    spelling = has_words(field="name_key", typed=typed) or Q()
    known = InsuredSpelling.objects.filter(spelling, insured=OuterRef("insured_id"))
    return name | Q(Exists(known)) | Q(insured__card_key=reference_key(typed))


class MemberOfFamilyFilter(IdFilter):
    """Families with this person, principal or dependant."""

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if value is None:
            return qs
        dependant = Membership.objects.filter(
            insured=value, principal=OuterRef("insured_id"), policy=OuterRef("policy_id")
        )
        return qs.filter(Q(insured=value) | Q(Exists(dependant)))


class FamilyListFilter(RecordFilter):
    search = SearchFilter(label=_("Search"), condition=_principals)
    country = IdFilter(field_name="insured__country_id", of=Country, label=_("Country"))
    policy = IdFilter(field_name="policy_id", of=Policy, named="number", label=_("Policy"))
    client = IdFilter(field_name="client_id", of=Client, label=_("Client"))
    insured = MemberOfFamilyFilter(of=Insured, label=_("Insured"))
    has_dependants = YesNoFilter(label=_("With dependants"), method="with_dependants")

    class Meta:
        model = Membership
        fields: list[str] = []

    def with_dependants(self, queryset: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        condition = Q(dependants__gt=0)
        return queryset.filter(condition if value else ~condition)


def changes_of(changes: QuerySet[Any], *, model: str, pk: int) -> QuerySet[Any]:
    """The changes that concern one record. `model`: its label, such as `core.insured`."""
    return changes.filter(Exists(ChangeSubject.objects.filter(model=model, row_id=pk, change=OuterRef("pk"))))


class ChangeConcernsFilter(IdFilter):
    """Changes that concern this record."""

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return qs if value is None else changes_of(qs, model=self.field_name, pk=value)


class RecordChangeFilter(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(choices=[(kind.value, kind.label) for kind in RECORD_KINDS], label=_("Kind"))
    country = IdFilter(field_name="country_id", of=Country, label=_("Country"))
    undone = YesNoFilter(field_name="undone_at", lookup_expr="isnull", exclude=True, label=_("Undone"))
    at = django_filters.DateFromToRangeFilter(label=_("Day"))
    insured = ChangeConcernsFilter(field_name="core.insured", label=_("Insured"))
    membership = ChangeConcernsFilter(field_name="core.membership", label=_("Membership"))

    class Meta:
        model = Change
        fields: list[str] = []
