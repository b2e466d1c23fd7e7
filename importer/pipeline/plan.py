"""What an import would create, skip, update and refuse (DOMAIN §6), as a value: a dry run stops here.

Pure: a `Reconciliation` and a `Snapshot` of the country in, a `Plan` out. New rows bear provisional ids, negative and counted
down from -1 per table; the writer replaces them. Columns of the tables are those of the database.
"""

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Literal

import polars as pl

from importer.pipeline.fitting import fitted
from importer.pipeline.people import Directory
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
ROLE_OF_STATUS = {"A": "primary", "C": "spouse", "E": "child"}
ROLE_ORDER = pl.Enum(["primary", "spouse", "child", "other"])

_KEY_OF = {
    "employer": "employer_key", "card_number": "card_key", "beneficiary": "beneficiary_key",
    "plan": "plan_key", "policy_number": "policy_key", "main_insured": "main_insured_key", "partner": "partner_key",
    "act_category": "category_key", "act": "act_key", "operator": "operator_key", "payment_reference": "payment_key",
    "invoice_number": "invoice_key",
}  # fmt: skip


@dataclass(frozen=True)
class Snapshot:
    """What the country (and the shared catalogue) holds already, as far as this import may touch it.

    Frames: clients, policies, partners, operators, act_categories, acts (id, key); aliases (act_id, key); plans (id, policy_id,
    key); insured (id, name_key, card_key, is_deduced); insured_spellings (insured_id, name_key); memberships (id, insured_id,
    policy_id, client_id, role, principal_id, plan_id, first_settlement_date, last_settlement_date); invoices, payments (id,
    partner_id, key); claims (id, number, fingerprint).
    """

    data_version: int
    tables: dict[str, pl.DataFrame]

    def __getitem__(self, table: str) -> pl.DataFrame:
        return self.tables[table]


@dataclass(frozen=True)
class Wanted:
    """The keys that a snapshot is asked for: what could be many in the country is fetched by them alone."""

    claim_numbers: pl.Series
    invoices: pl.DataFrame  # partner_key, key
    payments: pl.DataFrame  # partner_key, key


@dataclass(frozen=True)
class Plan:
    """`new`: table → rows to create. `lines`/`claims`: likewise, with provisional ids.

    `updated_memberships`: existing rows as they shall stand. `completed`: insured known by name only so far (id, name,
    card_number, card_key). `replaced`: ids of the claims that an update overwrites. `conflicts`: claims that are in the country
    with other lines (claim_number, id). `skipped`: how many are there with the same lines.
    `homonyms`: (name key, insured id, insured id) of one name under two cards.
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
        """How many records of each kind would be created, in the summary's shape."""
        return {name: self.new[name].height for name in COUNTED}

    def outcome(self) -> dict[str, Any]:
        """What a reviewer of a dry run judges; a commit is refused when it would come to something else."""
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
    """The lines that may be written, in file order, keys fit for the database; `line` numbers them."""
    lines = fitted(reconciliation.importable_lines().with_row_index("line"), [*_KEY_OF.values(), "employer_name_key"])
    # A text that has no key (signs alone) says nothing, and must not stand beside the key of another line.
    return lines.with_columns(
        pl.when(pl.col(key).is_not_null()).then(text).alias(text) for text, key in _KEY_OF.items()
    )


def wanted(lines: pl.DataFrame) -> Wanted:
    """What the snapshot must look up for these `importable` lines."""
    per_claim = _first_of_claim(lines, "partner_key")

    def references(key: str) -> pl.DataFrame:
        return (
            lines.select("claim_number", key=key)
            .drop_nulls()
            .join(per_claim, on="claim_number")
            .select("partner_key", "key")
            .unique()
        )

    return Wanted(per_claim["claim_number"], references("invoice_key"), references("payment_key"))


