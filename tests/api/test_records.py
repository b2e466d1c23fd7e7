"""The records in the API, with their origin."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import models as core
from tests.support.cast import Cast
from tests.support.records import (
    Records,
    as_named,
    make_claim,
    make_file,
    make_finding,
    make_line,
    make_session,
)
from users.models import AuditEntry

CLAIMS = "/api/v1/claims/"


def test_a_claim_names_the_file_sheet_and_row_of_each_of_its_lines(cast: Cast, togo: Records) -> None:
    claim = togo.rows["claims"]
    make_line(togo.rows, claim, 2, file=None)
    body = cast.client("togo_operator").get(f"{CLAIMS}{claim.pk}/").json()
    assert (body["number"], body["claimed_amount"], body["currency"]) == ("TOGOCANARY-1", "5000.00", "XOF")
    assert [(line["position"], line["sheet"], line["row"]) for line in body["lines"]] == [
        (1, "Feuil1", 2),
        (2, "Feuil1", 3),
    ]
    assert body["lines"][0]["file"] == as_named(togo.file)
    assert body["lines"][1]["file"] is None
    assert body["lines"][0]["act"]["name"] == "PARACETAMOL"
    assert body["recap"] == {
        "file": as_named(togo.recap),
        "sheet": "Page 1",
        "row": 7,
        "corrected": False,
    }
    assert body["membership"]["insured"]["name"] == "TOGOCANARY AFI"


def test_reading_the_record_of_a_person_is_audited(cast: Cast, togo: Records) -> None:
    cast.client("togo_operator").get(f"{CLAIMS}{togo.rows['claims'].pk}/")
    cast.client("togo_operator").get(f"/api/v1/insured/{togo.rows['insured'].pk}/")
    entries = AuditEntry.objects.filter(action="read").order_by("id")
    assert [(e.actor, e.object_type, e.country) for e in entries] == [
        (cast.togo_operator, "core.claim", cast.togo),
        (cast.togo_operator, "core.insured", cast.togo),
    ]


def test_claims_are_filtered_by_period_status_number_and_origin(cast: Cast, togo: Records) -> None:
    first = togo.rows["claims"]
    later = make_claim(
        togo.rows, cast.togo, "AB 12".replace(" ", ""), settlement_date=datetime.date(2024, 4, 1), status="cancelled"
    )
    client = cast.client("togo_admin")

    def found(query: str) -> list[int]:
        response = client.get(f"{CLAIMS}?{query}")
        assert response.status_code == 200, response.content
        return [claim["id"] for claim in response.json()["results"]]

    assert found("") == [first.pk, later.pk]
    assert found("settlement_date_after=2024-03-10&settlement_date_before=2024-03-31") == [first.pk]
    assert found("settlement_date_after=2024-03-11") == [later.pk]
    assert found("settlement_date_before=2024-04-01") == [first.pk, later.pk]
    assert found("status=cancelled") == [later.pk]
    assert found("number= ab 12 ") == [later.pk]
    assert found("number=ab") == []
    assert found(f"file={togo.file.pk}") == [first.pk]
    assert found(f"import_session={togo.session.pk}") == [first.pk]
    assert found(f"client={togo.rows['clients'].pk}&policy={togo.rows['policies'].pk}") == [first.pk, later.pk]
    assert found(f"insured={togo.rows['insured'].pk}&partner={togo.rows['partners'].pk}") == [first.pk, later.pk]
    assert found("ordering=-settlement_date") == [later.pk, first.pk]


@pytest.mark.parametrize(
    "query",
    [
        "settlement_date_after=yesterday",
        "client=abc",
        f"client={10**30}",
        "client=1.5",
        "status=lost",
        "ordering=fingerprint",
        "ordering=insured__name_key",
        "number=%00",
    ],
)
def test_an_unknown_filter_is_refused(query: str, cast: Cast) -> None:
    assert cast.client("togo_admin").get(f"{CLAIMS}?{query}").status_code == 400


def test_names_and_numbers_are_found_in_any_spelling(cast: Cast, db: None) -> None:
    make = core.Client.objects.create
    port = make(country=cast.togo, name="Société du Port", key="SOCIETE DU PORT")
    person = core.Insured.objects.create(
        country=cast.togo, name="LAWSON AFI", name_key="AFI LAWSON", card_number="12-A", card_key="12A"
    )
    policy = core.Policy.objects.create(country=cast.togo, number="45/RD/GB", key="45RDGB")
    client = cast.client("togo_operator")

    def found(path: str) -> list[int]:
        return [row["id"] for row in client.get(f"/api/v1/{path}").json()["results"]]

    assert found("clients/?name=société  DU") == [port.pk]
    assert found("clients/?name=sociedad") == []
    assert found("insured/?name=afi Lawson") == found("insured/?name=laws AFI") == [person.pk]
    assert found("insured/?name=...") == []
    assert found("insured/?card_number=12 a") == [person.pk]
    assert found("policies/?number=45 / rd / gb") == [policy.pk]
    assert found("policies/?number=///") == []


def test_clients_policies_and_insured_filter_each_other(cast: Cast, togo: Records) -> None:
    client = cast.client("togo_operator")
    rows = togo.rows
    for path in (
        f"clients/?policy={rows['policies'].pk}",
        f"policies/?client={rows['clients'].pk}",
        f"insured/?client={rows['clients'].pk}",
        f"insured/?policy={rows['policies'].pk}",
        f"memberships/?insured={rows['insured'].pk}",
        f"plans/?policy={rows['policies'].pk}",
        f"invoices/?partner={rows['partners'].pk}",
        f"payments/?partner={rows['partners'].pk}",
        f"clients/?file={togo.file.pk}",
        f"clients/?import_session={togo.session.pk}",
    ):
        assert client.get(f"/api/v1/{path}").json()["count"] == 1, path


def test_the_shared_catalogue_has_no_file_or_session(cast: Cast, togo: Records) -> None:
    core.Act.objects.update(file=togo.file, import_session=togo.session)
    body = cast.client("benin_operator").get("/api/v1/acts/").json()["results"][0]
    assert set(body) == {"id", "name", "category", "aliases"}


def queries(cast: Cast, path: str) -> int:
    client = cast.client("togo_admin")
    with CaptureQueriesContext(
        connection,
    ) as captured:
        response = client.get(f"/api/v1/{path}")
    assert response.status_code == 200
    return len(captured)


def fill(cast: Cast, togo: Records, start: int, end: int) -> None:
    """Create one record of each kind for each number."""
    for n in range(start, end):
        mark = f"N{n:03}"
        rows = dict(togo.rows)
        rows["clients"] = core.Client.objects.create(country=cast.togo, name=mark, key=mark)
        rows["policies"] = core.Policy.objects.create(country=cast.togo, number=mark, key=mark)
        plan = core.Plan.objects.create(policy=rows["policies"], name=mark, key=mark)
        rows["insured"] = core.Insured.objects.create(country=cast.togo, name=mark, name_key=mark)
        rows["memberships"] = core.Membership.objects.create(
            insured=rows["insured"],
            policy=rows["policies"],
            client=rows["clients"],
            plan=plan,
            principal=togo.rows["insured"],
            role="child",
        )
        rows["partners"] = core.Partner.objects.create(country=cast.togo, name=mark, key=mark)
        rows["operators"] = core.Operator.objects.create(country=cast.togo, name=mark, key=mark)
        rows["invoices"] = core.Invoice.objects.create(partner=rows["partners"], number=mark, key=mark)
        rows["payments"] = core.Payment.objects.create(partner=rows["partners"], number=mark, key=mark)
        rows["act-categories"] = core.ActCategory.objects.create(name=mark, key=mark)
        rows["acts"] = core.Act.objects.create(name=mark, key=mark, category=rows["act-categories"])
        core.ActAlias.objects.create(name=f"alias {mark}", act=rows["acts"])
        file = make_file(user=cast.togo_head, country=cast.togo, name=f"{mark}.csv")
        recap = make_file(user=cast.togo_head, country=cast.togo, name=f"{mark}-r.csv", file_type="recap")
        make_file(user=cast.togo_head, country=cast.togo, name=f"{mark}-2.csv", file_type="recap", first_page=recap)
        session = make_session(user=cast.togo_head, country=cast.togo, stat_file=file, recap_file=recap)
        make_finding(togo.session, n + 10)
        make_claim(rows, cast.togo, mark, file=file, import_session=session, claimed_amount=Decimal(n))
        make_line(rows, togo.rows["claims"], n + 10, file=file, import_session=session)


def test_no_list_makes_more_queries_for_sixty_rows_than_for_ten(cast: Cast, togo: Records) -> None:
    names = ["claims", "clients", "policies", "plans", "insured", "memberships", "partners", "operators"]
    names += ["invoices", "payments", "act-categories", "acts", "files", "import-sessions"]
    paths = [f"{name}/?page_size=200" for name in names]
    paths += [f"import-sessions/{togo.session.pk}/findings/?page_size=200", f"claims/{togo.rows['claims'].pk}/"]
    fill(cast, togo, 0, 10)
    few = {path: queries(cast, path) for path in paths}
    fill(cast, togo, 10, 60)
    many = {path: queries(cast, path) for path in paths}
    assert many == few
    assert max(few.values()) <= 8, few
