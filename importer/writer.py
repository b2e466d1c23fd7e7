"""Plan → database: by sets, inside one transaction that the caller opens (DOMAIN §6).

The number of SQL statements does not depend on the number of rows. Only this module uses COPY of PostgreSQL.
"""

import io
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl
from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, connection, models

from core import models as core
from core.data_versions import MEMBERSHIPS, claims_of, findings_of, renew
from file_handling.models import Finding
from importer.pipeline.plan import Plan
from importer.rates import keep_rates, rates_before
from importer.sql import DATE, INTEGER, NUMERIC, TEXT, is_postgresql, share_lock, values_table

COPY_SLICE = 100_000
EMPTY = pl.lit("")
# A statement takes so many parameters on every database.
IDS_AT_ONCE = 10_000


@dataclass(frozen=True)
class Origin:
    """The origin of the records. `stat_files`, `recap_files`: File ids in the order in which the frames number them."""

    country_id: int
    session_id: int
    stat_file_id: int | None
    stat_files: Sequence[int]
    recap_files: Sequence[int]


def write_plan(plan: Plan, origin: Origin) -> dict[str, int]:
    """Write everything that the plan creates or changes; → how many records of each kind were created.

    Must run inside a transaction that holds the country's lock. Raises IntegrityError when a record that
    the plan uses was removed or created since the plan was made.
    """
    _lock_references(plan)
    rates = rates_before(plan)
    new = plan.new
    ids: dict[str, pl.Series] = {}
    created = {name: frame.height for name, frame in new.items()}
    created["act_categories"], ids["act_categories"] = _write_catalogue(core.ActCategory, new["act_categories"], origin)
    acts = _resolved(new["acts"], ids, category_id="act_categories")
    created["acts"], ids["acts"] = _write_catalogue(core.Act, acts, origin)

    def records(table: str, model: type[models.Model], frame: pl.DataFrame, *, country: bool = False) -> None:
        ids[table] = _reserve_ids(model, frame.height)
        frame = _resolved(frame, ids, id=table)
        if country:
            frame = frame.with_columns(country_id=pl.lit(origin.country_id))
        insert_rows(model, _with_origin(frame, origin))

    def keyed(table: str, model: type[models.Model], text: str, source: str, *more: pl.Expr) -> None:
        frame = new[table].select("id", "key", pl.col(source).alias(text), *more)
        records(table, model, frame, country=True)

    keyed("clients", core.Client, "name", "employer")
    keyed("policies", core.Policy, "number", "policy_number")
    keyed(
        "partners", core.Partner, "name", "partner",
        pl.col("partner_address").fill_null(EMPTY).alias("address"), pl.col("partner_country").fill_null(EMPTY),
    )  # fmt: skip
    keyed("operators", core.Operator, "name", "operator")
    plans = new["plans"].select("id", "key", "policy_id", name="plan")
    records("plans", core.Plan, _resolved(plans, ids, policy_id="policies"))
    records("insured", core.Insured, new["insured"].drop("line"), country=True)
    spellings = _resolved(new["insured_spellings"].drop("id"), ids, insured_id="insured")
    insert_rows(core.InsuredSpelling, _with_origin(spellings, origin))
    people = {"insured_id": "insured", "policy_id": "policies", "client_id": "clients", "plan_id": "plans"}
    memberships = _resolved(new["memberships"], ids, **people, principal_id="insured")
    records("memberships", core.Membership, memberships.drop("line"))
    for table, model, source in (
        ("invoices", core.Invoice, "invoice_number"),
        ("payments", core.Payment, "payment_reference"),
    ):
        frame = new[table].select("id", "key", "partner_id", number=source)
        records(table, model, _resolved(frame, ids, partner_id="partners"))

    _update(
        core.Membership,
        _resolved(plan.updated_memberships, ids, plan_id="plans", principal_id="insured"),
        {
            "first_settlement_date": DATE,
            "last_settlement_date": DATE,
            "plan_id": INTEGER,
            "principal_id": INTEGER,
            "role": TEXT,
        },
    )
    _complete_insured(plan.completed)
    # Before the claims are replaced: figures of the months that they leave are outdated too.
    renew(origin.country_id, _changed_parts(plan))
    _write_claims(plan, origin, ids, people)
    keep_rates(plan, rates, origin.country_id, lambda frame, **columns: _resolved(frame, ids, **columns))
    created.pop("insured_spellings")
    return dict(sorted(created.items()))


