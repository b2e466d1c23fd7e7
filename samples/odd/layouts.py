"""Kinds of another layout: columns, separators, encodings, names of the files."""

from dataclasses import replace
from random import Random

from samples.layout import Layout, shuffled_layout
from samples.odd.kind import OddKind


def _utf_16(layout: Layout, rng: Random, turn: int) -> Layout:
    return replace(layout, encoding="utf-16")


KINDS = (
    OddKind(
        name="layout-shuffled",
        description="titles, another order of the columns, unknown columns, other separators and encodings",
        arrange=shuffled_layout,
    ),
    OddKind(
        name="layout-utf-16",
        description="CSV in UTF-16 with a byte-order mark",
        formats=("csv",),
        arrange=_utf_16,
    ),
)
