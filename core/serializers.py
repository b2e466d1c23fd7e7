"""Records in the API: read only, each with the file and the session that created it.

Amounts are decimal strings in the currency of the claim. The act catalogue is shared by all countries, so its rows have
neither file nor session: these belong to one country.
"""

from typing import Any

from rest_framework import serializers

from core.models import (
    Act,
    ActAlias,
    ActCategory,
    Claim,
    ClaimLine,
    ClaimRevision,
    Client,
    Insured,
    InsuredSpelling,
    Invoice,
    Membership,
    Operator,
    Partner,
    Payment,
    Plan,
    Policy,
    RateSource,
    SubscriberSource,
)
from file_handling.files.serializers import FileReferenceSerializer

_ORIGIN = ["file", "import_session"]
# `rate`: the rate in force, that of the plan before that of the policy (DOMAIN §10).
_RATES = ["rate", "rate_source", "typed_rate", "observed_rate"]


def _rate() -> Any:
    return serializers.DecimalField(max_digits=18, decimal_places=2, read_only=True, allow_null=True)


class _NamedSerializer(serializers.ModelSerializer[Any]):
    """A record as id and name."""

    class Meta:
        fields = ["id", "name"]
        read_only_fields = fields


class _NumberedSerializer(serializers.ModelSerializer[Any]):
    """A record as id and number."""

    class Meta:
        fields = ["id", "number"]
        read_only_fields = fields


class RecordSerializer(serializers.ModelSerializer[Any]):
    """A record with its origin: id and name of the file, and id of the session that created it."""

    file = FileReferenceSerializer(read_only=True, allow_null=True)


class ClientReferenceSerializer(_NamedSerializer):
    class Meta(_NamedSerializer.Meta):
        model = Client


class InsuredReferenceSerializer(_NamedSerializer):
    class Meta(_NamedSerializer.Meta):
        model = Insured


class PartnerReferenceSerializer(_NamedSerializer):
    class Meta(_NamedSerializer.Meta):
        model = Partner


class OperatorReferenceSerializer(_NamedSerializer):
    class Meta(_NamedSerializer.Meta):
        model = Operator


class PlanReferenceSerializer(_NamedSerializer):
    class Meta(_NamedSerializer.Meta):
        model = Plan


class ActReferenceSerializer(_NamedSerializer):
    class Meta(_NamedSerializer.Meta):
        model = Act


class ActCategoryReferenceSerializer(_NamedSerializer):
    class Meta(_NamedSerializer.Meta):
        model = ActCategory


class PolicyReferenceSerializer(_NumberedSerializer):
    class Meta(_NumberedSerializer.Meta):
        model = Policy


class InvoiceReferenceSerializer(_NumberedSerializer):
    class Meta(_NumberedSerializer.Meta):
        model = Invoice


class PaymentReferenceSerializer(_NumberedSerializer):
    class Meta(_NumberedSerializer.Meta):
        model = Payment


class ClientSerializer(RecordSerializer):
    class Meta:
        model = Client
        fields = ["id", "country", "name", *_ORIGIN]
        read_only_fields = fields


class PolicySerializer(RecordSerializer):
    rate = _rate()
    rate_source = serializers.ChoiceField(choices=RateSource.choices, read_only=True, allow_blank=True)
    subscriber = serializers.CharField(read_only=True, allow_blank=True)
    subscriber_source = serializers.ChoiceField(choices=SubscriberSource.choices, read_only=True, allow_blank=True)

    class Meta:
        model = Policy
        fields = [
            "id",
            "country",
            "number",
            *_RATES,
            "subscriber",
            "subscriber_source",
            "typed_subscriber",
            "deduced_subscriber",
            *_ORIGIN,
        ]
        read_only_fields = fields


class PlanSerializer(RecordSerializer):
    policy = PolicyReferenceSerializer(read_only=True)

    rate = _rate()
    rate_source = serializers.ChoiceField(choices=RateSource.choices, read_only=True, allow_blank=True)

    class Meta:
        model = Plan
        fields = ["id", "policy", "name", *_RATES, *_ORIGIN]
        read_only_fields = fields


class InsuredSerializer(RecordSerializer):
    class Meta:
        model = Insured
        fields = ["id", "country", "name", "card_number", "is_deduced", *_ORIGIN]
        read_only_fields = fields


class MembershipSerializer(RecordSerializer):
    insured = InsuredReferenceSerializer(read_only=True)
    principal = InsuredReferenceSerializer(read_only=True, allow_null=True)
    policy = PolicyReferenceSerializer(read_only=True)
    client = ClientReferenceSerializer(read_only=True, allow_null=True)
    plan = PlanReferenceSerializer(read_only=True, allow_null=True)

    class Meta:
        model = Membership
        fields = [
            "id",
            "insured",
            "role",
            "principal",
            "policy",
            "client",
            "plan",
            "first_settlement_date",
            "last_settlement_date",
            "is_corrected",
            *_ORIGIN,
        ]
        read_only_fields = fields


class InsuredDetailSerializer(InsuredSerializer):
    memberships = MembershipSerializer(many=True, read_only=True)
    spellings = serializers.SlugRelatedField(slug_field="name", many=True, read_only=True)  # type: ignore[var-annotated]

    class Meta(InsuredSerializer.Meta):
        fields = [*InsuredSerializer.Meta.fields, "spellings", "memberships"]
        read_only_fields = fields


class PartnerSerializer(RecordSerializer):
    class Meta:
        model = Partner
        fields = ["id", "country", "name", "address", "partner_country", *_ORIGIN]
        read_only_fields = fields


