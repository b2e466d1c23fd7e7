"""A sheet of accounts, for pages and admin: preview first, then import.

Between the two, the page holds the rows as a signed text: the server stores nothing, and the rows imported are the rows
previewed.
"""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core import signing
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.errors import Invalid
from users.accounts import from_sheet, services
from users.accounts.forms import ServiceForm
from users.accounts.sheet import HEADERS, SheetRow
from users.models import Country, User

_VALID_SECONDS = 60 * 60


@dataclass(frozen=True)
class Sheet:
    rows: list[SheetRow]
    country: Country | None


class AccountSheetForm(ServiceForm):
    """A sheet and the country of its accounts; or `signed_rows`, the rows of a previewed sheet."""

    file = forms.FileField(
        label=_("file"),
        max_length=255,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".xlsx,.csv"}),
        help_text=_(
            "An Excel workbook (.xlsx) or .csv with the columns first_name, last_name, email and role: at most 1 MB and"
            " 1,000 rows"
        ),
    )
    country = forms.ModelChoiceField(
        label=_("country"),
        queryset=Country.objects.none(),
        required=False,
        empty_label=_("none"),
        help_text=_("Country of all accounts in the file; global administrators have none"),
    )
    signed_rows = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, files: Any = None, *, actor: User) -> None:
        super().__init__(data, files)
        self.actor = actor
        self.fields["file"].required = not self.data.get("signed_rows")
        if services.may_move(actor):
            self.fields["country"].queryset = Country.objects.visible_to(actor).filter(is_active=True)  # type: ignore[attr-defined]
        else:
            del self.fields["country"]

    def people(self) -> tuple[list[from_sheet.Person] | None, str]:
        """The rows: of a new sheet the preview and the sheet as a signed text, of a previewed sheet the rows whose
        accounts are created now and "". None when the sheet is refused; the reasons are in the form's errors.
        """
        if not self.is_valid():
            return None, ""
        people, signed_rows = None, ""
        with self.show_refusals():
            sheet = self.sheet()
            run = from_sheet.create if self.is_previewed() else from_sheet.preview
            people = run(actor=self.actor, rows=sheet.rows, country=sheet.country)
            signed_rows = "" if self.is_previewed() else sign_rows(actor=self.actor, sheet=sheet)
        return people, signed_rows

    def is_previewed(self) -> bool:
        return bool(self.cleaned_data["signed_rows"])

    def sheet(self) -> Sheet:
        """Raises Invalid for "file", NotAllowed."""
        if self.is_previewed():
            return load_rows(actor=self.actor, text=self.cleaned_data["signed_rows"])
        rows = from_sheet.read(actor=self.actor, file=self.cleaned_data["file"])
        return Sheet(rows=rows, country=self.cleaned_data.get("country"))


def sign_rows(*, actor: User, sheet: Sheet) -> str:
    """The sheet as a signed text, valid for `actor` only."""
    rows = [[row.row, *(row.cells[name] for name in HEADERS)] for row in sheet.rows]
    content = {"country": sheet.country.pk if sheet.country else None, "rows": rows}
    return signing.dumps(content, salt=_salt(actor), compress=True)


def load_rows(*, actor: User, text: str) -> Sheet:
    """The sheet that `sign_rows` signed. Raises Invalid for "file" for a wrong signature or one older than an hour."""
    try:
        content = signing.loads(text, salt=_salt(actor), max_age=_VALID_SECONDS)
    except signing.BadSignature:
        raise Invalid({"file": [gettext("The preview of this file has expired. Choose the file again.")]}) from None
    rows = [SheetRow(row=number, cells=dict(zip(HEADERS, cells, strict=True))) for number, *cells in content["rows"]]
    country = None
    if content["country"] is not None:
        country = Country.objects.visible_to(actor).filter(pk=content["country"]).first()
        if country is None:
            raise Invalid({"country": [gettext("This country is not active.")]})
    return Sheet(rows=rows, country=country)


def _salt(actor: User) -> str:
    return f"users.account-sheet.{actor.pk}"
