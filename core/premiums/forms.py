"""The forms of premiums, for the pages. The services of this folder check and store the values."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core import signing
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.errors import Invalid, NotAllowed
from common.money import MarkMeaning, lone_mark_of, minor_units, parse_amount, to_decimal
from core.models import Client, Premium
from core.premiums import services
from core.premiums.from_sheet import Judged, clients_by_key, import_rows, key_of, preview, unknown_employer
from core.premiums.sheet import SheetRow
from core.premiums.uploads import ReadFile, read_upload
from users.accounts.forms import ServiceForm
from users.models import Country, User

_VALID_SECONDS = 60 * 60
# The names that the input of a client suggests.
MOST_SUGGESTED = 1_000


class _DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


def _day(label: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=_DayInput(), input_formats=["%Y-%m-%d", "%d/%m/%Y"])


class _Form(ServiceForm):
    """`actor`: the account that fills the form in; one that sees all countries names the country."""

    country = forms.ModelChoiceField(label=_("country"), queryset=Country.objects.none())

    def __init__(self, data: Any = None, files: Any = None, *, actor: User, **kwargs: Any) -> None:
        super().__init__(data, files, **kwargs)
        self.actor = actor
        if actor.sees_all_countries():
            self.fields["country"].queryset = Country.objects.visible_to(actor).filter(is_active=True).order_by("name")  # type: ignore[attr-defined]
        else:
            del self.fields["country"]

    def chosen_country(self) -> Country:
        """The country that was named, else the account's own. Raises NotAllowed without one."""
        country = self.cleaned_data.get("country") or self.actor.country
        if country is None:
            raise NotAllowed
        return country


class PremiumForm(_Form):
    """A premium. Its client is named as in a file, by its name; it is not offered for a premium that is there."""

    client = forms.CharField(
        label=_("client"),
        max_length=255,
        widget=forms.TextInput(attrs={"list": "clients", "size": 50, "autocomplete": "off"}),
        help_text=_("The name of the client, as the list of clients has it"),
    )
    amount = forms.CharField(
        label=_("amount"),
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text=_("For the whole time from the first to the last day"),
    )
    start = _day(_("first day"))
    end = _day(_("last day"))
    insured_count = forms.IntegerField(
        label=_("number of insured"), required=False, min_value=1, help_text=_("How many people it covers, if known")
    )
    note = forms.CharField(
        label=_("note"), required=False, max_length=services.LONGEST_NOTE, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, data: Any = None, *, actor: User, premium: Premium | None = None, initial: Any = None) -> None:
        if premium is not None:
            initial = {name: getattr(premium, name) for name in services.CHANGEABLE}
            initial["amount"] = _plain(premium.amount)
        super().__init__(data, actor=actor, initial=initial)
        self.premium = premium
        self.order_fields(["country", "client", *services.CHANGEABLE])
        if premium is not None:
            self.fields.pop("country", None)
            del self.fields["client"]

    def suggestions(self) -> list[str]:
        """Names of clients of the own country, for the input of the client."""
        country_id = self.actor.working_country_id()
        if "client" not in self.fields or country_id is None:
            return []
        rows = Client.objects.visible_to(self.actor).filter(country_id=country_id).order_by("name")
        return list(rows.values_list("name", flat=True)[:MOST_SUGGESTED])

    def saved(self) -> Premium | None:
        """The stored premium; None when the form or the service refuses, with the reasons in the form's errors."""
        saved = None
        if self.is_valid():
            with self.show_refusals():
                saved = self._save()
        return saved

    def _save(self) -> Premium:
        values = {name: self.cleaned_data[name] for name in services.CHANGEABLE}
        country = self.premium.country if self.premium is not None else self.chosen_country()
        problems: dict[str, list[str]] = {}
        values["amount"] = read_amount(values["amount"], country.currency_code)
        if values["amount"] is None:
            problems["amount"] = [gettext("This is no amount. Write it as 1250000 or 1 250 000.")]
        client: Client | None = None
        if self.premium is None:
            clients = clients_by_key(country)
            client = clients.get(key_of(self.cleaned_data["client"]))
            if client is None:
                problems["client"] = [unknown_employer(self.cleaned_data["client"], clients)]
        if problems:
            raise Invalid(problems)
        if client is not None:
            return services.create_premium(actor=self.actor, client=client, **values)
        assert self.premium is not None
        return services.change_premium(actor=self.actor, premium=self.premium, **values)


