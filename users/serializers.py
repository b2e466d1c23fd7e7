"""Accounts and countries as the API shows them."""

from typing import Any

from rest_framework import serializers

from users.models import Country, User


class CountrySerializer(serializers.ModelSerializer[Country]):
    class Meta:
        model = Country
        fields = ["id", "code", "name", "currency_code", "currency_name"]
        read_only_fields = fields


class AccountSerializer(serializers.ModelSerializer[User]):
    country = CountrySerializer(read_only=True, allow_null=True)

    class Meta:
        model = User
        fields = ["id", "username", "email", "first_name", "last_name", "role", "country"]
        read_only_fields = fields


class LoginSerializer(serializers.Serializer[None]):
    username = serializers.CharField(max_length=254, help_text="Username or e-mail address, in any case")
    password = serializers.CharField(max_length=4096, trim_whitespace=False, style={"input_type": "password"})


class SignedInSerializer(serializers.Serializer[dict[str, Any]]):
    token = serializers.CharField(help_text="For the header `Authorization: Token …`")
    expiry = serializers.DateTimeField(allow_null=True)
    user = AccountSerializer()


class DetailSerializer(serializers.Serializer[None]):
    """What every error says: one sentence."""

    detail = serializers.CharField()
