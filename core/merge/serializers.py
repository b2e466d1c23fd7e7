"""Merges in the API."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.models import Change
from users.models import LONGEST_PASSWORD

_COUNTS = {"type": "object", "additionalProperties": {"type": "integer"}}


class MergeSerializer(serializers.ModelSerializer[Change]):
    """A merge, with what moved. `id` is null for a preview, which changes nothing."""

    id = serializers.IntegerField(source="pk", read_only=True, allow_null=True)
    actor = serializers.CharField(source="actor_label", read_only=True)
    kept = serializers.SerializerMethodField()
    absorbed = serializers.SerializerMethodField()
    moved = serializers.SerializerMethodField()

    class Meta:
        model = Change
        fields = ["id", "kind", "at", "actor", "undone_at", "kept", "absorbed", "moved"]
        read_only_fields = fields

    @extend_schema_field({"type": "integer", "description": "Id of the record that stays"})
    def get_kept(self, change: Change) -> int:
        return int(change.data["kept"])

    @extend_schema_field(
        {
            "type": "array",
            "items": {"type": "object", "additionalProperties": {}},
            "description": "Id, name and counts of each record that goes",
        }
    )
    def get_absorbed(self, change: Change) -> list[dict[str, Any]]:
        return [{name: value for name, value in one.items() if name != "steps"} for one in change.data["absorbed"]]

    @extend_schema_field(_COUNTS)
    def get_moved(self, change: Change) -> dict[str, int]:
        return moved_by(change)


def moved_by(change: Change) -> dict[str, int]:
    """What a merge moved: claims, lines, memberships, premiums, invoices and so on, as far as there are any."""
    return {name: value for name, value in change.data.items() if name != "kept" and isinstance(value, int)}


class MergeFormSerializer(serializers.Serializer[None]):
    """The records that go, and one's own password; a preview needs none."""

    password = serializers.CharField(
        required=False, allow_blank=True, default="", trim_whitespace=False, max_length=LONGEST_PASSWORD
    )


def _ids() -> Any:
    return serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        min_length=1,
        max_length=50,
        help_text="Ids of the records that go into this one",
    )


class ClientMergeFormSerializer(MergeFormSerializer):
    clients = _ids()


class PartnerMergeFormSerializer(MergeFormSerializer):
    partners = _ids()


class OperatorMergeFormSerializer(MergeFormSerializer):
    operators = _ids()
