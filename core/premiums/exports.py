"""The columns of premiums in an export."""

from django.utils.translation import gettext_lazy as _

from common.exports import Column

PREMIUMS = (
    Column(_("Id"), "id", "integer"),
    Column(_("Country"), "country__code"),
    Column(_("Client"), "client__name"),
    Column(_("Amount"), "amount", "money"),
    Column(_("Currency"), "currency"),
    Column(_("Start"), "start", "date"),
    Column(_("End"), "end", "date"),
    Column(_("Headcount"), "insured_count", "integer"),
    Column(_("Note"), "note"),
    Column(_("File"), "file_name"),
    Column(_("Sheet"), "sheet"),
    Column(_("Row"), "row", "integer"),
    Column(_("Entered by"), "author__username"),
    Column(_("Entered on"), "created_at", "moment"),
)
