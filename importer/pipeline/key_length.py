"""Keys of any length, shortened so that they fit the database."""

from collections.abc import Sequence

import polars as pl

from common.keys import KEY_LENGTH, shortened_key


def limit_key_length(frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """The frame with the keys of `columns` (String) at most KEY_LENGTH characters long (`shortened_key`)."""
    too_long = [column for column in columns if (frame[column].str.len_chars().max() or 0) > KEY_LENGTH]  # type: ignore[operator]
    return frame.with_columns(pl.col(column).map_elements(shortened_key, return_dtype=pl.String) for column in too_long)
