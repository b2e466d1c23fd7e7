"""The forms of accounts and countries in the admin. The services of this folder check the values."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.errors import Invalid, NotAllowed
from users.accounts import services
from users.models import Country, Language, Role, User


class ServiceForm(forms.Form):
    """A form whose values are checked by the service function that stores them."""

    @contextmanager
    def show_refusals(self) -> Iterator[None]:
        """Add the errors of the service function called inside to the fields that the errors name."""
        try:
            yield
        except Invalid as refused:
            for field, reasons in refused.errors.items():
                for reason in reasons:
                    self.add_error(field if field in self.fields else None, reason)
        except NotAllowed as refused:
            self.add_error(None, str(refused))


class AccountForm(ServiceForm):
    """An account. `actor` may choose the roles below their own, and a country if they may assign countries."""

    email = forms.EmailField(label=_("e-mail address"), max_length=254, widget=forms.EmailInput(attrs={"size": 40}))
    username = forms.CharField(
        label=_("user name"), max_length=150, required=False, help_text=_("The e-mail address if empty")
    )
    first_name = forms.CharField(label=_("first name"), max_length=150, required=False)
    last_name = forms.CharField(label=_("last name"), max_length=150, required=False)
    role = forms.ChoiceField(label=_("role"))
    country = forms.ModelChoiceField(
        label=_("country"), queryset=Country.objects.none(), required=False, empty_label=_("none")
    )
    language = forms.ChoiceField(
        label=_("language"), choices=Language.choices, help_text=_("Language of e-mails to this person")
    )

    def __init__(self, data: Any = None, *, actor: User, account: User | None = None) -> None:
        initial = {"language": actor.language}
        if account is not None:
            initial = {name: getattr(account, name) for name in (*services.CHANGEABLE, "country")}
        super().__init__(data, initial=initial)
        roles = services.assignable_roles(actor)
        self.fields["role"].choices = [(role.value, role.label) for role in Role if role in roles]  # type: ignore[attr-defined]
        if services.may_move(actor):
            self.fields["country"].queryset = Country.objects.visible_to(actor)  # type: ignore[attr-defined]
        else:
            del self.fields["country"]


class CountryForm(ServiceForm):
    name = forms.CharField(label=_("name"), max_length=100)
    code = forms.CharField(label=_("code"), max_length=3, help_text=_("ISO 3166 code, such as TG"))
    currency_code = forms.CharField(label=_("currency code"), max_length=3, help_text=_("ISO 4217 code, such as XOF"))
    currency_name = forms.CharField(label=_("currency name"), max_length=50)
    tolerance = forms.DecimalField(
        label=_("tolerance"),
        max_digits=18,
        decimal_places=2,
        help_text=_("In currency units. A difference between stat and recap of this amount or more is a gap"),
    )

    def __init__(self, data: Any = None, *, country: Country | None = None) -> None:
        shown = country or Country()
        super().__init__(data, initial={name: getattr(shown, name) for name in self.base_fields})
