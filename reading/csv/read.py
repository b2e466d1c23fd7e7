"""CSV files → raw frames, with a field count per row: nothing shifts in silence (DOMAIN §4 "Files")."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from reading.columns import HEADER_SEARCH_ROWS, FileKind, Layout, Row, choose_sheets, recognise
from reading.csv.records import parse_record, records
from reading.csv.text import find_separator, lines_of, read_text
from reading.limits import Limits
from reading.problems import Problem, UnreadableFile
from reading.raw import raw_frame
from reading.sources import ReadFile

_BLOCK_LINES = 20_000
_LOOKS_SAMPLE = 1_000


def csv_head(path: str, *, kind: FileKind, rows: int = HEADER_SEARCH_ROWS) -> list[Row]:
    """The first `rows` records of the file, from its first bytes alone."""
    lines, separator = lines_of(read_text(path, head_only=True))
    return _head(lines, separator or find_separator(lines, kind=kind), rows=rows)


def read_csv(path: str, *, index: int, kind: FileKind, limits: Limits) -> ReadFile:
    """Read a CSV file; `row` is the record's number, blank ones counted, as a spreadsheet shows it.

    Anomalies of a row: `unclosed_quote`, and `extra_field` (more fields than the header has columns, and something in
    them).
    Raises UnreadableFile: `empty_file`, `too_many_columns`, and those of `recognise` and `raw_frame`.
    """
    lines, hinted = lines_of(read_text(path))
    separator = hinted or find_separator(lines, kind=kind)
    head = _head(lines, separator, rows=HEADER_SEARCH_ROWS)
    # Before anybody asks what each of five million headers means.
    _refuse_too_wide(max((sum(cell is not None for cell in row) for row in head), default=0), limits)
    problems = choose_sheets({"": head}, kind=kind, named=None).problems
    if problems:
        raise UnreadableFile(list(problems))
    layout = recognise(head, kind)
    width = _width(lines, separator, head, layout)
    _refuse_too_wide(width, limits)
    cells = _cells(lines, separator, width)
    del lines
    cells = _place_claim_numbers(cells, layout, width)
    return ReadFile(raw_frame(cells, layout, index=index, sheet=""), (), ())


def _refuse_too_wide(columns: int, limits: Limits) -> None:
    if columns > limits.max_columns:
        raise UnreadableFile([Problem("too_many_columns", params={"columns": columns, "limit": limits.max_columns})])


def _head(lines: Sequence[str], separator: str, *, rows: int) -> list[Row]:
    head: list[Row] = []
    for record in records(lines, separator):
        if len(head) == rows:
            break
        head.append([field or None for field in record.fields])
    return head


def _width(lines: Sequence[str], separator: str, head: list[Row], layout: Layout) -> int:
    """How many fields a row has: up to the last named column, unless the header goes on unnamed over columns in use."""
    header = head[layout.header_row]
    named = max((at for at, cell in enumerate(header) if cell and cell.strip()), default=-1) + 1
    if len(header) <= named:
        return named
    below = [record.fields for record in records(lines[:_LOOKS_SAMPLE], separator)][layout.header_row + 1 :]
    beyond = sum(any(field.strip() for field in fields[named : len(header)]) for fields in below)
    return len(header) if 2 * beyond > len(below) else named


def _cells(lines: list[str], separator: str, width: int) -> pl.DataFrame:
    """Every record as `row`, `anomaly`, `c0` … `c<width-1>`, and `extra`: any further fields."""
    frames: list[pl.DataFrame] = []
    row = start = 0
    while start < len(lines):
        block = pl.Series("line", lines[start : start + _BLOCK_LINES])
        quoted = block.str.contains('"', literal=True).arg_true().to_list()
        if not quoted:
            frames.append(_plain(block, row, separator, width))
            start, row = start + len(block), row + len(block)
            continue
        if _every_field_quoted(block, separator, width):
            bare = block.str.strip_prefix('"').str.strip_suffix('"')
            frames.append(_plain(bare, row, f'"{separator}"', width))
            start, row = start + len(block), row + len(block)
            continue
        frame, used, count = _mixed(lines, start, quoted, row=row, separator=separator, width=width)
        frames.append(frame)
        start, row = start + used, row + count
    return pl.concat(frames, rechunk=False)


def _every_field_quoted(block: pl.Series, separator: str, width: int) -> bool:
    """Whether every line is that of an export that quotes all its fields and has no quote within them."""
    return bool(
        (
            block.str.starts_with('"')
            & block.str.ends_with('"')
            & (block.str.count_matches('"', literal=True) == 2 * width)
            & (block.str.count_matches(f'"{separator}"', literal=True) == width - 1)
        ).all()
    )


def _plain(block: pl.Series, row: int, separator: str, width: int, rows: pl.Series | None = None) -> pl.DataFrame:
    numbers = pl.Series("row", range(row + 1, row + 1 + len(block)), dtype=pl.UInt32) if rows is None else rows
    # Split once, then named apart: an expression per field would split every line anew for each.
    parts = block.str.splitn(separator, width + 1).struct.unnest()
    parts.columns = [*(f"c{at}" for at in range(width)), "rest"]
    frame = parts.with_columns(numbers, *(_or_null(pl.col(f"c{at}")).alias(f"c{at}") for at in range(width)))
    return _with_extra(frame, pl.col("rest").str.split(separator), width)


def _or_null(text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.len_bytes() > 0).then(text)


def _with_extra(frame: pl.DataFrame, extra: pl.Expr, width: int, anomaly: pl.Expr | None = None) -> pl.DataFrame:
    filled = pl.col("extra").list.eval(pl.element().str.strip_chars().str.len_bytes() > 0).list.any()
    own = pl.lit(None, dtype=pl.String) if anomaly is None else anomaly
    frame = frame.with_columns(extra.alias("extra"))
    frame = frame.with_columns(pl.coalesce(own, pl.when(filled).then(pl.lit("extra_field"))).alias("anomaly"))
    return frame.select("row", "anomaly", *(f"c{at}" for at in range(width)), "extra")


def _mixed(
    lines: list[str], start: int, quoted: list[int], *, row: int, separator: str, width: int
) -> tuple[pl.DataFrame, int, int]:
    """A block in which some lines have quotes. Answers its frame, the lines that it took and the records in it."""
    size = min(_BLOCK_LINES, len(lines) - start)
    plain_lines: list[str] = []
    plain_rows: list[int] = []
    parsed: list[tuple[int, str | None, list[str]]] = []
    at = 0
    number = row
    for position in [*quoted, size]:
        if position < at:
            # This line was taken by a quoted field begun above it.
            continue
        plain_lines += lines[start + at : start + position]
        plain_rows += range(number + 1, number + 1 + position - at)
        number += position - at
        at = position
        if position < size:
            fields, used, anomaly = parse_record(lines, start + position, separator, width=width)
            number += 1
            parsed.append((number, anomaly, fields))
            at += used
    frames = []
    if plain_lines:
        rows = pl.Series("row", plain_rows, dtype=pl.UInt32)
        frames.append(_plain(pl.Series("line", plain_lines), row, separator, width, rows))
    if parsed:
        frames.append(_parsed(parsed, width))
    return pl.concat(frames).sort("row"), at, number - row


def _parsed(parsed: list[tuple[int, str | None, list[str]]], width: int) -> pl.DataFrame:
    blank = [None] * width
    columns: dict[str, pl.Series] = {
        "row": pl.Series([row for row, _, _ in parsed], dtype=pl.UInt32),
        "own": pl.Series([anomaly for _, anomaly, _ in parsed], dtype=pl.String),
        "rest": pl.Series([fields[width:] or None for _, _, fields in parsed], dtype=pl.List(pl.String)),
    }
    padded = [fields[:width] if len(fields) >= width else [*fields, *blank[len(fields) :]] for _, _, fields in parsed]
    for at, values in enumerate(zip(*padded, strict=True)):
        columns[f"c{at}"] = pl.Series(values, dtype=pl.String)
    frame = pl.DataFrame(columns).with_columns(_or_null(pl.col(f"c{at}")).alias(f"c{at}") for at in range(width))
    return _with_extra(frame, pl.col("rest"), width, pl.col("own"))


def _looks(number: str) -> tuple[int, str]:
    """What a claim number looks like: its length and the letters it begins with."""
    text = "".join(number.split()).lower()
    digits = next((at for at, character in enumerate(text) if not character.isalpha()), len(text))
    return len(text), text[:digits]


def _place_claim_numbers(cells: pl.DataFrame, layout: Layout, width: int) -> pl.DataFrame:
    """In a row with extra fields the claim number may stand further right: take what looks like the others, or none.

    Extra fields that are empty are no anomaly, unless the claim number stands among them in this way: then the row was
    pushed, and its last fields had been empty.
    """
    place = layout.positions["claim_number"][0]
    bearer = f"c{place}"
    body = cells.filter(pl.col("row") > layout.header_row + 1)
    longer = body.filter(pl.col("extra").is_not_null())
    if longer.is_empty():
        return cells.drop("extra")
    usual = body.filter(pl.col("anomaly").is_null())
    known = {_looks(number) for number in usual[bearer].drop_nulls().head(_LOOKS_SAMPLE) if _has_digit(number)}
    rows: list[int] = []
    placed: list[str | None] = []
    reach = [f"c{at}" for at in range(place, width)]
    for row, anomaly, extra, own, *right in longer.select("row", "anomaly", "extra", *reach).iter_rows():
        pushed = [one for one in [*right, *extra][: len(extra)] if one and _looks(one) in known]
        if anomaly is None and (not pushed or (own and _looks(own) in known)):
            continue
        fitting = {*pushed, own} if own and _looks(own) in known else set(pushed)
        rows.append(row)
        placed.append(fitting.pop() if len(fitting) == 1 else None)
    found = pl.DataFrame({"row": pl.Series(rows, dtype=pl.UInt32), "placed": pl.Series(placed, dtype=pl.String)})
    found = found.with_columns(pl.lit(True).alias("pushed"))
    return (
        cells.join(found, on="row", how="left", maintain_order="left")
        .with_columns(
            pl.when(pl.col("pushed")).then(pl.col("placed")).otherwise(pl.col(bearer)).alias(bearer),
            pl.coalesce("anomaly", pl.when(pl.col("pushed")).then(pl.lit("extra_field"))).alias("anomaly"),
        )
        .drop("extra", "placed", "pushed")
    )


def _has_digit(text: str) -> bool:
    return any(character.isdigit() for character in text)
