"""How lists of records are narrowed: names and numbers by their keys (DOMAIN §4), ids only within what one may see."""

from collections.abc import Callable
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from common.filters import IdFilter
from common.keys import claim_number, label_key, name_key, reference_key
from core.models import (
    Act,
    ActCategory,
    Claim,
    ClaimStatus,
    Client,
    Insured,
    Invoice,
    Membership,
    MembershipRole,
    Operator,
    Partner,
    Payment,
    Plan,
    Policy,
)


class KeyFilter(django_filters.CharFilter):
    """Rows whose key contains (with lookup_expr="exact": is) the key of what was typed; none when that has no key."""

    def __init__(
        self, *, field_name: str, key: Callable[[str], str], lookup_expr: str = "contains", **kwargs: Any
    ) -> None:
        super().__init__(field_name=field_name, lookup_expr=lookup_expr, **kwargs)
        self.key = key

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if not value:
            return qs
        key = self.key(str(value))
        return qs.filter(**{f"{self.field_name}__{self.lookup_expr}": key}) if key else qs.none()


class PersonFilter(django_filters.CharFilter):
    """Persons whose name has every word typed, or the beginning of one, in any order."""

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if not value:
            return qs
        words = name_key(str(value)).split()
        if not words:
            return qs.none()
        for word in words:
            qs = qs.filter(**{f"{self.field_name}__contains": word})
        return qs


class RecordFilter(django_filters.FilterSet):
    """What every record of a country can be narrowed by."""

    file = IdFilter(field_name="file_id", label=_("The file that the record came from"))
    import_session = IdFilter(field_name="import_session_id", label=_("The session that created it"))


class ClientFilter(RecordFilter):
    name = KeyFilter(field_name="key", key=label_key)
    country = IdFilter(field_name="country_id")
    policy = IdFilter(field_name="memberships__policy_id", distinct=True)

    class Meta:
        model = Client
        fields: list[str] = []


class PolicyFilter(RecordFilter):
    number = KeyFilter(field_name="key", key=reference_key)
    country = IdFilter(field_name="country_id")
    client = IdFilter(field_name="memberships__client_id", distinct=True)

    class Meta:
        model = Policy
        fields: list[str] = []


class PlanFilter(RecordFilter):
    name = KeyFilter(field_name="key", key=label_key)
    policy = IdFilter(field_name="policy_id")

    class Meta:
        model = Plan
        fields: list[str] = []


class InsuredFilter(RecordFilter):
    name = PersonFilter(field_name="name_key")
    card_number = KeyFilter(field_name="card_key", key=reference_key, lookup_expr="exact")
    is_deduced = django_filters.BooleanFilter()
    country = IdFilter(field_name="country_id")
    client = IdFilter(field_name="memberships__client_id", distinct=True)
    policy = IdFilter(field_name="memberships__policy_id", distinct=True)

    class Meta:
        model = Insured
        fields: list[str] = []


class MembershipFilter(RecordFilter):
    insured = IdFilter(field_name="insured_id")
    principal = IdFilter(field_name="principal_id")
    client = IdFilter(field_name="client_id")
    policy = IdFilter(field_name="policy_id")
    role = django_filters.ChoiceFilter(choices=MembershipRole.choices)

    class Meta:
        model = Membership
        fields: list[str] = []


class PartnerFilter(RecordFilter):
    name = KeyFilter(field_name="key", key=label_key)
    country = IdFilter(field_name="country_id")

    class Meta:
        model = Partner
        fields: list[str] = []


class OperatorFilter(RecordFilter):
    name = KeyFilter(field_name="key", key=label_key)
    country = IdFilter(field_name="country_id")

    class Meta:
        model = Operator
        fields: list[str] = []


class InvoiceFilter(RecordFilter):
    number = KeyFilter(field_name="key", key=reference_key)
    partner = IdFilter(field_name="partner_id")

    class Meta:
        model = Invoice
        fields: list[str] = []


class PaymentFilter(RecordFilter):
    number = KeyFilter(field_name="key", key=reference_key)
    partner = IdFilter(field_name="partner_id")

    class Meta:
        model = Payment
        fields: list[str] = []


class ClaimFilter(RecordFilter):
    number = KeyFilter(field_name="number", key=claim_number, lookup_expr="exact")
    settlement_date = django_filters.DateFromToRangeFilter(label=_("Settled in this period, both ends included"))
    status = django_filters.ChoiceFilter(choices=ClaimStatus.choices)
    country = IdFilter(field_name="country_id")
    client = IdFilter(field_name="client_id")
    policy = IdFilter(field_name="policy_id")
    insured = IdFilter(field_name="insured_id")
    partner = IdFilter(field_name="partner_id")

    class Meta:
        model = Claim
        fields: list[str] = []


class ActCategoryFilter(django_filters.FilterSet):
    name = KeyFilter(field_name="key", key=label_key)

    class Meta:
        model = ActCategory
        fields: list[str] = []


class ActFilter(django_filters.FilterSet):
    name = KeyFilter(field_name="key", key=label_key)
    category = IdFilter(field_name="category_id")

    class Meta:
        model = Act
        fields: list[str] = []
