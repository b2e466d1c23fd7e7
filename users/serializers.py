"""Accounts and countries: the JSON of responses and of request bodies."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from common.parsing import positive_int
from users.models import LONGEST_PASSWORD, Country, ImportMails, Language, Role, User

# A password typed to sign in is only compared: one set by `createsuperuser` may be longer than LONGEST_PASSWORD.
_LONGEST_TYPED = 4096


class CountrySerializer(serializers.ModelSerializer[Country]):
    """The short form of a country, inside other objects."""

    class Meta:
        model = Country
        fields = ["id", "code", "name", "currency_code", "currency_name"]
        read_only_fields = fields


class CountryDetailSerializer(serializers.ModelSerializer[Country]):
    class Meta:
        model = Country
        fields = [
            "id",
            "code",
            "name",
            "currency_code",
            "currency_name",
            "tolerance",
            "target_loss_ratio",
            "pooling_threshold",
            "is_active",
        ]
        read_only_fields = fields


class CountryFormSerializer(serializers.Serializer[None]):
    """Only types and rough lengths: `users.accounts.countries` checks the values for every caller."""

    name = serializers.CharField(max_length=200)
    code = serializers.CharField(max_length=10, help_text="ISO 3166 code, such as TG")
    currency_code = serializers.CharField(max_length=10, required=False, help_text="ISO 4217 code; XOF unless given")
    currency_name = serializers.CharField(max_length=100, required=False)
    tolerance = serializers.DecimalField(
        max_digits=18,
        decimal_places=2,
        required=False,
        help_text="In currency units, above zero. A difference between stat and recap of this amount or more is a gap",
    )
    target_loss_ratio = serializers.DecimalField(
        max_digits=6, decimal_places=4, required=False, help_text="Above 0, at most 10; 0.8 is 80 % and the default"
    )
    pooling_threshold = serializers.DecimalField(
        max_digits=18,
        decimal_places=2,
        required=False,
        allow_null=True,
        help_text="In currency units, above zero: what the pooled S/P counts of an insured in a year; null: no pooling",
    )


class AccountSerializer(serializers.ModelSerializer[User]):
    country = CountrySerializer(read_only=True, allow_null=True)

    class Meta:
        model = User
        fields = [
            "id",
            "username",
            "email",
            "first_name",
            "last_name",
            "role",
            "country",
            "language",
            "is_active",
            "date_joined",
            "last_login",
        ]
        read_only_fields = fields


class OwnAccountSerializer(AccountSerializer):
    """One's own account, with the choice of mails."""

    class Meta(AccountSerializer.Meta):
        fields = [*AccountSerializer.Meta.fields, "mail_imports", "mail_failures_only", "mail_daily"]
        read_only_fields = fields


class NameField(serializers.CharField):
    """A text; a number is refused, which the base class would turn into one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class ProfileFormSerializer(serializers.Serializer[None]):
    """The fields that people and their administrators change."""

    first_name = NameField(max_length=200, required=False, allow_blank=True)
    last_name = NameField(max_length=200, required=False, allow_blank=True)
    language = serializers.ChoiceField(
        choices=Language.choices, required=False, help_text="Language of e-mails to this person"
    )


class OwnProfileFormSerializer(ProfileFormSerializer):
    """The fields that people change of their own account."""

    mail_imports = serializers.ChoiceField(
        choices=ImportMails.choices, required=False, help_text="Of which imports a mail is sent when one ends"
    )
    mail_failures_only = serializers.BooleanField(required=False, help_text="Only when an import failed")
    mail_daily = serializers.BooleanField(required=False, help_text="A summary each morning")


class AccountChangeSerializer(ProfileFormSerializer):
    username = serializers.CharField(max_length=300, required=False)
    email = serializers.CharField(max_length=300, required=False)
    role = serializers.ChoiceField(choices=Role.choices, required=False, help_text="A role below your own")


class CountryIdField(serializers.PrimaryKeyRelatedField[Country]):
    """The id of a country that the caller may see. Any other id gets the same error as one that does not exist."""

    # Without the id, so that the two errors are identical.
    default_error_messages = {"does_not_exist": _("There is no such country.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=Country.objects.none(), **kwargs)

    def get_queryset(self) -> QuerySet[Country]:
        return Country.objects.visible_to(self.context["request"].user)

    def to_internal_value(self, data: Any) -> Country:
        if isinstance(data, int | str) and not isinstance(data, bool) and positive_int(str(data)) is None:
            self.fail("does_not_exist")
        country: Country = super().to_internal_value(data)
        return country


class AccountFormSerializer(ProfileFormSerializer):
    """A new account. It has no password: the owner chooses one by a link in a mail."""

    role = serializers.ChoiceField(choices=Role.choices, help_text="A role below your own")
    email = serializers.CharField(max_length=300)
    username = serializers.CharField(
        max_length=300, required=False, allow_blank=True, help_text="The e-mail address if empty"
    )
    country = CountryIdField(
        required=False,
        allow_null=True,
        help_text="Id of an active country; a territorial administrator can only give the own country",
    )


class AssignmentSerializer(serializers.Serializer[None]):
    country = CountryIdField(help_text="Id of an active country")


class AccountSheetSerializer(serializers.Serializer[None]):
    file = serializers.FileField(
        max_length=255,
        help_text=".xlsx or .csv with the columns first_name, last_name, email, role: at most 1 MB, 1,000 rows",
    )
    country = CountryIdField(required=False, allow_null=True, help_text="Id of the country of all accounts")


class PersonSerializer(serializers.Serializer[Any]):
    """One row of a sheet of accounts."""

    row = serializers.IntegerField(help_text="Row of the sheet, from 1")
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    email = serializers.CharField()
    role = serializers.CharField(help_text="Code of the role; empty when the cell contains no known role")
    problems = serializers.ListField(
        child=serializers.CharField(), help_text="Why no account can be created from this row"
    )
    account = serializers.IntegerField(
        source="account.pk", allow_null=True, default=None, help_text="Id of the account created"
    )


class PeopleSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="Rows that are not empty")
    valid = serializers.IntegerField(help_text="Rows without a problem")
    created = serializers.IntegerField(help_text="Accounts created")
    rows = PersonSerializer(many=True)


class LoginSerializer(serializers.Serializer[None]):
    username = serializers.CharField(max_length=254, help_text="User name or e-mail address, in upper or lower case")
    password = serializers.CharField(max_length=_LONGEST_TYPED, trim_whitespace=False, style={"input_type": "password"})


class SignedInSerializer(serializers.Serializer[dict[str, Any]]):
    token = serializers.CharField(help_text="For the header `Authorization: Token …`")
    expiry = serializers.DateTimeField(allow_null=True)
    user = OwnAccountSerializer()


class PasswordChangeSerializer(serializers.Serializer[None]):
    current_password = serializers.CharField(
        max_length=_LONGEST_TYPED, trim_whitespace=False, style={"input_type": "password"}
    )
    new_password = serializers.CharField(
        max_length=LONGEST_PASSWORD, trim_whitespace=False, style={"input_type": "password"}
    )


class PasswordResetSerializer(serializers.Serializer[None]):
    email = serializers.EmailField(max_length=254)


class PasswordSetSerializer(serializers.Serializer[None]):
    """`uid` and `token` are parameters of the link in the mail."""

    uid = serializers.CharField(max_length=64)
    token = serializers.CharField(max_length=128)
    new_password = serializers.CharField(
        max_length=LONGEST_PASSWORD, trim_whitespace=False, style={"input_type": "password"}
    )


class DetailSerializer(serializers.Serializer[None]):
    """An error: one sentence."""

    detail = serializers.CharField()
