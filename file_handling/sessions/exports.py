"""The columns of exports of sessions and of findings."""

from django.utils.translation import gettext_lazy as _

from common.exports import Column
from file_handling import wording
from file_handling.files.exports import COUNTRY, ID, UPLOADED_BY
from file_handling.models import FindingCategory, OnConflict, SessionStatus

SESSIONS = (
    ID,
    COUNTRY,
    Column(_("Status"), "status", "choice", SessionStatus.choices),
    Column(_("Message"), "message", paths=("message_parts",), text=wording.message),
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
    *UPLOADED_BY,
)


FINDINGS = (
    Column(_("Number"), "sequence", "integer"),
    Column(_("Category"), "category", "choice", FindingCategory.choices),
    Column(_("Claim"), "claim_number"),
    Column(_("Observation"), "observation", paths=("category", "code", "details"), text=wording.observation),
    Column(_("Claimed, stat"), "stat_claimed", "money"),
    Column(_("Reimbursed, stat"), "stat_reimbursed", "money"),
    Column(_("Claimed, recap"), "recap_claimed", "money"),
    Column(_("Reimbursed, recap"), "recap_reimbursed", "money"),
)
