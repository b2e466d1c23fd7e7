"""Sample pairs: a stat file and the recap pages about the same claims, whose outcome is known by construction.

The category of each claim is chosen first, and its rows are made to belong to that category: the expected outcome does
not depend on any reconciliation code.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path
from random import Random
from typing import Any, Literal

from samples import columns as c
from samples.cells import line_cells, recap_cells, respell_recap
from samples.claims import ClaimMaker, Row, SampleClaim
from samples.kinds import SHARES, WAYS, Way, set_out_of_period
from samples.odd import ODD_KINDS, OddKind, Where, find_kinds
from samples.odd.merged import merge_cells
from samples.spelling import Cell, pick
from samples.tally import Figures, Tally
from samples.to_look_at import CASES, CLAIMS_OF_CASES
from samples.world import make_world
from samples.writing import FORMATS, SHEET, write_pair

LEAST_CLAIMS = 10
# A page of the recap that is left out: the number in its name, its rows, which were all of some days, or both.
LeftOut = Literal["", "name", "days", "both"]
# The page of that number, counted from 0: neither the first nor the last.
PAGE_LEFT_OUT = 1
MOST_OVERLAP = 5
# Every so many-th claim that is imported costs more in a later export of the same period.
REVISED_EVERY = 25


@dataclass(frozen=True, slots=True)
class Pair:
    """A pair in memory: `stat` has the columns STAT_HEADERS, each page of `recap_pages` RECAP_HEADERS."""

    stat: list[list[Cell]]
    recap_pages: list[list[list[Cell]]]
    expected: dict[str, Any]


class PairMaker:
    def __init__(
        self,
        *,
        claims: int,
        seed: int,
        pages: int,
        tolerance: int,
        start: dt.date,
        days: int,
        world_seed: int,
        world_claims: int,
        odd: Sequence[OddKind] = (),
        where: Where = "both",
        revision: int = 0,
        to_look_at: int = 0,
        left_out: LeftOut = "",
    ) -> None:
        self.revision, self.to_look_at, self.left_out = revision, to_look_at, left_out
        self.revised: list[str] = []
        self.looked_at: dict[str, list[list[str]]] = defaultdict(list)
        self.claims, self.pages, self.tolerance, self.start, self.days = claims, pages, tolerance, start, days
        self.rng = Random(f"pair {seed} {claims} {pages}")
        self.world = make_world(seed=world_seed, claims=world_claims)
        prefix = f"RGLTCDTG{seed % 1_000_000:06d}"
        self.maker = ClaimMaker(
            rng=self.rng, world=self.world, claims=claims, prefix=prefix, start=start, days=days, tolerance=tolerance
        )
        self.tally = Tally()
        self.odd = odd
        self.where = where
        self.stat_kinds = [kind for kind in odd if where in ("stat", "both")]
        self.recap_kinds = [kind for kind in odd if where in ("recap", "both")]
        self.merging = next((kind for kind in self.stat_kinds if kind.merged_columns), None)
        self.stat: list[list[Cell]] = []
        self.blocks: list[list[list[Cell]]] = []
        """The lines of each claim, where their cells are merged."""
        self.recap: list[Row] = []

    def make(self) -> Pair:
        days_left_out = self._page_by_days() if self.left_out in ("days", "both") else None
        self._claims()
        self._rows_outside_claims()
        if self.merging:
            self.rng.shuffle(self.blocks)
            self.stat = [cells for block in self.blocks for cells in block]
        else:
            self.rng.shuffle(self.stat)
        pages, duplicates = self._pages()
        last = self.start + dt.timedelta(days=self.days - 1)
        expected = self.tally.expected(tolerance=self.tolerance, first=self.start, last=last, duplicates=duplicates)
        if self.revision:
            expected["revised"] = self.revised
        if self.to_look_at:
            expected["to_look_at"] = dict(self.looked_at)
        if self.left_out:
            expected["missing_pages"] = {
                "names": self.tally.without_row.figures() if self.left_out in ("name", "both") else None,
                "days": days_left_out,
            }
        return Pair(self.stat, pages, expected)

    def _add(self, claim: SampleClaim, category: str | None) -> None:
        cells = [self._line_cells(line) for line in claim.lines]
        recap = [respell_recap(row, self.rng) for row in claim.recaps]
        if self.revision and category == "conform" and (self.maker.count + self.revision) % REVISED_EVERY == 0:
            # After the draws of the first export, so that all other claims stay the same.
            cells, recap = self._revise(claim)
        self.tally.add(claim, category)
        if self.merging:
            columns, extra = self.merging.merged_columns, self.merging.extra_merged_row
            if cells:
                merge_cells(claim.lines, cells, columns, extra_row=extra and claim.lines[-1][c.NUMBER] is not None)
            self.blocks.append(cells)
        else:
            self.stat += cells
        self.recap += recap

    def _revise(self, claim: SampleClaim) -> tuple[list[list[Cell]], list[Row]]:
        """Raises the amounts of the last line, and those of the recap; → the cells of the lines, and the recap rows."""
        more = 100_000 * self.revision
        for row, (claimed, reimbursed) in [
            (claim.lines[-1], (c.CLAIMED, c.REIMBURSED)),
            *((row, (c.R_CLAIMED, c.R_REIMBURSED)) for row in claim.recaps),
        ]:
            row[claimed] += more
            row[reimbursed] += more
        self.revised.append(claim.number)
        rng = Random(f"revision {self.revision} {claim.number}")
        return [line_cells(line, rng) for line in claim.lines], [respell_recap(row, rng) for row in claim.recaps]

    def _line_cells(self, line: Row) -> list[Cell]:
        cells = line_cells(line, self.rng)
        for kind in self.stat_kinds:
            if change := kind.cells.get("stat"):
                change(line, cells, self.rng)
        return cells

    def _recap_cells(self, row: Row) -> list[Cell]:
        cells = recap_cells(row, self.rng)
        for kind in self.recap_kinds:
            if change := kind.cells.get("recap"):
                change(row, cells, self.rng)
        return cells

    def _odd_ways(self) -> list[Way]:
        """The ways of the odd kinds; those that need both files only where both are odd."""
        places: list[Where] = ["stat", "recap", "both"] if self.where == "both" else [self.where]
        return [way for kind in self.odd for place in places for way in kind.claims.get(place, ())]

    def _page_by_days(self) -> dict[str, Any]:
        """Claims of some days in the middle of the period, whose recap rows were on the page that is left out.

        No other claim is settled on these days. → the first and the last day with a claim, and the figures.
        """
        begin, length = self.days // 3, max(2, self.days // 25)
        self.maker.closed = range(begin, begin + length)
        page, settled = Figures(), []
        for number in range(max(LEAST_CLAIMS // 2, self.claims // 20)):
            claim = self.maker.claim(day=begin + number % length)
            claim.recaps.clear()
            settled.append(claim.settled)
            page.add(claim)
            self._add(claim, "missing_in_recap")
        return {"first": min(settled).isoformat(), "last": max(settled).isoformat(), **page.figures()}

    def _claims(self) -> None:
        rng, maker = self.rng, self.maker
        by_category: dict[str, list[Way]] = defaultdict(list)
        for way in WAYS:
            by_category[way.category].append(way)
        agrees = by_category["conform"][0]
        # Two claims on the first and the last day, so that the period is known.
        for day in (0, self.days - 1):
            self._add(maker.claim(day=day), agrees.category)
        every_way = self._odd_ways() * 2
        every_way += [way for turn in zip_longest(*by_category.values()) for way in turn if way]
        for way in every_way[: self.claims - 2]:
            self._one(way)
        for person in self.world.notable[: (self.claims - maker.count) // 4]:
            self._add(maker.claim(person=person), agrees.category)
        for name, make in CASES.items():
            for _ in range(self.to_look_at):
                claims = make(maker)
                self.looked_at[name].append([claim.number for claim in claims])
                for claim in claims:
                    self._add(claim, agrees.category)
        weights = [
            SHARES[way.category] * way.weight / sum(other.weight for other in by_category[way.category]) for way in WAYS
        ]
        for way in rng.choices(WAYS, weights, k=self.claims - maker.count):
            self._one(way)

    def _one(self, way: Way) -> None:
        claim = self.maker.claim(least_lines=way.least_lines)
        way.change(self.maker, claim)
        self._add(claim, way.category)

    def _rows_outside_claims(self) -> None:
        """Adds rows that belong to no claim of the period: they are listed, or set aside."""
        maker, facts = self.maker, self.tally.facts
        for _ in range(max(4, self.claims // 100)):
            claim = maker.claim()
            set_out_of_period(maker, claim)
            facts["out_of_period_claims"] += 1
            facts["out_of_period_lines"] += len(claim.lines)
            self._add(claim, None)
        for _ in range(max(2, self.claims // 100)):
            claim = maker.claim()
            claim.lines.clear()
            facts["recap_only"] += 1
            self._add(claim, None)
        for settled_after in [False] * max(2, self.claims // 70) + [True] * max(2, self.claims // 200):
            claim = maker.claim()
            claim.lines.clear()
            claim.recaps[0][c.R_SETTLED] = maker.outside_for_recap() if settled_after else None
            self._add(claim, None)
        for _ in range(max(1, self.claims // 1000)):
            claim = maker.claim()
            del claim.lines[1:]
            claim.lines[0][c.NUMBER] = None
            claim.recaps.clear()
            self._add(claim, None)

    def _pages(self) -> tuple[list[list[list[Cell]]], int]:
        """The recap in pages that overlap and repeat some rows; → the pages and the number of copied rows."""
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
            pages.append([self._recap_cells(row) for row in rows[begin - overlap : end]])
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
    world_claims: int | None = None,
    odd: Sequence[OddKind] = (),
    where: Where = "both",
    revision: int = 0,
    to_look_at: int = 0,
    left_out: LeftOut = "",
) -> Pair:
    """A pair in memory, the same for the same arguments.

    `claims` counts those of the period; about 2.58 stat lines each. `tolerance` is in currency units. The period is
    `days` long from `start`. Pairs of one `world_seed` (by default `seed`) and `world_claims` (by default `claims`)
    have the same people, policies and providers; claim numbers contain `seed`. `odd` kinds apply to the files of
    `where`.

    `revision`, from 1, makes a later export of the pair of revision 0 and the same other arguments: it has the same
    claims, but some of those that are imported cost more, and the expected outcome names them (`revised`). The pages
    have their rows in another order. `to_look_at` is the number of cases of each kind that the watch list shows; their
    claims are conform, and the expected outcome has their numbers (`to_look_at`: kind → cases → claim numbers).

    `left_out` leaves a page of the recap out: its `name` alone, so that a number is missing among the names; its rows
    alone, those of some `days` in the middle; or `both`. The expected outcome has the figures of both (`missing_pages`:
    `names` has those of all claims without a row in the recap, `days` its days and those of their claims, or None).

    Raises ValueError on a size that is too small for what a pair must show, and on a `revision` of odd files.
    """
    if claims < LEAST_CLAIMS or pages < 1 or days < 1:
        raise ValueError(f"a pair has at least {LEAST_CLAIMS} claims, one page and one day")
    cents = int(tolerance * 100)
    if cents < 1 or cents != tolerance * 100:
        raise ValueError("the tolerance is a positive number of hundredths")
    if revision and odd:
        raise ValueError("a later export has no odd kinds")
    if to_look_at * CLAIMS_OF_CASES > claims // 4:
        raise ValueError(f"{claims} claims are too few for {to_look_at} cases of each kind to look at")
    if left_out and (days < 10 or pages < 2 or revision or to_look_at):
        raise ValueError("a plain pair of two pages and ten days can have a page left out")
    return PairMaker(
        claims=claims,
        seed=seed,
        pages=pages,
        tolerance=cents,
        start=start,
        days=days,
        world_seed=seed if world_seed is None else world_seed,
        world_claims=world_claims or claims,
        odd=odd,
        where=where,
        revision=revision,
        to_look_at=to_look_at,
        left_out=left_out,
    ).make()


def make_pair(
    out_dir: str | Path,
    *,
    claims: int,
    seed: int = 7,
    pages: int = 1,
    fmt: str = "xlsx",
    odd: Iterable[str] = (),
    where: Where = "both",
    zipped: bool = False,
    tolerance: Decimal = Decimal(5),
    start: dt.date = dt.date(2023, 1, 1),
    days: int = 365,
    world_seed: int | None = None,
    world_claims: int | None = None,
    revision: int = 0,
    to_look_at: int = 0,
    draft_sheet: bool = False,
    left_out: LeftOut = "",
) -> dict[str, Any]:
    """Writes `stat.<fmt>`, `recap_01.<fmt>` … and `expected.json` into `out_dir`; → the content of `expected.json`.

    `fmt` is `xlsx` or `csv`. `odd` names kinds of ODD_KINDS, at most one of each group, for the files of `where`.
    `zipped` puts the recap pages into `recap.zip`. `draft_sheet` adds a second sheet with the header and half of the
    lines to the stat workbook, so that the import must name the sheet (`sheet` of the expected outcome). For the rest,
    see `make_rows`. An odd pair has `odd` in its expected outcome: the kinds, the currency that the country must have
    (or None), and the words of the refusal (none where the pair is imported). Raises ValueError on another `fmt`, an
    unknown kind, or kinds that do not go together.
    """
    if fmt not in FORMATS:
        raise ValueError(f"the format is one of {', '.join(FORMATS)}")
    kinds = find_kinds(odd, fmt=fmt, where=where)
    if draft_sheet and (fmt != "xlsx" or kinds):
        raise ValueError("only a plain workbook can have a draft sheet")
    pair = make_rows(
        claims=claims,
        seed=seed,
        pages=pages,
        tolerance=tolerance,
        start=start,
        days=days,
        world_seed=world_seed,
        world_claims=world_claims,
        odd=kinds,
        where=where,
        revision=revision,
        to_look_at=to_look_at,
        left_out=left_out,
    )
    out = Path(out_dir)
    out.mkdir(parents=True, exist_ok=True)
    rng = Random(f"layout {seed}")
    stat, recaps = write_pair(
        out,
        pair.stat,
        pair.recap_pages,
        fmt=fmt,
        odd=kinds,
        where=where,
        zipped=zipped,
        draft_sheet=draft_sheet,
        number_left_out=PAGE_LEFT_OUT + 1 if left_out in ("name", "both") else 0,
        rng=rng,
    )
    expected = {**pair.expected, "files": {"stat": stat, "recaps": recaps}}
    if draft_sheet:
        expected["sheet"] = SHEET
    if left_out in ("name", "both"):
        expected["missing_pages"]["names"]["pages"] = [f"recap_{PAGE_LEFT_OUT + 1:02d}.{fmt}"]
    if kinds:
        expected["odd"] = {
            "kinds": [kind.name for kind in kinds],
            "currency": next((kind.currency for kind in kinds if kind.currency), None),
            "refusal": [word for kind in kinds for word in kind.refusal],
        }
    (out / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return expected


def make_odd_pairs(out_dir: str | Path, *, fmt: str = "xlsx", **options: Any) -> dict[str, dict[str, Any]]:
    """Makes a pair of every odd kind in a folder of its name; → kind → expected outcome.

    A kind that does not exist in `fmt`, or in the files of the option `where`, is made in those that it has. For the
    options, see `make_pair`.
    """
    where = options.pop("where", "both")
    return {
        kind.name: make_pair(
            Path(out_dir) / kind.name,
            fmt=fmt if fmt in kind.formats else kind.formats[0],
            odd=[kind.name],
            where=where if where in ("both", *kind.sides) else kind.sides[0],
            **options,
        )
        for kind in ODD_KINDS.values()
    }
