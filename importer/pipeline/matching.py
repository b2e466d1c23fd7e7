"""Matching the claims and lines of an import with the records of the country: a record is found or new (DOMAIN §6).

Each function adds the ids of some kinds of record to the frame, and puts the new records into `tables`. New records
have provisional ids, negative and counted down from -1 in each table.
"""

import polars as pl

from importer.pipeline.country import Snapshot
from importer.pipeline.people import Directory

ROLE_ORDER = pl.Enum(["primary", "spouse", "child", "other"])


def _resolve(candidates: pl.DataFrame, existing: pl.DataFrame, on: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give each candidate (distinct in `on`) the id of the existing record, else a provisional one.

    → (on…, id) for all, and the candidates to create with their `id`.
    """
    known = candidates.join(existing.select("id", *on), on=on, how="left", maintain_order="left", nulls_equal=True)
    missing = pl.col("id").is_null()
    known = known.with_columns(
        id=pl.when(missing).then(-missing.cast(pl.Int64).cum_sum()).otherwise(pl.col("id")), is_new=missing
    )
    return known.select(*on, "id"), known.filter("is_new").drop("is_new")


def match_clients_and_policies(
    claims: pl.DataFrame, snapshot: Snapshot, tables: dict[str, pl.DataFrame]
) -> pl.DataFrame:
    """Adds client_id, policy_id, plan_id, partner_id; the new clients, policies, plans and partners to `tables`."""

    def match(known: pl.DataFrame, table: str, key: str, name: str, column: str, *extra: str) -> pl.DataFrame:
        named = claims.filter(pl.col(key).is_not_null()).group_by(key, maintain_order=True)
        candidates = named.agg(pl.col(name, *extra).first(ignore_nulls=True)).rename({key: "key"})
        ids, tables[table] = _resolve(candidates, known, ["key"])
        return claims.join(ids.rename({"key": key, "id": column}), on=key, how="left", maintain_order="left")

    clients = snapshot.by_name("clients", "client_aliases")
    partners = snapshot.by_name("partners", "partner_aliases")
    claims = match(clients, "clients", "client_key", "employer", "client_id")
    claims = match(snapshot["policies"], "policies", "policy_key", "policy_number", "policy_id")
    claims = match(partners, "partners", "partner_key", "partner", "partner_id", "partner_address", "partner_country")
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


def match_people(
    claims: pl.DataFrame, snapshot: Snapshot, tables: dict[str, pl.DataFrame]
) -> tuple[pl.DataFrame, Directory]:
    """Adds insured_id and principal_id; the new insured and spellings to `tables`."""
    policy_keys = dict(snapshot["policies"].select("id", "key").iter_rows())
    insured = snapshot["insured"]
    directory = Directory.of(
        existing=insured.select("id", "name_key", "card_key", "is_deduced").iter_rows(),
        with_chosen_name=insured.filter("has_chosen_name")["id"],
        spellings=snapshot["insured_spellings"].select("insured_id", "name_key").iter_rows(),
        members=(
            (policy_keys[policy_id], insured_id)
            for policy_id, insured_id in snapshot["memberships"]
            .select("policy_id", "insured_id")
            .unique(maintain_order=True)
            .iter_rows()
        ),
    )
    persons = (
        claims.group_by("policy_key", "card_key", "beneficiary_key", maintain_order=True)
        .agg(pl.col("beneficiary", "card_number", "line").first())
        .with_row_index("order")
    )
    ids: list[int | None] = [None] * persons.height
    # Persons with a card come first, so that a line without a card finds them whatever the order of the file.
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
        # Another spelling of the name can lead a dependant to themselves, who is not their own principal.
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


def completed_people(people: Directory) -> pl.DataFrame:
    return pl.DataFrame(
        [(id_, c.name, c.card_number, c.card_key) for id_, c in people.completed.items()],
        schema={"id": pl.Int64, "name": pl.String, "card_number": pl.String, "card_key": pl.String},
        orient="row",
    )


MEMBER = ["insured_id", "policy_id", "client_id"]


def match_memberships(
    claims: pl.DataFrame, snapshot: Snapshot, tables: dict[str, pl.DataFrame]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Adds membership_id; the new memberships to `tables`; → also the changed memberships with their new values."""
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
    """Existing memberships that the import changes: wider dates, a newer plan, a principal, a role so far unknown.

    Role and principal of a membership that a person corrected stay (DOMAIN §12). `plan_id_before`, `role_before`: as
    they are until then.
    """
    both = existing.join(candidates, on=MEMBER, how="inner", nulls_equal=True, suffix="_now")
    newer = (
        pl.col("last_settlement_date_now") >= pl.coalesce("last_settlement_date", "last_settlement_date_now")
    ).fill_null(False)
    changed = both.select(
        "id",
        first_settlement_date=pl.min_horizontal("first_settlement_date", "first_settlement_date_now"),
        last_settlement_date=pl.max_horizontal("last_settlement_date", "last_settlement_date_now"),
        plan_id=pl.when(newer)
        .then(pl.coalesce("plan_id_now", "plan_id"))
        .otherwise(pl.coalesce("plan_id", "plan_id_now")),
        principal_id=pl.when("is_corrected")
        .then("principal_id")
        .otherwise(pl.coalesce("principal_id", "principal_id_now")),
        role=pl.when((pl.col("role") == "other") & ~pl.col("is_corrected")).then("role_now").otherwise("role"),
    ).with_columns(principal_id=pl.when(pl.col("role") != "primary").then("principal_id"))
    changed = changed.join(existing.select(changed.columns), on=changed.columns, how="anti", nulls_equal=True)
    before = existing.select("id", plan_id_before="plan_id", role_before="role")
    return changed.join(before, on="id", how="left", maintain_order="left")


# The columns of the lines that acts and references need.
LINE_COLUMNS = (
    "line", "claim_number", "act_category", "category_key", "act", "act_key", "operator", "operator_key",
    "invoice_number", "invoice_key", "payment_reference", "payment_key", "guarantee", "incident_date",
    "settlement_date", "claimed_cents", "reimbursed_cents", "note", "file", "sheet", "row", "is_cancelled",
)  # fmt: skip


def match_acts(lines: pl.DataFrame, snapshot: Snapshot, tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Adds category_id and act_id; the new categories and acts to `tables`. An alias leads to its act or category."""
    headings = lines.group_by("category_key", maintain_order=True).agg(pl.col("act_category").first())
    known = snapshot.by_name("act_categories", "category_aliases")
    ids, tables["act_categories"] = _resolve(headings.rename({"category_key": "key"}), known, ["key"])
    lines = lines.join(
        ids.rename({"key": "category_key", "id": "category_id"}), on="category_key", how="left", maintain_order="left"
    )
    named = lines.filter(pl.col("act_key").is_not_null())
    most_frequent = (
        named.group_by("act_key", "category_id")
        .agg(pl.len(), pl.col("line").min())
        .sort("len", "line", descending=[True, False])
        .group_by("act_key", maintain_order=True)
        .agg(pl.col("category_id").first())
    )
    acts = (
        named.group_by("act_key", maintain_order=True)
        .agg(pl.col("act").first())
        .join(most_frequent, on="act_key", how="left", maintain_order="left")
        .rename({"act_key": "key"})
    )
    ids, tables["acts"] = _resolve(acts, snapshot.by_name("acts", "aliases"), ["key"])
    return lines.join(ids.rename({"key": "act_key", "id": "act_id"}), on="act_key", how="left", maintain_order="left")


def match_references(
    lines: pl.DataFrame, claims: pl.DataFrame, snapshot: Snapshot, tables: dict[str, pl.DataFrame]
) -> pl.DataFrame:
    """Adds claim_id, partner_id, operator_id, invoice_id and payment_id; the new ones to `tables`."""
    lines = lines.join(
        claims.select("claim_number", "partner_id", claim_id="id"), on="claim_number", how="left", maintain_order="left"
    )
    operators = snapshot.by_name("operators", "operator_aliases")
    for known, table, key, name, column, on in (
        (operators, "operators", "operator_key", "operator", "operator_id", ["key"]),
        (snapshot["invoices"], "invoices", "invoice_key", "invoice_number", "invoice_id", ["partner_id", "key"]),
        (snapshot["payments"], "payments", "payment_key", "payment_reference", "payment_id", ["partner_id", "key"]),
    ):
        source = [key if c == "key" else c for c in on]
        candidates = (
            lines.filter(pl.col(key).is_not_null())
            .group_by(*source, maintain_order=True)
            .agg(pl.col(name).first())
            .rename({key: "key"})
        )
        ids, tables[table] = _resolve(candidates, known, on)
        lines = lines.join(ids.rename({"key": key, "id": column}), on=source, how="left", maintain_order="left")
    return lines


def line_rows(lines: pl.DataFrame) -> pl.DataFrame:
    """The claim lines as the database has them; `position` is their order in the file within the claim.

    Sorted by claim, however they are scattered over the file: so the lines of a claim are together in the table, and
    the indexes of a large import grow at their end.
    """
    return lines.sort("claim_id", "line", descending=[True, False]).select(
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
