"""What a person may ask of a session, from which statuses, and what it changes (DOMAIN §7): one table.

The services, the API, the admin and the tests read it; nothing else says from which status an act is allowed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from file_handling.models import ImportSession, SessionStatus

S = SessionStatus
Text = str | Promise


@dataclass(frozen=True)
class Condition:
    """A field of the session that must be set, or must be empty. `refusal`: for the user when that is not so."""

    field: str
    is_set: bool
    refusal: Text

    def holds(self, session: ImportSession) -> bool:
        return (getattr(session, self.field) is not None) == self.is_set

    def filter(self) -> dict[str, bool]:
        return {f"{self.field}__isnull": not self.is_set}


@dataclass(frozen=True)
class Transition:
    """One act. `refusal`: for the user when the status does not allow it.

    `to_status` None: the status stays as it is. `changes`: further fields of the session (expressions are evaluated by
    the database). `event`: the code of the event that the session gets; "" where the act itself writes its event.
    `calls_worker`: the session waits for a run afterwards.
    """

    name: str
    from_statuses: tuple[SessionStatus, ...]
    refusal: Text
    to_status: SessionStatus | None
    conditions: tuple[Condition, ...] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)
    event: str = ""
    calls_worker: bool = False

    def objection(self, session: ImportSession) -> Text | None:
        """Why the session, as it was loaded, does not allow the act; None when it does."""
        if session.status not in self.from_statuses:
            return self.refusal
        return next((one.refusal for one in self.conditions if not one.holds(session)), None)

    def filter(self) -> dict[str, Any]:
        """The sessions that allow the act, as a filter: an UPDATE with it succeeds for one of two competitors."""
        conditions: dict[str, Any] = {"status__in": self.from_statuses}
        for condition in self.conditions:
            conditions |= condition.filter()
        return conditions


# A session that goes back to the queue counts its attempts from zero.
_QUEUED: dict[str, Any] = {
    "attempts": 0,
    "progress": 0,
    "rung_at": None,
    "lease_expires_at": None,
    "not_before": None,
}
_FILES_DELETED = _("The session's files were deleted. Upload them again in a new session.")
_CANNOT_CANCEL = _(
    "This session has ended or is already written; it cannot be cancelled. A written one can be reverted."
)

SHEET = Transition(
    name="sheet",
    from_statuses=(S.AWAITING_SHEET,),
    refusal=_("This session does not wait for the name of a sheet."),
    to_status=S.PENDING,
    changes=_QUEUED | {"message_parts": []},
    event="sheet_chosen",
    calls_worker=True,
)
COMMIT = Transition(
    name="commit",
    from_statuses=(S.REVIEW,),
    refusal=_("Only a session that waits for review can be committed."),
    to_status=S.PENDING,
    changes=_QUEUED | {"commit_requested": True},
    event="commit_requested",
    calls_worker=True,
)
RETRY = Transition(
    name="retry",
    from_statuses=(S.ERROR, S.CANCELLED),
    refusal=_("Only a session that failed or was cancelled can be run again."),
    to_status=S.PENDING,
    conditions=(
        Condition("stat_file_id", is_set=True, refusal=_FILES_DELETED),
        Condition("recap_file_id", is_set=True, refusal=_FILES_DELETED),
    ),
    changes=_QUEUED
    | {
        "commit_requested": False,
        "completed_at": None,
        "started_at": None,
        "summary": None,
        "outcome": {},
        "message_parts": [],
    },
    event="run_again",
    calls_worker=True,
)
CORRECT = Transition(
    name="correct",
    # A session that has shown what is wrong with its files; REVERTED, because what it left out is still left out.
    from_statuses=(S.REVIEW, S.DONE, S.DONE_WITH_ERRORS, S.REVERTED),
    refusal=_("A session can be corrected once its files are reconciled."),
    to_status=None,
    conditions=(
        Condition("stat_file_id", is_set=True, refusal=_FILES_DELETED),
        Condition("recap_file_id", is_set=True, refusal=_FILES_DELETED),
    ),
)
REPORT = Transition(
    name="report",
    from_statuses=(S.DONE, S.DONE_WITH_ERRORS, S.REVIEW),
    refusal=_("A session has a report once its files are reconciled."),
    to_status=None,
)
CANCEL = Transition(
    name="cancel",
    from_statuses=(S.PENDING, S.PROCESSING, S.AWAITING_SHEET, S.REVIEW),
    refusal=_CANNOT_CANCEL,
    to_status=S.CANCELLED,
    conditions=(Condition("written_at", is_set=False, refusal=_CANNOT_CANCEL),),
    changes={
        # The next token: a run that is under way notices, and writes nothing.
        "lease_token": F("lease_token") + 1,
        "lease_expires_at": None,
        "completed_at": Now(),
        "message_parts": [{"code": "cancelled_unwritten"}],
    },
    event="cancelled",
)
REVERT = Transition(
    name="revert",
    from_statuses=(S.DONE, S.DONE_WITH_ERRORS),
    refusal=_("Only a session that is done can be reverted."),
    to_status=S.REVERTED,
)
# In the order in which the admin shows the buttons. CORRECT has none: it takes cells or a workbook, and starts another
# session.
TRANSITIONS = (SHEET, COMMIT, RETRY, REPORT, CANCEL, REVERT)
