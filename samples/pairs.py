"""Sample pairs: a stat file and the recap pages about the same claims, whose outcome is known by construction.

Every claim's category is chosen first and its rows are made to deserve it, so the expected outcome owes nothing to any
reconciliation code.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path
from random import Random
from typing import Any

from samples import columns as c
from samples.drafts import Draft, DraftMaker, Row
from samples.dressing import dress_line, dress_recap, respell_recap
from samples.kinds import SHARES, WAYS, Way, set_out_of_period
from samples.spelling import Cell, pick
from samples.tally import Tally
from samples.world import make_world
from samples.writing import FORMATS, write_pair

LEAST_CLAIMS = 10
MOST_OVERLAP = 5


@dataclass(frozen=True, slots=True)
class Pair:
    """A pair in memory: `stat` has the columns STAT_HEADERS, each page of `recap_pages` RECAP_HEADERS."""

    stat: list[list[Cell]]
    recap_pages: list[list[list[Cell]]]
    expected: dict[str, Any]


class PairMaker:
    def __init__(
        self, *, claims: int, seed: int, pages: int, tolerance: int, start: dt.date, days: int, world_seed: int
    ) -> None:
        self.claims, self.pages, self.tolerance, self.start, self.days = claims, pages, tolerance, start, days
        self.rng = Random(f"pair {seed} {claims} {pages}")
        self.world = make_world(seed=world_seed, claims=claims)
        prefix = f"RGLTCDTG{seed % 1_000_000:06d}"
        self.drafts = DraftMaker(
            rng=self.rng, world=self.world, claims=claims, prefix=prefix, start=start, days=days, tolerance=tolerance
        )
        self.tally = Tally()
        self.stat: list[list[Cell]] = []
        self.recap: list[Row] = []

    def make(self) -> Pair:
        self._claims()
        self._strays()
        self.rng.shuffle(self.stat)
        pages, duplicates = self._pages()
        last = self.start + dt.timedelta(days=self.days - 1)
        expected = self.tally.expected(tolerance=self.tolerance, first=self.start, last=last, duplicates=duplicates)
        return Pair(self.stat, pages, expected)

    def _add(self, claim: Draft, category: str | None) -> None:
        self.tally.add(claim, category)
        self.stat += [dress_line(line, self.rng) for line in claim.lines]
        self.recap += [respell_recap(row, self.rng) for row in claim.recaps]

    def _claims(self) -> None:
        rng, drafts = self.rng, self.drafts
        by_category: dict[str, list[Way]] = defaultdict(list)
        for way in WAYS:
            by_category[way.category].append(way)
        agrees = by_category["conform"][0]
        # The two claims that hold the ends of the period, so that it is known.
        for day in (0, self.days - 1):
            self._add(drafts.draft(day=day), agrees.category)
        every_way = [way for turn in zip_longest(*by_category.values()) for way in turn if way]
        for way in every_way[: self.claims - 2]:
            self._one(way)
        for person in self.world.notable[: (self.claims - drafts.made) // 4]:
            self._add(drafts.draft(person=person), agrees.category)
        weights = [
            SHARES[way.category] * way.weight / sum(other.weight for other in by_category[way.category]) for way in WAYS
        ]
        for way in rng.choices(WAYS, weights, k=self.claims - drafts.made):
            self._one(way)

    def _one(self, way: Way) -> None:
        claim = self.drafts.draft(least_lines=way.least_lines)
        way.spoil(self.drafts, claim)
        self._add(claim, way.category)

    def _strays(self) -> None:
        """What belongs to no claim of the period: it is listed, or set aside."""
        drafts, facts = self.drafts, self.tally.facts
        for _ in range(max(4, self.claims // 100)):
            claim = drafts.draft()
            set_out_of_period(drafts, claim)
            facts["out_of_period_claims"] += 1
            facts["out_of_period_lines"] += len(claim.lines)
            self._add(claim, None)
        for _ in range(max(2, self.claims // 100)):
            claim = drafts.draft()
            claim.lines.clear()
            facts["recap_only"] += 1
            self._add(claim, None)
        for settled_after in [False] * max(2, self.claims // 70) + [True] * max(2, self.claims // 200):
            claim = drafts.draft()
            claim.lines.clear()
            claim.recaps[0][c.R_SETTLED] = drafts.outside_for_recap() if settled_after else None
            self._add(claim, None)
        for _ in range(max(1, self.claims // 1000)):
            claim = drafts.draft()
            del claim.lines[1:]
            claim.lines[0][c.NUMBER] = None
            claim.recaps.clear()
            self._add(claim, None)

    def _pages(self) -> tuple[list[list[list[Cell]]], int]:
        """The recap cut into pages that overlap, some rows written twice, and how many rows are copies."""
        rng = self.rng
        rows = self.recap + [pick(self.recap, rng) for _ in range(max(1, self.claims // 500))]
        copies = len(rows) - len(self.recap)
        rng.shuffle(rows)
        if self.pages > len(rows):
            raise ValueError(f"{len(rows)} recap rows do not fill {self.pages} pages")
        pages = []
        for page in range(self.pages):
            begin, end = page * len(rows) // self.pages, (page + 1) * len(rows) // self.pages
            overlap = min(begin, rng.randint(1, MOST_OVERLAP))
            copies += overlap
            pages.append([dress_recap(row, rng) for row in rows[begin - overlap : end]])
        return pages, copies


def make_rows(
    *,
    claims: int,
    seed: int = 7,
    pages: int = 1,
    tolerance: Decimal = Decimal(5),
    start: dt.date = dt.date(2023, 1, 1),
    days: int = 365,
    world_seed: int | None = None,
) -> Pair:
    """A pair in memory, the same for the same arguments.

    `claims` counts those of the period; about 2.58 stat lines each. `tolerance` is in currency units. The period is
    `days` long from `start`. Pairs of one `world_seed` (by default `seed`) and size speak of the same people, policies
    and providers; claim numbers carry `seed`. Raises ValueError on a size that cannot hold what a pair must show.
    """
    if claims < LEAST_CLAIMS or pages < 1 or days < 1:
        raise ValueError(f"a pair has at least {LEAST_CLAIMS} claims, one page and one day")
    cents = int(tolerance * 100)
    if cents < 1 or cents != tolerance * 100:
        raise ValueError("the tolerance is a positive number of hundredths")
    world = seed if world_seed is None else world_seed
    return PairMaker(
        claims=claims, seed=seed, pages=pages, tolerance=cents, start=start, days=days, world_seed=world
    ).make()


def make_pair(
    out_dir: str | Path,
    *,
    claims: int,
    seed: int = 7,
    pages: int = 1,
    fmt: str = "xlsx",
    odd: bool = False,
    tolerance: Decimal = Decimal(5),
    start: dt.date = dt.date(2023, 1, 1),
    days: int = 365,
    world_seed: int | None = None,
) -> dict[str, Any]:
    """Writes `stat.<fmt>`, `recap_01.<fmt>` … and `expected.json` into `out_dir`, and returns what the latter says.

    `fmt` is `xlsx` or `csv`. `odd` lays the same rows out in ways that a reader must see through (DOMAIN §2 to §4):
    titles above the header, columns in another order, other separators and encodings. For the rest, see `make_rows`.
    Raises ValueError on another `fmt`.
    """
    if fmt not in FORMATS:
        raise ValueError(f"the format is one of {', '.join(FORMATS)}")
    out = Path(out_dir)
    out.mkdir(parents=True, exist_ok=True)
    pair = make_rows(
        claims=claims, seed=seed, pages=pages, tolerance=tolerance, start=start, days=days, world_seed=world_seed
    )
    stat, recaps = write_pair(
        out, pair.stat, pair.recap_pages, fmt=fmt, layout=Random(f"layout {seed}") if odd else None
    )
    expected = {**pair.expected, "files": {"stat": stat, "recaps": recaps}}
    (out / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return expected
