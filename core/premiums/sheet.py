"""Reading a file of premiums (DOMAIN §9): its rows as values, each with everything that keeps it from being imported.

A child process reads the file, as it reads stat and recap files: a sheet of premiums is a kind of file of `reading`.
"""

import re
import tempfile
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import TemporaryUploadedFile
from django.utils.translation import gettext as _

from common.dates import parse_date
from common.errors import Invalid
from common.keys import clean_text, is_empty
from common.money import MarkMeaning, parse_amount
from core.premiums.services import MOST_INSURED
from file_handling.files.checks import check_upload, plain_name
from file_handling.problem_texts import sentence
from file_handling.reading_limits import reading_limits
from reading.problems import Problem
from reading.process import PREVIEW_SECONDS, ReaderKilled, start_read
from reading.sources import Source

MOST_ROWS = 5_000
_LONGEST_TEXT = 300
_YEAR = re.compile(r"(?:19|20|21)[0-9]{2}")
# What may stand between the two days of a period.
_BETWEEN = re.compile(r" (?:au|a|à|to|until|jusqu'au) |[-–—]", re.IGNORECASE)
_BEFORE = re.compile(r"(?:du|de|from|le) ", re.IGNORECASE)
_FIRST_OF_MONTH = re.compile(r"\b1er\b", re.IGNORECASE)
# A number is no day of a period: `2023 - 2024` are two years.
_ONLY_DIGITS = re.compile(r"[0-9]+(?:[.,][0-9]+)?")


@dataclass(frozen=True)
class SheetRow:
    """One row of a file. `sheet`: "" for CSV. `row`: as a spreadsheet shows it. Values that are absent or cannot be
    read are None, with the reason in `problems`. `amount_cents`: hundredths of the currency unit.
    """

    sheet: str
    row: int
    employer: str
    amount_cents: int | None
    start: date | None
    end: date | None
    insured_count: int | None
    problems: list[str] = field(default_factory=list)


def read_sheet(*, upload: TemporaryUploadedFile, currency: str) -> list[SheetRow]:
    """The rows of every sheet with the columns of premiums, in order.

    `currency`: decides what `12.000` is where the column does not (DOMAIN §4). Raises Invalid for "file" with every
    reason: not a file that can be read, no such columns, no rows, too many.
    """
    name = plain_name(upload.name or "")
    if check_upload(upload, kind="stat") is None:
        raise _invalid(_("“%(file)s” is a lock file of Excel.") % {"file": name})
    with tempfile.TemporaryDirectory(prefix="premiums-") as folder:
        job = start_read(
            kind="premium",
            files=[Source(upload.temporary_file_path(), name)],
            out_dir=Path(folder),
            limits=reading_limits(),
            currency=currency,
            wall_seconds=PREVIEW_SECONDS,
        )
        try:
            with job as running:
                result = running.wait()
        except ReaderKilled:
            raise _invalid(sentence(Problem("reader_interrupted", file=name))) from None
        if result.problems:
            raise _invalid(*[sentence(problem) for problem in result.problems])
        frame = result.frame
    if frame.is_empty():
        raise _invalid(_("“%(file)s” has no rows below its header.") % {"file": name})
    if frame.height > MOST_ROWS:
        message = _("“%(file)s” has %(rows)d rows; at most %(most)d are read. Split it.")
        raise _invalid(message % {"file": name, "rows": frame.height, "most": MOST_ROWS})
    return [_row(values) for values in frame.iter_rows(named=True)]


def _invalid(*reasons: str) -> Invalid:
    return Invalid({"file": reasons})


def _row(values: dict[str, Any]) -> SheetRow:
    problems: list[str] = []
    trouble = (values["trouble"] or "").split(",")
    if "extra_field" in trouble:
        problems.append(_("The row has more fields than the header: a separator may stand within a value."))
    if "unclosed_quote" in trouble:
        problems.append(_("A quotation mark is opened and never closed."))
    if not values["employer"]:
        problems.append(_("The employer is absent."))
    if values["amount_cents"] is None:
        problems.append(_amount_problem(values["amount_raw"], is_ambiguous="amount:ambiguous" in trouble))
    start, end = _period(values, problems)
    return SheetRow(
        sheet=values["sheet"],
        row=values["row"],
        employer=(values["employer"] or "")[:_LONGEST_TEXT],
        amount_cents=values["amount_cents"],
        start=start,
        end=end,
        insured_count=_insured_count(values["insured_count"], problems),
        problems=problems,
    )


def _amount_problem(text: str | None, *, is_ambiguous: bool) -> str:
    if text is None:
        return _("The amount is absent.")
    if is_ambiguous:
        return _("The amount “%(text)s” could be read in two ways. Write it without the mark, or as a number cell.") % {
            "text": _shown(text)
        }
    return _("The amount “%(text)s” cannot be read.") % {"text": _shown(text)}


def _period(values: dict[str, Any], problems: list[str]) -> tuple[date | None, date | None]:
    """Start and end, from their own columns or from the one column of the period."""
    of_period: tuple[date, date] | None = None
    if values["period"]:
        of_period = read_period(values["period"])
        if of_period is None:
            sentence_ = _("The period “%(text)s” cannot be read. Write a year, or two days such as %(example)s.")
            problems.append(sentence_ % {"text": _shown(values["period"]), "example": "01/01/2024 - 31/12/2024"})
    days: dict[str, date | None] = {}
    for name, absent, unreadable in (
        ("start", _("The start is absent."), _("The start “%(text)s” cannot be read as a date.")),
        ("end", _("The end is absent."), _("The end “%(text)s” cannot be read as a date.")),
    ):
        day, text = values[name], values[f"{name}_raw"]
        if text is not None:
            problems.append(unreadable % {"text": _shown(text)})
        elif day is None and not values["period"]:
            problems.append(absent)
        days[name] = day
    start, end = days["start"], days["end"]
    if of_period is None:
        return start, end
    if (start or of_period[0], end or of_period[1]) != of_period:
        problems.append(_("The period does not have the same start and end as their own columns."))
    return of_period


def read_period(text: str) -> tuple[date, date] | None:
    """A year, or two days as `d1 - d2` or `d1 au d2`; None for any other text.

    The mark between the days may be one of their own (`01-01-2024-31-12-2024`): the place counts that leaves two days.
    """
    text = _FIRST_OF_MONTH.sub("1", clean_text(text))
    if _YEAR.fullmatch(text):
        return date(int(text), 1, 1), date(int(text), 12, 31)
    text = _BEFORE.sub("", text, count=1) if _BEFORE.match(text) else text
    found = {
        (start, end)
        for place in _BETWEEN.finditer(text)
        if (start := _day(text[: place.start()])) and (end := _day(text[place.end() :]))
    }
    return found.pop() if len(found) == 1 else None


def _day(text: str) -> date | None:
    return None if _ONLY_DIGITS.fullmatch(text.strip()) else parse_date(text)


def _insured_count(text: str | None, problems: list[str]) -> int | None:
    """A whole number of people; a mark in it parts thousands."""
    if is_empty(text):
        return None
    cents = parse_amount(text or "", lone_mark=MarkMeaning.THOUSANDS)
    if cents is None or cents % 100 or not 0 < cents // 100 <= MOST_INSURED:
        problems.append(_("The headcount “%(text)s” is not a number of people.") % {"text": _shown(text or "")})
        return None
    return cents // 100


def _shown(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"
