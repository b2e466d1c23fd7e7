"""Sample claim files whose outcome is known by construction, for the demonstration, the tests and the measurements."""

from samples.odd import ODD_KINDS, OddKind
from samples.pairs import Pair, make_odd_pairs, make_pair, make_rows

__all__ = ["ODD_KINDS", "OddKind", "Pair", "make_odd_pairs", "make_pair", "make_rows"]
