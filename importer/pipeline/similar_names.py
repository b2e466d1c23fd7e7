"""Names that are nearly the same: never merged, listed for people to judge (DOMAIN §6)."""

import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

SLICE = 2_000
# Above this number, only names with the same beginning are compared: a list of hints must not take an hour.
MOST_COMPARISONS = 50_000_000
SHORTEST = 5
LONG = 12


def similar_pairs(*, new: Sequence[str], known: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs (new key, other key) that differ by a typing error: one edit, or two in a dozen letters.

    `known` includes the new keys; a pair of two new keys is returned once. Keys that differ in a digit are different
    things.
    """
    pairs: set[tuple[str, str]] = set()
    for some_new, some_known in _blocks(new, known):
        for start in range(0, len(some_new), SLICE):
            part = some_new[start : start + SLICE]
            distances = process.cdist(part, some_known, scorer=OSA.distance, score_cutoff=2, dtype=np.uint8)
            for row, column in zip(*np.nonzero((distances > 0) & (distances <= 2)), strict=True):
                one, other = part[row], some_known[column]
                if _is_typing_error(one, other, int(distances[row, column])) and (other, one) not in pairs:
                    pairs.add((one, other))
    return sorted(pairs)


def _is_typing_error(one: str, other: str, distance: int) -> bool:
    shorter = min(len(one), len(other))
    if shorter < SHORTEST or (distance == 2 and shorter < LONG):
        return False
    return re.findall(r"\d+", one) == re.findall(r"\d+", other)


def _blocks(new: Sequence[str], known: Sequence[str]) -> list[tuple[list[str], list[str]]]:
    if len(new) * len(known) <= MOST_COMPARISONS:
        return [(list(new), list(known))] if new else []
    by_start: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for key in new:
        by_start[key[:4]][0].append(key)
    for key in known:
        by_start[key[:4]][1].append(key)
    return [block for block in by_start.values() if block[0]]
