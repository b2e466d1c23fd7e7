"""The message with which a session ends, as codes, and their sentences: what happened, and what to do next.

`facts`: the part of the message as the session stores it.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.formats import format_day
from file_handling.wording import Facts, Sentence, part
from importer.report.figures import blocks, figure_text

Part = dict[str, Any]
_COUNTS = ("claims_to_create", "claims_to_replace", "claims_skipped", "claims_in_conflict")


def imported(outcome: Mapping[str, Any], summary: Mapping[str, Any]) -> Part:
    """The claims are written. `outcome`: see `Plan.outcome`; `summary`: DOMAIN §5."""
    left_out = summary["claims"]["total"] - summary["importable"]["claims"]
    return part("imported", left_out=left_out, **{name: outcome[name] for name in _COUNTS})


def _imported(facts: Facts) -> str:
    parts = [
        ngettext("%(count)d claim imported.", "%(count)d claims imported.", facts["claims_to_create"])
        % {"count": facts["claims_to_create"]}
    ]
    for key, text in (
        ("claims_to_replace", _("%(count)d replaced.")),
        ("claims_skipped", _("%(count)d were already imported.")),
        ("claims_in_conflict", _("%(count)d differ from the imported claims, which were not changed.")),
    ):
        if facts[key]:
            parts.append(text % {"count": facts[key]})
    if facts["left_out"]:
        parts.append(_("%(count)d were not imported: the report says why.") % {"count": facts["left_out"]})
    return " ".join(parts)


def _changed(facts: Facts) -> str:
    """The figures that changed since the review, a line each. `before`, `now`: see `PlannedImport.review_facts`."""
    was, is_ = (_figures(facts[name], facts["currency"]) for name in ("before", "now"))
    moved = [
        f"{label}: {was.get(label, '–')} → {is_.get(label, '–')}"
        for label in dict.fromkeys([*is_, *was])
        if was.get(label) != is_.get(label)
    ]
    return "\n".join(
        [
            _("The database has changed since the review, so nothing was written. The differences:"),
            *moved,
            _("Read the new report, then commit or cancel."),
        ]
    )


def _figures(reviewed: dict[str, Any], currency: str) -> dict[str, str]:
    figures = [
        figure
        for block in blocks(reviewed.get("summary"), reviewed.get("plan", {}), is_written=False)
        for figure in block.figures
    ]
    return {figure.label: figure_text(figure.value, currency) for figure in figures}


def _reverted(facts: Facts) -> str:
    """`facts`: the counts of `undo_session`."""
    parts = [
        _("Reverted. Claims removed: %(claims)d; lines removed: %(lines)d.")
        % {"claims": facts["claims"], "lines": facts["claim_lines"]}
    ]
    if facts["kept_claims"]:
        parts.append(
            ngettext(
                "%(count)d claim that this session had replaced keeps its present lines.",
                "%(count)d claims that this session had replaced keep their present lines.",
                facts["kept_claims"],
            )
            % {"count": facts["kept_claims"]}
        )
    if facts["relied_on"]:
        parts.append(
            ngettext(
                "%(count)d claim was replaced by a later session and stays as that session wrote it.",
                "%(count)d claims were replaced by a later session and stay as that session wrote them.",
                facts["relied_on"],
            )
            % {"count": facts["relied_on"]}
        )
    return " ".join(parts)


def _sheet_needed(facts: Facts) -> str:
    return _("The stat workbook has several sheets with claims: %(sheets)s. Name the one to import.") % {
        "sheets": ", ".join(facts["sheets"])
    }


def no_common_period(stat: tuple[date, date] | None, recap: tuple[date, date] | None) -> Part:
    """The range of settlement dates of each side; None for a side without a readable date."""
    ranges = {"stat": stat, "recap": recap}
    return part(
        "no_common_period", **{name: days and [day.isoformat() for day in days] for name, days in ranges.items()}
    )


def _no_common_period(facts: Facts) -> str:
    def span(days: list[str] | None) -> str:
        if days is None:
            return _("no readable settlement date")
        first, last = (format_day(date.fromisoformat(day)) for day in days)
        return _("%(first)s to %(last)s") % {"first": first, "last": last}

    return _(
        "The two files have no settlement day in common. Stat file: %(stat)s; recap: %(recap)s. "
        "Nothing was written. Upload the stat and recap files of the same period."
    ) % {"stat": span(facts["stat"]), "recap": span(facts["recap"])}


def _given_up(facts: Facts) -> str:
    return _(
        "The import was started %(count)d times and interrupted each time before its end. Nothing was written. "
        "Check the files (the likely cause is a file that is too large or damaged) and upload them again, or ask your "
        "administrator to check the worker."
    ) % {"count": facts["attempts"]}


def _plain(text: Callable[[], str]) -> Sentence:
    return lambda facts: text()


# Code of a part of the message → its sentence.
MESSAGES: dict[str, Sentence] = {
    "imported": _imported,
    "claims_imported": _plain(lambda: _("The claims are imported.")),
    "review": _plain(lambda: _("Nothing is written yet. Read the report, then commit or cancel.")),
    "changed": _changed,
    "reverted": _reverted,
    "sheet_needed": _sheet_needed,
    "no_common_period": _no_common_period,
    "files_deleted": _plain(lambda: _("The session's files were deleted. Upload them again in a new session.")),
    "cancelled_unwritten": _plain(lambda: _("Cancelled; nothing was written.")),
    "no_report": _plain(
        lambda: _(
            "The report could not be written. None of its content is lost: make the report again from the session."
        )
    ),
    "no_log": _plain(
        lambda: _(
            "The log could not be written. None of its content is lost: make the report again, which also makes the "
            "log."
        )
    ),
    "no_room": _plain(
        lambda: _(
            "The server has no room left on its disk, so the import was stopped; nothing was written. "
            "Ask your administrator to make room, then run the session again."
        )
    ),
    "storage_away": _plain(
        lambda: _(
            "The storage of files did not answer at several attempts, so the import was stopped; nothing was written. "
            "Run the session again when the storage answers."
        )
    ),
    "storage_refused": _plain(
        lambda: _(
            "The storage of files refuses this server, so the import was stopped; nothing was written. Ask your "
            "administrator to check STORAGE_URL, then run the session again."
        )
    ),
    "given_up": _given_up,
    "unexpected": _plain(
        lambda: _(
            "An unexpected error stopped the import; nothing was written. Run the session again. If that fails too, "
            "ask your administrator to look for the error in the server log."
        )
    ),
}
