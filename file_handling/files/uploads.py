"""Reads the form of an upload strictly and to its end, so that one answer names everything that is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import QueryDict
from django.utils.translation import gettext as _

from common.api_errors import BadRequest
from common.errors import FormError, InvalidForm
from common.parsing import positive_int
from file_handling.files.checks import InvalidUpload, check_upload, expand_recap_zip
from file_handling.files.services import store_upload
from file_handling.files.storage import all_or_nothing
from file_handling.models import File, FileType
from users.models import Country, User

_YES_NO = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class Page:
    """A file that passed the checks: its name at the sender's, and its content, open and on local disk."""

    name: str
    content: TemporaryUploadedFile

    @property
    def path(self) -> Path:
        return Path(self.content.temporary_file_path())


def check_files(
    *, field: str, kind: FileType, uploads: Sequence[TemporaryUploadedFile]
) -> tuple[list[Page], list[FormError]]:
    """The pages in `uploads`, in their order, and everything that is wrong with them.

    A stat is one file; a recap is one file or several, or .zip archives of pages. Excel's lock files (`~$…`) are
    skipped.
    """
    pages: list[Page] = []
    errors: list[FormError] = []
    for upload in uploads:
        name = upload.name or ""
        try:
            if kind == FileType.RECAP and name.lower().endswith(".zip"):
                pages += [Page(name=page.name or "", content=page) for page in expand_recap_zip(upload)]
            elif check_upload(upload, kind=kind) is not None:
                pages.append(Page(name=name, content=upload))
        except InvalidUpload as invalid:
            errors += [FormError(field, sentence, name) for sentence in invalid.sentences()]
    if errors:
        return pages, errors
    if not pages:
        errors.append(FormError(field, _("There is no file to read here.")))
    elif kind == FileType.STAT and len(pages) > 1:
        errors.append(FormError(field, _("Send one stat file; its sheets belong into one workbook.")))
    elif len(pages) > settings.CONCORD["MAX_PAGES"]:
        errors.append(
            FormError(field, _("At most %(most)d pages at a time.") % {"most": settings.CONCORD["MAX_PAGES"]})
        )
    return pages, errors


class FormReader:
    """Reads the fields of one form, and collects their errors in `errors`."""

    def __init__(self, *, user: User, data: object) -> None:
        if not isinstance(data, Mapping):
            raise BadRequest(_("Send a form, or one JSON object."))
        self.user = user
        self.data: Mapping[str, Any] = data
        self.errors: list[FormError] = []

    def refuse(self, field: str, message: str, *, file: str = "") -> None:
        self.errors.append(FormError(field, message, file))

    def values(self, field: str) -> list[Any]:
        """All values sent as `field`, without empty texts."""
        if isinstance(self.data, QueryDict):
            sent: list[Any] = self.data.getlist(field)
        else:
            given = self.data.get(field)
            sent = given if isinstance(given, list) else [given]
        return [value for value in sent if value is not None and value != ""]

    def text(self, field: str) -> str:
        """The one text (or whole number) sent as `field`; "" when there is none."""
        sent = self.values(field)
        if not sent:
            return ""
        if len(sent) > 1:
            self.refuse(field, _("Send this once."))
            return ""
        if isinstance(sent[0], bool) or not isinstance(sent[0], str | int) or "\x00" in str(sent[0]):
            self.refuse(field, _("This must be text."))
            return ""
        return str(sent[0])

    def yes_no(self, field: str) -> bool:
        """True or false, by default false; any word but true, false, 1 and 0 is an error."""
        sent = self.values(field)
        if len(sent) == 1 and isinstance(sent[0], bool):
            return sent[0]
        word = self.text(field).strip().lower()
        if word not in ("", *_YES_NO):
            self.refuse(field, _("Must be true or false."))
        return _YES_NO.get(word, False)

    def choice(self, field: str, *, choices: Sequence[str], default: str = "") -> str:
        """One of `choices`. When nothing was sent: `default`, or an error when there is no default."""
        word = self.text(field).strip() or default
        if word not in choices:
            self.refuse(field, _("Choose from: %(choices)s.") % {"choices": ", ".join(choices)})
        return word

    def country(self) -> Country | None:
        """The account's country. An account without one names it; no other account may name another one (DOMAIN §1)."""
        named = self.text("country").strip()
        if not self.user.is_superuser_role():
            own = self.user.country
            if own is None or (named and named.lower() not in (str(own.pk), own.code.lower())):
                self.refuse("country", _("Your account imports into its own country."))
                return None
            return own
        if not named:
            if self.user.country is None:
                self.refuse("country", _("Name the country to import into: its id or its code."))
                return None
            named = str(self.user.country.pk)
        pk = positive_int(named)
        found = Country.objects.filter(pk=pk) if pk is not None else Country.objects.filter(code__iexact=named)
        country = found.filter(is_active=True).first()
        if country is None:
            self.refuse("country", _("There is no active country with this id or code."))
        return country

    def pages(self, field: str, *, kind: FileType) -> list[Page]:
        """The checked files sent as `field`."""
        sent = self.values(field)
        if not sent:
            self.refuse(field, _("This is required."))
            return []
        if not all(isinstance(value, TemporaryUploadedFile) for value in sent):
            self.refuse(field, _("Send a file here, as multipart/form-data."))
            return []
        pages, errors = check_files(field=field, kind=kind, uploads=sent)
        self.errors += errors
        return pages


def upload_files(*, user: User, data: object) -> File:
    """Store the files of a form: `file` (once, or for each page of a recap), `file_type`, and `country` for an account
    without one. Returns the first page.

    Raises InvalidForm with every error, OSError when the storage is full; neither leaves anything behind.
    """
    form = FormReader(user=user, data=data)
    country = form.country()
    file_type = form.choice("file_type", choices=FileType.values)
    # A file can only be checked when its kind is known.
    pages = form.pages("file", kind=FileType(file_type)) if file_type in FileType.values else []
    if form.errors or country is None:
        raise InvalidForm(form.errors)
    with all_or_nothing() as stored:
        return store_upload(stored=stored, user=user, country=country, file_type=FileType(file_type), uploads=pages)
