"""The findings of a run, by claim and by row: one frame, from which the database and the report are filled.

Columns: category, code, claim_number, details, search_key, stat_claimed, stat_reimbursed, recap_claimed,
recap_reimbursed (Int64 hundredths or null), locations and lines (JSON text, as details; see
`file_handling.models.Finding`), sequence. `details` are the parameters of the observation; `finding_texts` writes it.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from common.keys import name_key
from file_handling.models import FindingCategory as Category
from importer.pipeline.plan import Plan
from importer.pipeline.reconcile import (
    AMOUNT_GAP,
    DIVERGENT,
    IDENTITY,
    INCONSISTENT,
    MISSING,
    NOT_IMPORTED,
    UNREADABLE,
    Reconciliation,
)
from importer.pipeline.similar_records import SimilarPair

AMOUNTS = ("stat_claimed", "stat_reimbursed", "recap_claimed", "recap_reimbursed")
SCHEMA: dict[str, Any] = {
    "category": pl.String, "code": pl.String, "claim_number": pl.String, "details": pl.String,
    "search_key": pl.String,
    **dict.fromkeys(AMOUNTS, pl.Int64), "locations": pl.String, "lines": pl.String,
}  # fmt: skip
# A source line as findings have it; fields that its side does not have are null.
LINE_SCHEMA: dict[str, Any] = {
    "side": pl.String, "file": pl.String, "file_id": pl.Int64, "sheet": pl.String, "row": pl.Int64,
    **dict.fromkeys(
        ("claim_number", "beneficiary", "card_number", "insured_status", "main_insured", "employer", "policy_number",
         "plan", "partner", "claim_status", "incident_date", "settlement_date", "act_category", "act"), pl.String),
    "claimed_cents": pl.Int64, "reimbursed_cents": pl.Int64,
    **dict.fromkeys(("payment_reference", "invoice_number", "note", "operator"), pl.String),
}  # fmt: skip
PLACE = ("side", "file", "file_id", "sheet", "row")
# Where a row is and what of it cannot be read: the codes, and the texts of the cells that they name.
BROKEN = (
    "file", "sheet", "row", "trouble", "claim_number", "policy_number", "settlement_date_raw", "claimed_amount_raw",
    "reimbursed_amount_raw",
)  # fmt: skip
_EMPTY = {
    "code": "", "claim_number": "", "search_key": "", "details": "{}", "locations": "[]", "lines": "[]",
}  # fmt: skip
# The fields of a line by which a person searches for its finding. Stat lines have the name keys of the first two.
_SEARCHED = ("beneficiary", "main_insured", "partner", "card_number")


@dataclass(frozen=True)
class SourceFiles:
    """(File id, name) of the stat file and of the recap pages, in the order in which the frames number them.

    `lone_marks`: how the amounts such as `12.000` of each side (`stat`, `recap`) were read (`ReadResult.lone_marks`).
    """

    stat: list[tuple[int, str]]
    recap: list[tuple[int, str]]
    lone_marks: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def build_findings(
    *,
    reconciliation: Reconciliation,
    lines: pl.DataFrame,
    plan: Plan,
    similar: list[SimilarPair],
    missing_pages: list[dict[str, Any]],
    files: SourceFiles,
    currency: str,
) -> pl.DataFrame:
    """Everything that was not imported and why, then the lists, then the warnings. `lines`: the importable ones.

    `similar`: the pairs of `similar_records`.
    """
    stat = _shown(reconciliation.lines, "stat", files.stat)
    recap = _shown(reconciliation.recap, "recap", files.recap)
    parts = [
        _claims(reconciliation, stat, recap, currency),
        _conflicts(plan, stat, currency),
        *_lists(reconciliation, stat, recap, currency),
        _missing_pages(missing_pages, currency),
        *_reading_warnings(stat, recap, files.lone_marks),
        *_warnings(lines, plan, similar, stat, files),
    ]
    return pl.concat(parts).with_columns(sequence=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))


def _shown(frame: pl.DataFrame, side: str, files: list[tuple[int, str]]) -> pl.DataFrame:
    """The frame with the columns of LINE_SCHEMA, its file by name, beside its own as `_<column>`."""
    ids = pl.Series([id_ for id_, _ in files], dtype=pl.Int64)
    names = pl.Series([name for _, name in files], dtype=pl.String)
    shown = frame.with_columns(
        file=pl.lit(names).gather(pl.col("file")),
        file_id=pl.lit(ids).gather(pl.col("file")),
        side=pl.lit(side),
        settled=pl.col("settlement_date"),
        **{
            d: pl.coalesce(pl.col(d).dt.to_string("iso"), f"{d}_raw")
            for d in ("incident_date", "settlement_date")
            if d in frame.columns
        },
    )
    if side == "recap":
        shown = shown.with_columns(payment_reference=pl.coalesce("cheque_number", "payment_method"))
    return shown.with_columns(
        *(pl.lit(None, dtype=kind).alias(c) for c, kind in LINE_SCHEMA.items() if c not in shown.columns)
    )


def _json(*columns: str, **more: Any) -> pl.Expr:
    """The columns and the constants or expressions of `more` as JSON text."""
    named = [(value if isinstance(value, pl.Expr) else pl.lit(value)).alias(name) for name, value in more.items()]
    return pl.struct(*columns, *named).struct.json_encode()


def _line_json() -> list[pl.Expr]:
    return [_json(*PLACE).alias("locations"), _json(*LINE_SCHEMA).alias("lines")]


def _listed(column: str) -> pl.Expr:
    """The JSON texts of a group as one JSON list."""
    return "[" + pl.col(column).str.join(",") + "]"


def _gathered(*frames: pl.DataFrame) -> pl.DataFrame:
    """claim_number, locations, lines, search_key: the rows of each claim as JSON lists, in the order given."""
    rows = pl.concat([f.select("claim_number", *_line_json(), _search_key(f)) for f in frames])
    return rows.group_by("claim_number", maintain_order=True).agg(
        _listed("locations").alias("locations"),
        _listed("lines").alias("lines"),
        pl.col("search_key").unique(maintain_order=True).str.join(" "),
    )


def _search_key(rows: pl.DataFrame) -> pl.Series:
    """The words of persons, cards and providers in each row, as name keys (DOMAIN §4)."""
    keys = [rows[f"{name}_key"] if f"{name}_key" in rows.columns else _name_keys(rows[name]) for name in _SEARCHED[:2]]
    keys += [_name_keys(rows[name]) for name in _SEARCHED[2:]]
    frame = pl.DataFrame(dict(zip(_SEARCHED, keys, strict=True))).with_columns(
        # Most beneficiaries are the insured themselves.
        main_insured=pl.when(pl.col("main_insured") != pl.col("beneficiary").fill_null("")).then("main_insured")
    )
    return frame.select(search_key=pl.concat_str(_SEARCHED, separator=" ", ignore_nulls=True)).to_series()


def _name_keys(texts: pl.Series) -> pl.Series:
    values = texts.drop_nulls().unique().to_list()
    keys = dict(zip(values, map(name_key, values), strict=True))
    return texts.replace_strict(keys, default=None, return_dtype=pl.String)


def _part(frame: pl.DataFrame, **columns: Any) -> pl.DataFrame:
    """Bring a frame into SCHEMA; `columns` are constants."""
    frame = frame.with_columns(**{name: pl.lit(value) for name, value in columns.items()})
    absent = [pl.lit(None, dtype=kind).alias(c) for c, kind in SCHEMA.items() if c not in frame.columns]
    return frame.with_columns(absent).select(
        pl.col(c).cast(kind).fill_null(_EMPTY[c]) if c in _EMPTY else pl.col(c).cast(kind) for c, kind in SCHEMA.items()
    )


# ------------------------------------------------------------------------------------------------ claims


def _claims(rec: Reconciliation, stat: pl.DataFrame, recap: pl.DataFrame, currency: str) -> pl.DataFrame:
    order = pl.col("category").replace_strict({c: n for n, c in enumerate(NOT_IMPORTED)}, return_dtype=pl.Int64)
    claims = rec.claims.filter(pl.col("category").is_in(NOT_IMPORTED)).sort(order, "first_line")
    numbers = claims.select("claim_number")
    stat_rows = stat.join(numbers, on="claim_number", how="semi", maintain_order="left")
    recap_rows = recap.join(numbers, on="claim_number", how="semi", maintain_order="left")
    gathered = _gathered(stat_rows, recap_rows)
    details = _details(rec, claims, stat_rows, recap_rows, currency)
    # Of several recap rows, none is that of the claim: the observation names them all.
    single = pl.col("category") != DIVERGENT
    return _part(
        claims.join(details, on="claim_number", how="left", maintain_order="left")
        .with_columns(pl.when(single).then(c).alias(c) for c in ("recap_claimed", "recap_reimbursed"))
        .join(gathered, on="claim_number", how="left", maintain_order="left")
    )


def _details(
    rec: Reconciliation, claims: pl.DataFrame, stat: pl.DataFrame, recap: pl.DataFrame, currency: str
) -> pl.DataFrame:
    """claim_number, details: those of the claims that have any. `stat`, `recap`: the rows of the claims."""

    def of(category: str) -> pl.DataFrame:
        return claims.filter(pl.col("category") == category)

    def rows_of(category: str, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.join(of(category).select("claim_number"), on="claim_number", how="semi", maintain_order="left")

    broken = [rows_of(UNREADABLE, rows).filter("unreadable") for rows in (_with_cells(stat), _with_cells(recap))]
    paid = rows_of(DIVERGENT, recap).filter(pl.col("is_paid") & ~pl.col("unreadable"))
    gap = _json(*AMOUNTS, tolerance=rec.tolerance_cents, currency=currency)
    dated = _json(day=_iso("other_date"), **_days(rec.period))
    parts = [
        _rows_of_claims([rows.select("claim_number", row=_json(*BROKEN)) for rows in broken], currency),
        _rows_of_claims(
            [
                paid.select(
                    "claim_number",
                    row=_json("file", "sheet", "row", "claimed_cents", "reimbursed_cents", settled=_iso("settled")),
                )
            ],
            currency,
        ),
        _spellings(rows_of(INCONSISTENT, stat)),
        of(AMOUNT_GAP).select("claim_number", details=gap),
        of(MISSING).filter(pl.col("code") == "dated_outside").select("claim_number", details=dated),
    ]
    return pl.concat(parts)


def _with_cells(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with every column of BROKEN; a side does not have them all."""
    return rows.with_columns(pl.lit(None, dtype=pl.String).alias(c) for c in BROKEN if c not in rows.columns)


