"""The number of queries of lists and details does not depend on the number of rows: ten against two hundred."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import models as core
from file_handling.models import File, Finding, ImportSession, SessionEvent
from tests.support.cast import Cast
from tests.support.records import Records
from tests.support.routes import CATALOGUE_ROUTES, RECORD_ROUTES
from users.models import AuditEntry

MOST = 12


def grow(cast: Cast, togo: Records, *, start: int, end: int) -> None:
    """Create one record of each kind for each number."""
    marks = [f"N{n:03}" for n in range(start, end)]
    country: dict[str, Any] = {"country": cast.togo}

    def files(ending: str, **more: Any) -> list[File]:
        return File.objects.bulk_create(
            [File(name=m + ending, user=cast.togo_head, file=m + ending, sha256="0", **country, **more) for m in marks]
        )

    stats, recaps = files(".csv", file_type="stat"), files("-r.csv", file_type="recap")
    files("-p.csv", file_type="recap", first_page=togo.recap)
    sessions = ImportSession.objects.bulk_create(
        [ImportSession(stat_file=s, recap_file=r, user=cast.togo_head, files_sha256="1", **country)
         for s, r in zip(stats, recaps, strict=True)]
    )  # fmt: skip
    origins = [{"file": f, "import_session": s} for f, s in zip(stats, sessions, strict=True)]

    def each(model: Any, make: Any) -> list[Any]:
        return model.objects.bulk_create(
            [model(**make(n, mark), **origin) for n, (mark, origin) in enumerate(zip(marks, origins, strict=True))]
        )

    clients = each(core.Client, lambda n, m: {"name": m, "key": m, **country})
    policies = each(core.Policy, lambda n, m: {"number": m, "key": m, **country})
    plans = each(core.Plan, lambda n, m: {"name": m, "key": m, "policy": policies[n]})
    insured = each(core.Insured, lambda n, m: {"name": m, "name_key": m, **country})
    each(core.InsuredSpelling, lambda n, m: {"name": m, "name_key": m, "insured": togo.rows["insured"]})
    members = each(
        core.Membership,
        lambda n, m: {
            "insured": insured[n], "policy": policies[n], "client": clients[n], "plan": plans[n],
            "principal": togo.rows["insured"], "role": "child",
        },
    )  # fmt: skip
    each(
        core.Membership,
        lambda n, m: {"insured": togo.rows["insured"], "policy": policies[n], "client": clients[n], "role": "primary"},
    )
    partners = each(core.Partner, lambda n, m: {"name": m, "key": m, **country})
    operators = each(core.Operator, lambda n, m: {"name": m, "key": m, **country})
    invoices = each(core.Invoice, lambda n, m: {"number": m, "key": m, "partner": partners[n]})
    payments = each(core.Payment, lambda n, m: {"number": m, "key": m, "partner": partners[n]})
    categories = each(core.ActCategory, lambda n, m: {"name": m, "key": m})
    acts = each(core.Act, lambda n, m: {"name": m, "key": m, "category": categories[n]})
    each(core.ActAlias, lambda n, m: {"name": m, "key": m, "act": togo.rows["acts"]})
    money = {"settlement_date": "2024-03-10", "claimed_amount": 1, "reimbursed_amount": 1, "status": "settled"}
    each(
        core.Claim,
        lambda n, m: {
            "number": m, "membership": members[n], "insured": insured[n], "policy": policies[n], "client": clients[n],
            "partner": partners[n], "recap_file": recaps[n], "currency": "XOF", "line_count": 1, **money, **country,
        },
    )  # fmt: skip
    each(
        core.ClaimLine,
        lambda n, m: {
            "claim": togo.rows["claims"], "position": start + n + 10, "row": n + 2, "category": categories[n],
            "act": acts[n], "operator": operators[n], "invoice": invoices[n], "payment": payments[n], **money,
        },
    )  # fmt: skip
    core.ClaimRevision.objects.bulk_create(
        [core.ClaimRevision(claim=togo.rows["claims"], number=m, before={}, **country) for m in marks]
    )
    numbers = range(start + 10, end + 10)
    Finding.objects.bulk_create([Finding(session=togo.session, sequence=n, category="warning") for n in numbers])
    SessionEvent.objects.bulk_create(
        [SessionEvent(session=togo.session, sequence=n, step="s", code="m") for n in numbers]
    )
    AuditEntry.objects.bulk_create(
        [AuditEntry(action="read", object_type="file_handling.file", object_id=togo.file.pk, country=cast.togo)
         for _ in marks]
    )  # fmt: skip


def test_no_list_and_no_detail_makes_more_queries_for_two_hundred_rows_than_for_ten(cast: Cast, togo: Records) -> None:
    session = f"import-sessions/{togo.session.pk}/"
    lists = [f"{name}/" for name in [*RECORD_ROUTES, *CATALOGUE_ROUTES, "files", "import-sessions", "audit"]]
    lists += [f"{session}findings/", f"{session}events/", f"files/{togo.file.pk}/history/"]
    paths = [f"{path}?page_size={{size}}" for path in lists]
    paths += [f"{name}/{togo.rows[name].pk}/" for name in [*RECORD_ROUTES, *CATALOGUE_ROUTES]]
    paths += [f"claims/{togo.rows['claims'].pk}/revisions/?page_size={{size}}"]
    paths += [f"files/{togo.file.pk}/", f"files/{togo.recap.pk}/", session]
    paths += [f"{path}?page_size={{size}}&search=N" for path in ("claims/", "insured/", "memberships/", "acts/")]
    client = cast.client("togo_admin")

    def queries_of(path: str, size: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            response = client.get(f"/api/v1/{path.format(size=size)}")
        assert response.status_code == 200, path
        return len(captured)

    ImportSession.objects.filter(pk=togo.session.pk).update(files_sha256="1")
    # Full pages: a page that the list ends with needs no count.
    grow(cast, togo, start=0, end=11)
    few = {path: queries_of(path, 10) for path in paths}
    grow(cast, togo, start=11, end=211)
    many = {path: queries_of(path, 200) for path in paths}
    assert many == few
    assert max(few.values()) <= MOST, few
    # The lists really contain the rows.
    assert len(client.get("/api/v1/claims/?page_size=200").json()["results"]) == 200
