"""What an import would create, skip, update and refuse (DOMAIN §6), as a value: a dry run stops here.

Pure: from a `Reconciliation` and a `Snapshot` of the country to a `Plan`. New rows have provisional ids, negative and
counted down from -1 in each table; the writer replaces them. Columns of the tables are those of the database.
"""

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Literal

import polars as pl

from importer.pipeline.country import Snapshot, Wanted
from importer.pipeline.key_length import limit_key_length
from importer.pipeline.matching import (
    LINE_COLUMNS,
    completed_people,
    line_rows,
    match_acts,
    match_clients_and_policies,
    match_memberships,
    match_people,
    match_references,
)
from importer.pipeline.reconcile import CANCELLED, Reconciliation

OnConflict = Literal["report", "update"]

# In the order in which they must be written; also the names under which the summary counts them.
ENTITIES = (
    "act_categories",
    "acts",
    "clients",
    "policies",
    "plans",
    "partners",
    "operators",
    "insured",
    "insured_spellings",
    "memberships",
    "invoices",
    "payments",
)
COUNTED = tuple(sorted(set(ENTITIES) - {"insured_spellings"}))
DIGEST_ROWS = 10_000
ROLE_OF_STATUS = {"A": "primary", "C": "spouse", "E": "child"}

_KEY_OF = {
    "employer": "employer_key", "card_number": "card_key", "beneficiary": "beneficiary_key",
    "plan": "plan_key", "policy_number": "policy_key", "main_insured": "main_insured_key", "partner": "partner_key",
    "act_category": "category_key", "act": "act_key", "operator": "operator_key", "payment_reference": "payment_key",
    "invoice_number": "invoice_key",
}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """`new`: table → rows to create. `lines`/`claims`: likewise, with provisional ids.

    `updated_memberships`: existing rows with their new values, and their plan and role before. `completed`: insured who
    were known by name only (id, name, card_number, card_key). `replaced`: ids of the claims that an update overwrites.
    `conflicts`: claims that the country has with other lines (claim_number, id). `skipped`: how many claims the country
    has with the same lines. `homonyms`: (name key, insured id, insured id) of one name under two cards.
    """

    new: dict[str, pl.DataFrame]
    claims: pl.DataFrame
    lines: pl.DataFrame
    updated_memberships: pl.DataFrame
    completed: pl.DataFrame
    replaced: pl.DataFrame
    conflicts: pl.DataFrame
    skipped: int
    homonyms: list[tuple[str, int, int]] = field(default_factory=list)

    def entities(self) -> dict[str, int]:
        """How many records of each kind would be created, in the shape of the summary."""
        return {name: self.new[name].height for name in COUNTED}

    def outcome(self) -> dict[str, Any]:
        """The counts of the plan. A reviewer approves them with the summary (`PlannedImport.review_facts`)."""
        replaced = self.replaced.height
        return {
            "claims_to_create": self.claims.height - replaced,
            "claims_to_replace": replaced,
            "claims_skipped": self.skipped,
            "claims_in_conflict": self.conflicts.height,
            "lines_to_write": self.lines.height,
            "memberships_updated": self.updated_memberships.height,
            "insured_completed": self.completed.height,
        }


def importable(reconciliation: Reconciliation) -> pl.DataFrame:
    """The lines that may be written, in file order, with keys that fit the database; `line` numbers them."""
    lines = limit_key_length(
        reconciliation.importable_lines().with_row_index("line"), [*_KEY_OF.values(), "employer_name_key"]
    )
    # A text without a key (only signs) has no meaning, and must not be combined with the key of another line.
    keyless = lines.select((pl.col(text).is_not_null() & pl.col(key).is_null()).any() for text, key in _KEY_OF.items())
    return lines.with_columns(
        pl.when(pl.col(_KEY_OF[text]).is_not_null()).then(text).alias(text) for text in _KEY_OF if keyless[text].item()
    )


def wanted(lines: pl.DataFrame) -> Wanted:
    """The keys that the snapshot must look up for these `importable` lines."""
    per_claim = lines.group_by("claim_number", maintain_order=True).agg(
        pl.col("partner_key").first(ignore_nulls=True), pl.col("invoice_key", "payment_key").drop_nulls()
    )

    def references(key: str) -> pl.DataFrame:
        return per_claim.select("partner_key", key=key).explode("key").drop_nulls("key")

    return Wanted(per_claim["claim_number"], references("invoice_key"), references("payment_key"))


