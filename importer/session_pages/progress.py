"""How far a session is: the steps of a run, as its page shows them while it waits or runs (pure)."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from file_handling.models import ImportSession, SessionStatus

# Name, label, and the progress at which the step ends (importer.steps, importer.endings).
STEPS: tuple[tuple[str, str | Promise, int], ...] = (
    ("read", gettext_lazy("Read the files"), 40),
    ("reconcile", gettext_lazy("Compare stat and recap"), 50),
    ("plan", gettext_lazy("Compare with what is imported already"), 60),
    ("write", gettext_lazy("Write the claims"), 90),
    ("end", gettext_lazy("Make the report"), 100),
)
DONE, CURRENT, TO_COME = "done", "current", "to-come"


@dataclass(frozen=True)
class Step:
    """`state`: DONE, CURRENT or TO_COME; `state_name`: the same for people."""

    name: str
    label: str
    state: str
    state_name: str


def steps(session: ImportSession) -> list[Step]:
    """The steps of the run that is under way or comes next. A dry run does not write."""
    names = {DONE: _("done"), CURRENT: _("under way"), TO_COME: _("to come")}
    shown: list[Step] = []
    is_current_found = session.status != SessionStatus.PROCESSING
    for name, label, end in STEPS:
        if name == "write" and session.dry_run and not session.commit_requested:
            continue
        if is_current_found:
            state = TO_COME
        elif session.progress >= end:
            state = DONE
        else:
            state, is_current_found = CURRENT, True
        shown.append(Step(name, str(label), state, names[state]))
    return shown


def news(session: ImportSession) -> tuple[str, str]:
    """(key, sentence) of what happens now. A screen reader reads the sentence when the key changes."""
    if session.status == SessionStatus.PENDING and session.not_before is not None:
        time = date_format(localtime(session.not_before), "TIME_FORMAT")
        return "converter", _("A converter does not answer. It is asked again at %(time)s.") % {"time": time}
    if session.status == SessionStatus.PENDING:
        return "waiting", _("Waiting for a worker.")
    current = next((step for step in steps(session) if step.state == CURRENT), None)
    if current is None:
        return "ending", _("The import is about to end.")
    return current.name, _("Under way: %(step)s.") % {"step": current.label}