def _iso(column: str) -> pl.Expr:
    return pl.col(column).dt.to_string("iso")


def _days(period: tuple[date, date]) -> dict[str, str]:
    return {"first": period[0].isoformat(), "last": period[1].isoformat()}


def _rows_of_claims(frames: list[pl.DataFrame], currency: str) -> pl.DataFrame:
    """claim_number, details: the rows of each claim. `frames`: claim_number, row (JSON text)."""
    # Put together as text: the rows are JSON already.
    begin = json.dumps({"currency": currency})[:-1] + ', "rows": '
    listed = (pl.lit(begin) + _listed("row") + "}").alias("details")
    return pl.concat(frames).group_by("claim_number", maintain_order=True).agg(listed)


def _spellings(lines: pl.DataFrame) -> pl.DataFrame:
    """claim_number, details: for each field on which a claim's lines disagree, the first spelling of each value."""
    spellings: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for row in lines.filter("in_period").iter_rows(named=True):
        for identity, key in IDENTITY.items():
            if row[key] is not None:
                spellings[row["claim_number"]][identity].setdefault(row[key], row[identity])
    details = {
        number: {"values": {name: list(texts.values()) for name, texts in found.items() if len(texts) > 1}}
        for number, found in spellings.items()
    }
    return pl.DataFrame(
        [(number, json.dumps(one)) for number, one in details.items()],
        schema={"claim_number": pl.String, "details": pl.String},
        orient="row",
    )