_MODELS: dict[str, type[models.Model]] = {
    "act_categories": core.ActCategory, "acts": core.Act, "clients": core.Client, "policies": core.Policy,
    "plans": core.Plan, "partners": core.Partner, "operators": core.Operator, "insured": core.Insured,
    "insured_spellings": core.InsuredSpelling, "memberships": core.Membership, "invoices": core.Invoice,
    "payments": core.Payment,
}  # fmt: skip


def rows_by_table(plan: Plan, *, findings: int) -> dict[str, int]:
    """Database table → how many rows the import of the plan inserts into it, with so many findings."""
    rows = {_MODELS[name]._meta.db_table: frame.height for name, frame in plan.new.items()}
    rows[core.Claim._meta.db_table] = plan.claims.height - plan.replaced.height
    rows[core.ClaimLine._meta.db_table] = plan.lines.height
    rows[core.ClaimRevision._meta.db_table] = plan.replaced.height
    rows[Finding._meta.db_table] = findings
    return rows


def _changed_parts(plan: Plan) -> set[str]:
    """The parts of the country's data that the plan changes (`core.data_versions`)."""
    days = {day.replace(day=1) for day in plan.claims["settlement_date"].unique()}
    replaced = plan.replaced["id"]
    for at in range(0, len(replaced), IDS_AT_ONCE):
        ids = replaced[at : at + IDS_AT_ONCE].to_list()
        days |= set(core.Claim.objects.filter(pk__in=ids).dates("settlement_date", "month"))
    parts = {claims_of(day) for day in days}
    if plan.new["memberships"].height or plan.updated_memberships.height:
        parts.add(MEMBERSHIPS)
    return parts


def write_findings(session_id: int, country_id: int, findings: pl.DataFrame) -> None:
    """Replace the findings of the session that an earlier run wrote.

    `findings`: sequence, category, code, claim_number, search_key, four amounts in cents (null where there is none),
    details, locations and lines (JSON text).
    """
    Finding.objects.filter(session_id=session_id)._raw_delete(using=connection.alias)
    amounts = ("stat_claimed", "stat_reimbursed", "recap_claimed", "recap_reimbursed")
    renew(country_id, [findings_of(session_id)])
    insert_rows(Finding, findings.with_columns(*(_money(a).alias(a) for a in amounts), session_id=pl.lit(session_id)))


def _lock_references(plan: Plan) -> None:
    """Make sure that every existing record to which the large tables will refer exists, until the commit.

    The database's own reference checks do this row by row, which takes longer than writing the rows.
    """
    for model, frame, column in (
        (core.Insured, plan.claims, "insured_id"),
        (core.Policy, plan.claims, "policy_id"),
        (core.Client, plan.claims, "client_id"),
        (core.Act, plan.lines, "act_id"),
        (core.ActCategory, plan.lines, "category_id"),
        (core.Operator, plan.lines, "operator_id"),
        (core.Invoice, plan.lines, "invoice_id"),
        (core.Payment, plan.lines, "payment_id"),
    ):
        ids = frame[column].drop_nulls().unique()
        ids = ids.filter(ids > 0)
        source, parameters = values_table("referred", {"id": (INTEGER, ids.to_list())})
        with connection.cursor() as cursor:
            table = model._meta.db_table
            # In order, so that two imports that lock the same records never wait for each other.
            cursor.execute(
                f"SELECT t.id FROM {table} t JOIN {source} ON t.id = referred.id ORDER BY t.id{share_lock('t')}",
                parameters,
            )
            if len(cursor.fetchall()) != len(ids):
                raise IntegrityError(f"a record of {table} was removed since the plan was made")


# ------------------------------------------------------------------------------------------------ claims


