"""The acts by which a person steers a session, as buttons of its page, here and in the admin (DOMAIN §7)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from file_handling import permissions
from file_handling.models import ImportSession
from importer import lifecycle, transitions
from importer.transitions import Transition
from users.models import User


@dataclass(frozen=True)
class Button:
    """`success`: the text after the act. `needs_confirmation`: a page asks before an act that cannot be undone."""

    transition: Transition
    label: str | Promise
    success: str | Promise
    service: Callable[..., ImportSession]
    needs_confirmation: bool = False

    @property
    def name(self) -> str:
        return self.transition.name

    def is_shown(self, session: ImportSession) -> bool:
        return self.transition.objection(session) is None


BUTTONS = (
    Button(transitions.SHEET, _("Continue with this sheet"), _("The session goes on."), lifecycle.name_sheet),
    Button(
        transitions.COMMIT,
        _("Write what was reviewed"),
        _("The claims are being written."),
        lifecycle.request_commit,
    ),
    Button(transitions.RETRY, _("Run again"), _("The session runs again."), lifecycle.retry),
    Button(
        transitions.REPORT,
        _("Make the report again"),
        _("The report was made again."),
        lifecycle.remake_report,
    ),
    Button(
        transitions.CANCEL,
        _("Cancel"),
        _("The session is cancelled; nothing was written."),
        lifecycle.cancel,
    ),
    Button(
        transitions.REVERT,
        _("Revert"),
        _("What the session created was removed."),
        lifecycle.revert,
        needs_confirmation=True,
    ),
)
BY_NAME = {button.name: button for button in BUTTONS}


def buttons(*, user: User, session: ImportSession) -> list[Button]:
    """The buttons that the user may press now."""
    if not permissions.may_steer(user=user, session=session):
        return []
    return [button for button in BUTTONS if button.is_shown(session)]


def press(
    *, button: Button, session: ImportSession, actor: User, stat_sheet: str = "", preview_token: str = ""
) -> ImportSession:
    """Raises Conflict where the session does not allow the act, OSError when a report cannot be stored."""
    arguments: dict[str, Any] = {}
    if button.transition is transitions.SHEET:
        arguments = {"stat_sheet": stat_sheet}
    elif button.transition is transitions.REVERT:
        arguments = {"preview_token": preview_token}
    return button.service(session=session, actor=actor, **arguments)
