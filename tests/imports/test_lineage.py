"""DOMAIN §6, lineage: every record names its file, sheet and row, and stays when they are deleted."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.models import ActAlias, ClaimLine
from tests.support.api_user import ApiUser
from tests.support.database import record_models
from tests.support.pairs import line, matching_pair, recap_csv, stat_xlsx

pytestmark = pytest.mark.django_db(transaction=True)

FULL = {"invoice_number": "F1", "payment_reference": "P1", "operator": "AMA", "card_number": "K-1"}
LINES = [
    line("A1", "3000", "2500", **FULL),
    line("A2", beneficiary="LAWSON KOFI", insured_status="E"),
    line("A1", "2000", "1500", **FULL),
    line("A3", beneficiary="AFFI LAWSON", card_number="K-1"),
]
TITLES = 3
BEARERS = [
    model
    for model in record_models()
    # People keep the other models, and these aliases.
    if {"file", "import_session"} <= {field.name for field in model._meta.fields} and model is not ActAlias
]


def test_a_line_names_the_row_that_a_spreadsheet_shows() -> None:
    api = ApiUser()
    stat, recap = matching_pair(*LINES)
    pages = [recap_csv(recap[:2], "page_1.csv"), recap_csv(recap[2:], "page_2.csv")]
    outcome = api.import_pair(stat_xlsx({"Other": [], "Sinistres": stat}, titles=TITLES), pages, stat_sheet="Sinistres")
    assert outcome.status == "DONE", outcome.message
    places = {
        number: [(one["position"], one["file"]["name"], one["sheet"], one["row"]) for one in api.claim(number)["lines"]]
        for number in ("A1", "A2", "A3")
    }
    header = TITLES + 1
    assert places == {
        "A1": [(1, "stat.xlsx", "Sinistres", header + 1), (2, "stat.xlsx", "Sinistres", header + 3)],
        "A2": [(1, "stat.xlsx", "Sinistres", header + 2)],
        "A3": [(1, "stat.xlsx", "Sinistres", header + 4)],
    }
    recaps = {number: api.claim(number)["recap"] for number in places}
    assert {number: (at["file"]["name"], at["row"]) for number, at in recaps.items()} == {
        "A1": ("page_1.csv", 2),
        "A2": ("page_1.csv", 3),
        "A3": ("page_2.csv", 2),
    }


def test_what_a_session_and_its_file_created_is_counted_again_only_after_an_import_or_a_revert() -> None:
    api = ApiUser()
    outcome = api.import_pair(*matching_pair(*LINES))
    addresses = (f"import-sessions/{outcome.id}/", f"files/{outcome.session['stat_file']['id']}/")
    for address in addresses:
        assert (first := api.get(address)["created"])["claim_lines"] == 4
        with CaptureQueriesContext(connection) as statements:
            assert api.get(address)["created"] == first
        assert not [one["sql"] for one in statements if ClaimLine._meta.db_table in one["sql"]]
    later = api.import_pair(*matching_pair(line("A4"), *LINES[1:2], line("A3", "900", "800")), on_conflict="update")
    assert later.status == "DONE", later.message
    left = [api.get(address)["created"]["claim_lines"] for address in addresses]
    assert left == [3, 3]
    assert api.steer(later.id, "revert").status_code == 200
    assert api.steer(outcome.id, "revert").status_code == 200
    assert [api.get(address)["created"]["claims"] for address in addresses] == [0, 0]


def test_every_record_names_its_file_and_session_and_outlives_them() -> None:
    api = ApiUser()
    outcome = api.import_pair(*matching_pair(*LINES))
    rows = {model: model._default_manager.count() for model in BEARERS}
    assert all(rows.values()), rows
    for model in BEARERS:
        origins = set(model._default_manager.values_list("file_id", "import_session_id"))
        assert origins == {(outcome.session["stat_file"]["id"], outcome.id)}, model
    assert {claim["import_session"] for claim in api.all(f"claims/?file={outcome.session['stat_file']['id']}")} == {
        outcome.id
    }

    assert api.client.delete(f"/api/v1/import-sessions/{outcome.id}/").status_code == 204
    for file in ("stat_file", "recap_file"):
        assert api.client.delete(f"/api/v1/files/{outcome.session[file]['id']}/").status_code == 204
    for model in BEARERS:
        assert model._default_manager.count() == rows[model]
        assert set(model._default_manager.values_list("file_id", "import_session_id")) == {(None, None)}, model
    claim = api.claim("A1")
    assert (claim["file"], claim["import_session"], claim["recap"]["file"]) == (None, None, None)
    assert [(one["row"], one["file"]) for one in claim["lines"]] == [(2, None), (4, None)]
