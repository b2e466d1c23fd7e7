"""The sample pairs of the demo: two countries, two years to the last month, and the same people throughout."""

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samples import make_pair

TOGO_SEED, CAMEROON_SEED = 7, 11
# Cases of each kind for the watch list, in each of the two years.
TO_LOOK_AT = 3
LEAST_OF_YEAR, LEAST_OF_MONTH = 200, 60


@dataclass(frozen=True)
class SamplePair:
    """A pair on the disk. `expected`: the outcome of its import into an empty country."""

    stat: Path
    recaps: list[Path]
    expected: dict[str, Any]


def plans(*, claims: int, today: dt.date) -> dict[str, dict[str, Any]]:
    """Name of the pair → arguments of `make_pair`. `claims`: of each year of the first country.

    The periods end with the last whole month, so that "this year" and "last year" have claims whenever the demo runs.
    """
    month_end = today.replace(day=1) - dt.timedelta(days=1)
    month = month_end.replace(day=1)
    second, first = month - dt.timedelta(days=365), month - dt.timedelta(days=730)
    large, small = max(claims, LEAST_OF_YEAR), max(claims // 20, LEAST_OF_MONTH)
    other = max(claims // 4, LEAST_OF_YEAR)
    togo: dict[str, Any] = {"world_seed": TOGO_SEED, "world_claims": large}
    cameroon: dict[str, Any] = {"world_seed": CAMEROON_SEED, "world_claims": other, "claims": other, "pages": 2}
    of_year: dict[str, Any] = {**togo, "claims": large, "pages": 3, "to_look_at": TO_LOOK_AT}
    of_month: dict[str, Any] = {**togo, "claims": small, "start": month, "days": month_end.day}
    return {
        "togo-first-year": {**of_year, "start": first, "seed": _seed(first, 0)},
        "togo-second-year": {**of_year, "start": second, "seed": _seed(second, 0)},
        "togo-month": {**of_month, "seed": _seed(month, 0)},
        "togo-month-again": {**of_month, "seed": _seed(month, 0), "revision": 1},
        "togo-review": {**of_month, "seed": _seed(month, 1)},
        "togo-draft": {**of_month, "seed": _seed(month, 2), "draft_sheet": True},
        "togo-mistake": {**of_month, "seed": _seed(month, 3)},
        "togo-other-period": {**of_month, "seed": _seed(first, 4), "start": first - dt.timedelta(days=90)},
        "cameroon-first-year": {**cameroon, "start": first, "seed": _seed(first, 5), "to_look_at": TO_LOOK_AT},
        "cameroon-second-year": {**cameroon, "start": second, "seed": _seed(second, 5), "to_look_at": TO_LOOK_AT},
    }


def _seed(start: dt.date, number: int) -> int:
    """Claim numbers contain the seed: pairs of different months never have the same numbers."""
    return start.year % 100 * 10_000 + start.month * 100 + number


def made(folder: Path, *, claims: int, today: dt.date) -> dict[str, SamplePair]:
    """The pairs in `folder`, made where an earlier run has not made them with the same arguments."""
    pairs = {}
    for name, plan in plans(claims=claims, today=today).items():
        target = folder / f"{name}-{plan['claims']}-{plan['start']:%Y-%m}"
        outcome = target / "expected.json"
        # The generator writes this file last: without it, an earlier run was interrupted.
        if not outcome.exists():
            make_pair(target, **plan)
        expected = json.loads(outcome.read_text(encoding="utf-8"))
        files = expected["files"]
        pairs[name] = SamplePair(target / files["stat"], [target / page for page in files["recaps"]], expected)
    return pairs
