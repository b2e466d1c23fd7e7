"""Raw frames → typed frames: clean text, keys, amounts in cents, dates, and what of them could not be read (DOMAIN §4).

Every column is read by its distinct values: a year of claims repeats its names, acts and amounts many times over.
"""

from collections.abc import Callable, Sequence
from datetime import date

import polars as pl

from common.dates import parse_date
from common.keys import claim_number, clean_text, is_empty, label_key, name_key, reference_key, reference_text
from common.money import MarkMeaning, parse_amount
from reading.columns import RECAP_COLUMNS, STAT_COLUMNS, Column

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

_INSURED_STATUSES = frozenset("ACE")
_CANCELLED_PREFIX = "ANNUL"


def typed_stat(raw: pl.DataFrame) -> pl.DataFrame:
    """Type the lines of stat files.

    Takes a raw frame of kind stat. Gives its `file`, `sheet`, `row`, `anomaly`; every text field cleaned, null where
    empty; the keys of `STAT_KEYS`, null where nothing is left of the text; `claim_number` normalised; `incident_date`,
    `settlement_date` (Date); `claimed_cents`, `reimbursed_cents` (Int64 hundredths); `<field>_raw`, the cell as it
    stood, where a date or an amount was there and could not be read; `insured_status` (`A`, `C`, `E` or null) and
    `insured_status_raw`, the text of any other status; `is_cancelled` (Boolean); `trouble`, the comma-joined codes of
    what makes the line unreadable, or null; `unreadable` (Boolean, DOMAIN §5.1: no claim number, or the settlement date
    or an amount empty or not readable, or an anomaly).
    """
    typed = _typed(raw, columns=STAT_COLUMNS, keys=STAT_KEYS)
    typed = _with_insured_status(typed)
    typed = _with_cancellation(typed)
    return _with_trouble(typed, [_missing("claim_number"), *_unread_fields()])


def typed_recap(raw: pl.DataFrame) -> pl.DataFrame:
    """Type the rows of recap pages.

    Takes a raw frame of kind recap. Gives the same kinds of column as `typed_stat`, without keys, and `is_paid`
    (Boolean: the settlement date's cell is not empty, whether or not it can be read). An unpaid row is `unreadable`
    only for an anomaly: what it lacks is not needed (DOMAIN §5.1).
    """
    typed = _typed(raw, columns=RECAP_COLUMNS, keys={})
    typed = typed.with_columns(
        is_paid=pl.col("settlement_date").is_not_null() | pl.col("settlement_date_raw").is_not_null()
    )
    needed = [_missing("claim_number"), *_unread_fields()]
    return _with_trouble(typed, [pl.when("is_paid").then(code) for code in needed])


def dedupe_recap(typed: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Keep the first of the rows that overlapping recap pages repeat; tell how many went (DOMAIN §5.2).

    Takes a frame of `typed_recap`. Rows are the same when every recognised column is, after reading: the cell as it
    stood where it could not be read. A row with an anomaly is never merged with one without.
    """
    source = {"file", "sheet", "row"}
    kept = typed.unique(
        subset=[name for name in typed.columns if name not in source], keep="first", maintain_order=True
    )
    return kept, typed.height - kept.height


def _typed(raw: pl.DataFrame, *, columns: Sequence[Column], keys: dict[str, dict[str, KeyFunction]]) -> pl.DataFrame:
    read: list[pl.Series] = [raw[name] for name in SOURCE_COLUMNS]
    for column in columns:
        cells = raw[column.field]
        if column.kind == "amount":
            read += _amounts(cells, column.field)
        elif column.kind == "date":
            read += _dates(cells, column.field)
        else:
            read += _texts(cells, column, keys.get(column.field, {}))
    return pl.DataFrame(read).with_columns(lost_references=pl.lit(None, dtype=pl.String))


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


def _amounts(cells: pl.Series, field: str) -> list[pl.Series]:
    values = _distinct(cells)
    empty = [is_empty(value) for value in values]
    cents = [
        None if nothing else parse_amount(value, lone_mark=MarkMeaning.DECIMAL)
        for value, nothing in zip(values, empty, strict=True)
    ]
    name = field.removesuffix("_amount") + "_cents"
    return _spread(
        cells, values, {name: pl.Series(cents, dtype=pl.Int64), f"{field}_raw": _unread(values, empty, cents)}
    )


def _dates(cells: pl.Series, field: str) -> list[pl.Series]:
    values = _distinct(cells)
    empty = [is_empty(value) for value in values]
    days = [None if nothing else parse_date(value) for value, nothing in zip(values, empty, strict=True)]
    return _spread(cells, values, {field: pl.Series(days, dtype=pl.Date), f"{field}_raw": _unread(values, empty, days)})


def _unread(values: list[str], empty: list[bool], read: Sequence[int | date | None]) -> pl.Series:
    unread = [
        value if not nothing and result is None else None
        for value, nothing, result in zip(values, empty, read, strict=True)
    ]
    return pl.Series(unread, dtype=pl.String)


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


def _missing(column: str, code: str | None = None) -> pl.Expr:
    return pl.when(pl.col(column).is_null()).then(pl.lit(code or column))


def _unread_fields() -> list[pl.Expr]:
    return [
        _missing("settlement_date"),
        _missing("claimed_cents", "claimed_amount"),
        _missing("reimbursed_cents", "reimbursed_amount"),
    ]


def _with_trouble(typed: pl.DataFrame, codes: list[pl.Expr]) -> pl.DataFrame:
    joined = pl.concat_str([*codes, pl.col("anomaly")], separator=",", ignore_nulls=True)
    return typed.with_columns(trouble=pl.when(joined != "").then(joined)).with_columns(
        unreadable=pl.col("trouble").is_not_null()
    )
