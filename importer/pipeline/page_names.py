"""The names of recap pages as a set: which page is missing among them (DOMAIN §13, missing pages). Pure.

Only a number that counts pages is looked at. Where that is not certain, nothing is said: names in which several numbers
vary, numbers that are part of a date, long numbers, numbers most of which are absent
(docs/decisions/0032-missing-recap-pages.md).
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

# The highest number of a page. A longer one is a date, an order number or an amount.
HIGHEST_PAGE = 999
_EXTENSION = re.compile(r"\.(xlsx|xls|csv)$", re.IGNORECASE)
# What systems append to the name of a copy: `recap (2)`, `recap - Copie`, `recap - Copy (2)`.
_COPY = re.compile(r"(?:\s*-\s*(?:copie|copy))?(?:\s*\((\d{1,3})\))?$", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")
# Between the number of a page and that of all pages: `page 3 sur 12`, `3 of 12`, `p3_de_12`.
_OF_ALL = re.compile(r"[\s_.-]*(?:sur|of|de)[\s_.-]*")
# Between the parts of a date: `2024-01`, `05_03_2024`; between a day and a month alone: `05-03`.
_IN_DATE, _IN_SHORT_DATE = re.compile(r"[\s_.-]"), re.compile(r"[.-]")
_MONTH = r"(?:janv|fevr|mars|avr|mai|juin|juil|aout|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_BEFORE_MONTH, _AFTER_MONTH = re.compile(rf"[\s_.-]*{_MONTH}(?![a-z])"), re.compile(rf"(?<![a-z]){_MONTH}[\s_.-]*$")
_YEARS = range(1900, 2101)


@dataclass(frozen=True)
class _Name:
    """A name as the texts around its numbers (one more than numbers) and the numbers, as digits."""

    name: str
    texts: tuple[str, ...]
    numbers: tuple[str, ...]

    def with_number(self, place: int, digits: str) -> str:
        """The name of the page that has these digits in place of the number."""
        number = list(_NUMBER.finditer(self.name))[place]
        return f"{self.name[: number.start()]}{digits}{self.name[number.end() :]}"


def warnings_of_names(names: Iterable[str]) -> list[dict[str, Any]]:
    """The warnings of `missing_pages.missing_page_warnings`, before the claims are known."""
    unknown = {"claims": None, "claimed": None, "reimbursed": None}
    return [{"code": "missing_pages", "pages": pages} | unknown for pages in missing_pages(names)]


def missing_pages(names: Iterable[str]) -> list[list[str]]:
    """The missing pages, named as the pages before them: a list for each series of names that differ in one number."""
    series: dict[tuple[str, ...], list[_Name]] = {}
    for name in _parsed(sorted(set(names))):
        series.setdefault(name.texts, []).append(name)
    found = [_missing(alike) for _texts, alike in sorted(series.items())]
    return [pages for pages in found if pages]


def _parsed(names: Sequence[str]) -> list[_Name]:
    stems = {name: _stem(name) for name in names}
    # Names that differ only in the number of a copy: then this number counts the pages.
    copies = [copy for _stem, copy in stems.values() if copy]
    counts_copies = len(copies) > 1 and len({stem for stem, _copy in stems.values()}) == 1
    parsed = []
    for name, (stem, copy) in stems.items():
        if counts_copies and not copy:
            continue
        text = _plain(f"{stem} ({copy})" if counts_copies else stem)
        parsed.append(_Name(name, tuple(_NUMBER.split(text)), tuple(_NUMBER.findall(text))))
    return parsed


def _stem(name: str) -> tuple[str, str]:
    """The name without extension and mark of a copy, and the number of the copy, "" for none."""
    stem = _EXTENSION.sub("", name)
    copy = _COPY.search(stem)
    return (stem[: copy.start()], copy.group(1) or "") if copy else (stem, "")


def _plain(text: str) -> str:
    """Without accents, in lower case."""
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign)).lower()


def _missing(series: Sequence[_Name]) -> list[str]:
    """`series`: names with the same texts. Nothing where no number is missing, or none of them counts the pages."""
    like = series[0]
    varying = [place for place in range(len(like.numbers)) if len({int(name.numbers[place]) for name in series}) > 1]
    # One page alone may say how many there are.
    counting = varying or [place for place in range(len(like.numbers)) if _total(like, place)][:1]
    if len(counting) != 1:
        return []
    place = counting[0]
    by_number = {int(name.numbers[place]): name for name in series}
    first, last, total = min(by_number), max(by_number), _total(like, place)
    if last > HIGHEST_PAGE or last in _YEARS or _is_date(series, place):
        return []
    absent = [number for number in (range(1, total + 1) if total else range(first, last)) if number not in by_number]
    # Numbers most of which are absent do not count these pages.
    if last > (total or last) or (not total and len(absent) >= len(by_number)):
        return []
    is_padded = any(name.numbers[place].startswith("0") for name in series)
    width = len(by_number[first].numbers[place]) if is_padded else 1
    return [
        by_number[max((n for n in by_number if n < number), default=first)].with_number(place, f"{number:0{width}d}")
        for number in absent
    ]


def _total(name: _Name, place: int) -> int:
    """The number of all pages that follows the number at `place`: 12 in `page 3 sur 12`; 0 for none."""
    if place + 1 == len(name.numbers) or not _OF_ALL.fullmatch(name.texts[place + 1]):
        return 0
    total = int(name.numbers[place + 1])
    return total if int(name.numbers[place]) <= total <= HIGHEST_PAGE else 0


def _is_date(series: Sequence[_Name], place: int) -> bool:
    """Whether the number that varies is the day or the month of a date."""
    like, highest = series[0], max(int(name.numbers[place]) for name in series)
    if any(len(name.numbers[place]) > 2 for name in series) or highest > 31:
        return False
    if _BEFORE_MONTH.match(like.texts[place + 1]):
        return True
    first = last = place
    while first > 0 and _IN_DATE.fullmatch(like.texts[first]):
        first -= 1
    while last + 1 < len(like.numbers) and _IN_DATE.fullmatch(like.texts[last + 1]):
        last += 1
    others = [like.numbers[other] for other in range(first, last + 1) if other != place]
    if any(len(other) == 4 and int(other) in _YEARS for other in others):
        # With the year alone, it is a month.
        return len(others) > 1 or highest <= 12 or bool(_AFTER_MONTH.search(like.texts[place]))
    beside = like.texts[first + 1] if len(others) == 1 else ""
    return bool(_IN_SHORT_DATE.fullmatch(beside)) and len(others[0]) == 2 and 1 <= int(others[0]) <= 12
