"""The review list in the API: pairs, what helps to judge them, and answers."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.families.serializers import RecordChangeSerializer
from core.models import ReviewDecision, ReviewPair, ReviewState
from core.review.facts import RecordFacts


class PairRecordSerializer(serializers.Serializer[None]):
    id = serializers.IntegerField()
    name = serializers.CharField()


class ReviewPairSerializer(serializers.ModelSerializer[ReviewPair]):
    """Two records with nearly the same name. `policy`: of two persons, the number of the policy that both have."""

    state = serializers.ChoiceField(choices=ReviewState.choices, read_only=True)
    policy = serializers.CharField(source="policy_number", read_only=True, allow_null=True)
    one = serializers.SerializerMethodField()
    other = serializers.SerializerMethodField()
    decision = serializers.SerializerMethodField()
    decided_by = serializers.CharField(source="decided_label", read_only=True)
    change = serializers.IntegerField(source="change_id", read_only=True, allow_null=True)

    class Meta:
        model = ReviewPair
        fields = [
            "id", "country", "kind", "state", "policy", "one", "other", "found_at", "import_session", "decision",
            "decided_at", "decided_by", "change",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field({"type": "string", "description": "`same`, `different`, or empty while the pair waits"})
    def get_decision(self, pair: ReviewPair) -> str:
        return pair.decision

    @extend_schema_field(PairRecordSerializer)
    def get_one(self, pair: ReviewPair) -> dict[str, Any] | None:
        return {"id": pair.one_id, "name": pair.one_name}

    @extend_schema_field(PairRecordSerializer)
    def get_other(self, pair: ReviewPair) -> dict[str, Any] | None:
        return {"id": pair.other_id, "name": pair.other_name}


class PairAmountsSerializer(serializers.Serializer[None]):
    currency = serializers.CharField()
    claimed = serializers.DecimalField(18, 2)
    reimbursed = serializers.DecimalField(18, 2)


class PairRoleSerializer(serializers.Serializer[None]):
    policy = serializers.CharField()
    role = serializers.CharField()
    principal = serializers.CharField(allow_blank=True)


class PairFileSerializer(serializers.Serializer[None]):
    id = serializers.IntegerField()
    name = serializers.CharField()


class RecordFactsSerializer(serializers.Serializer[RecordFacts]):
    """What helps to judge: names, claims, amounts by currency, dates; of a person the card and the roles."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    other_names = serializers.ListField(child=serializers.CharField())
    card_number = serializers.CharField(allow_blank=True)
    is_deduced = serializers.BooleanField()
    address = serializers.CharField(allow_blank=True)
    partner_country = serializers.CharField(allow_blank=True)
    claims = serializers.IntegerField()
    policies = serializers.IntegerField()
    amounts = PairAmountsSerializer(many=True)
    first_settlement_date = serializers.DateField(allow_null=True)
    last_settlement_date = serializers.DateField(allow_null=True)
    roles = PairRoleSerializer(many=True)
    files = serializers.SerializerMethodField()

    @extend_schema_field(PairFileSerializer(many=True))
    def get_files(self, facts: RecordFacts) -> list[dict[str, Any]]:
        return [{"id": id_, "name": name} for id_, name in facts.files]


class ReviewPairDetailSerializer(ReviewPairSerializer):
    """A pair with what helps to judge it. A record that is not there is null. `suggested`: the record that stays."""

    one = serializers.SerializerMethodField()
    other = serializers.SerializerMethodField()
    suggested = serializers.SerializerMethodField()

    class Meta(ReviewPairSerializer.Meta):
        fields = [*ReviewPairSerializer.Meta.fields, "suggested"]
        read_only_fields = fields

    def _facts(self, id_: int) -> dict[str, Any] | None:
        facts = self.context["facts"].get(id_)
        return None if facts is None else dict(RecordFactsSerializer(facts).data)

    @extend_schema_field(RecordFactsSerializer(allow_null=True))
    def get_one(self, pair: ReviewPair) -> dict[str, Any] | None:
        return self._facts(pair.one_id)

    @extend_schema_field(RecordFactsSerializer(allow_null=True))
    def get_other(self, pair: ReviewPair) -> dict[str, Any] | None:
        return self._facts(pair.other_id)

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_suggested(self, pair: ReviewPair) -> int | None:
        suggested: int | None = self.context["suggested"]
        return suggested


class PairDecisionSerializer(serializers.Serializer[None]):
    decision = serializers.ChoiceField(choices=ReviewDecision.choices)
    keep = serializers.IntegerField(
        min_value=1, max_value=2**63 - 1, required=False, allow_null=True,
        help_text="Of records that are the same: the id of the one that stays. By default the one with more claims",
    )  # fmt: skip


class DecidedPairSerializer(ReviewPairSerializer):
    """The answered pair, with the merge where its records are the same."""

    merge = serializers.SerializerMethodField()

    class Meta(ReviewPairSerializer.Meta):
        fields = [*ReviewPairSerializer.Meta.fields, "merge"]
        read_only_fields = fields

    @extend_schema_field(RecordChangeSerializer(allow_null=True))
    def get_merge(self, pair: ReviewPair) -> dict[str, Any] | None:
        change = self.context["change"]
        return None if change is None else dict(RecordChangeSerializer(change).to_representation(change))