def _conflicts(plan: Plan, stat: pl.DataFrame, currency: str) -> pl.DataFrame:
    conflicts = plan.conflicts
    rows = stat.filter("in_period").join(conflicts, on="claim_number", how="semi", maintain_order="left")
    amounts = {"claimed": pl.col("claimed_cents"), "reimbursed": pl.col("reimbursed_cents")}
    return _part(
        conflicts.select(
            "claim_number",
            stat_claimed="claimed_cents",
            stat_reimbursed="reimbursed_cents",
            details=_json(**amounts, currency=currency),
        ).join(_gathered(rows), on="claim_number", how="left", maintain_order="left"),
        category=Category.CONFLICT.value,
    )


# ------------------------------------------------------------------------------------------------ lists


def _lists(rec: Reconciliation, stat: pl.DataFrame, recap: pl.DataFrame, currency: str) -> Iterable[pl.DataFrame]:
    unreadable, in_period = pl.col("unreadable"), pl.col("in_period")
    for side, rows in (("stat", stat), ("recap", recap)):
        broken = _with_cells(rows.filter(unreadable))
        yield _rows(broken, side, Category.UNREADABLE_LINE, _json(*BROKEN, currency=currency))
    yield _rows(
        stat.filter(~unreadable & ~in_period),
        "stat",
        Category.OUT_OF_PERIOD,
        _json(day=_iso("settled"), **_days(rec.period)),
    )
    yield _rows(recap.filter(~pl.col("is_paid") & ~unreadable), "recap", Category.UNPAID)
    only = rec.recap_only.select("file", "sheet", "row").with_columns(only=pl.lit(True))
    marked = recap.with_columns(file_index=rec.recap["file"]).join(
        only.rename({"file": "file_index"}), on=["file_index", "sheet", "row"], how="semi", maintain_order="left"
    )
    yield _rows(marked, "recap", Category.RECAP_ONLY)


