"""What a person may ask of a session from its page: the very functions of the API (DOMAIN §7)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from file_handling import permissions
from file_handling.models import ImportSession, SessionStatus
from importer import lifecycle
from users.models import User

S = SessionStatus


@dataclass(frozen=True)
class Act:
    """One button. `confirm`: a page stands between it and what cannot be taken back."""

    name: str
    label: str | Promise
    said: str | Promise
    does: Callable[..., ImportSession]
    statuses: tuple[SessionStatus, ...]
    confirm: bool = False

    def fits(self, session: ImportSession) -> bool:
        """Whether to offer it; whether it is still possible, the function itself finds out."""
        if session.status not in self.statuses:
            return False
        if self.name == "cancel":
            return session.written_at is None
        if self.name == "retry":
            return session.stat_file_id is not None and session.recap_file_id is not None
        return True


ACTS = (
    Act("sheet", _("Go on with this sheet"), _("The session goes on."), lifecycle.name_sheet, (S.AWAITING_SHEET,)),
    Act(
        "commit",
        _("Write what was reviewed"),
        _("The claims are being written."),
        lifecycle.request_commit,
        (S.REVIEW,),
    ),
    Act("retry", _("Run again"), _("The session runs again."), lifecycle.retry, (S.ERROR, S.CANCELLED)),
    Act(
        "report",
        _("Make the report again"),
        _("The report was made again."),
        lifecycle.remake_report,
        (S.DONE, S.DONE_WITH_ERRORS, S.REVIEW),
    ),
    Act(
        "cancel",
        _("Cancel"),
        _("The session is cancelled; nothing was written."),
        lifecycle.cancel,
        (S.PENDING, S.PROCESSING, S.AWAITING_SHEET, S.REVIEW),
    ),
    Act(
        "revert",
        _("Revert"),
        _("What the session created was removed."),
        lifecycle.revert,
        (S.DONE, S.DONE_WITH_ERRORS),
        confirm=True,
    ),
)
BY_NAME = {act.name: act for act in ACTS}


def offered(*, user: User, session: ImportSession) -> list[Act]:
    if not permissions.may_steer(user=user, session=session):
        return []
    return [act for act in ACTS if act.fits(session)]


def carry_out(*, act: Act, session: ImportSession, actor: User, stat_sheet: str = "") -> ImportSession:
    """Raises Conflict where the status does not allow it, OSError when a report cannot be stored."""
    asked: dict[str, Any] = {"stat_sheet": stat_sheet} if act.name == "sheet" else {}
    return act.does(session=session, actor=actor, **asked)
