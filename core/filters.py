"""Filters of the lists of records: names and numbers by their keys (DOMAIN §4), ids only of visible rows.

`search` ignores accents, case and the order of words in names, and punctuation in references. It searches the keys of
one country, for which the unique index of each table serves.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar

import django_filters
from django import forms
from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet, Subquery, TextChoices
from django.utils.translation import gettext_lazy as _
from django_filters.constants import EMPTY_VALUES
from drf_spectacular.utils import extend_schema_field

from common.filters import IdFilter, KeyFilter, SearchFilter, YesNoFilter, has_all, has_words
from common.keys import claim_number, label_key, reference_key
from core.coverage.conditions import (
    HAS_TYPED_RATE,
    HAS_TYPED_SUBSCRIBER,
    POLICY_TO_COMPLETE,
    RATE_DIFFERS,
    WITHOUT_RATE,
    WITHOUT_SUBSCRIBER,
)
from core.models import (
    Act,
    ActAlias,
    ActCategory,
    Claim,
    ClaimLine,
    ClaimRevision,
    ClaimStatus,
    Client,
    Insured,
    InsuredSpelling,
    Invoice,
    Membership,
    MembershipRole,
    Operator,
    Partner,
    Payment,
    Plan,
    Policy,
    Premium,
)
from file_handling.models import File
from users.models import Country

# A statement with more ids takes longer than one with the query that finds them.
MOST_IDS = 2_000
# More days than any claim takes, and few enough that no database leaves its calendar when it subtracts them.
MOST_DAYS = 100_000


def _labels(field: str) -> Callable[[str], Q | None]:
    return lambda typed: has_all(field=field, typed=typed, key=label_key)


def _references(field: str) -> Callable[[str], Q | None]:
    return lambda typed: Q(**{f"{field}__contains": key}) if (key := reference_key(typed)) else None


def _persons(path: str = "") -> Callable[[str], Q | None]:
    """Persons by name, by another known spelling of it, or by the whole card number."""

    def condition(typed: str) -> Q | None:
        name = has_words(field=f"{path}name_key", typed=typed)
        if name is None:
            return None
        spelling = has_words(field="name_key", typed=typed) or Q()
        known = InsuredSpelling.objects.filter(spelling, insured=OuterRef(f"{path}pk"))
        return name | Q(Exists(known)) | Q(**{f"{path}card_key": reference_key(typed)})

    return condition


class ClaimSearchFilter(SearchFilter):
    """Claims by person, policy or provider, or by a part of the number.

    What is searched first are the smaller tables: the claims of a person are then found by its id. A text without a
    digit is compared with whole numbers only, since to look for a part of a number is to read every claim.
    """

    def wanted(self, typed: str) -> Q | None:
        number, reference = claim_number(typed), reference_key(typed)
        if not reference:
            return None
        matching = Q()
        for field, model, condition in (
            ("insured", Insured, self._persons(typed)),
            ("policy", Policy, Q(key__contains=reference)),
            ("partner", Partner, has_all(field="key", typed=typed, key=label_key)),
        ):
            if condition is not None:
                rows = self._visible(model).filter(condition).order_by()
                matching |= _one_of(field, rows, otherwise=Q(**{f"{field}__in": rows.values("pk")}))
        if any(sign.isdigit() for sign in number):
            part = Q(number__contains=number)
            matching |= _one_of("pk", self._visible(Claim).filter(part), otherwise=part)
        else:
            matching |= Q(number=number)
        return matching or None

    def _persons(self, typed: str) -> Q | None:
        name = has_words(field="name_key", typed=typed)
        if name is None:
            return None
        spellings = self._visible(InsuredSpelling).filter(name).order_by()
        return name | Q(pk__in=spellings.values("insured")) | Q(card_key=reference_key(typed))

    def _visible(self, model: type[Model]) -> QuerySet[Any]:
        """The rows of the caller's countries: more would take longer, and no claim of the caller refers to them."""
        rows: Any = model._default_manager.all()
        request = getattr(self.parent, "request", None)
        return rows if request is None else rows.visible_to(request.user)


