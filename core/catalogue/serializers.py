"""Changes of the act catalogue: the JSON of requests and answers."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.parsing import LARGEST_ID
from core.models import ActAlias, ActCategoryAlias, Change

MOST_IDS = 200

DECISIONS = ["same", "different", "open"]


def _id(**more: Any) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=1, max_value=LARGEST_ID, **more)


def _ids(**more: Any) -> serializers.ListField:
    return serializers.ListField(child=_id(), min_length=1, max_length=MOST_IDS, **more)


class NameFormSerializer(serializers.Serializer[None]):
    name = serializers.CharField(max_length=1000)


class ActMergeFormSerializer(serializers.Serializer[None]):
    acts = _ids(help_text="Ids of the acts that become this one")


class CategoryMergeFormSerializer(serializers.Serializer[None]):
    categories = _ids(help_text="Ids of the act categories that become this one")


class CategoryFormSerializer(serializers.Serializer[None]):
    category = _id(help_text="Id of the act category")


class DecisionFormSerializer(serializers.Serializer[None]):
    decision = serializers.ChoiceField(
        choices=DECISIONS,
        help_text="`same` merges the two; `different` is remembered; `open` takes that back",
    )
    keep = _id(required=False, help_text="With `same`: the one that stays; the one with more lines unless named")


class ActDecisionFormSerializer(DecisionFormSerializer):
    acts = _ids(help_text="Ids of the two acts")


class CategoryDecisionFormSerializer(DecisionFormSerializer):
    categories = _ids(help_text="Ids of the two act categories")


class MovedSerializer(serializers.Serializer[Any]):
    """How many rows a change concerns; countries are counted and never named."""

    lines = serializers.IntegerField(help_text="Claim lines that move, or that show the new name")
    countries = serializers.IntegerField(help_text="Countries of these lines")
    aliases = serializers.IntegerField(help_text="Aliases that move, come or go")
    acts = serializers.IntegerField(help_text="Acts that are absorbed or get another category")
    categories = serializers.IntegerField(help_text="Act categories that are absorbed")


class CatalogueChangeSerializer(serializers.ModelSerializer[Change]):
    """A change of the catalogue. `id` and `at` are null for a preview, which changes nothing."""

    id = serializers.IntegerField(read_only=True, allow_null=True)
    at = serializers.DateTimeField(read_only=True, allow_null=True)
    subject = serializers.SerializerMethodField()
    moved = serializers.SerializerMethodField()
    details = serializers.SerializerMethodField()
    undone_by = serializers.SerializerMethodField()
    actor = serializers.CharField(source="actor_label", read_only=True)

    class Meta:
        model = Change
        fields = ["id", "kind", "subject", "at", "actor", "undone_at", "undone_by", "moved", "details"]
        read_only_fields = fields

    @extend_schema_field({"type": "integer", "nullable": True, "description": "Id of the act or category changed"})
    def get_subject(self, change: Change) -> int | None:
        return change.data.get("subject")

    @extend_schema_field(MovedSerializer)
    def get_moved(self, change: Change) -> dict[str, int]:
        return dict.fromkeys(MovedSerializer().fields, 0) | dict(change.data.get("moved", {}))

    @extend_schema_field({"type": "object", "additionalProperties": {}, "description": "Names before and after"})
    def get_details(self, change: Change) -> dict[str, Any]:
        return {name: value for name, value in change.data.items() if name not in ("subject", "moved")}

    @extend_schema_field({"type": "string", "nullable": True})
    def get_undone_by(self, change: Change) -> str | None:
        return change.undone_by.display_name() if change.undone_by else None


class OwnAliasSerializer(serializers.Serializer[ActAlias | ActCategoryAlias]):
    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(read_only=True)


class SideSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    lines = serializers.IntegerField(help_text="Claim lines of all countries")


class CandidateSerializer(serializers.Serializer[Any]):
    kept = SideSerializer(help_text="The one with more lines, which would stay")
    other = SideSerializer()
    similarity = serializers.DecimalField(max_digits=5, decimal_places=4)


class DecisionSerializer(serializers.Serializer[Any]):
    """`change`: the merge, where the answer was `same`."""

    decision = serializers.ChoiceField(choices=DECISIONS)
    change = CatalogueChangeSerializer(allow_null=True)


class CategoryUseSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    lines = serializers.IntegerField()


class UsageSerializer(serializers.Serializer[Any]):
    """Claim lines of the countries that the account sees. Of an act, by the categories that its lines have."""

    lines = serializers.IntegerField()
    acts = serializers.IntegerField(help_text="Of a category: the acts in it")
    categories = CategoryUseSerializer(many=True)
