"""The content of a session's report, from its findings and figures."""

import json
from collections.abc import Sequence

import polars as pl
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import override

from common.money import cents_of
from common.workbook import ColumnSpec
from file_handling.models import Finding, ImportSession
from file_handling.models import FindingCategory as Category
from importer.report.figures import Block, figure_text
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


def findings_frame(session: ImportSession) -> pl.DataFrame:
    """The session's findings from the database, in the shape of `importer.report.findings`."""
    columns = list(SCHEMA)
    rows = []
    for row in Finding.objects.filter(session=session).order_by("sequence").values_list(*columns).iterator():
        values = dict(zip(columns, row, strict=True))
        for name in AMOUNTS:
            values[name] = None if values[name] is None else cents_of(values[name])
        values["locations"], values["lines"] = json.dumps(values["locations"]), json.dumps(values["lines"])
        rows.append(tuple(values[c] for c in columns))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def build_report(
    *, session: ImportSession, findings: pl.DataFrame, blocks: Sequence[Block], recap_names: Sequence[str]
) -> Report:
    """The report of a session in its language: summary, a sheet per category of claims, lists, warnings.

    Makes no database query: `session` comes with its country and stat file.
    """
    with override(session.language):
        sheets = []
        for category in (*CLAIM_SHEETS, *LIST_SHEETS):
            rows = findings.filter(pl.col("category") == category.value)
            if category in CLAIM_SHEETS or rows.height:
                sheets.append(_sheet(category, rows))
        return Report(
            summary_title=_("Summary"),
            heading=_("Import session %(id)d") % {"id": session.pk},
            facts=_facts(session, blocks, recap_names),
            sheets=sheets,
        )


def _facts(session: ImportSession, blocks: Sequence[Block], recap_names: Sequence[str]) -> list[Fact]:
    facts = [
        Fact(_("Country"), session.country.name),
        Fact(_("Currency"), session.currency),
        Fact(_("Stat file"), session.stat_file.name if session.stat_file else ""),
        *(Fact(_("Recap file"), name) for name in recap_names),
        Fact(_("Uploaded by"), session.uploaded_by_name),
    ]
    for block in blocks:
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
