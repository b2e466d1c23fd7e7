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
from file_handling.converters.registered import converters_for, is_read_directly
from file_handling.files.checks import InvalidUpload, check_upload, expand_recap_zip
from file_handling.files.heads import FileHead, look_at, of_all_pages, reasons_to_refuse, same_content
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
    def is_read_directly(self) -> bool:
        return is_read_directly(self.name)

    @property
    def path(self) -> Path:
        return Path(self.content.temporary_file_path())


def check_files(
    *, field: str, kind: FileType | None, uploads: Sequence[TemporaryUploadedFile]
) -> tuple[list[Page], list[FormError]]:
    """The pages in `uploads`, in their order, and everything that is wrong with them.

    A stat is one file; a recap is one file or several, or .zip archives of pages, and so are files of unknown kind.
    Excel's lock files (`~$…`) are skipped. Files for which there is a converter are accepted unread.
    """
    pages: list[Page] = []
    errors: list[FormError] = []
    converted = converters_for([upload.name or "" for upload in uploads]).keys()
    for upload in uploads:
        name = upload.name or ""
        try:
            if kind != FileType.STAT and name.lower().endswith(".zip"):
                expanded = expand_recap_zip(upload, converted=converted)
                pages += [Page(name=page.name or "", content=page) for page in expanded]
            elif check_upload(upload, kind=kind, converted=converted) is not None:
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

    def pages(self, field: str, *, kind: FileType | None) -> list[Page]:
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


@dataclass(frozen=True)
class Uploaded:
    """A stored file with what its first rows show. `same_content`: other files with the content of one of its pages."""

    file: File
    head: FileHead
    same_content: Sequence[File] = ()


def upload_files(*, user: User, data: object) -> list[Uploaded]:
    """Store the files of a form: `file` (several times for several files), `file_type`, and `country` for an account
    without one.

    With a `file_type`, the files are the pages of one: → that one. Without, each file is stored by itself as the kind
    that its first rows show, and so is each file in a .zip: → as many.

    Raises InvalidForm with every error, OSError when the storage is full; neither leaves anything behind. A file whose
    columns are incomplete is stored, and has problems; one that cannot be read, or is of no known kind, is refused.
    """
    form = FormReader(user=user, data=data)
    country = form.country()
    named = form.choice("file_type", choices=FileType.values) if form.values("file_type") else ""
    kind = FileType(named) if named in FileType.values else None
    # What a wrong `file_type` means for the files is not known.
    pages = form.pages("file", kind=kind) if kind is not None or not named else []
    if form.errors or country is None:
        raise InvalidForm(form.errors)
    heads = look_at([(page.name, page.path, kind) for page in pages])
    for page, head in zip(pages, heads, strict=True):
        for reason in reasons_to_refuse(head, name=page.name, kind=kind):
            form.refuse("file", reason, file=page.name)
    if form.errors:
        raise InvalidForm(form.errors)
    groups = (
        [(kind, pages, of_all_pages(heads))]
        if kind is not None
        else [(head.recognised_as, [page], head) for page, head in zip(pages, heads, strict=True) if head.recognised_as]
    )
    with all_or_nothing() as stored:
        files = [
            (store_upload(stored=stored, user=user, country=country, file_type=file_type, uploads=uploads), head)
            for file_type, uploads, head in groups
        ]
    return with_same_content(files, user=user, country=country)


def with_same_content(files: Sequence[tuple[File, FileHead]], *, user: User, country: Country) -> list[Uploaded]:
    """Each file and its head with the other files of the country that have the content of one of its pages."""
    pages: dict[int, list[File]] = {file.pk: [file] for file, _head in files}
    for page in File.objects.filter(first_page__in=list(pages)).order_by("pk"):
        pages[page.first_page_id].append(page)
    known = same_content([page for found in pages.values() for page in found], user=user, country=country)
    return [
        Uploaded(file, head, same_content=[known[page.sha256] for page in pages[file.pk] if page.sha256 in known])
        for file, head in files
    ]
