"""What the one mark of amounts such as `12.000` is, decided for a column over all files of a side (DOMAIN §4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from common.money import MarkMeaning, lone_mark_of, mark_evidence, minor_units

_EXAMPLES = 3


@dataclass(frozen=True)
class LoneMark:
    """How one mark of one amount column is read in texts such as `12.000`.

    `field` and `column`: the column, by its field and its header. `meaning`: `thousands`, `decimal`, or `ambiguous`
    (such texts are unreadable). `reason`: `column` where other texts of the column show one meaning, `neither` or
    `both` where they show none or both, and the currency decides. `count`: how many different texts were read so.
    `examples`: some of them. `evidence`: for each meaning, some of the texts in which the mark can be nothing else.
    """

    field: str
    column: str
    mark: str
    meaning: Literal["thousands", "decimal", "ambiguous"]
    reason: Literal["column", "neither", "both"]
    currency: str
    count: int
    examples: list[str]
    evidence: dict[str, list[str]]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def decide_lone_marks(texts: Iterable[str], *, field: str, column: str, currency: str) -> list[LoneMark]:
    """Decide each mark that stands alone before three digits in one of `texts`, the different texts of a column."""
    lone: dict[str, list[str]] = {}
    evidence: dict[str, dict[str, list[str]]] = {mark: {meaning: [] for meaning in MarkMeaning} for mark in ".,"}
    for text in texts:
        if mark := lone_mark_of(text):
            lone.setdefault(mark, []).append(text)
            continue
        for evident, shown_meaning in mark_evidence(text).items():
            evidence[evident][shown_meaning].append(text)
    decided: list[LoneMark] = []
    for mark, found in lone.items():
        meaning, reason = _decide(evidence[mark], currency)
        shown = {name: shown_texts[:_EXAMPLES] for name, shown_texts in evidence[mark].items()}
        decided.append(LoneMark(field, column, mark, meaning, reason, currency, len(found), found[:_EXAMPLES], shown))
    return decided


def _decide(
    evidence: dict[str, list[str]], currency: str
) -> tuple[Literal["thousands", "decimal", "ambiguous"], Literal["column", "neither", "both"]]:
    thousands, decimal = evidence[MarkMeaning.THOUSANDS], evidence[MarkMeaning.DECIMAL]
    if thousands and not decimal:
        return "thousands", "column"
    if decimal and not thousands:
        return "decimal", "column"
    # An unknown currency has a minor unit for all that is known: `minor_units` gives it two decimals.
    return ("thousands" if minor_units(currency) == 0 else "ambiguous"), ("both" if decimal else "neither")