def _one_of(field: str, rows: QuerySet[Any], *, otherwise: Q) -> Q:
    """That `field` is the id of one of the rows. `otherwise`: the same without ids, for more than MOST_IDS rows.

    From the ids, the database sees how few rows match. They are read once and not by each query of the list.
    """
    ids = list(rows.order_by().values_list("pk", flat=True)[: MOST_IDS + 1])
    if len(ids) > MOST_IDS:
        return otherwise
    return Q(**{f"{field}__in": ids}) if ids else Q()


class PersonFilter(django_filters.CharFilter):
    """Persons whose name contains every word of the query, or a word that begins with it, in any order."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=255, **kwargs)

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if not value:
            return qs
        wanted = has_words(field=self.field_name, typed=str(value))
        return qs.none() if wanted is None else qs.filter(wanted)


class AmountRangeFilter(django_filters.RangeFilter):
    """From `…_min` to `…_max` in currency units, both included. Numbers too large for the column are refused."""

    def __init__(self, **kwargs: Any) -> None:
        ends = [forms.DecimalField(max_digits=18, decimal_places=2) for _end in ("min", "max")]
        super().__init__(fields=ends, **kwargs)


class LineFilter(IdFilter):
    """Claims with at least one line that has the id in the field `field_name`; each claim once."""

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if value is None:
            return qs
        lines = ClaimLine.objects.filter(claim=OuterRef("pk"), **{self.field_name: value})
        return qs.filter(Exists(lines))


class MemberFilter(IdFilter):
    """Records that share a membership with the id. `by`: the field of the membership that points to the record."""

    def __init__(self, *args: Any, by: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if value is None:
            return qs
        memberships = Membership.objects.filter(**{self.by: OuterRef("pk"), self.field_name: value})
        return qs.filter(Exists(memberships))


class FamilyFilter(IdFilter):
    """Records of one family: of its principal on the policy, and of the principal's dependants there (DOMAIN §12).

    The id is that of the membership that heads the family. `field_name`: the path to the membership of a row.
    """

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return qs if value is None else qs.filter(**{f"{self.field_name}__in": _family(value)})


def _family(head_id: int) -> QuerySet[Membership]:
    """The memberships of the family; none where the id is that of no membership."""
    head = Membership.objects.filter(pk=head_id).first()
    return Membership.objects.none() if head is None else family_of(head)


def family_of(head: Membership) -> QuerySet[Membership]:
    """The memberships of the family that `head` heads: the principal's and those of the dependants (DOMAIN §12)."""
    person = Q(principal_id=head.insured_id) | Q(principal_id=None, insured_id=head.insured_id)
    return Membership.objects.filter(person, policy_id=head.policy_id)


@extend_schema_field({"type": "integer", "minimum": -MOST_DAYS, "maximum": MOST_DAYS})
class DelayFilter(django_filters.RangeFilter):
    """Claims settled so many days after their incident, both ends included; negative days are allowed."""

    def __init__(self, **kwargs: Any) -> None:
        days = [forms.IntegerField(min_value=-MOST_DAYS, max_value=MOST_DAYS) for _end in ("min", "max")]
        super().__init__(fields=days, **kwargs)

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if not value:
            return qs
        bounds = {
            f"incident_date__{lookup}": F("settlement_date") - timedelta(days=days)
            for lookup, days in (("lte", value.start), ("gte", value.stop))
            if days is not None
        }
        return qs.filter(**bounds)


class RecordFilter(django_filters.FilterSet):
    """The filters of every record of a country."""

    file = IdFilter(
        field_name="file_id",
        of=File,
        label=_("File"),
        help_text=_("Id of the file from which the record came"),
    )
    import_session = IdFilter(
        field_name="import_session_id",
        label=_("Import session"),
        help_text=_("Id of the session that created the record"),
    )


