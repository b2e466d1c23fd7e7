"""JSON of families and of corrections of persons."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.parsing import LARGEST_ID
from core.changes import objection_to_undo
from core.families.merging import MOST_AT_ONCE
from core.filters import family_of
from core.models import Change, Membership
from core.serializers import (
    ClientReferenceSerializer,
    InsuredReferenceSerializer,
    MembershipSerializer,
    PlanReferenceSerializer,
    PolicyReferenceSerializer,
    RecordSerializer,
)


class PasswordSerializer(serializers.Serializer[Any]):
    """One's own password confirms the change. A preview (`?dry_run=true`) needs none."""

    password = serializers.CharField(required=False, default="", allow_blank=True, trim_whitespace=False)


class PeopleMergeSerializer(PasswordSerializer):
    insured = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST_ID), allow_empty=False, max_length=MOST_AT_ONCE
    )


class PeopleSplitSerializer(PasswordSerializer):
    """The record to split off, the merge that joined it, or both."""

    change = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    insured = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)


class NameChoiceSerializer(PasswordSerializer):
    name = serializers.CharField(max_length=1000)


class AttachSerializer(PasswordSerializer):
    principal = serializers.IntegerField(
        min_value=1, max_value=LARGEST_ID, help_text="Id of the insured who heads the family"
    )


class RoleSerializer(PasswordSerializer):
    role = serializers.CharField(max_length=20)
    principal = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, max_value=LARGEST_ID
    )


class RecordChangeSerializer(serializers.ModelSerializer[Any]):
    """A correction. `id` and `at` are null in a preview. `data`: names and counts, by kind."""

    id = serializers.IntegerField(read_only=True, allow_null=True)
    at = serializers.DateTimeField(read_only=True, allow_null=True)
    kind_name = serializers.CharField(source="get_kind_display", read_only=True)
    actor = serializers.CharField(source="actor_label", read_only=True)
    undone_by = serializers.SerializerMethodField()
    data = serializers.SerializerMethodField()  # type: ignore[assignment]

    class Meta:
        model = Change
        fields = ["id", "country", "kind", "kind_name", "actor", "at", "undone_at", "undone_by", "data"]
        read_only_fields = fields

    def get_undone_by(self, change: Change) -> str | None:
        return None if change.undone_by is None else change.undone_by.display_name()

    def get_data(self, change: Change) -> dict[str, Any]:
        return public_data(change)

    def to_representation(self, instance: Change) -> dict[str, Any]:
        shown = super().to_representation(instance)
        return shown if instance.pk is not None else {**shown, "id": None, "at": None}


class RecordChangeDetailSerializer(RecordChangeSerializer):
    """Also `objection`: why it cannot be undone now, as a sentence; empty when it can."""

    objection = serializers.SerializerMethodField()

    class Meta(RecordChangeSerializer.Meta):
        fields = [*RecordChangeSerializer.Meta.fields, "objection"]
        read_only_fields = fields

    def get_objection(self, change: Change) -> str:
        return objection_to_undo(change)


def public_data(change: Change) -> dict[str, Any]:
    """The details of a change without what only serves its undo."""
    return {
        name: [{key: one for key, one in part.items() if key != "steps"} for part in value]
        if name == "absorbed" and isinstance(value, list) and all(isinstance(part, dict) for part in value)
        else value
        for name, value in change.data.items()
    }


class FamilySerializer(RecordSerializer):
    """A family by the membership of its principal, whose id it has."""

    principal = InsuredReferenceSerializer(source="insured", read_only=True)
    policy = PolicyReferenceSerializer(read_only=True)
    client = ClientReferenceSerializer(read_only=True, allow_null=True)
    plan = PlanReferenceSerializer(read_only=True, allow_null=True)
    dependants = serializers.IntegerField(read_only=True)

    class Meta:
        model = Membership
        fields = ["id", "principal", "policy", "client", "plan", "dependants", "file", "import_session"]
        read_only_fields = fields


class FamilyDetailSerializer(FamilySerializer):
    members = serializers.SerializerMethodField()

    class Meta(FamilySerializer.Meta):
        fields = [*FamilySerializer.Meta.fields, "members"]
        read_only_fields = fields

    @extend_schema_field(MembershipSerializer(many=True))
    def get_members(self, head: Membership) -> list[dict[str, Any]]:
        members = family_of(head).select_related("insured", "principal", "policy", "client", "plan", "file")
        return list(MembershipSerializer(members.order_by("id"), many=True).data)
