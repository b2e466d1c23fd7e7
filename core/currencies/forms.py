"""The forms of the reporting currency, of a rate and of a sheet of rates."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core import signing
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.errors import Invalid
from core.currencies import services
from core.currencies.services import RateRow
from core.currencies.sheet import HEADERS, read_rates
from core.currencies.values import parse_rate
from core.models import ExchangeRate, ReportingCurrency
from users.accounts.forms import ServiceForm
from users.accounts.sheet import SheetRow
from users.models import User

_VALID_SECONDS = 60 * 60


class ReportingCurrencyForm(ServiceForm):
    """The reporting currency; `row`: the setting as it is, where there is one."""

    currency = forms.CharField(label=_("currency"), max_length=3, help_text=_("ISO 4217 code, such as EUR"))

    def __init__(self, data: Any = None, *, actor: User, row: ReportingCurrency | None = None) -> None:
        super().__init__(data, initial={"currency": row.currency if row else ""})
        self.actor = actor

    def save(self) -> ReportingCurrency:
        """Raises Invalid, NotAllowed."""
        services.set_reporting_currency(actor=self.actor, currency=self.cleaned_data["currency"])
        return ReportingCurrency.objects.get()


class RateForm(ServiceForm):
    """A new rate of the present reporting currency, or `row`, which it changes."""

    currency = forms.CharField(label=_("currency"), max_length=3, help_text=_("ISO 4217 code, such as GNF"))
    start = forms.DateField(label=_("from"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    rate = forms.CharField(
        label=_("rate"),
        max_length=30,
        help_text=_("How many units of this currency one unit of the reporting currency costs from that day on"),
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )

    def __init__(self, data: Any = None, *, actor: User, row: ExchangeRate | None = None) -> None:
        initial = {}
        if row is not None:
            initial = {"currency": row.currency, "start": row.start, "rate": f"{row.rate.normalize():f}"}
        super().__init__(data, initial=initial)
        self.actor, self.row = actor, row

    def clean_rate(self) -> Any:
        rate = parse_rate(self.cleaned_data["rate"])
        if rate is None:
            raise forms.ValidationError(gettext("Give a number above zero."))
        return rate

    def save(self) -> ExchangeRate:
        """Raises Invalid, NotAllowed, Conflict."""
        values = self.cleaned_data
        try:
            if self.row is None:
                return services.create_rate(actor=self.actor, **values)
            return services.update_rate(actor=self.actor, row=self.row, **values)
        except Invalid as refused:
            # The API's name of this field is no name of a Python attribute.
            raise Invalid(
                {"start" if name == "from" else name: reasons for name, reasons in refused.errors.items()}
            ) from refused


class RateSheetForm(ServiceForm):
    """A sheet of rates; or `signed_rows`, the rows of a previewed sheet."""

    file = forms.FileField(
        label=_("file"),
        max_length=255,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".xlsx,.csv"}),
        help_text=_(
            "An Excel workbook (.xlsx) or .csv with the columns currency, from and rate: at most 1 MB and 5,000 rows"
        ),
    )
    signed_rows = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, files: Any = None, *, actor: User) -> None:
        super().__init__(data, files)
        self.actor = actor
        self.fields["file"].required = not self.data.get("signed_rows")

    def rows(self) -> tuple[list[RateRow] | None, str]:
        """Of a new sheet the preview, and the sheet as a signed text; of a previewed one the stored rows, and "". None
        when the sheet is refused; the reasons are in the form's errors.
        """
        if not self.is_valid():
            return None, ""
        found, signed = None, ""
        with self.show_refusals():
            if self.cleaned_data["signed_rows"]:
                name, rows = _load(self.actor, self.cleaned_data["signed_rows"])
                found = services.import_rows(actor=self.actor, rows=rows, file_name=name)
            else:
                file = self.cleaned_data["file"]
                rows = read_rates(name=file.name or "", content=file.file)
                found = services.preview(actor=self.actor, rows=rows)
                signed = _sign(self.actor, file.name or "", rows)
        return found, signed


def _sign(actor: User, name: str, rows: list[SheetRow]) -> str:
    content = [name, [[row.row, *(row.cells[field] for field in HEADERS)] for row in rows]]
    return signing.dumps(content, salt=_salt(actor), compress=True)


def _load(actor: User, text: str) -> tuple[str, list[SheetRow]]:
    try:
        name, rows = signing.loads(text, salt=_salt(actor), max_age=_VALID_SECONDS)
    except signing.BadSignature:
        raise Invalid({"file": [gettext("The preview of this file has expired. Choose the file again.")]}) from None
    return name, [SheetRow(row=at, cells=dict(zip(HEADERS, cells, strict=True))) for at, *cells in rows]


def _salt(actor: User) -> str:
    return f"core.rate-sheet.{actor.pk}"