def _write_claims(plan: Plan, origin: Origin, ids: dict[str, pl.Series], people: dict[str, str]) -> None:
    is_new = plan.claims["id"] < 0
    ids["claims"] = _reserve_ids(core.Claim, int(is_new.sum()))
    claims = _resolved(
        plan.claims, ids, **people, id="claims", membership_id="memberships", partner_id="partners"
    ).select(
        "id", "status", "insured_id", "membership_id", "policy_id", "client_id", "partner_id", "settlement_date",
        "incident_date", "currency", "line_count", "fingerprint", "recap_row",
        number="claim_number",
        claimed_amount=_money("claimed_cents"),
        reimbursed_amount=_money("reimbursed_cents"),
        recap_file_id=_file_id("recap_file", origin.recap_files),
        recap_sheet=pl.col("recap_sheet").fill_null(EMPTY),
        country_id=pl.lit(origin.country_id),
    )  # fmt: skip
    if plan.replaced.height:
        _store_revisions(plan.replaced, origin)
        _update(core.Claim, claims.filter(~is_new).drop("number", "country_id"), _CLAIM_TYPES)
    insert_rows(core.Claim, _with_origin(claims.filter(is_new), origin))
    lines = _resolved(
        plan.lines, ids,
        claim_id="claims", act_id="acts", category_id="act_categories", operator_id="operators",
        invoice_id="invoices", payment_id="payments",
    ).with_columns(
        pl.col("guarantee", "note", "sheet").fill_null(EMPTY),
        claimed_amount=_money("claimed_cents"),
        reimbursed_amount=_money("reimbursed_cents"),
        file_id=_file_id("file", origin.stat_files),
        import_session_id=pl.lit(origin.session_id),
    ).drop("claimed_cents", "reimbursed_cents", "file")  # fmt: skip
    insert_rows(core.ClaimLine, lines)


_CLAIM_TYPES = {
    "status": TEXT, "insured_id": INTEGER, "membership_id": INTEGER, "policy_id": INTEGER, "client_id": INTEGER,
    "partner_id": INTEGER, "settlement_date": DATE, "incident_date": DATE, "currency": TEXT, "line_count": INTEGER,
    "fingerprint": TEXT, "recap_row": INTEGER, "claimed_amount": NUMERIC, "reimbursed_amount": NUMERIC,
    "recap_file_id": INTEGER, "recap_sheet": TEXT,
}  # fmt: skip


_CLAIM_NAMES = {
    "insured": "name", "policy": "number", "client": "name", "partner": "name", "file": "name", "recap_file": "name",
}  # fmt: skip
_LINE_NAMES = {
    "act": "name", "category": "name", "operator": "name", "invoice": "number", "payment": "number", "file": "name",
}  # fmt: skip


def _store_revisions(replaced: pl.DataFrame, origin: Origin) -> None:
    """Store the replaced claims as revisions, then delete their lines (DOMAIN §6, re-import).

    A revision has every column, money as decimal text with two places, and beside each id the name of that record,
    which may be deleted when somebody reads the revision.
    """
    source, parameters = values_table("replaced", {"id": (INTEGER, replaced["id"].to_list())})
    line_table = core.ClaimLine._meta.db_table
    with connection.cursor() as cursor:
        claims = _rows_with_names(core.Claim, _CLAIM_NAMES, f"{source} ON t.id = replaced.id", "t.id", parameters)
        lines_of: dict[int, list[dict[str, Any]]] = {}
        for line in _rows_with_names(
            core.ClaimLine, _LINE_NAMES, f"{source} ON t.claim_id = replaced.id", "t.claim_id, t.position", parameters
        ):
            lines_of.setdefault(line["claim_id"], []).append(line)
        rows = [
            (
                claim["id"],
                claim["number"],
                json.dumps({**claim, "lines": lines_of.get(claim["id"], [])}, cls=DjangoJSONEncoder),
            )
            for claim in claims
        ]
        before = pl.DataFrame(
            rows, schema={"claim_id": pl.Int64, "number": pl.String, "before": pl.String}, orient="row"
        )
        cursor.execute("SELECT CURRENT_TIMESTAMP")
        (now,) = cursor.fetchone()
        insert_rows(
            core.ClaimRevision,
            before.with_columns(
                country_id=pl.lit(origin.country_id),
                replaced_by_session_id=pl.lit(origin.session_id),
                replaced_at=pl.lit(str(now)),
            ),
        )
        cursor.execute(
            f"DELETE FROM {line_table} WHERE claim_id IN (SELECT replaced.id FROM {source})",
            parameters,
        )


