"""The summary of a session as a table for the terminal, with the figures and words of its page and its report.

Imports models, so Django must be set up before.
"""

from typing import Any

from django.utils.translation import gettext as _

from importer.report.figures import blocks, figure_text

Row = tuple[str, str]


def summary_lines(session: dict[str, Any], *, is_written: bool) -> list[str]:
    """`session` as the API describes it → the lines of the table; without a summary, status and message alone."""
    tables = [[(_("Session"), str(session["id"])), (_("Status"), session["status"])]]
    for block in blocks(session["summary"], session["outcome"], is_written=is_written):
        rows = [(f"  {figure.label}", figure_text(figure.value, session["currency"])) for figure in block.figures]
        tables.append([(block.title, ""), *rows])
    lines = _table(tables)
    return lines if session["summary"] else [*lines, session["message"]]


def _table(tables: list[list[Row]]) -> list[str]:
    rows = [row for table in tables for row in table]
    left, right = max(len(label) for label, _value in rows), max(len(value) for _label, value in rows)
    rule = f"+{'-' * (left + 2)}+{'-' * (right + 2)}+"
    lines = [rule]
    for table in tables:
        lines += [f"| {label:<{left}} | {value:>{right}} |" for label, value in table] + [rule]
    return lines
