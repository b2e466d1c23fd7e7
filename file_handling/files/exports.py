"""The columns of an export of files."""

from django.utils.translation import gettext_lazy as _

from common.exports import Column
from file_handling.models import FileType

ID = Column(_("Id"), "id", "integer")
UPLOADED_BY = (Column(_("Uploaded by"), "uploaded_by_name"), Column(_("E-mail"), "uploaded_by_email"))
COUNTRY = Column(_("Country"), "country__code")

FILES = (
    ID,
    COUNTRY,
    Column(_("Name"), "name"),
    Column(_("Kind"), "file_type", "choice", FileType.choices),
    Column(_("Pages"), "page_count", "integer"),
    Column(_("Size in bytes"), "size", "integer"),
    Column(_("SHA-256"), "sha256"),
    Column(_("Uploaded at"), "uploaded_at", "moment"),
    *UPLOADED_BY,
)