def read_amount(text: str, currency: str) -> Decimal | None:
    """An amount as a person types it. One mark before three digits parts thousands where the currency has no decimals,
    else it is unreadable (DOMAIN §4).
    """
    has_thousands = bool(lone_mark_of(text)) and minor_units(currency) == 0
    cents = parse_amount(text, lone_mark=MarkMeaning.THOUSANDS if has_thousands else None)
    return None if cents is None else to_decimal(cents)


def _plain(amount: Decimal) -> str:
    return f"{amount:f}".removesuffix(".00")


class PremiumFileForm(_Form):
    """A file of premiums and their country; or `signed_rows`, the rows of a previewed file.

    Between the two, the page holds the rows as a signed text: the server stores nothing, and the rows imported are the
    rows previewed.
    """

    file = forms.FileField(
        label=_("file"),
        max_length=255,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".xlsx,.xls,.csv"}),
        help_text=_("An Excel workbook (.xlsx, .xls) or .csv, with one premium in each row"),
    )
    signed_rows = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, files: Any = None, *, actor: User) -> None:
        super().__init__(data, files, actor=actor)
        if self.data.get("signed_rows"):
            self.fields["file"].required = False
            if "country" in self.fields:
                self.fields["country"].required = False

    def judged(self) -> tuple[Judged | None, str]:
        """The rows: of a new file the preview and the file as a signed text, of a previewed file what became of them
        and "". None when the file is refused; the reasons are in the form's errors.
        """
        if not self.is_valid():
            return None, ""
        judged, signed = None, ""
        with self.show_refusals():
            if self.cleaned_data["signed_rows"]:
                read = load_rows(actor=self.actor, text=self.cleaned_data["signed_rows"])
                judged = import_rows(actor=self.actor, country=read.country, file_name=read.file_name, rows=read.rows)
            else:
                read = read_upload(upload=self.cleaned_data["file"], country=self.chosen_country())
                judged = preview(actor=self.actor, country=read.country, file_name=read.file_name, rows=read.rows)
                signed = sign_rows(actor=self.actor, read=read)
        return judged, signed


def sign_rows(*, actor: User, read: ReadFile) -> str:
    """The file as a signed text, valid for `actor` only."""
    rows = [[_as_json(value) for value in asdict(row).values()] for row in read.rows]
    content = {"country": read.country.pk, "file": read.file_name, "rows": rows}
    return signing.dumps(content, salt=_salt(actor), compress=True)


def load_rows(*, actor: User, text: str) -> ReadFile:
    """The file that `sign_rows` signed. Raises Invalid for "file" for a wrong signature or one older than an hour."""
    try:
        content = signing.loads(text, salt=_salt(actor), max_age=_VALID_SECONDS)
    except signing.BadSignature:
        raise Invalid({"file": [gettext("The preview of this file has expired. Choose the file again.")]}) from None
    country = Country.objects.visible_to(actor).filter(pk=content["country"]).first()
    if country is None:
        raise Invalid({"country": [gettext("This country is not active.")]})
    rows = [
        SheetRow(sheet, row, employer, cents, _date(start), _date(end), count, problems)
        for sheet, row, employer, cents, start, end, count, problems in content["rows"]
    ]
    return ReadFile(country, content["file"], rows)


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _salt(actor: User) -> str:
    return f"core.premium-file.{actor.pk}"
