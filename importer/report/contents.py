"""The content of a session's report, from its findings and figures."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import override

from common.money import cents_of
from common.workbook import ColumnSpec
from file_handling.models import Finding, ImportSession
from file_handling.models import FindingCategory as Category
from file_handling.wording import observation
from importer.report.figures import blocks, figure_text
from importer.report.findings import AMOUNTS, LINE_SCHEMA, SCHEMA
from importer.report.workbook import Fact, Report, SheetSpec

CLAIM_SHEETS = (
    Category.UNREADABLE,
    Category.DIVERGENT_IN_RECAP,
    Category.INCONSISTENT,
    Category.INCOMPLETE,
    Category.AMOUNT_GAP,
    Category.MISSING_IN_RECAP,
    Category.CONFLICT,
)
LIST_SHEETS = (
    Category.UNREADABLE_LINE,
    Category.OUT_OF_PERIOD,
    Category.UNPAID,
    Category.RECAP_ONLY,
    Category.WARNING,
)
_LINE = pl.Struct(LINE_SCHEMA)
_FROM_DATABASE = {name: kind for name, kind in SCHEMA.items() if name != "search_key"}


def findings_frame(session: ImportSession) -> pl.DataFrame:
    """The session's findings from the database, in the shape of `importer.report.findings`, without `search_key`."""
    columns = list(_FROM_DATABASE)
    rows = []
    for row in Finding.objects.filter(session=session).order_by("sequence").values_list(*columns).iterator():
        values = dict(zip(columns, row, strict=True))
        for name in AMOUNTS:
            values[name] = None if values[name] is None else cents_of(values[name])
        for name in ("details", "locations", "lines"):
            values[name] = json.dumps(values[name])
        rows.append(tuple(values[c] for c in columns))
    return pl.DataFrame(rows, schema=_FROM_DATABASE, orient="row")


@dataclass(frozen=True)
class ReportFacts:
    """What a report needs beside the findings. `session` comes with its country and stat file.

    `is_written`: the plan that `summary` and `outcome` describe is written, not only reviewed.
    """

    session: ImportSession
    recap_names: Sequence[str]
    summary: dict[str, Any]
    outcome: dict[str, Any]
    is_written: bool


def build_report(facts: ReportFacts, findings: pl.DataFrame, *, language: str) -> Report:
    """The report of a session in the language: summary, a sheet per category of claims, lists, warnings.

    Makes no database query.
    """
    with override(language):
        findings = _with_observations(findings)
        sheets = []
        for category in (*CLAIM_SHEETS, *LIST_SHEETS):
            rows = findings.filter(pl.col("category") == category.value)
            if category in CLAIM_SHEETS or rows.height:
                sheets.append(_sheet(category, rows))
        return Report(
            summary_title=_("Summary"),
            heading=_("Import session %(id)d") % {"id": facts.session.pk},
            facts=_facts(facts),
            sheets=sheets,
        )


def _with_observations(findings: pl.DataFrame) -> pl.DataFrame:
    """The findings with `observation`, in the active language."""
    # Many rows share theirs, such as all that are settled on one day outside the period.
    written = cache(lambda category, code, details: observation(category, code, json.loads(details)))
    texts = [written(*row) for row in findings.select("category", "code", "details").iter_rows()]
    return findings.with_columns(pl.Series("observation", texts, dtype=pl.String))


def _facts(report: ReportFacts) -> list[Fact]:
    session = report.session
    facts = [
        Fact(_("Country"), session.country.name),
        Fact(_("Currency"), session.currency),
        Fact(_("Stat file"), session.stat_file.name if session.stat_file else ""),
        *(Fact(_("Recap file"), name) for name in report.recap_names),
        Fact(_("Uploaded by"), session.uploaded_by_name),
    ]
    for block in blocks(report.summary, report.outcome, is_written=report.is_written):
        facts.append(Fact(block.title, None))
        facts += [
            # Numbers stay numbers; the days of a period are one cell of text.
            Fact(figure.label, figure_text(figure.value) if isinstance(figure.value, tuple) else figure.value)
            for figure in block.figures
        ]
    return facts


def _sheet(category: Category, rows: pl.DataFrame) -> SheetSpec:
    """A row for each source line, after the columns of its claim, which are repeated so that filters work."""
    exploded = (
        rows.select("claim_number", "observation", *AMOUNTS, line=pl.col("lines").str.json_decode(pl.List(_LINE)))
        .rename({"claim_number": "number"})
        .explode("line", empty_as_null=True)
        .unnest("line")
    )
    side = pl.col("side").replace_strict({"stat": _("stat"), "recap": _("recap")}, default=None, return_dtype=pl.String)
    frame = exploded.select(
        "number",
        "observation",
        *AMOUNTS,
        claimed_gap=pl.col("stat_claimed") - pl.col("recap_claimed"),
        reimbursed_gap=pl.col("stat_reimbursed") - pl.col("recap_reimbursed"),
        side=side,
        # Dates that a workbook can sort. A text that is no date is in the observation.
        **{c: pl.col(c).str.to_date(strict=False) if c.endswith("_date") else pl.col(c) for c in _SHOWN},
    )
    columns = [
        ColumnSpec(header=_("Claim"), width=28),
        ColumnSpec(header=_("Observation"), width=60),
        ColumnSpec(header=_("Claimed, stat"), kind="money"),
        ColumnSpec(header=_("Reimbursed, stat"), kind="money"),
        ColumnSpec(header=_("Claimed, recap"), kind="money"),
        ColumnSpec(header=_("Reimbursed, recap"), kind="money"),
        ColumnSpec(header=_("Difference claimed"), kind="money"),
        ColumnSpec(header=_("Difference reimbursed"), kind="money"),
        ColumnSpec(header=_("Side"), width=8),
        ColumnSpec(header=_("File"), width=24),
        ColumnSpec(header=_("Sheet"), width=12),
        ColumnSpec(header=_("Row"), kind="integer", width=9),
        ColumnSpec(header=_("Beneficiary"), width=28),
        ColumnSpec(header=_("Card number")),
        ColumnSpec(header=_("Insured status"), width=9),
        ColumnSpec(header=_("Main insured"), width=28),
        ColumnSpec(header=_("Employer"), width=28),
        ColumnSpec(header=_("Policy"), width=24),
        ColumnSpec(header=_("Plan")),
        ColumnSpec(header=_("Provider"), width=28),
        ColumnSpec(header=_("Claim status"), width=11),
        ColumnSpec(header=_("Incident date"), kind="date", width=12),
        ColumnSpec(header=_("Settlement date"), kind="date", width=12),
        ColumnSpec(header=_("Act category"), width=24),
        ColumnSpec(header=_("Act"), width=24),
        ColumnSpec(header=_("Line claimed"), kind="money"),
        ColumnSpec(header=_("Line reimbursed"), kind="money"),
        ColumnSpec(header=_("Payment reference")),
        ColumnSpec(header=_("Invoice"), width=24),
        ColumnSpec(header=_("Note"), width=24),
        ColumnSpec(header=_("Operator")),
    ]
    title = str(category.label)
    return SheetSpec(title=capfirst(title), columns=columns, rows=frame)


_SHOWN = [c for c in LINE_SCHEMA if c not in ("side", "file_id", "claim_number")]
