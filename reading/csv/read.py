"""CSV files → raw frames, with a field count per row: nothing shifts in silence (DOMAIN §4 "Files")."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from reading.columns import HEAD_ROWS, MAIN_FIELD, FileKind, Layout, Row, choose_sheets, recognise
from reading.csv.records import parse_record, records
from reading.csv.text import find_separator, lines_of, read_text
from reading.limits import Limits
from reading.problems import Problem, UnreadableFile
from reading.raw import raw_frame
from reading.sources import ReadFile

_BLOCK_LINES = 20_000
_SAMPLE_LINES = 1_000
# A formula that keeps a spreadsheet from reading a number: `="00123"` is the text 00123 (DOMAIN §4 "Text").
_FORMULA_TEXT = re.compile(r"[\s\ufeff]*=\s*\"(.*)\"\s*", re.DOTALL)
_FORMULA_TEXT_PATTERN = r"(?s)^[\s\x{feff}]*=\s*\"(.*)\"\s*$"


def csv_head(path: str, *, kind: FileKind, rows: int = HEAD_ROWS) -> list[Row]:
    """The first `rows` records of the file, from its first bytes alone."""
    lines, separator = lines_of(read_text(path, head_only=True))
    return _head(lines, separator or find_separator(lines, kind=kind), rows=rows)


def read_csv(path: str, *, index: int, kind: FileKind, limits: Limits) -> ReadFile:
    """Read a CSV file; `row` is the record's number, blank ones counted, as a spreadsheet shows it.

    Anomalies of a row: `unclosed_quote`, and `extra_field`, more fields than the header (see `_note_extra_fields`).

    Raises UnreadableFile: `empty_file`, `too_many_columns`, and those of `recognise` and `raw_frame`.
    """
    lines, hinted = lines_of(read_text(path))
    separator = hinted or find_separator(lines, kind=kind)
    head = _head(lines, separator, rows=HEAD_ROWS)
    # Before the headers are looked up: a hostile file may have five million of them.
    _refuse_too_wide(max((sum(cell is not None for cell in row) for row in head), default=0), limits)
    problems = choose_sheets({"": head}, kind=kind, named=None).problems
    if problems:
        raise UnreadableFile(list(problems))
    layout = recognise(head, kind)
    width = _width(lines, separator, head, layout)
    _refuse_too_wide(width, limits)
    cells = _cells(lines, separator, width)
    has_formula_texts = any('="' in line for line in lines)
    del lines
    if has_formula_texts:
        cells = cells.with_columns(_column_without_formulas(f"c{at}") for at in range(width))
    cells = _note_extra_fields(cells, layout, allowed=max(0, len(head[layout.header_row]) - width))
    return ReadFile(raw_frame(cells, layout, index=index, sheet="").frame, (), ())


def _refuse_too_wide(columns: int, limits: Limits) -> None:
    if columns > limits.max_columns:
        raise UnreadableFile([Problem("too_many_columns", params={"columns": columns, "limit": limits.max_columns})])


def _head(lines: Sequence[str], separator: str, *, rows: int) -> list[Row]:
    head: list[Row] = []
    for record in records(lines, separator):
        if len(head) == rows:
            break
        head.append([_without_formula(field) or None for field in record.fields])
    return head


def _without_formula(field: str) -> str:
    formula = _FORMULA_TEXT.fullmatch(field) if '="' in field else None
    return formula[1].replace('""', '"') if formula else field


def _column_without_formulas(name: str) -> pl.Expr:
    text = pl.col(name)
    inner = text.str.extract(_FORMULA_TEXT_PATTERN, 1).str.replace_all('""', '"', literal=True)
    return pl.when(text.str.contains(_FORMULA_TEXT_PATTERN)).then(_or_null(inner)).otherwise(text).alias(name)


def _width(lines: Sequence[str], separator: str, head: list[Row], layout: Layout) -> int:
    """The number of fields of a row: up to the last titled column, or the header's length if most rows use the rest."""
    titles = head[layout.header_row + 1 - len(layout.rows) : layout.header_row + 1]
    named = max(at for row in titles for at, cell in enumerate(row, start=1) if cell and cell.strip())
    length = len(titles[-1])
    if length <= named:
        return named
    below = [record.fields for record in records(lines[:_SAMPLE_LINES], separator)][layout.header_row + 1 :]
    in_use = sum(any(field.strip() for field in fields[named:length]) for fields in below)
    return length if 2 * in_use > len(below) else named


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
    return parts.select(
        numbers,
        pl.lit(None, dtype=pl.String).alias("anomaly"),
        *(_or_null(pl.col(f"c{at}")).alias(f"c{at}") for at in range(width)),
        pl.col("rest").str.split(separator).alias("extra"),
        (pl.col(f"c{width - 1}").is_not_null() & pl.col("rest").is_null()).alias("is_complete"),
    )


