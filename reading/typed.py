"""Raw frames → typed frames: clean text, keys, amounts in cents, dates, and what of them could not be read (DOMAIN §4).

Every column is read by its distinct values: a year of claims repeats its names, acts and amounts many times over. The
amounts are read last, when all files of a side are there: the texts of all of them decide what `12.000` is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from common.dates import parse_date
from common.keys import (
    claim_number,
    clean_text,
    has_lost_digits,
    is_empty,
    label_key,
    name_key,
    reference_key,
    reference_text,
)
from common.money import MarkMeaning, lone_mark_of, parse_amount
from reading.columns import Column, FileKind, columns_of
from reading.lone_marks import LoneMark, decide_lone_marks
from reading.sources import FindFractions

SOURCE_COLUMNS = ("file", "sheet", "row", "anomaly")

KeyFunction = Callable[[str], str]

# Field of the stat file → the key columns made from it.
STAT_KEYS: dict[str, dict[str, KeyFunction]] = {
    "employer": {"employer_key": label_key, "employer_name_key": name_key},
    "card_number": {"card_key": reference_key},
    "beneficiary": {"beneficiary_key": name_key},
    "plan": {"plan_key": label_key},
    "policy_number": {"policy_key": reference_key},
    "main_insured": {"main_insured_key": name_key},
    "partner": {"partner_key": label_key},
    "act_category": {"category_key": label_key},
    "act": {"act_key": label_key},
    "operator": {"operator_key": label_key},
    "payment_reference": {"payment_key": reference_key},
    "invoice_number": {"invoice_key": reference_key},
}

# References without whose digits a row cannot be read. Any other reference that lost its digits is left empty.
_NEEDED_REFERENCES: dict[FileKind, tuple[str, ...]] = {
    "stat": ("claim_number", "policy_number"),
    "recap": ("claim_number",),
    "premium": (),
}
# How a number cell with a fraction stands in a raw frame: its text alone does not show that it was a number.
_FRACTION = r"^-?[0-9]+\.[0-9]+$"
_LONE_MARK = r"[1-9][0-9]{0,2}[.,][0-9]{3}"

_INSURED_STATUSES = frozenset("ACE")
_CANCELLED_PREFIX = "ANNUL"


@dataclass(frozen=True)
class RawFile:
    """One file to be typed: its frame, and the number cells with a fraction in a field of it (`ReadFile.fractions`)."""

    frame: pl.DataFrame
    fractions: FindFractions | None = None


@dataclass(frozen=True)
class TypedSide:
    """The typed frame of all files of a side, and how amounts such as `12.000` were read in them."""

    frame: pl.DataFrame
    lone_marks: list[LoneMark]


def typed_stat(raw: pl.DataFrame, *, currency: str = "") -> pl.DataFrame:
    """Type the lines of one stat file.

    Takes a raw frame of kind stat and the ISO 4217 code of its amounts. Gives its `file`, `sheet`, `row`, `anomaly`;
    every text field cleaned, null where empty; the keys of `STAT_KEYS`, null where nothing is left of the text;
    `claim_number` normalised; `incident_date`, `settlement_date` (Date); `claimed_cents`, `reimbursed_cents` (Int64
    hundredths); `<field>_raw`, the cell as it stood, where a date or an amount was there and could not be read;
    `insured_status` (`A`, `C`, `E` or null) and `insured_status_raw`, the text of any other status; `is_cancelled`
    (Boolean); `lost_references`, the references that were left empty because their digits were lost (`field=text`,
    with spaces between), or null; `trouble`, the comma-joined codes of the reasons why the line is unreadable, or null;
    `unreadable` (Boolean, DOMAIN §5.1: no claim number, or the settlement date or an amount empty or not readable, or
    a claim or policy number without its digits, or an anomaly).

    A code of `trouble` is an anomaly or a field; `<field>:ambiguous` where the mark of an amount could be either, and
    `<field>:lost_digits` for a number in scientific notation.
    """
    return type_amounts([RawFile(type_texts(raw, kind="stat"))], kind="stat", currency=currency).frame


def typed_recap(raw: pl.DataFrame, *, currency: str = "") -> pl.DataFrame:
    """Type the rows of one recap page.

    Takes a raw frame of kind recap. Gives the same kinds of column as `typed_stat`, without keys, and `is_paid`
    (Boolean: the settlement date's cell is not empty, whether or not it can be read). An unpaid row is `unreadable`
    only for an anomaly or a claim number without its digits: no other cell of it is needed (DOMAIN §5.1).
    """
    return type_amounts([RawFile(type_texts(raw, kind="recap"))], kind="recap", currency=currency).frame


def type_texts(raw: pl.DataFrame, *, kind: FileKind) -> pl.DataFrame:
    """All of a raw frame typed but the amounts, which stay as they stand until all files are read."""
    keys = STAT_KEYS if kind == "stat" else {}
    read: list[pl.Series] = [raw[name] for name in SOURCE_COLUMNS]
    lost: list[pl.Series] = []
    for column in columns_of(kind):
        cells = raw[column.field]
        if column.kind == "amount":
            read.append(cells)
        elif column.kind == "date":
            read += _dates(cells, column.field)
        elif column.kind == "reference" and column.field not in _NEEDED_REFERENCES[kind]:
            cells, lost_here = _without_lost_digits(cells)
            read += _texts(cells, column, keys.get(column.field, {}))
            lost += lost_here
        else:
            read += _texts(cells, column, keys.get(column.field, {}))
    typed = pl.DataFrame(read)
    typed = typed.with_columns(lost_references=_joined(lost, height=typed.height))
    if kind == "stat":
        return _with_cancellation(_with_insured_status(typed))
    if kind == "premium":
        return typed
    return typed.with_columns(
        is_paid=pl.col("settlement_date").is_not_null() | pl.col("settlement_date_raw").is_not_null()
    )


def type_amounts(files: Sequence[RawFile], *, kind: FileKind, currency: str) -> TypedSide:
    """Type the amounts of all files of a side together, and note which rows cannot be read.

    `files`: frames of `type_texts`. `currency`: the ISO 4217 code of the amounts; "" where it is not known. A row of a
    sheet of premiums is `unreadable` without an amount or with an anomaly; what else it needs depends on the row.
    """
    frame = pl.concat([file.frame for file in files], rechunk=False)
    amounts = [column for column in columns_of(kind) if column.kind == "amount"]
    lone_marks: list[LoneMark] = []
    for column in amounts:
        series, decided = _amounts(frame[column.field], column, files, currency)
        frame = frame.with_columns(series)
        lone_marks += decided
    needed = [_lost_digits(frame, field) for field in _NEEDED_REFERENCES[kind]]
    required = [_missing_amount(one.field) for one in amounts]
    if kind != "premium":
        required = [_missing("claim_number"), _missing("settlement_date"), *required]
    if kind == "recap":
        required = [pl.when("is_paid").then(code) for code in required]
    frame = _with_trouble(frame, [*needed, *required])
    used = [name for column in amounts for name in (column.field, f"{column.field}_code")]
    return TypedSide(frame.drop(used), lone_marks)


def dedupe_recap(typed: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Keep the first of the rows that overlapping recap pages repeat; → the rows, and how many were left out (§5.2).

    Takes a frame of `typed_recap`. Rows are the same when every recognised column is, after reading: the cell as it
    stood where it could not be read. A row with an anomaly is never merged with one without.
    """
    source = {"file", "sheet", "row"}
    kept = typed.unique(
        subset=[name for name in typed.columns if name not in source], keep="first", maintain_order=True
    )
    return kept, typed.height - kept.height


def _texts(cells: pl.Series, column: Column, keys: dict[str, KeyFunction]) -> list[pl.Series]:
    read = {"claim": claim_number, "reference": reference_text}.get(column.kind, clean_text)
    values = _distinct(cells)
    texts = [None if is_empty(value) else read(value) or None for value in values]
    if not keys and texts == values:
        return [cells.alias(column.field)]
    results = {column.field: pl.Series(texts, dtype=pl.String)}
    for name, key in keys.items():
        results[name] = pl.Series([None if text is None else key(text) or None for text in texts], dtype=pl.String)
    return _spread(cells, values, results)


def _without_lost_digits(cells: pl.Series) -> tuple[pl.Series, list[pl.Series]]:
    """The references without those in scientific notation, and these as `field=text`, if there are any."""
    field = cells.name
    lost = {value: f"{field}={clean_text(value)}" for value in _distinct(cells) if has_lost_digits(value)}
    if not lost:
        return cells, []
    noted = cells.replace_strict(lost, default=None, return_dtype=pl.String)
    kept = pl.select(pl.when(noted.is_null()).then(cells).alias(field)).to_series()
    return kept, [noted]


def _joined(noted: list[pl.Series], *, height: int) -> pl.Series:
    if not noted:
        return pl.Series([None], dtype=pl.String).new_from_index(0, height)
    joined = pl.concat_str([pl.lit(one) for one in noted], separator=" ", ignore_nulls=True)
    return pl.select(joined.replace("", None)).to_series()


def _amounts(
    cells: pl.Series, column: Column, files: Sequence[RawFile], currency: str
) -> tuple[list[pl.Series], list[LoneMark]]:
    """Cents, the cells that could not be read, and the codes of the ambiguous ones; how lone marks were read."""
    texts = cells.drop_nulls().unique(maintain_order=True)
    if not any(lone_mark_of(text) for text in texts.filter(texts.str.contains(_LONE_MARK))):
        return _spread(cells, texts.to_list(), _read_amounts(texts.to_list(), column.field, {})), []
    # A number cell is never ambiguous, and is no evidence of how texts are written.
    is_number = _number_cells(column.field, files)
    values = cells.filter(~is_number).drop_nulls().unique(maintain_order=True).to_list()
    numbers = _distinct(cells.filter(is_number))
    decided = decide_lone_marks(values, field=column.field, column=column.header, currency=currency)
    meanings = {one.mark: MarkMeaning(one.meaning) for one in decided if one.meaning != "ambiguous"}
    read = _spread(cells, values, _read_amounts(values, column.field, meanings))
    if numbers:
        as_numbers = _spread(cells, numbers, _read_amounts(numbers, column.field, {".": MarkMeaning.DECIMAL}))
        read = [number.zip_with(is_number, text) for number, text in zip(as_numbers, read, strict=True)]
    return read, decided


def _read_amounts(values: list[str], field: str, meanings: Mapping[str, MarkMeaning]) -> dict[str, pl.Series]:
    """`meanings`: what the mark of a text such as `12.000` is. A mark that is not there is ambiguous."""
    empty = [is_empty(value) for value in values]
    marks = [None if nothing else lone_mark_of(value) for value, nothing in zip(values, empty, strict=True)]
    cents = [
        None if nothing else parse_amount(value, lone_mark=meanings.get(mark) if mark else None)
        for value, nothing, mark in zip(values, empty, marks, strict=True)
    ]
    codes = [f"{field}:ambiguous" if mark and mark not in meanings else None for mark in marks]
    return {
        _cents_name(field): pl.Series(cents, dtype=pl.Int64),
        f"{field}_raw": _unreadable_texts(values, empty, cents),
        f"{field}_code": pl.Series(codes, dtype=pl.String),
    }


def _cents_name(field: str) -> str:
    return field.removesuffix("_amount") + "_cents"


def _number_cells(field: str, files: Sequence[RawFile]) -> pl.Series:
    """Which cells of `field`, over all files, were numbers with a fraction."""
    return pl.concat([_number_cells_of(file, field) for file in files], rechunk=True)


def _number_cells_of(file: RawFile, field: str) -> pl.Series:
    looks_like_number = file.frame[field].str.contains(_FRACTION).fill_null(False)
    if file.fractions is None or not looks_like_number.any():
        return pl.Series(field, [False], dtype=pl.Boolean).new_from_index(0, file.frame.height)
    found = file.fractions(field)
    places = pl.DataFrame(
        {
            "sheet": pl.Series([sheet for sheet, rows in found.items() for _ in rows], dtype=pl.String),
            "row": pl.Series([row for rows in found.values() for row in rows], dtype=pl.UInt32),
        }
    ).with_columns(is_number=pl.lit(True))
    marked = file.frame.select("sheet", "row").join(
        places.unique(), on=["sheet", "row"], how="left", maintain_order="left"
    )
    return looks_like_number & marked["is_number"].fill_null(False)


def _dates(cells: pl.Series, field: str) -> list[pl.Series]:
    values = _distinct(cells)
    empty = [is_empty(value) for value in values]
    days = [None if nothing else parse_date(value) for value, nothing in zip(values, empty, strict=True)]
    return _spread(
        cells, values, {field: pl.Series(days, dtype=pl.Date), f"{field}_raw": _unreadable_texts(values, empty, days)}
    )


def _unreadable_texts(values: list[str], empty: list[bool], read: Sequence[int | date | None]) -> pl.Series:
    texts = [
        value if not nothing and result is None else None
        for value, nothing, result in zip(values, empty, read, strict=True)
    ]
    return pl.Series(texts, dtype=pl.String)


def _distinct(cells: pl.Series) -> list[str]:
    return cells.drop_nulls().unique().to_list()


def _spread(cells: pl.Series, values: list[str], results: dict[str, pl.Series]) -> list[pl.Series]:
    """Give every cell the results of its distinct value; null cells get null."""
    table = pl.DataFrame({"": pl.Series(values, dtype=pl.String), **results})
    joined = cells.alias("").to_frame().join(table, on="", how="left", maintain_order="left")
    return joined.drop("").get_columns()


def _with_insured_status(typed: pl.DataFrame) -> pl.DataFrame:
    statuses = {text: label_key(text) for text in _distinct(typed["insured_status"])}
    known = {text: key for text, key in statuses.items() if key in _INSURED_STATUSES}
    status = pl.col("insured_status")
    return typed.with_columns(
        insured_status=status.replace_strict(known, default=None, return_dtype=pl.String),
        insured_status_raw=pl.when(~status.is_in(list(known))).then(status),
    )


def _with_cancellation(typed: pl.DataFrame) -> pl.DataFrame:
    statuses = _distinct(typed["claim_status"])
    cancelled = [status for status in statuses if label_key(status).startswith(_CANCELLED_PREFIX)]
    return typed.with_columns(is_cancelled=pl.col("claim_status").is_in(cancelled).fill_null(False))


def _missing(field: str) -> pl.Expr:
    return pl.when(pl.col(field).is_null()).then(pl.lit(field))


def _missing_amount(field: str) -> pl.Expr:
    code = pl.coalesce(f"{field}_code", pl.lit(field))
    return pl.when(pl.col(_cents_name(field)).is_null()).then(code)


def _lost_digits(frame: pl.DataFrame, field: str) -> pl.Expr:
    lost = [text for text in _distinct(frame[field]) if has_lost_digits(text)]
    return pl.when(pl.col(field).is_in(lost)).then(pl.lit(f"{field}:lost_digits"))


def _with_trouble(typed: pl.DataFrame, codes: list[pl.Expr]) -> pl.DataFrame:
    joined = pl.concat_str([*codes, pl.col("anomaly")], separator=",", ignore_nulls=True)
    return typed.with_columns(trouble=pl.when(joined != "").then(joined)).with_columns(
        unreadable=pl.col("trouble").is_not_null()
    )
