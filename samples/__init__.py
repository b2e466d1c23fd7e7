"""Sample claim files whose outcome is known by construction, for the demonstration, the tests and the measurements."""

from samples.pairs import Pair, make_pair, make_rows

__all__ = ["Pair", "make_pair", "make_rows"]
