"""Premiums in the API. Amounts are decimal strings in the currency of the premium."""

from typing import Any

from rest_framework import serializers

from common.parsing import LARGEST_ID
from core.models import Premium, PremiumRevision
from core.premiums.from_sheet import RowStatus
from core.premiums.services import LONGEST_NOTE, MOST_INSURED
from core.serializers import ClientReferenceSerializer
from users.models import User


class AuthorSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ["id", "username"]
        read_only_fields = fields


class PremiumSerializer(serializers.ModelSerializer[Premium]):
    """A premium. `file_name`, `sheet` and `row`: where it was read from; empty for a premium that was typed."""

    client = ClientReferenceSerializer(read_only=True)
    author = AuthorSerializer(read_only=True, allow_null=True)

    class Meta:
        model = Premium
        fields = [
            "id", "country", "client", "amount", "currency", "start", "end", "insured_count", "note",
            "file_name", "sheet", "row", "author", "created_at", "changed_at",
        ]  # fmt: skip
        read_only_fields = fields


class PremiumChangeSerializer(serializers.Serializer[None]):
    """The values of a premium that can be changed. Its client stays."""

    amount = serializers.DecimalField(
        max_digits=14, decimal_places=2, help_text="More than 0, in the currency of the country"
    )
    start = serializers.DateField(help_text="First day, included")
    end = serializers.DateField(help_text="Last day, included. Premiums of one client do not overlap")
    insured_count = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=MOST_INSURED, help_text="How many people it covers"
    )
    note = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_NOTE)


class PremiumFormSerializer(PremiumChangeSerializer):
    """A new premium. Its country and its currency are those of the client."""

    client = serializers.IntegerField(min_value=1, help_text="Id of the client")


class PremiumRevisionSerializer(serializers.ModelSerializer[PremiumRevision]):
    """One change of a premium. `before` is null for a new premium, `after` for a deleted one."""

    class Meta:
        model = PremiumRevision
        fields = ["id", "premium_id", "client_id", "at", "actor", "actor_label", "before", "after"]
        read_only_fields = fields


class PremiumUndoSerializer(serializers.Serializer[None]):
    change = serializers.IntegerField(
        min_value=1, max_value=LARGEST_ID, help_text="Id of the newest change in the history"
    )


class UndonePremiumSerializer(serializers.Serializer[Any]):
    premium = PremiumSerializer(allow_null=True, help_text="As it is now; null for one that was entered and goes again")


class PremiumFileSerializer(serializers.Serializer[None]):
    file = serializers.FileField(help_text="A workbook (.xlsx, .xls) or .csv with one premium in each row")
    country = serializers.CharField(
        required=False, help_text="Id or code; required for an account without a country of its own"
    )


class PremiumRowSerializer(serializers.Serializer[Any]):
    """One row of a file of premiums and what an import does with it."""

    sheet = serializers.CharField(source="read.sheet", allow_blank=True, help_text="Empty for CSV")
    row = serializers.IntegerField(source="read.row", help_text="As a spreadsheet shows it")
    status = serializers.ChoiceField(
        choices=RowStatus.choices,
        help_text="`update`: a premium of the same client and period has another amount or headcount",
    )
    reasons = serializers.ListField(child=serializers.CharField(), help_text="Why the row is rejected: every reason")
    employer = serializers.CharField(source="read.employer", allow_blank=True, help_text="As the file has it")
    client = ClientReferenceSerializer(allow_null=True, help_text="Null for an unknown employer")
    amount = serializers.DecimalField(max_digits=18, decimal_places=2, allow_null=True)
    amount_before = serializers.DecimalField(
        max_digits=18, decimal_places=2, allow_null=True, help_text="The amount of the premium that is there"
    )
    start = serializers.DateField(source="read.start", allow_null=True)
    end = serializers.DateField(source="read.end", allow_null=True)
    insured_count = serializers.IntegerField(source="read.insured_count", allow_null=True)
    premium = serializers.IntegerField(
        source="premium.pk", allow_null=True, default=None, help_text="Id of the premium of this client and period"
    )


class PremiumRowsSerializer(serializers.Serializer[Any]):
    """The rows of a file of premiums, and how many of them have each status."""

    country = serializers.IntegerField(source="country.pk")
    currency = serializers.CharField(source="country.currency_code")
    file_name = serializers.CharField()
    count = serializers.SerializerMethodField(help_text="Number of rows")
    new = serializers.IntegerField(source="counts.new")
    update = serializers.IntegerField(source="counts.update")  # type: ignore[assignment]
    same = serializers.IntegerField(source="counts.same")
    rejected = serializers.IntegerField(source="counts.rejected")
    rows = PremiumRowSerializer(many=True)

    def get_count(self, judged: Any) -> int:
        return len(judged.rows)
