"""From the files of a form to pages that may be stored: each is checked, archives of pages are opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.utils.translation import gettext as _

from file_handling.files.checks import RefusedUpload, check_upload, expand_recap_zip
from file_handling.form_errors import FormError
from file_handling.models import FileType


@dataclass(frozen=True)
class Page:
    """One file that passed the checks: what the user calls it, and its content, open and on local disk."""

    name: str
    content: TemporaryUploadedFile

    @property
    def path(self) -> Path:
        return Path(self.content.temporary_file_path())


def take_in(
    *, field: str, kind: FileType, uploads: Sequence[TemporaryUploadedFile]
) -> tuple[list[Page], list[FormError]]:
    """The pages that `uploads` bring, in their order, and all that is wrong with them.

    A stat comes as one file; a recap as one or many, or as .zip archives of pages. Excel's lock files (`~$…`) are
    left out.
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
        except RefusedUpload as refused:
            errors += [FormError(field, sentence, name) for sentence in refused.errors]
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
