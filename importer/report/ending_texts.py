"""The messages with which a session ends, in the active language: what happened, and what to do next."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from importer.report.figures import blocks, figure_text


def left_out(summary: dict[str, Any]) -> int:
    """How many claims of the period were not imported (`summary`: DOMAIN §5)."""
    return int(summary["claims"]["total"] - summary["importable"]["claims"])


def imported(outcome: dict[str, Any], not_imported: int) -> str:
    """`outcome`: see `Plan.outcome`. `not_imported`: the number of claims of the period that were left out."""
    parts = [
        ngettext("%(count)d claim imported.", "%(count)d claims imported.", outcome["claims_to_create"])
        % {"count": outcome["claims_to_create"]}
    ]
    for key, text in (
        ("claims_to_replace", _("%(count)d replaced.")),
        ("claims_skipped", _("%(count)d were already imported.")),
        ("claims_in_conflict", _("%(count)d differ from the imported claims, which were not changed.")),
    ):
        if outcome[key]:
            parts.append(text % {"count": outcome[key]})
    if not_imported:
        parts.append(_("%(count)d were not imported: the report says why.") % {"count": not_imported})
    return " ".join(parts)


def changed(before: dict[str, Any], now: dict[str, Any], currency: str) -> str:
    """The figures that changed since the review, a line each. `before`, `now`: see `PlannedImport.review_facts`."""
    was, is_ = _figures(before, currency), _figures(now, currency)
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


def reverted(removed: dict[str, int]) -> str:
    """`removed`: the counts of `undo_session`."""
    parts = [
        _("Reverted: %(claims)d claims and %(lines)d lines removed.")
        % {"claims": removed["claims"], "lines": removed["claim_lines"]}
    ]
    if removed["kept_claims"]:
        parts.append(
            ngettext(
                "%(count)d claim that this session had replaced keeps its present lines.",
                "%(count)d claims that this session had replaced keep their present lines.",
                removed["kept_claims"],
            )
            % {"count": removed["kept_claims"]}
        )
    if removed["relied_on"]:
        parts.append(
            ngettext(
                "%(count)d claim was replaced by a later session and stays as that session wrote it.",
                "%(count)d claims were replaced by a later session and stay as that session wrote them.",
                removed["relied_on"],
            )
            % {"count": removed["relied_on"]}
        )
    return " ".join(parts)


def no_report() -> str:
    return _("The report could not be written. None of its content is lost: make the report again from the session.")


def no_log() -> str:
    return _(
        "The log could not be written. None of its content is lost: make the report again, which also makes the log."
    )


def no_room() -> str:
    return _(
        "The server has no room left on its disk, so the import was stopped; nothing was written. "
        "Ask your administrator to make room, then run the session again."
    )


def given_up(attempts: int) -> str:
    return _(
        "The import was started %(count)d times and interrupted each time before its end. Nothing was written. "
        "Check the files (the likely cause is a file that is too large or damaged) and upload them again, or ask your "
        "administrator to check the worker."
    ) % {"count": attempts}


def unexpected() -> str:
    return _(
        "An unexpected error stopped the import; nothing was written. Run the session again. If that fails too, ask "
        "your administrator to look for the error in the server log."
    )