def make_plan(
    *, lines: pl.DataFrame, snapshot: Snapshot, on_conflict: OnConflict, currency: str
) -> Plan:
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
    lines = lines.join(to_write.select("claim_number"), on="claim_number", how="semi", maintain_order="left")

    tables: dict[str, pl.DataFrame] = {}
    to_write = _place_clients_and_policies(to_write, snapshot, tables)
    to_write, people = _place_people(to_write, snapshot, tables)
    to_write, updated_memberships = _place_memberships(to_write, snapshot, tables)
    lines = _place_acts(lines, snapshot, tables)
    new_claim = pl.col("existing_id").is_null()
    to_write = to_write.with_columns(
        id=pl.when(new_claim).then(-new_claim.cast(pl.Int64).cum_sum()).otherwise(pl.col("existing_id"))
    )
    lines = _place_references(lines, to_write, snapshot, tables)
    return Plan(
        new=tables,
        claims=to_write,
        lines=_line_rows(lines),
        updated_memberships=updated_memberships,
        completed=_completed(people),
        replaced=to_write.filter(~new_claim).select("id", "claim_number"),
        conflicts=conflicts.clear() if on_conflict == "update" else conflicts,
        skipped=skipped,
        homonyms=people.homonyms,
    )


# ------------------------------------------------------------------------------------------------ claims


def _first_of_claim(lines: pl.DataFrame, *columns: str) -> pl.DataFrame:
    return lines.group_by("claim_number", maintain_order=True).agg(
        pl.col(*columns).first(ignore_nulls=True),
    )


