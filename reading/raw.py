"""The cells of one sheet → its raw frame: the same for every format (see docs/architecture.md, "Raw frame")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from common.keys import EMPTY_WORDS
from reading.columns import HEAD_ROWS, MAIN_FIELD, FileKind, Layout, columns_of, recognise, repeated_header_rows
from reading.excel.guard import column_letters
from reading.limits import Limits
from reading.merged import blocks_by_column, covering_rows, fill_column
from reading.problems import Problem, UnreadableFile

# White space and invisible characters around one of the words for nothing (DOMAIN §4 "Empty").
_INVISIBLE = r"[\s\p{Cc}\p{Cf}]*"
_BLANK = rf"^{_INVISIBLE}(?i:{'|'.join(sorted(EMPTY_WORDS, key=len, reverse=True))}){_INVISIBLE}$"
# A text with a letter and without a digit: a title may be one, an amount, a date or a claim number hardly.
_WORDS = r"^[^0-9]*\p{L}[^0-9]*$"
_TITLE_FIELDS = ("claim_number", "settlement_date", "claimed_amount", "reimbursed_amount", "amount")
# Characters that no text of a raw frame has.
CONTROL = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]"


@dataclass(frozen=True)
class RawSheet:
    """The raw frame of one sheet, and from which column of the sheet (0-based) each field was taken."""

    frame: pl.DataFrame
    columns: dict[str, int]


def empty_frame(kind: FileKind) -> pl.DataFrame:
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "file": pl.UInt32, "sheet": pl.String, "row": pl.UInt32, "anomaly": pl.String,
    }  # fmt: skip
    return pl.DataFrame(schema=schema | {column.field: pl.String for column in columns_of(kind)})


def layout_of(cells: pl.DataFrame, *, kind: FileKind, limits: Limits) -> Layout:
    """Recognise the header in the first rows of `cells`. Raises UnreadableFile (`too_many_columns`, `recognise`)."""
    layout = recognise(cells.head(HEAD_ROWS).rows(), kind)
    if cells.width > limits.max_columns:
        used = sum(series.null_count() < cells.height for series in cells.iter_columns())
        if used > limits.max_columns:
            raise UnreadableFile([Problem("too_many_columns", params={"columns": used, "limit": limits.max_columns})])
    if layout.problems:
        raise UnreadableFile(list(layout.problems))
    return layout


def raw_frame(
    cells: pl.DataFrame,
    layout: Layout,
    *,
    index: int,
    sheet: str,
    first_column: int = 0,
    merged: Sequence[int] = (),
) -> RawSheet:
    """Lay the lines below the header out by field.

    `cells` has one String column per column of the sheet, and every row from the sheet's first, or a `row` and an
    `anomaly` column of its own. `first_column`: the sheet's column (0-based) of the first of `cells`. `merged`: the
    cells merged down over several rows (`LostCells.merged`).
    Raises UnreadableFile: `same_field_twice` (`headers`, `letters`).
    """
    own_rows = "row" in cells.columns
    names = [name for name in cells.columns if name not in ("row", "anomaly")]
    if own_rows:
        body = cells.filter(pl.col("row") > layout.header_row + 1)
    else:
        body = cells.with_row_index("row", offset=1).slice(layout.header_row + 1)
        body = body.with_columns(pl.lit(None, dtype=pl.String).alias("anomaly"))
    covering = _covering_rows(body, names, layout, first_column, merged)
    # A row that has only a part of a merged cell has no cell of its own.
    body = body.with_columns(
        *(series.alias(f"covering {name}") for name, series in covering.items()),
        *(pl.when(series.is_null()).then(pl.col(name)).alias(name) for name, series in covering.items()),
    )
    body = _without_repeated_headers(body, names, layout)
    body = _without_blank_rows(body, names, layout)
    chosen, problems = _choose_columns(body, names, layout, first_column)
    if problems:
        raise UnreadableFile(problems)
    body = body.with_columns(fill_column(body, name, f"covering {name}") for name in covering)
    fields = [
        (pl.col(chosen[column.field]) if column.field in chosen else pl.lit(None, dtype=pl.String)).alias(column.field)
        for column in columns_of(layout.kind)
    ]
    frame = body.select(
        pl.lit(index, dtype=pl.UInt32).alias("file"),
        pl.lit(sheet, dtype=pl.String).alias("sheet"),
        pl.col("row").cast(pl.UInt32),
        pl.col("anomaly"),
        *fields,
    )
    columns = {name: first_column + names.index(column) for name, column in chosen.items()}
    return RawSheet(_without_control_characters(frame), columns)


def is_blank(name: str) -> pl.Expr:
    """Whether a cell is empty in the sense of DOMAIN §4."""
    return pl.col(name).is_null() | pl.col(name).str.contains(_BLANK)


def _covering_rows(
    body: pl.DataFrame, names: list[str], layout: Layout, first_column: int, merged: Sequence[int]
) -> dict[str, pl.Series]:
    """For each column that takes the values of merged cells, where they come from (`covering_rows`).

    Amounts never do: an amount merged over three acts is not the amount of each of them. Nor does a column take a
    title merged down into the lines.
    """
    blocks = blocks_by_column(merged)
    taking = {
        at
        for column in columns_of(layout.kind)
        if column.kind != "amount"
        for at in layout.positions.get(column.field, ())
        if first_column + at in blocks
    }
    below = {at: blocks[first_column + at].filter(pl.col("first") > layout.header_row + 1) for at in sorted(taking)}
    return {names[at]: covering_rows(body["row"], one) for at, one in below.items() if one.height}


def _without_repeated_headers(body: pl.DataFrame, names: list[str], layout: Layout) -> pl.DataFrame:
    """Leave out the rows that repeat the header. Only rows with a word under a title of numbers are looked at."""
    worded = [names[at] for field in _TITLE_FIELDS for at in layout.positions.get(field, ())]
    suspects = body.filter(pl.any_horizontal(pl.col(name).str.contains(_WORDS) & ~is_blank(name) for name in worded))
    if suspects.is_empty():
        return body
    near = {row + step for row in suspects["row"].to_list() for step in (-1, 0, 1)}
    rows = body.filter(pl.col("row").is_in(near)).select("row", *names).iter_rows()
    repeated = repeated_header_rows({row: cells for row, *cells in rows}, layout)
    return body.filter(~pl.col("row").is_in(repeated)) if repeated else body


def _without_blank_rows(body: pl.DataFrame, names: list[str], layout: Layout) -> pl.DataFrame:
    # A row with a claim number or an employer is not blank. Only the few others need a look at all their cells.
    suspects = body.filter(is_blank(names[layout.positions[MAIN_FIELD[layout.kind]][0]]))
    if suspects.is_empty():
        return body
    blank = suspects.filter(pl.all_horizontal(is_blank(name) for name in names))
    if blank.is_empty():
        return body
    return body.filter(~pl.col("row").is_in(blank["row"].implode()))


def _choose_columns(
    body: pl.DataFrame, names: list[str], layout: Layout, first_column: int
) -> tuple[dict[str, str], list[Problem]]:
    chosen: dict[str, str] = {}
    problems: list[Problem] = []
    for field, positions in layout.positions.items():
        if len(positions) == 1:
            chosen[field] = names[positions[0]]
            continue
        filled = [at for at in positions if not body.select(is_blank(names[at]).all()).item()]
        chosen[field] = names[filled[0] if filled else positions[0]]
        first = pl.col(chosen[field]).str.strip_chars()
        differ = [
            not body.select(first.eq_missing(pl.col(names[at]).str.strip_chars()).all()).item() for at in filled[1:]
        ]
        if any(differ):
            headers = list(dict.fromkeys(layout.headers[at] for at in filled))
            letters = [column_letters(first_column + at) for at in filled]
            problems.append(Problem("same_field_twice", params={"headers": headers, "letters": letters}))
    return chosen, problems


def _without_control_characters(frame: pl.DataFrame) -> pl.DataFrame:
    texts = frame.columns[4:]
    found = frame.select(pl.col(texts).str.contains(CONTROL).any())
    dirty = [name for name in texts if found[name].item()]
    cleaned = frame.with_columns(pl.col(dirty).str.replace_all(CONTROL, "")) if dirty else frame
    return cleaned.with_columns(
        pl.when(pl.col(name).str.len_bytes() > 0).then(pl.col(name)).alias(name)
        for name in texts
        if dirty and name in dirty
    )