def _rows_with_names(
    model: type[models.Model], names: dict[str, str], among: str, order: str, parameters: list[Any]
) -> list[dict[str, Any]]:
    """The rows of `model`, as `t`, that `among` joins: every column, and for each reference of `names` (→ field) the
    text of the record, under the name of the reference.
    """
    joins, texts = [], []
    for at, (reference, text) in enumerate(names.items()):
        field: Any = model._meta.get_field(reference)
        joins.append(f"LEFT JOIN {field.related_model._meta.db_table} r{at} ON r{at}.id = t.{field.column}")
        texts.append(f"r{at}.{text} AS {reference}")
    rows_among = f"{model._meta.db_table} t JOIN {among} {' '.join(joins)}"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT t.*, {', '.join(texts)} FROM {rows_among} ORDER BY {order}", parameters)
        columns = [column[0] for column in cursor.description]
        rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    for row in rows:
        for amount in ("claimed_amount", "reimbursed_amount"):
            # SQLite returns a whole number or a float; both are exact to the hundredth for all amounts that are read.
            row[amount] = f"{Decimal(str(row[amount])):.2f}"
    return rows


def _complete_insured(completed: pl.DataFrame) -> None:
    """Complete persons who were only known as a principal and now have lines of their own (DOMAIN §6)."""
    with_card = completed.filter(pl.col("card_key") != "")
    _update(core.Insured, with_card, {"card_number": TEXT, "card_key": TEXT})
    _update(core.Insured, with_card.filter(pl.col("name") != ""), {"name": TEXT})
    if completed.height:
        source, parameters = values_table("seen", {"id": (INTEGER, completed["id"].to_list())})
        with connection.cursor() as cursor:
            table = core.Insured._meta.db_table
            cursor.execute(
                f"UPDATE {table} SET is_deduced = %s WHERE id IN (SELECT seen.id FROM {source})",
                [False, *parameters],
            )


# ------------------------------------------------------------------------------------------------ the catalogue


def _write_catalogue(
    model: type[core.ActCategory] | type[core.Act], frame: pl.DataFrame, origin: Origin
) -> tuple[int, pl.Series]:
    """Create acts or categories; → how many were really new, and their ids by provisional id.

    All countries share the catalogue, so an import of another country may create the same act: the second import waits
    for the first and takes its record. Keys are in order, so that two imports never wait for each other.
    """
    if frame.is_empty():
        return 0, pl.Series(dtype=pl.Int64)
    name = "act_category" if model is core.ActCategory else "act"
    given = {"name": (TEXT, frame[name].to_list()), "key": (TEXT, frame["key"].to_list())}
    if model is core.Act:
        given["category_id"] = (INTEGER, frame["category_id"].to_list())
    given_rows, values = values_table("given", given)
    table, columns = model._meta.db_table, ", ".join(given)
    keys = frame["key"].to_list()
    wanted, parameters = values_table("wanted", {"key": (TEXT, keys)})
    with connection.cursor() as cursor:
        cursor.execute(
            # Without a condition, SQLite would read ON CONFLICT as the beginning of a join condition.
            f"INSERT INTO {table} ({columns}, file_id, import_session_id)"
            f" SELECT {columns}, CAST(%s AS bigint), CAST(%s AS bigint) FROM {given_rows} WHERE true ORDER BY given.key"
            " ON CONFLICT DO NOTHING",
            [origin.stat_file_id, origin.session_id, *values],
        )
        cursor.execute(
            f"SELECT t.key, t.id, t.import_session_id FROM {table} t JOIN {wanted} ON t.key = wanted.key", parameters
        )
        found = {key: (id_, session_id) for key, id_, session_id in cursor.fetchall()}
    ours = sum(session_id == origin.session_id for _, session_id in found.values())
    return ours, pl.Series([found[key][0] for key in keys], dtype=pl.Int64)


# ------------------------------------------------------------------------------------------------ rows


def _resolved(frame: pl.DataFrame, ids: dict[str, pl.Series], **columns: str) -> pl.DataFrame:
    """The frame with the provisional ids of `columns` (column → table) replaced: -1 is the table's first new row."""
    swaps = []
    for column, table in columns.items():
        real = ids.get(table)
        if real is None or not len(real):
            continue
        value = pl.col(column)
        place = pl.when(value < 0).then(-value - 1)
        swaps.append(pl.when(value < 0).then(pl.lit(real).gather(place)).otherwise(value).alias(column))
    return frame.with_columns(swaps)


