"""Whether a corrected text can be read as the field that it is for (DOMAIN §4)."""

from __future__ import annotations

from django.utils.translation import gettext as _

from common.dates import parse_date
from common.keys import has_lost_digits, is_empty
from common.money import MarkMeaning, lone_mark_of, parse_amount
from reading.columns import Column, FileKind, columns_of

COLUMNS: dict[FileKind, dict[str, Column]] = {
    kind: {column.field: column for column in columns_of(kind)} for kind in ("stat", "recap")
}


def objection(column: Column, value: str) -> str | None:
    """Why the value cannot be read as the column's kind; None where it can. An empty value is always read."""
    if is_empty(value):
        return None
    if column.kind == "amount" and not _is_amount(value):
        return _("“%(value)s” is no amount. Give digits, such as 12500 or 12500.50.") % {"value": value}
    if column.kind == "date" and parse_date(value) is None:
        return _("“%(value)s” is no date. Give day, month and year, such as 31/12/2024.") % {"value": value}
    if column.kind in ("claim", "reference") and has_lost_digits(value):
        return _("“%(value)s” is a shortened number. Give all its digits.") % {"value": value}
    return None


def _is_amount(value: str) -> bool:
    # What the mark of `12.000` is, the whole column decides when the session runs.
    meaning = MarkMeaning.THOUSANDS if lone_mark_of(value) else None
    return parse_amount(value, lone_mark=meaning) is not None
