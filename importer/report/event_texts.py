"""The events of sessions as sentences of the active language. `facts`: the data that the event stores."""

from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from file_handling import wording
from file_handling.wording import Facts, Sentence


def started_again(facts: Facts) -> str:
    return _("Started again: attempt %(count)d. The previous attempt was interrupted.") % {"count": facts["attempt"]}


def reading(facts: Facts) -> str:
    return ngettext(
        "Reading the stat file and %(count)d recap page.",
        "Reading the stat file and %(count)d recap pages.",
        facts["pages"],
    ) % {"count": facts["pages"]}


def correcting(facts: Facts) -> str:
    return _("Applying corrections (cells: %(cells)d; rows left out: %(rows)d).") % facts


def read(facts: Facts) -> str:
    return _("Read: %(lines)d stat lines, %(rows)d recap rows (%(duplicates)d repeated rows left out).") % {
        "lines": facts["stat_lines"],
        "rows": facts["recap_rows"],
        "duplicates": facts["duplicates"],
    }


def reconciled(facts: Facts) -> str:
    return _("Reconciled: %(agreed)d of %(total)d claims agree.") % facts


def planned(facts: Facts) -> str:
    return _(
        "Planned: %(new)d claims to create, %(replaced)d to replace, %(there)d already imported, "
        "%(differ)d that differ."
    ) % {
        "new": facts["claims_to_create"],
        "replaced": facts["claims_to_replace"],
        "there": facts["claims_skipped"],
        "differ": facts["claims_in_conflict"],
    }


def ended(facts: Facts) -> str:
    """`parts`: those of the session's message at that moment."""
    return wording.message(facts["parts"])


def sheet_chosen(facts: Facts) -> str:
    return _("Sheet “%(sheet)s” chosen.") % facts


def _plain(text: Callable[[], str]) -> Sentence:
    return lambda facts: text()


# Code of an event → its sentence.
MESSAGES: dict[str, Sentence] = {
    "received": _plain(lambda: _("Files received; waiting for a worker.")),
    "started_again": started_again,
    "reading": reading,
    "correcting": correcting,
    "read": read,
    "reconciled": reconciled,
    "planned": planned,
    "writing": _plain(lambda: _("Writing to the database.")),
    "written": _plain(lambda: _("Written.")),
    "ended": ended,
    "sheet_chosen": sheet_chosen,
    "commit_requested": _plain(lambda: _("Commit requested.")),
    "run_again": _plain(lambda: _("Run again.")),
    "cancelled": _plain(lambda: _("Cancelled.")),
}
