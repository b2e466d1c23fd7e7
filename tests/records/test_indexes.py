"""Each index of the two big tables serves a list or a count that a user reads: the plan of PostgreSQL names it.

Each index costs every import. One without a user here is to be removed.
"""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import models as core
from file_handling.models import File, ImportSession
from tests.support.cast import Cast
from tests.support.records import Records

pytestmark = pytest.mark.needs("postgresql")

# The columns of the index → an address whose queries read it. `{name}`: an id of `Many.ids`.
USERS = {
    "core_claim": {
        "id": "claims/{claim}/",
        "country_id, number": "claims/?number=N00017",
        "country_id, id": "claims/",
        "country_id, settlement_date": "claims/?ordering=-settlement_date",
        "country_id, claimed_amount": "claims/?ordering=-claimed_amount",
        "client_id": "claims/?client={client}",
        "policy_id": "claims/?policy={policy}",
        "insured_id": "claims/?insured={insured}",
        "membership_id": "claims/?membership={membership}",
        "partner_id": "claims/?partner={partner}",
        "file_id": "files/{file}/",
        "recap_file_id": "files/{recap_file}/",
        "import_session_id": "import-sessions/{import_session}/",
    },
    "core_claimline": {
        "id": "claim-lines/{line}/",
        'claim_id, "position"': "claim-lines/?claim={claim}",
        "act_id, claim_id": "claims/?act={act}",
        "category_id, claim_id": "claims/?category={category}",
        "operator_id, claim_id": "claims/?operator={operator}",
        "invoice_id": "claims/?invoice={invoice}",
        "payment_id": "claims/?payment={payment}",
        "file_id": "files/{file}/",
        "import_session_id": "import-sessions/{import_session}/",
    },
}
CLAIMS, OTHERS = 3_000, 60


@pytest.fixture
def ids(cast: Cast, togo: Records, benin: Records) -> dict[str, int]:
    """The ids of one record of each kind, among so many claims and lines that an index pays."""
    kinds: dict[str, list[Any]] = {}
    for name, model, more in (
        ("client", core.Client, {"name": "N", "country": cast.togo}),
        ("policy", core.Policy, {"number": "N", "country": cast.togo}),
        ("partner", core.Partner, {"name": "N", "country": cast.togo}),
        ("operator", core.Operator, {"name": "N", "country": cast.togo}),
        ("invoice", core.Invoice, {"number": "N", "partner": togo.rows["partners"]}),
        ("payment", core.Payment, {"number": "N", "partner": togo.rows["partners"]}),
        ("category", core.ActCategory, {"name": "N"}),
        ("act", core.Act, {"name": "N", "category": togo.rows["act-categories"]}),
    ):
        rows = [model(key=f"K{n}", **more) for n in range(OTHERS)]  # type: ignore[operator]
        kinds[name] = model.objects.bulk_create(rows)  # type: ignore[attr-defined]
    kinds["insured"] = core.Insured.objects.bulk_create(
        [core.Insured(country=cast.togo, name="N", name_key="N") for _ in range(OTHERS)]
    )
    kinds["membership"] = core.Membership.objects.bulk_create(
        [core.Membership(insured=one, policy=kinds["policy"][0], role="primary") for one in kinds["insured"]]
    )
    owner = {"user": cast.togo_head, "country": cast.togo}
    for name in ("file", "recap_file"):
        kinds[name] = File.objects.bulk_create([File(name=name, file=name, sha256="0", **owner) for _ in range(OTHERS)])
    kinds["import_session"] = ImportSession.objects.bulk_create([ImportSession(**owner) for _ in range(OTHERS)])
    fields = {"status": "settled", "settlement_date": datetime.date(2024, 1, 1)}
    claims, lines = [], []
    for n in range(CLAIMS):
        day = datetime.date(2024, 1, 1) + datetime.timedelta(days=n % 365)
        money = {"claimed_amount": Decimal(n % 997), "reimbursed_amount": Decimal(n % 997)}
        picked = {name: rows[n % OTHERS] for name, rows in kinds.items()}
        origin = {name: picked[name] for name in ("file", "import_session")}
        of_claim = ("client", "policy", "partner", "insured", "membership", "recap_file")
        claims.append(
            core.Claim(
                # The claims of the other country come after all others.
                country=cast.togo if n < CLAIMS - 200 else cast.benin, number=f"N{n:05}", currency="XOF", line_count=1,
                **(fields | {"settlement_date": day}), **money, **origin, **{name: picked[name] for name in of_claim},
            )
        )  # fmt: skip
        of_line = ("act", "category", "operator", "invoice", "payment")
        lines.append((fields | money | origin | {name: picked[name] for name in of_line}, n))
    created = core.Claim.objects.bulk_create(claims)
    core.ClaimLine.objects.bulk_create(
        [core.ClaimLine(claim=created[n], position=1, row=n + 2, **values) for values, n in lines]
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE core_claim, core_claimline")
    found = {name: rows[0].pk for name, rows in kinds.items()}
    return found | {"claim": created[0].pk, "line": core.ClaimLine.objects.get(claim=created[0]).pk}


def indexes_of(table: str) -> dict[str, str]:
    """The columns of each index of the table → its name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_indexdef(indexrelid), indexrelid::regclass::text FROM pg_index"
            " WHERE indrelid = %s::regclass",
            [table],
        )
        return {sql[sql.index("(") + 1 : sql.rindex(")")]: name for sql, name in cursor.fetchall()}


def plans_of(cast: Cast, path: str, *names: str) -> str:
    """The plans of all queries of the requests of accounts. The tables are small; they are not to be read whole."""
    statements, statuses = [], set()
    for name in names:
        with CaptureQueriesContext(connection) as captured:
            statuses.add(cast.client(name).get(f"/api/v1/{path}").status_code)
        statements += [query["sql"] for query in captured.captured_queries if query["sql"].startswith("SELECT")]
    assert 200 in statuses
    plans = []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in statements:
            cursor.execute(f"EXPLAIN {sql}")
            plans += [line for (line,) in cursor.fetchall()]
        cursor.execute("SET LOCAL enable_seqscan = on")
    return "\n".join(plans)


@pytest.mark.parametrize("table", USERS)
def test_every_index_of_a_big_table_has_a_user(table: str, db: None) -> None:
    assert set(indexes_of(table)) == set(USERS[table])


@pytest.mark.parametrize(
    ("table", "columns"), [(table, columns) for table, users in USERS.items() for columns in users]
)
def test_the_user_of_an_index_reads_it(table: str, columns: str, cast: Cast, ids: dict[str, int]) -> None:
    path = USERS[table][columns].format(**ids)
    plans = plans_of(cast, path, "superuser", "togo_admin", "benin_admin")
    assert f" {indexes_of(table)[columns]} " in plans, plans


@pytest.mark.parametrize("ordering", ["id", "-claimed_amount", "claimed_amount", "-settlement_date", "number"])
def test_a_page_is_read_from_an_index_where_it_begins(ordering: str, cast: Cast, ids: dict[str, int]) -> None:
    """The rows before the page are neither read nor sorted."""
    first = cast.client("benin_admin").get(f"/api/v1/claims/?ordering={ordering}&page_size=20").json()
    plans = plans_of(cast, first["next"].split("/api/v1/")[1], "benin_admin")
    column = ordering.lstrip("-")
    assert [line for line in plans.splitlines() if "Index Cond: ((country_id = " in line and column in line], plans
