"""Webhooks: the JSON of responses and of request bodies."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from common.outgoing import LONGEST_URL
from notifications.models import EVENT_TYPES, WebhookAttempt, WebhookEndpoint, WebhookMessage
from users.serializers import CountryIdField, CountrySerializer

_EVENTS = [(event.value, event.label) for event in EVENT_TYPES]


class WebhookSerializer(serializers.ModelSerializer[WebhookEndpoint]):
    """`country` is null for a webhook of all countries."""

    country = CountrySerializer(read_only=True, allow_null=True)
    events = serializers.ListField(child=serializers.ChoiceField(choices=_EVENTS), read_only=True)

    class Meta:
        model = WebhookEndpoint
        fields = ["id", "name", "url", "events", "country", "state", "created_at", "former_secret_until"]
        read_only_fields = fields


class NewSecretSerializer(WebhookSerializer):
    """A webhook with its new secret, which no other answer contains."""

    secret = serializers.SerializerMethodField(help_text=_("For the verification of signatures: whsec_…"))

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]
        read_only_fields = fields

    def get_secret(self, endpoint: WebhookEndpoint) -> str:
        return str(self.context["secret"])


class WebhookFormSerializer(serializers.Serializer[Any]):
    """Only types and rough lengths: `notifications.services` checks the values for every caller."""

    name = serializers.CharField(max_length=200)
    url = serializers.CharField(max_length=LONGEST_URL, help_text="https://…, on the internet")
    events = serializers.ListField(child=serializers.CharField(max_length=40), max_length=20)


class NewWebhookFormSerializer(WebhookFormSerializer):
    country = CountryIdField(
        required=False,
        allow_null=True,
        help_text="Id of a country; all countries if empty. A territorial administrator has the own country only",
    )


class AttemptSerializer(serializers.ModelSerializer[WebhookAttempt]):
    """`status`: of the answer; null when there was none."""

    class Meta:
        model = WebhookAttempt
        fields = ["at", "result", "status", "milliseconds"]
        read_only_fields = fields


class MessageSerializer(serializers.ModelSerializer[WebhookMessage]):
    """`uid` is the header `webhook-id`; `body` the content, byte for byte. `log`: the attempts, the first one first."""

    import_session = serializers.IntegerField(source="session_number", read_only=True, allow_null=True)
    log = AttemptSerializer(many=True, read_only=True)

    class Meta:
        model = WebhookMessage
        fields = [
            "id",
            "uid",
            "event",
            "import_session",
            "state",
            "created_at",
            "due_at",
            "delivered_at",
            "body",
            "log",
        ]
        read_only_fields = fields
