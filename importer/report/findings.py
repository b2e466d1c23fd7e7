"""The findings of a run, by claim and by row: one frame, from which the database and the report are filled.

Columns: category, code, claim_number, observation, stat_claimed, stat_reimbursed, recap_claimed, recap_reimbursed
(Int64 hundredths or null), locations and lines (JSON text, see `file_handling.models.Finding`), sequence.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import polars as pl
from django.utils.translation import override

from file_handling.models import FindingCategory as Category
from importer.pipeline.country import Snapshot
from importer.pipeline.plan import Plan
from importer.pipeline.reconcile import (
    AMOUNT_GAP,
    DIVERGENT,
    IDENTITY,
    INCOMPLETE,
    INCONSISTENT,
    MISSING,
    NOT_IMPORTED,
    UNREADABLE,
    Reconciliation,
)
from importer.pipeline.similar_names import similar_pairs
from importer.report import finding_texts

AMOUNTS = ("stat_claimed", "stat_reimbursed", "recap_claimed", "recap_reimbursed")
SCHEMA: dict[str, Any] = {
    "category": pl.String, "code": pl.String, "claim_number": pl.String, "observation": pl.String,
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
    snapshot: Snapshot,
    files: SourceFiles,
    currency: str,
    language: str,
) -> pl.DataFrame:
    """Everything that was not imported and why, then the lists, then the warnings. `lines`: the importable ones."""
    stat = _shown(reconciliation.lines, "stat", files.stat)
    recap = _shown(reconciliation.recap, "recap", files.recap)
    with override(language):
        parts = [
            _claims(reconciliation, stat, recap, currency),
            _conflicts(plan, stat, currency),
            *_lists(reconciliation, stat, recap, currency),
            *_reading_warnings(stat, recap, files.lone_marks),
            *_warnings(reconciliation, lines, plan, snapshot, stat, files),
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


def _line_json() -> list[pl.Expr]:
    return [
        pl.struct(PLACE).struct.json_encode().alias("locations"),
        pl.struct(list(LINE_SCHEMA)).struct.json_encode().alias("lines"),
    ]


def _gathered(*frames: pl.DataFrame) -> pl.DataFrame:
    """claim_number, locations, lines: the rows of each claim as JSON lists, in the order given."""
    rows = pl.concat([f.select("claim_number", *_line_json()) for f in frames])
    joined = [("[" + pl.col(c).str.join(",") + "]").alias(c) for c in ("locations", "lines")]
    return rows.group_by("claim_number", maintain_order=True).agg(joined)


def _part(frame: pl.DataFrame, **columns: Any) -> pl.DataFrame:
    """Bring a frame into SCHEMA; `columns` are constants."""
    frame = frame.with_columns(**{name: pl.lit(value) for name, value in columns.items()})
    absent = [pl.lit(None, dtype=kind).alias(c) for c, kind in SCHEMA.items() if c not in frame.columns]
    return frame.with_columns(absent).select(
        pl.col(c).cast(kind) if c not in ("code", "claim_number") else pl.col(c).cast(kind).fill_null("")
        for c, kind in SCHEMA.items()
    )


# ------------------------------------------------------------------------------------------------ claims


def _claims(rec: Reconciliation, stat: pl.DataFrame, recap: pl.DataFrame, currency: str) -> pl.DataFrame:
    order = pl.col("category").replace_strict({c: n for n, c in enumerate(NOT_IMPORTED)}, return_dtype=pl.Int64)
    claims = rec.claims.filter(pl.col("category").is_in(NOT_IMPORTED)).sort(order, "first_line")
    numbers = claims.select("claim_number")
    stat_rows = stat.join(numbers, on="claim_number", how="semi", maintain_order="left")
    recap_rows = recap.join(numbers, on="claim_number", how="semi", maintain_order="left")
    observers = _observers(rec, claims, stat_rows, recap_rows, currency)
    texts = [observers[claim["category"]](claim) for claim in claims.iter_rows(named=True)]
    gathered = _gathered(stat_rows, recap_rows)
    # Of several recap rows, none is that of the claim: the observation names them all.
    single = pl.col("category") != DIVERGENT
    return _part(
        claims.with_columns(
            pl.Series("observation", texts, dtype=pl.String),
            *(pl.when(single).then(c).alias(c) for c in ("recap_claimed", "recap_reimbursed")),
        ).join(gathered, on="claim_number", how="left", maintain_order="left")
    )


Observe = Callable[[dict[str, Any]], str]


def _observers(
    rec: Reconciliation, claims: pl.DataFrame, stat: pl.DataFrame, recap: pl.DataFrame, currency: str
) -> dict[str, Observe]:
    """Category → the function that returns the observation of one of its claims.

    The rows that only one category needs are looked up once, for its claims alone.
    """

    def rows_of(category: str, rows: pl.DataFrame) -> pl.DataFrame:
        numbers = claims.filter(pl.col("category") == category).select("claim_number")
        return rows.join(numbers, on="claim_number", how="semi", maintain_order="left")

    return {
        UNREADABLE: _observe_unreadable(rows_of(UNREADABLE, stat), rows_of(UNREADABLE, recap), currency),
        DIVERGENT: _observe_divergent(rows_of(DIVERGENT, recap), currency),
        INCONSISTENT: _observe_inconsistent(rows_of(INCONSISTENT, stat)),
        INCOMPLETE: lambda claim: finding_texts.incomplete(claim["code"].split(",")),
        AMOUNT_GAP: lambda claim: finding_texts.amount_gap(claim, rec.tolerance_cents, currency),
        MISSING: lambda claim: finding_texts.missing_in_recap(claim, rec.period),
    }


def _observe_unreadable(stat: pl.DataFrame, recap: pl.DataFrame, currency: str) -> Observe:
    rows = _by_claim(stat.filter("unreadable"), recap.filter("unreadable"))
    return lambda claim: finding_texts.unreadable(rows[claim["claim_number"]], currency)


def _observe_divergent(recap: pl.DataFrame, currency: str) -> Observe:
    rows = _by_claim(recap.filter(pl.col("is_paid") & ~pl.col("unreadable")), days=True)
    return lambda claim: finding_texts.divergent(rows[claim["claim_number"]], currency)


def _observe_inconsistent(stat: pl.DataFrame) -> Observe:
    # Claim number → field → key → the first spelling of it.
    spellings: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for row in stat.filter("in_period").iter_rows(named=True):
        for identity, key in IDENTITY.items():
            if row[key] is not None:
                spellings[row["claim_number"]][identity].setdefault(row[key], row[identity])

    def observe(claim: dict[str, Any]) -> str:
        found = spellings[claim["claim_number"]].items()
        return finding_texts.inconsistent({name: list(texts.values()) for name, texts in found if len(texts) > 1})

    return observe


def _by_claim(*frames: pl.DataFrame, days: bool = False) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for frame in frames:
        for row in frame.iter_rows(named=True):
            rows[row["claim_number"]].append(row | {"settlement_date": row["settled"]} if days else row)
    return rows


def _conflicts(plan: Plan, stat: pl.DataFrame, currency: str) -> pl.DataFrame:
    conflicts = plan.conflicts
    texts = [
        finding_texts.conflict(claimed=claimed, reimbursed=reimbursed, currency=currency)
        for claimed, reimbursed in conflicts.select("claimed_cents", "reimbursed_cents").iter_rows()
    ]
    rows = stat.filter("in_period").join(conflicts, on="claim_number", how="semi", maintain_order="left")
    return _part(
        conflicts.select(
            "claim_number",
            pl.Series("observation", texts, dtype=pl.String),
            stat_claimed="claimed_cents",
            stat_reimbursed="reimbursed_cents",
        ).join(_gathered(rows), on="claim_number", how="left", maintain_order="left"),
        category=Category.CONFLICT.value,
    )


# ------------------------------------------------------------------------------------------------ lists


def _lists(rec: Reconciliation, stat: pl.DataFrame, recap: pl.DataFrame, currency: str) -> Iterable[pl.DataFrame]:
    unreadable, in_period = pl.col("unreadable"), pl.col("in_period")
    for side, rows in (("stat", stat), ("recap", recap)):
        yield _rows(
            rows.filter(unreadable),
            side,
            Category.UNREADABLE_LINE,
            lambda row: finding_texts.unreadable_line(row, currency),
        )
    # Many lines share a day.
    out_of_period = cache(lambda settled: finding_texts.out_of_period(settled, rec.period))
    yield _rows(
        stat.filter(~unreadable & ~in_period),
        "stat",
        Category.OUT_OF_PERIOD,
        lambda row: out_of_period(row["settled"]),
    )
    unpaid, recap_only = finding_texts.unpaid(), finding_texts.recap_only()
    yield _rows(recap.filter(~pl.col("is_paid") & ~unreadable), "recap", Category.UNPAID, lambda row: unpaid)
    only = rec.recap_only.select("file", "sheet", "row").with_columns(only=pl.lit(True))
    marked = recap.with_columns(file_index=rec.recap["file"]).join(
        only.rename({"file": "file_index"}), on=["file_index", "sheet", "row"], how="semi", maintain_order="left"
    )
    yield _rows(marked, "recap", Category.RECAP_ONLY, lambda row: recap_only)


def _rows(rows: pl.DataFrame, side: str, category: Category, observe: Observe, code: str = "") -> pl.DataFrame:
    """One finding for each row."""
    texts = [observe(row) for row in rows.iter_rows(named=True)]
    listed = [("[" + text + "]").alias(name) for text, name in zip(_line_json(), ("locations", "lines"), strict=True)]
    return _part(
        rows.select(
            "claim_number",
            pl.Series("observation", texts, dtype=pl.String),
            pl.col("claimed_cents").alias(f"{side}_claimed"),
            pl.col("reimbursed_cents").alias(f"{side}_reimbursed"),
            *listed,
        ),
        category=category.value,
        code=code,
    )


# ------------------------------------------------------------------------------------------------ warnings


def _reading_warnings(
    stat: pl.DataFrame, recap: pl.DataFrame, lone_marks: dict[str, list[dict[str, Any]]]
) -> Iterable[pl.DataFrame]:
    """How amounts and references were read, where a person must know it: thousands from three digits, lost digits."""
    texts = [
        finding_texts.thousands_from_three_digits(side, mark)
        for side, marks in lone_marks.items()
        for mark in marks
        if mark["meaning"] == "thousands"
    ]
    yield _part(
        pl.DataFrame({"observation": pl.Series(texts, dtype=pl.String)}),
        category=Category.WARNING.value,
        code="thousands_from_three_digits",
        locations="[]",
        lines="[]",
    )
    for side, rows in (("stat", stat), ("recap", recap)):
        readable = rows.filter(pl.col("lost_references").is_not_null() & ~pl.col("unreadable") & pl.col("in_period"))
        yield _rows(readable, side, Category.WARNING, finding_texts.lost_references, code="references_lost_digits")


def _warnings(
    rec: Reconciliation,
    lines: pl.DataFrame,
    plan: Plan,
    snapshot: Snapshot,
    stat: pl.DataFrame,
    files: SourceFiles,
) -> Iterable[pl.DataFrame]:
    unread = stat.filter(~pl.col("unreadable") & pl.col("in_period") & pl.col("incident_date_raw").is_not_null())
    yield _rows(
        unread,
        "stat",
        Category.WARNING,
        lambda row: finding_texts.unknown_incident_date(row["incident_date_raw"]),
        code="unknown_incident_date",
    )
    deduced = plan.new["insured"].filter("is_deduced")
    first_lines = _shown(lines, "stat", files.stat).join(
        deduced.select("line", "name"), on="line", how="inner", maintain_order="right"
    )
    yield _rows(
        first_lines, "stat", Category.WARNING, lambda row: finding_texts.deduced(row["name"]), code="principal_deduced"
    )
    texts = [("homonyms", finding_texts.homonyms(name)) for name, _, _ in plan.homonyms]
    texts += [(f"alike_{kind}", finding_texts.similar(kind, a, b)) for kind, a, b in similar_records(plan, snapshot)]
    yield _part(
        pl.DataFrame(
            [(code, text) for code, text in texts],
            schema={"code": pl.String, "observation": pl.String},
            orient="row",
        ),
        category=Category.WARNING.value,
        locations="[]",
        lines="[]",
    )


def similar_records(plan: Plan, snapshot: Snapshot) -> list[tuple[str, str, str]]:
    """(kind, key, key) of new clients, providers and insured of one policy whose name is nearly that of another."""
    found: list[tuple[str, str, str]] = []
    for kind, table in (("client", "clients"), ("partner", "partners")):
        new = plan.new[table]["key"].to_list()
        found += [(kind, *pair) for pair in similar_pairs(new=new, known=new + snapshot[table]["key"].to_list())]
    members = pl.concat(
        [
            snapshot["memberships"].select("policy_id", "insured_id"),
            plan.new["memberships"].select("policy_id", "insured_id"),
        ]
    ).unique()
    names = pl.concat(
        [
            plan.new["insured"].select("id", "name_key", is_new=pl.lit(True)),
            snapshot["insured"].select("id", "name_key", is_new=pl.lit(False)),
        ]
    )
    by_policy = (
        members.join(names, left_on="insured_id", right_on="id")
        .group_by("policy_id")
        .agg(new=pl.col("name_key").filter("is_new").unique(), known=pl.col("name_key").unique())
        .filter(pl.col("new").list.len() > 0)
        .sort("policy_id")
    )
    for new, known in by_policy.select("new", "known").iter_rows():
        found += [("insured", *pair) for pair in similar_pairs(new=sorted(new), known=sorted(known))]
    return found