def _or_null(text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.len_bytes() > 0).then(text)


def _mixed(
    lines: list[str], start: int, quoted: list[int], *, row: int, separator: str, width: int
) -> tuple[pl.DataFrame, int, int]:
    """A block in which some lines have quotes: its frame, the number of its lines and the number of its records."""
    size = min(_BLOCK_LINES, len(lines) - start)
    plain_lines: list[str] = []
    plain_rows: list[int] = []
    parsed: list[tuple[int, str | None, list[str]]] = []
    at = 0
    number = row
    for position in [*quoted, size]:
        if position < at:
            # This line is the inside of a quoted field that begins above it.
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
        "anomaly": pl.Series([anomaly for _, anomaly, _ in parsed], dtype=pl.String),
    }
    padded = [fields[:width] if len(fields) >= width else [*fields, *blank[len(fields) :]] for _, _, fields in parsed]
    for at, values in enumerate(zip(*padded, strict=True)):
        columns[f"c{at}"] = pl.Series(values, dtype=pl.String)
    columns["extra"] = pl.Series([fields[width:] or None for _, _, fields in parsed], dtype=pl.List(pl.String))
    columns["is_complete"] = pl.Series([len(fields) == width for _, _, fields in parsed], dtype=pl.Boolean)
    return pl.DataFrame(columns).with_columns(_or_null(pl.col(f"c{at}")).alias(f"c{at}") for at in range(width))


def _note_extra_fields(cells: pl.DataFrame, layout: Layout, *, allowed: int) -> pl.DataFrame:
    """Give the anomaly `extra_field` to rows with more fields than the header.

    `allowed`: the number of empty fields that the header itself has behind its last title. Further empty fields are an
    anomaly too: a separator within a value may have pushed the others. They are none where no row has as many fields
    as the header (the file ends all lines with separators), or where the row above or below has as many (a spreadsheet
    writes blocks of rows with one length).

    In a row that was pushed, any text may be in the column of the claim number (of the employer in a sheet of
    premiums). So the row keeps it only if a row without an anomaly has the same.
    """
    body = cells.filter(pl.col("row") > layout.header_row + 1)
    more = pl.col("extra").list.len()
    has_full_rows = body.select((pl.col("is_complete") if allowed == 0 else more == allowed).any()).item()
    is_filled = pl.col("extra").list.eval(pl.element().str.strip_chars().str.len_bytes() > 0).list.any()
    is_alone = ~((more == more.shift(1)).fill_null(False) | (more == more.shift(-1)).fill_null(False))
    is_extra = (is_filled | ((more > allowed) & is_alone) if has_full_rows else is_filled).fill_null(False)
    cells = cells.drop("extra", "is_complete").with_columns(
        anomaly=pl.coalesce("anomaly", pl.when(cells.select(is_extra).to_series()).then(pl.lit("extra_field")))
    )
    name = f"c{layout.positions[MAIN_FIELD[layout.kind]][0]}"
    number = pl.col(name).str.strip_chars().str.to_uppercase()
    known = cells.filter(pl.col("anomaly").is_null()).select(number).to_series().unique()
    is_unknown = (pl.col("anomaly") == "extra_field") & ~number.is_in(known.implode())
    return cells.with_columns(pl.when(~is_unknown.fill_null(False)).then(pl.col(name)).alias(name))