def _claims(lines: pl.DataFrame, currency: str) -> pl.DataFrame:
    """One row per claim: what its lines say of it (their first word where they are silent or repeat), sums, fingerprint."""
    said = (
        "beneficiary", "beneficiary_key", "policy_number", "policy_key", "employer", "employer_key", "employer_name_key",
        "partner", "partner_key", "partner_address", "partner_country", "main_insured", "main_insured_key",
        "card_number", "card_key", "plan", "plan_key", "insured_status",
    )  # fmt: skip
    claims = lines.group_by("claim_number", maintain_order=True).agg(
        pl.col(*said).first(ignore_nulls=True),
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
    main_key = pl.when(is_principal).then(pl.coalesce("main_insured_key", "beneficiary_key")).otherwise("main_insured_key")
    individual = pl.col("employer_key").is_null() | (pl.col("employer_name_key") == main_key).fill_null(False)
    return claims.with_columns(
        status=pl.when(pl.col("category") == CANCELLED).then(pl.lit("cancelled")).otherwise(pl.lit("settled")),
        currency=pl.lit(currency),
        client_key=pl.when(~individual).then("employer_key"),
        principal_key=pl.when(~is_principal & (pl.col("main_insured_key") != pl.col("beneficiary_key"))).then(
            "main_insured_key"
        ),
        # A line that gives no status but the insured's own name as principal speaks of a principal.
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
    """claim_number, fingerprint: a digest of what its lines say, whatever their order and spelling noise."""
    separator = "\x1f"
    content = (
        lines.select(
            "claim_number",
            content=pl.concat_str(
                [pl.col(c).cast(pl.String).fill_null("") for c in _IN_FINGERPRINT], separator=separator
            ),
        )
        .group_by("claim_number", maintain_order=True)
        .agg(pl.col("content").sort().str.join("\x1e"))
    )
    prefix = currency.encode() + b"\x1e"
    digests = [blake2b(prefix + text.encode(), digest_size=16).hexdigest() for text in content["content"].to_list()]
    return content.select("claim_number").with_columns(fingerprint=pl.Series(digests, dtype=pl.String))


# ------------------------------------------------------------------------------------------------ records


def _resolve(
    candidates: pl.DataFrame, existing: pl.DataFrame, on: list[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give each candidate (distinct in `on`) the id of the existing record, else a provisional one.

    → (on…, id) for all, and the candidates to create with their `id`.
    """
    known = candidates.join(
        existing.select("id", *on), on=on, how="left", maintain_order="left", nulls_equal=True
    )
    missing = pl.col("id").is_null()
    known = known.with_columns(
        id=pl.when(missing).then(-missing.cast(pl.Int64).cum_sum()).otherwise(pl.col("id")), is_new=missing
    )
    return known.select(*on, "id"), known.filter("is_new").drop("is_new")


def _place_clients_and_policies(
    claims: pl.DataFrame, snapshot: Snapshot, tables: dict[str, pl.DataFrame]
) -> pl.DataFrame:
    """Adds client_id, policy_id, plan_id, partner_id; the new clients, policies, plans and partners to `tables`."""

    def place(table: str, key: str, name: str, column: str, *extra: str) -> pl.DataFrame:
        named = claims.filter(pl.col(key).is_not_null()).group_by(key, maintain_order=True)
        candidates = named.agg(pl.col(name, *extra).first(ignore_nulls=True)).rename({key: "key"})
        ids, tables[table] = _resolve(candidates, snapshot[table], ["key"])
        return claims.join(ids.rename({"key": key, "id": column}), on=key, how="left", maintain_order="left")

    claims = place("clients", "client_key", "employer", "client_id")
    claims = place("policies", "policy_key", "policy_number", "policy_id")
    claims = place("partners", "partner_key", "partner", "partner_id", "partner_address", "partner_country")
    plans = (
        claims.filter(pl.col("plan_key").is_not_null())
        .group_by("policy_id", "plan_key", maintain_order=True)
        .agg(pl.col("plan").first())
        .rename({"plan_key": "key"})
    )
    ids, tables["plans"] = _resolve(plans, snapshot["plans"], ["policy_id", "key"])
    return claims.join(
        ids.rename({"key": "plan_key", "id": "plan_id"}),
        on=["policy_id", "plan_key"],
        how="left",
        maintain_order="left",
    )


def _place_people(
    claims: pl.DataFrame, snapshot: Snapshot, tables: dict[str, pl.DataFrame]
) -> tuple[pl.DataFrame, Directory]:
    """Adds insured_id and principal_id; the new insured and spellings to `tables`."""
    policy_keys = dict(snapshot["policies"].select("id", "key").iter_rows())
    insured = snapshot["insured"]
    directory = Directory.of(
        existing=insured.select("id", "name_key", "card_key", "is_deduced").iter_rows(),
        spellings=snapshot["insured_spellings"].select("insured_id", "name_key").iter_rows(),
        members=(
            (policy_keys[policy_id], insured_id)
            for policy_id, insured_id in snapshot["memberships"].select("policy_id", "insured_id").unique().iter_rows()
        ),
    )
    persons = (
        claims.group_by("policy_key", "card_key", "beneficiary_key", maintain_order=True)
        .agg(pl.col("beneficiary", "card_number", "line").first())
        .with_row_index("order")
    )
    ids: list[int | None] = [None] * persons.height
    # Who bears a card comes first, so that a line without one finds them whatever the order of the file.
    for with_card in (True, False):
        for row in persons.filter(pl.col("card_key").is_not_null() == with_card).iter_rows(named=True):
            common = {
                "policy": row["policy_key"],
                "name": row["beneficiary"],
                "name_key": row["beneficiary_key"],
                "line": row["line"],
            }
            ids[row["order"]] = (
                directory.with_card(card_key=row["card_key"], card_number=row["card_number"], **common)
                if with_card
                else directory.without_card(**common)
            )
    claims = claims.join(
        persons.select("policy_key", "card_key", "beneficiary_key", insured_id=pl.Series(ids, dtype=pl.Int64)),
        on=["policy_key", "card_key", "beneficiary_key"],
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    principals = (
        claims.filter(pl.col("principal_key").is_not_null())
        .group_by("policy_key", "principal_key", maintain_order=True)
        .agg(pl.col("main_insured", "line").first())
    )
    found = [
        directory.principal(policy=policy, name=name, name_key=key, line=line)
        for policy, key, name, line in principals.iter_rows()
    ]
    claims = claims.join(
        principals.select("policy_key", "principal_key", principal_id=pl.Series(found, dtype=pl.Int64)),
        on=["policy_key", "principal_key"],
        how="left",
        maintain_order="left",
    ).with_columns(
        # One spelling may lead a dependant to themselves; nobody is their own principal's dependant.
        principal_id=pl.when(pl.col("principal_id") != pl.col("insured_id")).then("principal_id")
    )
    new = directory.created
    tables["insured"] = pl.DataFrame(
        [(p.id, p.name, p.name_key, p.card_number, p.card_key, p.is_deduced, p.file_line) for p in new],
        schema={
            "id": pl.Int64,
            "name": pl.String,
            "name_key": pl.String,
            "card_number": pl.String,
            "card_key": pl.String,
            "is_deduced": pl.Boolean,
            "line": pl.Int64,
        },
        orient="row",
    )
    tables["insured_spellings"] = pl.DataFrame(
        [(-n, *spelling) for n, spelling in enumerate(directory.new_spellings, 1)],
        schema={"id": pl.Int64, "insured_id": pl.Int64, "name": pl.String, "name_key": pl.String},
        orient="row",
    )
    return claims, directory


def _completed(people: Directory) -> pl.DataFrame:
    return pl.DataFrame(
        [(id_, c.name, c.card_number, c.card_key) for id_, c in people.completed.items()],
        schema={"id": pl.Int64, "name": pl.String, "card_number": pl.String, "card_key": pl.String},
        orient="row",
    )


MEMBER = ["insured_id", "policy_id", "client_id"]


def _place_memberships(
    claims: pl.DataFrame, snapshot: Snapshot, tables: dict[str, pl.DataFrame]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Adds membership_id; the new memberships to `tables`; → also the existing ones that change, as they shall stand."""
    by_date = claims.sort("settlement_date", "line")
    roles = (
        claims.group_by(*MEMBER, "role")
        .len()
        .with_columns(pl.col("role").cast(ROLE_ORDER))
        .sort("len", "role", descending=[True, False])
        .group_by(*MEMBER, maintain_order=True)
        .agg(pl.col("role").first().cast(pl.String))
    )
    own = (
        by_date.group_by(*MEMBER, maintain_order=True)
        .agg(
            pl.col("settlement_date").min().alias("first_settlement_date"),
            pl.col("settlement_date").max().alias("last_settlement_date"),
            pl.col("plan_id", "principal_id").last(ignore_nulls=True),
            pl.col("line").min(),
        )
        .join(roles, on=MEMBER, how="left", nulls_equal=True)
        .with_columns(principal_id=pl.when(pl.col("role") != "primary").then("principal_id"))
    )
    principals = (
        claims.filter(pl.col("principal_id").is_not_null())
        .group_by(insured_id="principal_id", policy_id="policy_id", client_id="client_id", maintain_order=True)
        .agg(pl.col("line").min())
        .join(own, on=MEMBER, how="anti", nulls_equal=True)
        .with_columns(role=pl.lit("primary"))
    )
    candidates = pl.concat([own, principals], how="diagonal").sort("line")
    ids, tables["memberships"] = _resolve(candidates, snapshot["memberships"], MEMBER)
    claims = claims.join(
        ids.rename({"id": "membership_id"}), on=MEMBER, how="left", nulls_equal=True, maintain_order="left"
    )
    return claims, _changed_memberships(candidates, snapshot["memberships"])


def _changed_memberships(candidates: pl.DataFrame, existing: pl.DataFrame) -> pl.DataFrame:
    """Existing memberships that this import tells more of: wider dates, a newer plan, a principal, a role once unknown."""
    both = existing.join(candidates, on=MEMBER, how="inner", nulls_equal=True, suffix="_now")
    newer = (
        pl.col("last_settlement_date_now") >= pl.coalesce("last_settlement_date", "last_settlement_date_now")
    ).fill_null(False)
    stand = both.select(
        "id",
        first_settlement_date=pl.min_horizontal("first_settlement_date", "first_settlement_date_now"),
        last_settlement_date=pl.max_horizontal("last_settlement_date", "last_settlement_date_now"),
        plan_id=pl.when(newer).then(pl.coalesce("plan_id_now", "plan_id")).otherwise(pl.coalesce("plan_id", "plan_id_now")),
        principal_id=pl.coalesce("principal_id", "principal_id_now"),
        role=pl.when(pl.col("role") == "other").then("role_now").otherwise("role"),
    ).with_columns(principal_id=pl.when(pl.col("role") != "primary").then("principal_id"))
    return stand.join(existing.select(stand.columns), on=stand.columns, how="anti", nulls_equal=True)


def _place_acts(lines: pl.DataFrame, snapshot: Snapshot, tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Adds category_id and act_id; the new categories and acts to `tables`. An alias leads to its act."""
    headings = lines.group_by("category_key", maintain_order=True).agg(pl.col("act_category").first())
    ids, tables["act_categories"] = _resolve(
        headings.rename({"category_key": "key"}), snapshot["act_categories"], ["key"]
    )
    lines = lines.join(
        ids.rename({"key": "category_key", "id": "category_id"}), on="category_key", how="left", maintain_order="left"
    )
    named = lines.filter(pl.col("act_key").is_not_null())
    most_borne = (
        named.group_by("act_key", "category_id")
        .agg(pl.len(), pl.col("line").min())
        .sort("len", "line", descending=[True, False])
        .group_by("act_key", maintain_order=True)
        .agg(pl.col("category_id").first())
    )
    acts = (
        named.group_by("act_key", maintain_order=True)
        .agg(pl.col("act").first())
        .join(most_borne, on="act_key", how="left", maintain_order="left")
        .rename({"act_key": "key"})
    )
    # An act's own name goes before an alias of the same spelling.
    known = pl.concat([snapshot["acts"].select("id", "key"), snapshot["aliases"].select("id", "key")]).unique(
        subset="key", keep="first", maintain_order=True
    )
    ids, tables["acts"] = _resolve(acts, known, ["key"])
    return lines.join(ids.rename({"key": "act_key", "id": "act_id"}), on="act_key", how="left", maintain_order="left")


def _place_references(
    lines: pl.DataFrame, claims: pl.DataFrame, snapshot: Snapshot, tables: dict[str, pl.DataFrame]
) -> pl.DataFrame:
    """Adds claim_id, partner_id, operator_id, invoice_id and payment_id; the new ones to `tables`."""
    lines = lines.join(
        claims.select("claim_number", "partner_id", claim_id="id"), on="claim_number", how="left", maintain_order="left"
    )
    for table, key, name, column, on in (
        ("operators", "operator_key", "operator", "operator_id", ["key"]),
        ("invoices", "invoice_key", "invoice_number", "invoice_id", ["partner_id", "key"]),
        ("payments", "payment_key", "payment_reference", "payment_id", ["partner_id", "key"]),
    ):
        source = [key if c == "key" else c for c in on]
        candidates = (
            lines.filter(pl.col(key).is_not_null())
            .group_by(*source, maintain_order=True)
            .agg(pl.col(name).first())
            .rename({key: "key"})
        )
        ids, tables[table] = _resolve(candidates, snapshot[table], on)
        lines = lines.join(ids.rename({"key": key, "id": column}), on=source, how="left", maintain_order="left")
    return lines


def _line_rows(lines: pl.DataFrame) -> pl.DataFrame:
    """The claim lines as the database keeps them; `position` is their order in the file within the claim."""
    return lines.select(
        "claim_id",
        "act_id",
        "category_id",
        "operator_id",
        "invoice_id",
        "payment_id",
        "guarantee",
        "incident_date",
        "settlement_date",
        "claimed_cents",
        "reimbursed_cents",
        "note",
        "file",
        "sheet",
        "row",
        position=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("claim_id"),
        status=pl.when("is_cancelled").then(pl.lit("cancelled")).otherwise(pl.lit("settled")),
    )