@extend_schema_field({"type": "string", "enum": ["true", "false"]})
class ConditionFilter(YesNoFilter):
    """Rows that fulfil `condition`, which is never unknown, or those that do not."""

    def __init__(self, *, condition: Q, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.condition = condition

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if value in EMPTY_VALUES:
            return qs
        return qs.filter(self.condition) if value else qs.exclude(self.condition)


class WithClaims(django_filters.FilterSet):
    """Records that have a settled claim which fits all of `claims_…` together (DOMAIN §8: what a count is made of).

    `first_claim_after`, `first_claim_before`: the first of those claims was settled in that period.
    `claim_path`: how a claim, or with `of_lines` a claim line, points at the record.
    """

    claim_path: ClassVar[str] = ""
    of_lines: ClassVar[bool] = False

    claims = django_filters.DateFromToRangeFilter(
        method="keep", label=_("With a claim settled"), help_text=_("Has a settled claim of this period")
    )
    first_claim = django_filters.DateFromToRangeFilter(
        method="keep", label=_("First claim settled"), help_text=_("Its first settled claim is of this period")
    )
    claims_role = django_filters.ChoiceFilter(
        method="keep", choices=MembershipRole.choices, label=_("With claims in the role")
    )
    claims_client = IdFilter(method="keep", of=Client, label=_("With claims of the client"))
    claims_policy = IdFilter(method="keep", of=Policy, named="number", label=_("With claims of the policy"))
    claims_insured = IdFilter(method="keep", of=Insured, label=_("With claims of the insured"))
    claims_family = IdFilter(method="keep", of=Membership, named="insured__name", label=_("With claims of the family"))
    claims_partner = IdFilter(method="keep", of=Partner, label=_("With claims at the provider"))
    claims_operator = IdFilter(method="keep", of=Operator, label=_("With claims entered by"))
    claims_act = IdFilter(method="keep", of=Act, label=_("With claims for the act"))
    claims_category = IdFilter(method="keep", of=ActCategory, label=_("With claims of the act category"))

    def keep(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        """Nothing yet: the conditions hold of one claim, so they are applied together."""
        return queryset

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows = super().filter_queryset(queryset)
        asked = self.form.cleaned_data
        fields = _CLAIM_FIELDS.keys() | _LINE_FIELDS.keys()
        ids = {name: asked[f"claims_{name}"] for name in fields if asked[f"claims_{name}"]}
        if "family" in ids:
            ids["family"] = _family(ids["family"])
        if not (ids or asked["claims"] or asked["first_claim"]):
            return rows
        claims = self._claims(ids)
        date = "claim__settlement_date" if self.of_lines else "settlement_date"
        if asked["claims"]:
            claims = claims.filter(**_within(date, asked["claims"]))
        rows = rows.filter(Exists(claims))
        if asked["first_claim"]:
            first = Subquery(claims.order_by(date).values(date)[:1])
            rows = rows.annotate(first_claim=first).filter(**_within("first_claim", asked["first_claim"]))
        return rows

    def _claims(self, ids: dict[str, Any]) -> QuerySet[Any]:
        lines = {_LINE_FIELDS[name]: value for name, value in ids.items() if name in _LINE_FIELDS}
        named = {_CLAIM_FIELDS[name]: value for name, value in ids.items() if name in _CLAIM_FIELDS}
        if self.of_lines:
            conditions = {f"claim__{name}": value for name, value in named.items()}
            return ClaimLine.objects.filter(
                **{self.claim_path: OuterRef("pk"), "claim__status": ClaimStatus.SETTLED}, **conditions, **lines
            )
        claims = Claim.objects.filter(**{self.claim_path: OuterRef("pk"), "status": ClaimStatus.SETTLED}, **named)
        if lines:
            claims = claims.filter(Exists(ClaimLine.objects.filter(claim=OuterRef("pk"), **lines)))
        return claims


_CLAIM_FIELDS = {
    "client": "client_id", "policy": "policy_id", "insured": "insured_id", "partner": "partner_id",
    "family": "membership__in", "role": "membership__role",
}  # fmt: skip
_LINE_FIELDS = {"operator": "operator_id", "act": "act_id", "category": "category_id"}


def _within(field: str, span: slice) -> dict[str, Any]:
    """The condition that a date lies within a range filter's value, whose ends may be missing."""
    ends = {"gte": span.start, "lte": span.stop}
    # The range's ends come as the first and last moment of their days.
    return {f"{field}__{lookup}": end.date() for lookup, end in ends.items() if end is not None}


class _NamedFilter(RecordFilter):
    """Records of a country that are identified by a name."""

    search = SearchFilter(label=_("Search"), condition=_labels("key"))
    name = KeyFilter(field_name="key", key=label_key, label=_("Name"))
    country = IdFilter(field_name="country_id", of=Country, label=_("Country"))


def _premiums(**conditions: Any) -> QuerySet[Premium]:
    return Premium.objects.filter(**conditions)


def _with_day_in(span: slice | None) -> dict[str, Any]:
    """The condition that a premium has a day within a range filter's value, whose ends may be missing."""
    ends = {} if span is None else {"end__gte": span.start, "start__lte": span.stop}
    return {name: end.date() for name, end in ends.items() if end is not None}


class PremiumState(TextChoices):
    """How a claim stands to the premiums of its client in its currency (DOMAIN §9)."""

    COVERED = "covered", _("settled on a day that a premium covers")
    OUTSIDE = "outside", _("settled on a day that no premium of the client covers")
    NONE = "none", _("of a client without a premium")


class CoveredIncident(TextChoices):
    COVERED = "covered", _("happened on a day that a premium covers")


def _by_premium(claims: QuerySet[Claim], state: str, settled: slice | None) -> QuerySet[Claim]:
    """The claims in a state. Whether a client has a premium is asked of the settlement dates that the list is about."""
    own = {"client": OuterRef("client"), "currency": OuterRef("currency")}
    day = OuterRef("settlement_date")
    covering = Exists(_premiums(**own, start__lte=day, end__gte=day))
    if state == PremiumState.COVERED:
        return claims.filter(covering)
    having = Exists(_premiums(**own, **_with_day_in(settled)))
    if state == PremiumState.OUTSIDE:
        return claims.filter(having).exclude(covering)
    return claims.filter(~having, client__isnull=False)


class ClientFilter(WithClaims, _NamedFilter):
    claim_path = "client"

    without_premium = django_filters.DateFromToRangeFilter(
        method="without", label=_("Without a premium"), help_text=_("Has no premium with a day in this period")
    )

    policy = MemberFilter(field_name="policy_id", by="client", of=Policy, named="number", label=_("Policy"))
    insured = MemberFilter(field_name="insured_id", by="client", of=Insured, label=_("Insured"))

    def without(self, queryset: QuerySet[Any], name: str, value: slice | None) -> QuerySet[Any]:
        if not value:
            return queryset
        return queryset.exclude(Exists(_premiums(client=OuterRef("pk"), **_with_day_in(value))))

    class Meta:
        model = Client
        fields: list[str] = []


class PolicyFilter(WithClaims, RecordFilter):
    claim_path = "policy"

    search = SearchFilter(label=_("Search"), condition=_references("key"))
    number = KeyFilter(field_name="key", key=reference_key, label=_("Number"))
    country = IdFilter(field_name="country_id", of=Country, label=_("Country"))
    client = MemberFilter(field_name="client_id", by="policy", of=Client, label=_("Client"))
    insured = MemberFilter(field_name="insured_id", by="policy", of=Insured, label=_("Insured"))
    to_complete = ConditionFilter(
        condition=POLICY_TO_COMPLETE,
        label=_("To complete"),
        help_text=_("No subscriber, no coverage rate, or a typed rate that differs from the observed one"),
    )
    without_subscriber = ConditionFilter(condition=WITHOUT_SUBSCRIBER, label=_("Without subscriber"))
    without_rate = ConditionFilter(condition=WITHOUT_RATE, label=_("Without coverage rate"))
    rate_differs = ConditionFilter(condition=RATE_DIFFERS, label=_("Typed rate differs"))
    typed_rate = ConditionFilter(condition=HAS_TYPED_RATE, label=_("Typed rate"))
    typed_subscriber = ConditionFilter(condition=HAS_TYPED_SUBSCRIBER, label=_("Typed subscriber"))

    class Meta:
        model = Policy
        fields: list[str] = []


class PlanFilter(RecordFilter):
    search = SearchFilter(label=_("Search"), condition=_labels("key"))
    name = KeyFilter(field_name="key", key=label_key, label=_("Name"))
    country = IdFilter(field_name="policy__country_id", of=Country, label=_("Country"))
    policy = IdFilter(field_name="policy_id", of=Policy, named="number", label=_("Policy"))
    to_complete = ConditionFilter(
        condition=RATE_DIFFERS,
        label=_("To complete"),
        help_text=_("A typed rate that differs from the observed one"),
    )
    typed_rate = ConditionFilter(condition=HAS_TYPED_RATE, label=_("Typed rate"))

    class Meta:
        model = Plan
        fields: list[str] = []


class InsuredFilter(WithClaims, RecordFilter):
    claim_path = "insured"

    search = SearchFilter(label=_("Search"), condition=_persons())
    name = PersonFilter(field_name="name_key", label=_("Name"))
    card_number = KeyFilter(field_name="card_key", key=reference_key, lookup_expr="exact", label=_("Card number"))
    is_deduced = YesNoFilter(label=_("Deduced"))
    country = IdFilter(field_name="country_id", of=Country, label=_("Country"))
    client = MemberFilter(field_name="client_id", by="insured", of=Client, label=_("Client"))
    policy = MemberFilter(field_name="policy_id", by="insured", of=Policy, named="number", label=_("Policy"))
    principal = MemberFilter(field_name="principal_id", by="insured", of=Insured, label=_("Principal"))

    class Meta:
        model = Insured
        fields: list[str] = []


class InsuredSpellingFilter(RecordFilter):
    search = SearchFilter(label=_("Search"), condition=lambda typed: has_words(field="name_key", typed=typed))
    country = IdFilter(field_name="insured__country_id", of=Country, label=_("Country"))
    insured = IdFilter(field_name="insured_id", of=Insured, label=_("Insured"))

    class Meta:
        model = InsuredSpelling
        fields: list[str] = []


class MembershipFilter(WithClaims, RecordFilter):
    claim_path = "membership"

    search = SearchFilter(label=_("Search"), condition=_persons("insured__"))
    country = IdFilter(field_name="insured__country_id", of=Country, label=_("Country"))
    insured = IdFilter(field_name="insured_id", of=Insured, label=_("Insured"))
    principal = IdFilter(field_name="principal_id", of=Insured, label=_("Principal"))
    client = IdFilter(field_name="client_id", of=Client, label=_("Client"))
    policy = IdFilter(field_name="policy_id", of=Policy, named="number", label=_("Policy"))
    plan = IdFilter(field_name="plan_id", of=Plan, label=_("Plan"))
    family = FamilyFilter(
        field_name="pk",
        of=Membership,
        named="insured__name",
        label=_("Family"),
        help_text=_("The membership that heads the family"),
    )
    role = django_filters.ChoiceFilter(choices=MembershipRole.choices, label=_("Role"))
    first_settlement_date = django_filters.DateFromToRangeFilter(
        label=_("First settlement date"), help_text=_("First settled in this period")
    )

    class Meta:
        model = Membership
        fields: list[str] = []


class PartnerFilter(WithClaims, _NamedFilter):
    claim_path = "partner"

    class Meta:
        model = Partner
        fields: list[str] = []


class OperatorFilter(WithClaims, _NamedFilter):
    claim_path = "operator"
    of_lines = True

    class Meta:
        model = Operator
        fields: list[str] = []


class _ProviderNumberFilter(RecordFilter):
    """Invoices and payments, which have a number and a provider."""

    search = SearchFilter(label=_("Search"), condition=_references("key"))
    number = KeyFilter(field_name="key", key=reference_key, label=_("Number"))
    country = IdFilter(field_name="partner__country_id", of=Country, label=_("Country"))
    partner = IdFilter(field_name="partner_id", of=Partner, label=_("Provider"))


class InvoiceFilter(_ProviderNumberFilter):
    class Meta:
        model = Invoice
        fields: list[str] = []


class PaymentFilter(_ProviderNumberFilter):
    class Meta:
        model = Payment
        fields: list[str] = []


class ClaimFilter(RecordFilter):
    search = ClaimSearchFilter(label=_("Search"))
    number = KeyFilter(field_name="number", key=claim_number, lookup_expr="exact", label=_("Claim number"))
    settlement_date = django_filters.DateFromToRangeFilter(
        label=_("Settlement date"), help_text=_("Settled in this period, both ends included")
    )
    incident_date = django_filters.DateFromToRangeFilter(
        label=_("Incident date"), help_text=_("Happened in this period, both ends included")
    )
    claimed_amount = AmountRangeFilter(label=_("Claimed"))
    reimbursed_amount = AmountRangeFilter(label=_("Reimbursed"))
    status = django_filters.ChoiceFilter(choices=ClaimStatus.choices, label=_("Status"))
    currency = django_filters.CharFilter(lookup_expr="iexact", max_length=3, label=_("Currency"))
    role = django_filters.ChoiceFilter(field_name="membership__role", choices=MembershipRole.choices, label=_("Role"))
    country = IdFilter(field_name="country_id", of=Country, label=_("Country"))
    client = IdFilter(field_name="client_id", of=Client, label=_("Client"))
    policy = IdFilter(field_name="policy_id", of=Policy, named="number", label=_("Policy"))
    insured = IdFilter(field_name="insured_id", of=Insured, label=_("Insured"))
    principal = IdFilter(field_name="membership__principal_id", of=Insured, label=_("Principal"))
    plan = IdFilter(field_name="membership__plan_id", of=Plan, label=_("Plan"))
    membership = IdFilter(field_name="membership_id", of=Membership, named="insured__name", label=_("Membership"))
    partner = IdFilter(field_name="partner_id", of=Partner, label=_("Provider"))
    act = LineFilter(field_name="act_id", of=Act, label=_("Act"))
    category = LineFilter(field_name="category_id", of=ActCategory, label=_("Act category"))
    operator = LineFilter(field_name="operator_id", of=Operator, label=_("Operator"))
    invoice = LineFilter(field_name="invoice_id", of=Invoice, named="number", label=_("Invoice"))
    payment = LineFilter(field_name="payment_id", of=Payment, named="number", label=_("Payment reference"))
    recap_file = IdFilter(
        field_name="recap_file_id",
        of=File,
        label=_("Recap file"),
        help_text=_("Id of the recap that settles the claim"),
    )
    family = FamilyFilter(
        field_name="membership",
        of=Membership,
        named="insured__name",
        label=_("Family"),
        help_text=_("The membership that heads the family"),
    )
    delay = DelayFilter(label=_("Days from incident to settlement"))
    incident_unknown = YesNoFilter(field_name="incident_date", lookup_expr="isnull", label=_("Incident date unknown"))
    premium = django_filters.ChoiceFilter(method="keep", choices=PremiumState.choices, label=_("Premium"))
    incident_premium = django_filters.ChoiceFilter(
        method="keep", choices=CoveredIncident.choices, label=_("Premium on the day of incident")
    )

    class Meta:
        model = Claim
        fields: list[str] = []

    def keep(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        """Nothing yet: the state depends on the settlement dates too."""
        return queryset

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows = super().filter_queryset(queryset)
        asked = self.form.cleaned_data
        if asked["premium"]:
            rows = _by_premium(rows, asked["premium"], asked["settlement_date"])
        if asked["incident_premium"]:
            day = OuterRef("incident_date")
            own = {"client": OuterRef("client"), "currency": OuterRef("currency")}
            rows = rows.filter(Exists(_premiums(**own, start__lte=day, end__gte=day)))
        return rows


class ClaimLineFilter(RecordFilter):
    claim = IdFilter(field_name="claim_id", of=Claim, named="number", label=_("Claim"))
    claim_status = django_filters.ChoiceFilter(
        field_name="claim__status", choices=ClaimStatus.choices, label=_("Claim status")
    )
    claim_settlement_date = django_filters.DateFromToRangeFilter(
        field_name="claim__settlement_date",
        label=_("Settlement date of the claim"),
        help_text=_("Lines of claims settled in this period, both ends included"),
    )
    claim_incident_date = django_filters.DateFromToRangeFilter(
        field_name="claim__incident_date",
        label=_("Incident date of the claim"),
        help_text=_("Lines of claims that happened in this period, both ends included"),
    )
    number = KeyFilter(field_name="claim__number", key=claim_number, lookup_expr="exact", label=_("Claim number"))
    currency = django_filters.CharFilter(
        field_name="claim__currency", lookup_expr="iexact", max_length=3, label=_("Currency")
    )
    incident_date = django_filters.DateFromToRangeFilter(
        label=_("Incident date"), help_text=_("Happened in this period, both ends included")
    )
    claimed_amount = AmountRangeFilter(label=_("Claimed"))
    settlement_date = django_filters.DateFromToRangeFilter(
        label=_("Settlement date"), help_text=_("Settled in this period, both ends included")
    )
    status = django_filters.ChoiceFilter(choices=ClaimStatus.choices, label=_("Status"))
    country = IdFilter(field_name="claim__country_id", of=Country, label=_("Country"))
    client = IdFilter(field_name="claim__client_id", of=Client, label=_("Client"))
    policy = IdFilter(field_name="claim__policy_id", of=Policy, named="number", label=_("Policy"))
    insured = IdFilter(field_name="claim__insured_id", of=Insured, label=_("Insured"))
    partner = IdFilter(field_name="claim__partner_id", of=Partner, label=_("Provider"))
    family = FamilyFilter(
        field_name="claim__membership",
        of=Membership,
        named="insured__name",
        label=_("Family"),
        help_text=_("The membership that heads the family"),
    )
    act = IdFilter(field_name="act_id", of=Act, label=_("Act"))
    category = IdFilter(field_name="category_id", of=ActCategory, label=_("Act category"))
    operator = IdFilter(field_name="operator_id", of=Operator, label=_("Operator"))
    invoice = IdFilter(field_name="invoice_id", of=Invoice, named="number", label=_("Invoice"))
    payment = IdFilter(field_name="payment_id", of=Payment, named="number", label=_("Payment reference"))

    class Meta:
        model = ClaimLine
        fields: list[str] = []


class ClaimRevisionFilter(django_filters.FilterSet):
    number = KeyFilter(field_name="number", key=claim_number, lookup_expr="exact", label=_("Claim number"))
    claim = IdFilter(field_name="claim_id", of=Claim, named="number", label=_("Claim"))
    country = IdFilter(field_name="country_id", of=Country, label=_("Country"))
    replaced_by_session = IdFilter(field_name="replaced_by_session_id", label=_("Replaced by session"))

    class Meta:
        model = ClaimRevision
        fields: list[str] = []


class ActCategoryFilter(django_filters.FilterSet):
    search = SearchFilter(label=_("Search"), condition=_labels("key"))
    name = KeyFilter(field_name="key", key=label_key, label=_("Name"))

    class Meta:
        model = ActCategory
        fields: list[str] = []


def _acts(typed: str) -> Q | None:
    """Acts by name or alias."""
    name = has_all(field="key", typed=typed, key=label_key)
    return None if name is None else name | Q(Exists(ActAlias.objects.filter(name, act=OuterRef("pk"))))


class ActFilter(django_filters.FilterSet):
    search = SearchFilter(label=_("Search"), condition=_acts)
    name = KeyFilter(field_name="key", key=label_key, label=_("Name"))
    category = IdFilter(field_name="category_id", of=ActCategory, label=_("Act category"))

    class Meta:
        model = Act
        fields: list[str] = []


class ActAliasFilter(django_filters.FilterSet):
    search = SearchFilter(label=_("Search"), condition=_labels("key"))
    act = IdFilter(field_name="act_id", of=Act, label=_("Act"))

    class Meta:
        model = ActAlias
        fields: list[str] = []