def _rows(
    rows: pl.DataFrame, side: str, category: Category, details: pl.Expr | None = None, code: str = ""
) -> pl.DataFrame:
    """One finding for each row."""
    listed = [("[" + text + "]").alias(name) for text, name in zip(_line_json(), ("locations", "lines"), strict=True)]
    return _part(
        rows.select(
            "claim_number",
            pl.col("claimed_cents").alias(f"{side}_claimed"),
            pl.col("reimbursed_cents").alias(f"{side}_reimbursed"),
            _search_key(rows),
            *listed,
            *([] if details is None else [details.alias("details")]),
        ),
        category=category.value,
        code=code,
    )


# ------------------------------------------------------------------------------------------------ warnings


def _reading_warnings(
    stat: pl.DataFrame, recap: pl.DataFrame, lone_marks: dict[str, list[dict[str, Any]]]
) -> Iterable[pl.DataFrame]:
    """How amounts and references were read, where a person must know it: thousands from three digits, lost digits."""
    yield _warnings_of(
        ("thousands_from_three_digits", mark | {"side": side}, "")
        for side, marks in lone_marks.items()
        for mark in marks
        if mark["meaning"] == "thousands"
    )
    for side, rows in (("stat", stat), ("recap", recap)):
        readable = rows.filter(pl.col("lost_references").is_not_null() & ~pl.col("unreadable") & pl.col("in_period"))
        yield _rows(readable, side, Category.WARNING, _json("lost_references"), code="references_lost_digits")


def _warnings_of(warnings: Iterable[tuple[str, dict[str, Any], str]]) -> pl.DataFrame:
    """One finding for each (code, details, search key), without a place."""
    return _part(
        pl.DataFrame(
            [(code, json.dumps(details), key) for code, details, key in warnings],
            schema={"code": pl.String, "details": pl.String, "search_key": pl.String},
            orient="row",
        ),
        category=Category.WARNING.value,
    )


def _missing_pages(warnings: list[dict[str, Any]], currency: str) -> pl.DataFrame:
    return _warnings_of(
        (one["code"], one | {"currency": currency}, " ".join(name_key(name) for name in one.get("pages", ())))
        for one in warnings
    )


def _warnings(
    lines: pl.DataFrame, plan: Plan, similar: list[SimilarPair], stat: pl.DataFrame, files: SourceFiles
) -> Iterable[pl.DataFrame]:
    unread = stat.filter(~pl.col("unreadable") & pl.col("in_period") & pl.col("incident_date_raw").is_not_null())
    text = _json(text=pl.col("incident_date_raw"))
    yield _rows(unread, "stat", Category.WARNING, text, code="unknown_incident_date")
    deduced = plan.new["insured"].filter("is_deduced")
    first_lines = _shown(lines, "stat", files.stat).join(
        deduced.select("line", "name"), on="line", how="inner", maintain_order="right"
    )
    yield _rows(first_lines, "stat", Category.WARNING, _json("name"), code="principal_deduced")
    yield _warnings_of(("homonyms", {"name": name}, name) for name, _, _ in plan.homonyms)
    yield _warnings_of(
        (f"alike_{pair.kind}", {"one": pair.new, "other": pair.other}, name_key(f"{pair.new} {pair.other}"))
        for pair in similar
    )
