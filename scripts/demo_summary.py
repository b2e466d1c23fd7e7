"""A session's summary as lines for the terminal."""

from decimal import Decimal
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

Row = tuple[str, str]


def summary_lines(session: dict[str, Any]) -> list[str]:
    """The table of `session`, as the API describes it; its message alone when the session failed."""
    summary = session.get("summary")
    head = [(_("Session"), str(session["id"])), (_("Status"), session["status"])]
    if not summary:
        return [*_table([head]), session.get("message") or ""]
    currency = session.get("currency") or ""
    blocks = [head + _period(summary), _files(summary), _claims(summary), _written(session, summary, currency)]
    lines = _table(blocks)
    importable = summary["importable"]["claims"]
    if importable and not session["claims_created_count"]:
        lines.append(
            _("All %(claims)s importable claims were already there: nothing was written twice.")
            % {"claims": _number(importable)}
        )
    return lines


def _period(summary: dict[str, Any]) -> list[Row]:
    period = summary.get("period")
    return [(_("Common period"), f"{period[0]} … {period[1]}")] if period else []


def _files(summary: dict[str, Any]) -> list[Row]:
    stat, recap, outside = summary["stat"], summary["recap"], summary["out_of_period"]
    return [
        (_("Stat lines"), _number(stat["lines"])),
        (_("… unreadable"), _number(stat["unreadable_lines"])),
        (_("… outside the period"), _number(outside["lines"])),
        (_("Recap rows"), _number(recap["rows_after_dedup"])),
        (_("… repeated between pages"), _number(recap["duplicate_rows_removed"])),
        (_("… not paid yet"), _number(recap["unpaid"])),
    ]


def _claims(summary: dict[str, Any]) -> list[Row]:
    from file_handling.models import FindingCategory

    names = {value: str(label) for value, label in FindingCategory.choices}
    names["conform"] = pgettext("category of a claim", "conform")
    names["cancelled"] = pgettext("category of a claim", "cancelled")
    claims = summary["claims"]
    rows = [(_("Claims"), _number(claims["total"]))]
    by_size = sorted(claims["by_category"].items(), key=lambda item: -item[1])
    rows += [(f"… {names.get(category, category)}", _number(count)) for category, count in by_size]
    rows.append((_("In the recap only"), _number(claims["recap_only"])))
    return rows


def _written(session: dict[str, Any], summary: dict[str, Any], currency: str) -> list[Row]:
    importable = summary["importable"]
    return [
        (_("Importable claims"), _number(importable["claims"])),
        (_("Claims written"), _number(session["claims_created_count"])),
        (_("Insured created"), _number(session["insured_created_count"])),
        (_("Claimed"), f"{_number(importable['claimed'])} {currency}".strip()),
        (_("Reimbursed"), f"{_number(importable['reimbursed'])} {currency}".strip()),
    ]


def _number(value: Any) -> str:
    """As the language writes numbers. Amounts come as text, and are never a float on their way."""
    return number_format(Decimal(str(value)), force_grouping=True)


def _table(blocks: list[list[Row]]) -> list[str]:
    rows = [row for block in blocks for row in block]
    left, right = max(len(name) for name, _value in rows), max(len(value) for _name, value in rows)
    rule = f"+{'-' * (left + 2)}+{'-' * (right + 2)}+"
    lines = [rule]
    for block in blocks:
        if block:
            lines += [f"| {name:<{left}} | {value:>{right}} |" for name, value in block] + [rule]
    return lines
