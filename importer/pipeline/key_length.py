"""Keys of any length, shortened so that they fit the database."""

from collections.abc import Sequence
from hashlib import blake2b

import polars as pl

KEY_LENGTH = 255


def limit_key_length(frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """The frame with the keys of `columns` (String) at most KEY_LENGTH characters long.

    Two long keys that differ must stay different, so the end of a key that is too long is replaced by its digest.
    """
    too_long = [column for column in columns if (frame[column].str.len_chars().max() or 0) > KEY_LENGTH]  # type: ignore[operator]
    return frame.with_columns(pl.col(column).map_elements(_shorten, return_dtype=pl.String) for column in too_long)


def _shorten(key: str) -> str:
    if len(key) <= KEY_LENGTH:
        return key
    return key[: KEY_LENGTH - 33] + "#" + blake2b(key.encode(), digest_size=16).hexdigest()
