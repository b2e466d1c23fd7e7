"""The forms of accounts and countries, for pages and admin. The services of this folder check and store the values."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.errors import Conflict, Invalid, NotAllowed
from users.accounts import countries, deactivations, services
from users.models import Country, CountryDeactivation, ImportMails, Language, Role, User


class ServiceForm(forms.Form):
    """A form whose values are checked by the service function that stores them."""

    def save(self) -> Any:
        """Store the values by a service function; → the row. Raises Invalid, NotAllowed."""
        raise NotImplementedError

    def saved(self) -> Any:
        """The stored row; None when the form or the service refuses, with the reasons in the form's errors."""
        row = None
        if self.is_valid():
            with self.show_refusals(), transaction.atomic():
                row = self.save()
        return row

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
            self.add_error(None, str(refused) or gettext("Access denied"))
        except Conflict as refused:
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
        self.actor, self.account = actor, account
        roles = services.assignable_roles(actor)
        self.fields["role"].choices = [(role.value, role.label) for role in Role if role in roles]  # type: ignore[attr-defined]
        if services.may_move(actor):
            self.fields["country"].queryset = Country.objects.visible_to(actor)  # type: ignore[attr-defined]
        else:
            del self.fields["country"]

    def save(self) -> User:
        """Create the account, or change it and its country. Raises Invalid, NotAllowed."""
        values = dict(self.cleaned_data)
        if self.account is None:
            return services.create_account(actor=self.actor, **values)
        country = values.pop("country", self.account.country)
        account = services.update_account(actor=self.actor, account=self.account, **values)
        # The new role has no country, so `update_account` removed it; the form still contains the old one.
        lost_country = account.country_id is None and country == self.account.country
        if services.may_move(self.actor) and country != account.country and not lost_country:
            account = services.move_account(actor=self.actor, account=account, country=country)
        return account


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
    target_loss_ratio = forms.DecimalField(
        label=_("target S/P"),
        max_digits=6,
        decimal_places=4,
        required=False,
        help_text=_("Reimbursed amount that is meant to go on each unit of earned premium: 0.8 is 80 %"),
    )
    pooling_threshold = forms.DecimalField(
        label=_("pooling threshold"),
        max_digits=18,
        decimal_places=2,
        required=False,
        help_text=_(
            "In currency units. The pooled S/P counts each insured person up to this amount in a year of the premium;"
            " empty: no pooling"
        ),
    )

    def __init__(self, data: Any = None, *, actor: User, country: Country | None = None) -> None:
        shown = country or Country()
        super().__init__(data, initial={name: getattr(shown, name) for name in self.base_fields})
        self.actor, self.country = actor, country

    def save(self) -> Country:
        """Create or change the country. An empty target leaves it as it is. Raises Invalid, NotAllowed."""
        values = dict(self.cleaned_data)
        if values["target_loss_ratio"] is None:
            del values["target_loss_ratio"]
        if self.country is None:
            return countries.create_country(actor=self.actor, **values)
        return countries.update_country(actor=self.actor, country=self.country, **values)


class DeactivationForm(ServiceForm):
    """Asks for the deactivation of a country. `country`: the one of the page; None: the form offers the active ones."""

    country = forms.ModelChoiceField(label=_("country"), queryset=Country.objects.none())
    reason = forms.CharField(
        label=_("reason"),
        max_length=deactivations.LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The other global administrators read it before they vote"),
    )

    def __init__(self, data: Any = None, *, actor: User, country: Country | None = None) -> None:
        super().__init__(data)
        self.actor, self.about = actor, country
        if country is None:
            active = Country.objects.visible_to(actor).filter(is_active=True)
            self.fields["country"].queryset = active  # type: ignore[attr-defined]
        else:
            del self.fields["country"]

    def save(self) -> CountryDeactivation:
        """Raises Invalid, NotAllowed, Conflict."""
        country = self.about or self.cleaned_data["country"]
        return deactivations.ask(actor=self.actor, country=country, reason=self.cleaned_data["reason"])


class DeactivationVoteForm(ServiceForm):
    """A vote on a request. The reason and the state are shown beside it."""

    reason = forms.CharField(label=_("reason"), disabled=True, required=False, widget=forms.Textarea(attrs={"rows": 3}))
    state = forms.CharField(label=_("state"), disabled=True, required=False)
    vote = forms.ChoiceField(
        label=_("your vote"),
        choices=[(deactivations.APPROVE, _("approve")), (deactivations.REJECT, _("reject"))],
        widget=forms.RadioSelect,
    )

    def __init__(self, data: Any = None, *, actor: User, request: CountryDeactivation) -> None:
        super().__init__(data, initial={"reason": request.reason, "state": request.get_status_display()})
        self.actor, self.request = actor, request

    def save(self) -> CountryDeactivation:
        """Raises NotAllowed, Conflict."""
        return deactivations.vote(actor=self.actor, request=self.request, choice=self.cleaned_data["vote"])


class ProfileForm(ServiceForm):
    """What people change of their own account. `reads_imports`: whether it may see imports and get mails of them."""

    first_name = forms.CharField(
        label=_("first name"),
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    last_name = forms.CharField(
        label=_("last name"),
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    language = forms.ChoiceField(
        label=_("language"),
        choices=Language.choices,
        help_text=_("Language of the pages after sign-in, and of e-mails"),
    )
    mail_imports = forms.ChoiceField(
        label=_("e-mail at the end"),
        choices=ImportMails.choices,
        help_text=_("When an import ends, waits for somebody or is reverted"),
    )
    mail_failures_only = forms.BooleanField(label=_("only when an import failed"), required=False)
    mail_daily = forms.BooleanField(
        label=_("a summary each morning"),
        required=False,
        help_text=_("Of all imports of the day before that you may see, if there are any"),
    )

    def __init__(self, data: Any = None, *, account: User, reads_imports: bool) -> None:
        super().__init__(data, initial={name: getattr(account, name) for name in services.OWN_PROFILE})
        self.account = account
        if not reads_imports:
            for name in services.MAIL_CHOICES:
                del self.fields[name]

    def save(self) -> User:
        """Change the account. Raises Invalid."""
        return services.update_own_profile(account=self.account, **self.cleaned_data)
