"""The kinds of record that imports create, under the names that the counts of a file or session have in the API."""

from core import models
from file_handling.lineage import RecordKind

RECORD_KINDS = (
    RecordKind("clients", models.Client),
    RecordKind("policies", models.Policy),
    RecordKind("plans", models.Plan),
    RecordKind("insured", models.Insured),
    RecordKind("insured_spellings", models.InsuredSpelling),
    RecordKind("memberships", models.Membership),
    RecordKind("partners", models.Partner),
    RecordKind("operators", models.Operator),
    RecordKind("invoices", models.Invoice),
    RecordKind("payments", models.Payment),
    RecordKind("act_categories", models.ActCategory),
    RecordKind("acts", models.Act),
    RecordKind("act_aliases", models.ActAlias),
    RecordKind("claims", models.Claim),
    RecordKind("claim_lines", models.ClaimLine, row_fields=("sheet", "row")),
    # The claims that the rows of a recap settle; their lines came from the stat file.
    RecordKind(
        "settled_claims",
        models.Claim,
        file_field="recap_file",
        session_field="",
        row_fields=("recap_sheet", "recap_row"),
    ),
)
