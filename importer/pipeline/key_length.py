"""Keys as long as a file cares to write them, made to fit the database."""

from collections.abc import Sequence
from hashlib import blake2b

import polars as pl

KEY_LENGTH = 255


def limit_key_length(frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """The frame with the keys of `columns` (String) at most KEY_LENGTH characters long.

    Two long keys that differ must stay two, so the end of one that does not fit is stood for by its digest.
    """
    too_long = [column for column in columns if (frame[column].str.len_chars().max() or 0) > KEY_LENGTH]  # type: ignore[operator]
    return frame.with_columns(pl.col(column).map_elements(_fit, return_dtype=pl.String) for column in too_long)


def _fit(key: str) -> str:
    if len(key) <= KEY_LENGTH:
        return key
    return key[: KEY_LENGTH - 33] + "#" + blake2b(key.encode(), digest_size=16).hexdigest()
