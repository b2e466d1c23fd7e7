"""Each record names its file and session; each file and session counts its records."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.test import Client

from core import models as core
from file_handling.lineage import record_kinds
from file_handling.models import File, ImportSession
from tests.support.cast import Cast
from tests.support.records import Records, as_named, make_file
from tests.support.routes import CATALOGUE_ROUTES, RECORD_ROUTES
from users.models import AuditEntry


@pytest.mark.parametrize("name", [n for n in RECORD_ROUTES if n not in ("claim-revisions", "premiums")])
def test_every_record_names_its_file_and_session(name: str, cast: Cast, togo: Records) -> None:
    client = cast.client("togo_operator")
    for row in (
        client.get(f"/api/v1/{name}/").json()["results"][0],
        client.get(f"/api/v1/{name}/{togo.rows[name].pk}/").json(),
    ):
        assert row["file"] == as_named(togo.file)
        assert row["import_session"] == togo.session.pk


def test_a_claim_line_names_its_claim_sheet_and_row(cast: Cast, togo: Records) -> None:
    line = togo.rows["claim-lines"]
    body = cast.client("togo_operator").get(f"/api/v1/claim-lines/{line.pk}/").json()
    assert body["claim"] == {"id": line.claim_id, "number": "TOGOCANARY-1"}
    assert (body["sheet"], body["row"]) == ("Feuil1", 2)


def test_a_file_and_a_session_count_what_they_created(cast: Cast, togo: Records, benin: Records) -> None:
    client = cast.client("togo_admin")
    of_file = client.get(f"/api/v1/files/{togo.file.pk}/").json()["created"]
    of_session = client.get(f"/api/v1/import-sessions/{togo.session.pk}/").json()["created"]
    once = {
        "clients", "policies", "plans", "insured", "insured_spellings", "memberships", "partners", "operators",
        "invoices", "payments", "claims", "claim_lines",
    }  # fmt: skip
    none = {"acts", "act_categories", "act_aliases"}
    assert of_session == dict.fromkeys(once, 1) | dict.fromkeys(none, 0)
    assert of_file == of_session | {"settled_claims": 0}


def test_a_recap_counts_the_claims_that_its_pages_settle(cast: Cast, togo: Records) -> None:
    page = make_file(user=cast.togo_head, country=cast.togo, name="p2.csv", file_type="recap", first_page=togo.recap)
    core.Claim.objects.update(recap_file=page)
    assert cast.client("togo_admin").get(f"/api/v1/files/{togo.recap.pk}/").json()["created"]["settled_claims"] == 1


def test_the_catalogue_names_no_file(cast: Cast, togo: Records) -> None:
    for name in CATALOGUE_ROUTES:
        row = cast.client("togo_operator").get(f"/api/v1/{name}/").json()["results"][0]
        assert not {"file", "import_session"} & set(row)


def test_a_search_of_personal_records_is_audited_without_its_words(cast: Cast, togo: Records) -> None:
    cast.client("togo_operator").get("/api/v1/insured/?search=afi")
    entry = AuditEntry.objects.get(object_type="core.insured")
    assert (entry.action, entry.actor, entry.country, entry.object_id) == ("read", cast.togo_operator, cast.togo, None)
    assert entry.data == {"rows": 1, "page": "1", "filters": ["search"]}


def test_every_model_that_names_its_file_is_counted() -> None:
    fields = {
        model: {field.name for field in model._meta.get_fields()} for model in apps.get_app_config("core").get_models()
    }
    with_origin = {model for model, names in fields.items() if {"file", "import_session"} <= names}
    assert {kind.model for kind in record_kinds(File)} == with_origin
    assert {kind.model for kind in record_kinds(ImportSession)} == with_origin


def test_the_page_of_a_file_links_to_the_records_that_it_created(cast: Cast, togo: Records) -> None:
    browser = Client(headers={"accept-language": "en"})
    browser.force_login(cast.togo_admin)
    page = browser.get(f"/admin/file_handling/file/{togo.file.pk}/change/").content.decode()
    assert f'<a href="/admin/core/claim/?file={togo.file.pk}">claims</a>: 1' in page
    # The catalogue is shared by all countries.
    assert "/admin/core/act/?file=" not in page
