"""JSON of converters."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from common.outgoing import LONGEST_URL
from file_handling.models import Converter


class ConverterSerializer(serializers.ModelSerializer[Converter]):
    extensions = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Converter
        fields = ["id", "name", "extensions", "url", "megabytes", "seconds", "version", "is_active", "created_at"]
        read_only_fields = fields


class NewConverterSecretSerializer(ConverterSerializer):
    """A converter with its new secret, which no other answer contains."""

    secret = serializers.SerializerMethodField(help_text=_("For the verification of signatures: whsec_…"))

    class Meta(ConverterSerializer.Meta):
        fields = [*ConverterSerializer.Meta.fields, "secret"]
        read_only_fields = fields

    def get_secret(self, converter: Converter) -> str:
        return str(self.context["secret"])


class ConverterFormSerializer(serializers.Serializer[Any]):
    """Only types and rough lengths: `services` checks the values for every caller."""

    name = serializers.CharField(max_length=200)
    extensions = serializers.ListField(
        child=serializers.CharField(max_length=20), max_length=20, help_text="Such as ods, without the dot"
    )
    url = serializers.CharField(max_length=LONGEST_URL, help_text="https://…, on the internet")
    megabytes = serializers.IntegerField(
        required=False, min_value=1, max_value=10_000, help_text="Size of the largest answer that is accepted"
    )
    seconds = serializers.IntegerField(
        required=False, min_value=1, max_value=10_000, help_text="Time of the whole call for one file"
    )
    is_active = serializers.BooleanField(required=False)
