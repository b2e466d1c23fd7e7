"""The JSON of the reporting currency and its rates."""

from typing import Any

from rest_framework import serializers

from core.currencies.services import OUTCOMES
from core.currencies.values import DECIMALS
from core.models import ExchangeRate

_MEANING = "Units of the currency for one unit of the reporting currency: 655.957 for XOF where that is EUR"


class RateField(serializers.DecimalField):
    """A number without trailing zeros, as a string."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", _MEANING)
        super().__init__(max_digits=24, decimal_places=DECIMALS, **kwargs)

    def to_representation(self, value: Any) -> str:
        return f"{value.normalize():f}"


class RateSerializer(serializers.ModelSerializer[ExchangeRate]):
    rate = RateField(read_only=True)
    author = serializers.SerializerMethodField(help_text="Who entered it last; empty for a deleted account")

    class Meta:
        model = ExchangeRate
        fields = ["id", "base", "currency", "rate", "author", "file_name", "row", "changed_at"]
        read_only_fields = fields

    def get_fields(self) -> dict[str, Any]:
        return _with_from(super().get_fields(), read_only=True)

    def get_author(self, row: ExchangeRate) -> str:
        return row.author.display_name() if row.author else ""


def _with_from(fields: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The fields with `from`, which is no name that a class can give to an attribute, before the rate."""
    found: dict[str, Any] = {}
    for name, field in fields.items():
        if name == "rate":
            found["from"] = serializers.DateField(source="start", help_text="The first day of the rate", **options)
        found[name] = field
    return found


class RateFormSerializer(serializers.Serializer[None]):
    """Only types: `core.currencies.services` checks the values for every caller."""

    currency = serializers.CharField(max_length=10, help_text="ISO 4217 code")
    rate = RateField()

    def get_fields(self) -> dict[str, Any]:
        return _with_from(super().get_fields())


class ReportingCurrencySerializer(serializers.Serializer[Any]):
    currency = serializers.CharField(allow_null=True, help_text="ISO 4217 code; null: amounts are not consolidated")
    fixed = serializers.ListField(
        child=serializers.CharField(), help_text="The rates to it that are fixed and need not be typed"
    )


class ReportingCurrencyFormSerializer(serializers.Serializer[None]):
    currency = serializers.CharField(max_length=10, allow_null=True, allow_blank=True, help_text="Null removes it")


class RateSheetSerializer(serializers.Serializer[None]):
    file = serializers.FileField(
        max_length=255, help_text=".xlsx or .csv with the columns currency, from, rate: at most 1 MB, 5,000 rows"
    )


class RateRowSerializer(serializers.Serializer[Any]):
    """One row of a sheet."""

    row = serializers.IntegerField(help_text="Row of the sheet, from 1")
    outcome = serializers.ChoiceField(choices=OUTCOMES)
    currency = serializers.CharField(allow_blank=True)
    rate = RateField(allow_null=True)
    before = RateField(allow_null=True, help_text="The stored rate of that day")
    reasons = serializers.ListField(child=serializers.CharField(), help_text="Why the row is rejected")

    def get_fields(self) -> dict[str, Any]:
        return _with_from(super().get_fields(), allow_null=True)


class RateRowsSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    new = serializers.IntegerField()
    update = serializers.IntegerField()  # type: ignore[assignment]
    same = serializers.IntegerField()
    rejected = serializers.IntegerField()
    rows = RateRowSerializer(many=True)
