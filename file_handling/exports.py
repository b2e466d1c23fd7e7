"""The columns of lists of files, sessions and findings in an export."""

from django.utils.translation import gettext_lazy as _

from common.exports import Column
from file_handling.models import FileType, FindingCategory, OnConflict, SessionStatus

_ID = Column(_("Id"), "id", "integer")
_UPLOADED_BY = (Column(_("Uploaded by"), "uploaded_by_name"), Column(_("E-mail"), "uploaded_by_email"))
_COUNTRY = Column(_("Country"), "country__code")

FILES = (
    _ID,
    _COUNTRY,
    Column(_("Name"), "name"),
    Column(_("Kind"), "file_type", "choice", FileType.choices),
    Column(_("Pages"), "page_count", "integer"),
    Column(_("Size in bytes"), "size", "integer"),
    Column(_("SHA-256"), "sha256"),
    Column(_("Uploaded at"), "uploaded_at", "moment"),
    *_UPLOADED_BY,
)
SESSIONS = (
    _ID,
    _COUNTRY,
    Column(_("Status"), "status", "choice", SessionStatus.choices),
    Column(_("Message"), "message"),
    Column(_("Stat file"), "stat_file__name"),
    Column(_("Recap file"), "recap_file__name"),
    Column(_("Created at"), "created_at", "moment"),
    Column(_("Started at"), "started_at", "moment"),
    Column(_("Completed at"), "completed_at", "moment"),
    Column(_("From"), "start_date", "date"),
    Column(_("To"), "end_date", "date"),
    Column(_("Claims created"), "claims_created_count", "integer"),
    Column(_("Insured created"), "insured_created_count", "integer"),
    Column(_("Claimed"), "total_claimed_amount", "money"),
    Column(_("Reimbursed"), "total_reimbursed_amount", "money"),
    Column(_("Currency"), "currency"),
    Column(_("Dry run"), "dry_run", "yes_no"),
    Column(_("On conflict"), "on_conflict", "choice", OnConflict.choices),
    *_UPLOADED_BY,
)
FINDINGS = (
    Column(_("Number"), "sequence", "integer"),
    Column(_("Category"), "category", "choice", FindingCategory.choices),
    Column(_("Claim"), "claim_number"),
    Column(_("Observation"), "observation"),
    Column(_("Claimed, stat"), "stat_claimed", "money"),
    Column(_("Reimbursed, stat"), "stat_reimbursed", "money"),
    Column(_("Claimed, recap"), "recap_claimed", "money"),
    Column(_("Reimbursed, recap"), "recap_reimbursed", "money"),
)