class OperatorSerializer(RecordSerializer):
    class Meta:
        model = Operator
        fields = ["id", "country", "name", *_ORIGIN]
        read_only_fields = fields


# No docstring: the schema would show it as the description of invoices and payments.
class _ProviderNumberSerializer(RecordSerializer):
    partner = PartnerReferenceSerializer(read_only=True)

    class Meta:
        fields = ["id", "partner", "number", *_ORIGIN]
        read_only_fields = fields


class InvoiceSerializer(_ProviderNumberSerializer):
    class Meta(_ProviderNumberSerializer.Meta):
        model = Invoice


class PaymentSerializer(_ProviderNumberSerializer):
    class Meta(_ProviderNumberSerializer.Meta):
        model = Payment


class ActCategorySerializer(serializers.ModelSerializer[ActCategory]):
    aliases = serializers.SlugRelatedField(slug_field="name", many=True, read_only=True)  # type: ignore[var-annotated]

    class Meta:
        model = ActCategory
        fields = ["id", "name", "aliases"]
        read_only_fields = fields


class ActSerializer(serializers.ModelSerializer[Act]):
    category = ActCategoryReferenceSerializer(read_only=True)
    aliases = serializers.SlugRelatedField(slug_field="name", many=True, read_only=True)  # type: ignore[var-annotated]

    class Meta:
        model = Act
        fields = ["id", "name", "category", "aliases"]
        read_only_fields = fields


class InsuredSpellingSerializer(RecordSerializer):
    insured = InsuredReferenceSerializer(read_only=True)

    class Meta:
        model = InsuredSpelling
        fields = ["id", "insured", "name", *_ORIGIN]
        read_only_fields = fields


class ActAliasSerializer(serializers.ModelSerializer[ActAlias]):
    act = ActReferenceSerializer(read_only=True)

    class Meta:
        model = ActAlias
        fields = ["id", "name", "act"]
        read_only_fields = fields


class ClaimReferenceSerializer(_NumberedSerializer):
    class Meta(_NumberedSerializer.Meta):
        model = Claim


class ClaimRevisionSerializer(serializers.ModelSerializer[ClaimRevision]):
    """An earlier version of a claim (DOMAIN §6). `before`: the claim and its lines before an import replaced them."""

    before = serializers.DictField(
        read_only=True,
        help_text=(
            "Columns of the claim and of each of its `lines` at that time: amounts as decimal strings, references "
            "as id (`partner_id`) and as the name at that time (`partner`)"
        ),
    )

    class Meta:
        model = ClaimRevision
        fields = ["id", "country", "claim", "number", "replaced_at", "replaced_by_session", "before"]
        read_only_fields = fields


class ClaimSerializer(RecordSerializer):
    url = serializers.HyperlinkedIdentityField(view_name="claim-detail")
    insured = InsuredReferenceSerializer(read_only=True)
    policy = PolicyReferenceSerializer(read_only=True)
    client = ClientReferenceSerializer(read_only=True, allow_null=True)
    partner = PartnerReferenceSerializer(read_only=True)

    class Meta:
        model = Claim
        fields = [
            "id",
            "url",
            "country",
            "number",
            "status",
            "settlement_date",
            "incident_date",
            "claimed_amount",
            "reimbursed_amount",
            "currency",
            "line_count",
            "insured",
            "policy",
            "client",
            "partner",
            *_ORIGIN,
        ]
        read_only_fields = fields


class ClaimLineSerializer(RecordSerializer):
    """One act of a claim, with the file, sheet and 1-based row from which it was read."""

    corrected = serializers.BooleanField(
        read_only=True, help_text="Whether cells of the row were corrected before it was imported"
    )
    act = ActReferenceSerializer(read_only=True, allow_null=True)
    category = ActCategoryReferenceSerializer(read_only=True)
    operator = OperatorReferenceSerializer(read_only=True, allow_null=True)
    invoice = InvoiceReferenceSerializer(read_only=True, allow_null=True)
    payment = PaymentReferenceSerializer(read_only=True, allow_null=True)

    class Meta:
        model = ClaimLine
        fields = [
            "id",
            "position",
            "status",
            "act",
            "category",
            "guarantee",
            "operator",
            "invoice",
            "payment",
            "incident_date",
            "settlement_date",
            "claimed_amount",
            "reimbursed_amount",
            "note",
            "file",
            "sheet",
            "row",
            "corrected",
            "import_session",
        ]
        read_only_fields = fields


class ClaimLineRecordSerializer(ClaimLineSerializer):
    """A claim line, with its claim."""

    claim = ClaimReferenceSerializer(read_only=True)

    class Meta(ClaimLineSerializer.Meta):
        fields = ["id", "claim", *ClaimLineSerializer.Meta.fields[1:]]
        read_only_fields = fields


class RecapPlaceSerializer(serializers.Serializer[Claim]):
    """The place in the recap that settles the claim."""

    file = FileReferenceSerializer(source="recap_file", allow_null=True)
    sheet = serializers.CharField(source="recap_sheet", allow_blank=True)
    row = serializers.IntegerField(source="recap_row", allow_null=True)
    corrected = serializers.BooleanField(
        source="recap_corrected", help_text="Whether cells of the row were corrected before it was imported"
    )


class ClaimDetailSerializer(ClaimSerializer):
    membership = MembershipSerializer(read_only=True)
    recap = RecapPlaceSerializer(source="*", read_only=True)
    lines = ClaimLineSerializer(many=True, read_only=True)

    class Meta(ClaimSerializer.Meta):
        fields = [*ClaimSerializer.Meta.fields, "membership", "recap", "lines"]
        read_only_fields = fields