def make_plan(*, lines: pl.DataFrame, snapshot: Snapshot, on_conflict: OnConflict, currency: str) -> Plan:
    """Plan the writing of `importable` lines into the country that `snapshot` shows."""
    claims = _claims(lines, currency).join(
        snapshot["claims"].select(claim_number="number", existing_id="id", existing_fingerprint="fingerprint"),
        on="claim_number",
        how="left",
        maintain_order="left",
    )
    same = pl.col("existing_fingerprint") == pl.col("fingerprint")
    differs = pl.col("existing_id").is_not_null() & ~same.fill_null(False)
    conflicts = claims.filter(differs)
    skipped = claims.filter(same.fill_null(False)).height
    to_write = claims.filter(
        pl.col("existing_id").is_null() | differs if on_conflict == "update" else pl.col("existing_id").is_null()
    )
    # Each step copies the lines, so only the columns that the steps need go on.
    lines = lines.select(LINE_COLUMNS).join(
        to_write.select("claim_number"), on="claim_number", how="semi", maintain_order="left"
    )

    tables: dict[str, pl.DataFrame] = {}
    to_write = match_clients_and_policies(to_write, snapshot, tables)
    to_write, people = match_people(to_write, snapshot, tables)
    to_write, updated_memberships = match_memberships(to_write, snapshot, tables)
    lines = match_acts(lines, snapshot, tables)
    new_claim = pl.col("existing_id").is_null()
    to_write = to_write.with_columns(
        id=pl.when(new_claim).then(-new_claim.cast(pl.Int64).cum_sum()).otherwise(pl.col("existing_id"))
    )
    lines = match_references(lines, to_write, snapshot, tables)
    return Plan(
        new=tables,
        claims=to_write,
        lines=line_rows(lines),
        updated_memberships=updated_memberships,
        completed=completed_people(people),
        replaced=to_write.filter(~new_claim).select("id", "claim_number"),
        conflicts=conflicts.clear() if on_conflict == "update" else conflicts,
        skipped=skipped,
        homonyms=people.homonyms,
    )


# ------------------------------------------------------------------------------------------------ claims


def _claims(lines: pl.DataFrame, currency: str) -> pl.DataFrame:
    """One row per claim: the first value of each text among its lines, the sums, the fingerprint."""
    texts = (
        "beneficiary", "beneficiary_key", "policy_number", "policy_key", "employer", "employer_key",
        "employer_name_key", "partner", "partner_key", "partner_address", "partner_country", "main_insured",
        "main_insured_key", "card_number", "card_key", "plan", "plan_key", "insured_status",
    )  # fmt: skip
    claims = lines.group_by("claim_number", maintain_order=True).agg(
        pl.col(*texts).first(ignore_nulls=True),
        pl.col("category", "recap_file", "recap_sheet", "recap_row").first(),
        pl.col("line").min(),
        pl.col("file").first(),
        pl.col("settlement_date").max(),
        pl.col("incident_date").min(),
        pl.col("claimed_cents", "reimbursed_cents").sum(),
        pl.len().alias("line_count"),
    )
    claims = claims.join(_fingerprints(lines, currency), on="claim_number", how="left", maintain_order="left")
    own_name = pl.col("beneficiary_key") == pl.col("main_insured_key")
    is_principal = (pl.col("insured_status") == "A").fill_null(
        (own_name | pl.col("main_insured_key").is_null()).fill_null(True)
    )
    main_key = (
        pl.when(is_principal).then(pl.coalesce("main_insured_key", "beneficiary_key")).otherwise("main_insured_key")
    )
    individual = pl.col("employer_key").is_null() | (pl.col("employer_name_key") == main_key).fill_null(False)
    return claims.with_columns(
        status=pl.when(pl.col("category") == CANCELLED).then(pl.lit("cancelled")).otherwise(pl.lit("settled")),
        currency=pl.lit(currency),
        client_key=pl.when(~individual).then("employer_key"),
        principal_key=pl.when(~is_principal & (pl.col("main_insured_key") != pl.col("beneficiary_key"))).then(
            "main_insured_key"
        ),
        # A line without a status that names the insured as their own principal is about a principal.
        role=pl.coalesce(
            pl.col("insured_status").replace_strict(ROLE_OF_STATUS, default=None, return_dtype=pl.String),
            pl.when(own_name).then(pl.lit("primary")),
            pl.lit("other"),
        ),
    )


_IN_FINGERPRINT = (
    "beneficiary_key", "card_key", "policy_key", "employer_key", "partner_key", "main_insured_key", "plan_key",
    "insured_status", "is_cancelled", "category_key", "act_key", "guarantee", "payment_key", "invoice_key",
    "operator_key", "note", "incident_date", "settlement_date", "claimed_cents", "reimbursed_cents",
)  # fmt: skip


def _fingerprints(lines: pl.DataFrame, currency: str) -> pl.DataFrame:
    """claim_number, fingerprint: a digest of the lines' keys and values, independent of order and spelling."""
    separator = "\x1f"
    content = (
        lines.select(
            "claim_number",
            content=pl.concat_str(
                [pl.col(c).cast(pl.String).fill_null("") for c in _IN_FINGERPRINT], separator=separator
            ),
        )
        .group_by("claim_number", maintain_order=True)
        .agg("content")
        # Of lists, not of groups: sorted and joined group by group takes twice as long.
        .with_columns(pl.col("content").list.sort().list.join("\x1e").cast(pl.Binary))
    )
    prefix = currency.encode() + b"\x1e"
    digests = [
        blake2b(prefix + text, digest_size=16).hexdigest()
        # In parts: data that is still in the processor's cache is digested in half the time.
        for part in content.select("content").iter_slices(DIGEST_ROWS)
        for text in part["content"].to_list()
    ]
    return content.select("claim_number").with_columns(fingerprint=pl.Series(digests, dtype=pl.String))