def _file_id(column: str, files: Sequence[int]) -> pl.Expr:
    return pl.lit(pl.Series(list(files) or [None], dtype=pl.Int64)).gather(pl.col(column))


def _with_origin(frame: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    return frame.with_columns(
        file_id=pl.lit(origin.stat_file_id, dtype=pl.Int64), import_session_id=pl.lit(origin.session_id)
    )


def _money(column: str) -> pl.Expr:
    """Cents → decimal text with two places: money never passes through a float on its way to the database."""
    cents = pl.col(column)
    size = cents.abs()
    return pl.concat_str(
        pl.when(cents < 0).then(pl.lit("-")).otherwise(EMPTY),
        (size // 100).cast(pl.String),
        pl.lit("."),
        (size % 100).cast(pl.String).str.zfill(2),
    )


def _reserve_ids(model: type[models.Model], count: int) -> pl.Series:
    """`count` ids that no other transaction gets."""
    if not count:
        return pl.Series(dtype=pl.Int64)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if is_postgresql():
            # The sequence is looked up once: a look-up for each row takes seven times as long as its number.
            cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [f'"{table}"'])
            (sequence,) = cursor.fetchone()
            cursor.execute("SELECT nextval(%s::regclass) FROM generate_series(1, %s)", [sequence, count])
            return pl.Series([row[0] for row in cursor.fetchall()], dtype=pl.Int64)
        # SQLite: this transaction is the only writer, and explicit ids advance the counter of the table.
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        row = cursor.fetchone()
        start = (row[0] if row else 0) + 1
        return pl.Series(range(start, start + count), dtype=pl.Int64)


def insert_rows(model: type[models.Model], frame: pl.DataFrame) -> None:
    """All rows of the frame, in one statement."""
    if frame.is_empty():
        return
    table = model._meta.db_table
    columns = ", ".join(f'"{c}"' for c in frame.columns)
    with connection.cursor() as cursor:
        if is_postgresql():
            statement = f'COPY "{table}" ({columns}) FROM STDIN (FORMAT csv)'
            # Django translates the errors of its own calls alone, and COPY is not one of them.
            with connection.wrap_database_errors, cursor.copy(statement) as copy:
                for text in _csv_parts(frame):
                    copy.write(text)
        else:
            days = [c for c, kind in frame.schema.items() if kind == pl.Date]
            places = ", ".join(["%s"] * frame.width)
            cursor.executemany(
                f'INSERT INTO "{table}" ({columns}) VALUES ({places})',
                # An iterator: the rows of the frame are never copied into a list.
                frame.with_columns(pl.col(days).cast(pl.String)).iter_rows(),  # type: ignore[arg-type]
            )


def _csv_parts(frame: pl.DataFrame) -> Iterator[memoryview]:
    """The frame as CSV, in parts; the next part is made while the database takes the current one."""

    def written(part: pl.DataFrame) -> memoryview:
        buffer = io.BytesIO()
        part.write_csv(buffer, include_header=False)
        return buffer.getbuffer()

    parts = frame.iter_slices(COPY_SLICE)
    with ThreadPoolExecutor(1, thread_name_prefix="csv") as ahead:
        coming = ahead.submit(written, next(parts))
        for part in parts:
            now, coming = coming.result(), ahead.submit(written, part)
            yield now
        yield coming.result()


def _update(model: type[models.Model], frame: pl.DataFrame, types: dict[str, str]) -> None:
    """Set the columns of `types` on the rows that `id` names, in one statement."""
    if frame.is_empty():
        return
    values = {"id": (INTEGER, frame["id"].to_list())}
    values |= {column: (sql_type, frame[column].to_list()) for column, sql_type in types.items()}
    source, parameters = values_table("new_values", values)
    table = model._meta.db_table
    sets = ", ".join(f'"{column}" = new_values.{column}' for column in types)
    with connection.cursor() as cursor:
        cursor.execute(f'UPDATE "{table}" SET {sets} FROM {source} WHERE "{table}".id = new_values.id', parameters)
