"""The form of an import of premiums: one file, and the country for an account without one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.files.uploadedfile import TemporaryUploadedFile
from django.utils.translation import gettext as _

from common.errors import FormError, Invalid, InvalidForm
from core.premiums.sheet import SheetRow, read_sheet
from file_handling.files.checks import plain_name
from file_handling.files.uploads import FormReader
from users.models import Country, User


@dataclass(frozen=True)
class ReadFile:
    """A file of premiums as read, for the premiums of one country."""

    country: Country
    file_name: str
    rows: Sequence[SheetRow]


def read_form(*, user: User, data: object) -> ReadFile:
    """Read `file`, and `country` for an account without one. Raises InvalidForm with every error."""
    form = FormReader(user=user, data=data)
    country = form.country()
    sent = form.values("file")
    if len(sent) != 1:
        form.refuse("file", _("Send one file.") if sent else _("This is required."))
    elif not isinstance(sent[0], TemporaryUploadedFile):
        form.refuse("file", _("Send a file here, as multipart/form-data."))
    if form.errors or country is None:
        raise InvalidForm(form.errors)
    return read_upload(upload=sent[0], country=country)


def read_upload(*, upload: TemporaryUploadedFile, country: Country) -> ReadFile:
    """Read one file for a country. Raises InvalidForm with every reason why it cannot be read."""
    name = plain_name(upload.name or "")
    try:
        rows = read_sheet(upload=upload, currency=country.currency_code)
    except Invalid as invalid:
        raise InvalidForm([FormError("file", reason, name) for reason in invalid.sentences()]) from invalid
    return ReadFile(country, name, rows)
