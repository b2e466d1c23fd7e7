"""Corrections over the API: cells and rows in, a session in REVIEW out, then the commit (DOMAIN §13)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api_user import SESSIONS, ApiUser, Json, Outcome
from tests.support.pairs import line, row

pytestmark = pytest.mark.django_db(transaction=True)


def sent(api: ApiUser, session: int, body: Any, **headers: str) -> Any:
    return api.client.post(f"{SESSIONS}{session}/corrections/", body, format="json", headers=headers)


def cell(file: int, at: int, field: str, value: str, **more: Any) -> Json:
    return {"file": file, "sheet": "", "row": at, "field": field, "value": value} | more


def corrected(api: ApiUser, session: int, *cells: Json, remove: list[Json] | None = None) -> Outcome:
    answer = sent(api, session, {"cells": list(cells), "remove": remove or []})
    assert answer.status_code == 202, answer.content.decode()
    return api.run(int(answer.json()["id"]))


def gap_pair(api: ApiUser) -> Outcome:
    return api.import_pair([line("S-1"), line("S-2", "248540")], [row("S-1"), row("S-2", "248450")])


def test_a_corrected_cell_brings_the_claim() -> None:
    api = ApiUser()
    first = gap_pair(api)
    assert first.numbers("amount_gap") == ["S-2"]
    stat = first.session["stat_file"]["id"]
    second = corrected(api, first.id, cell(stat, 3, "claimed_amount", "248450", was="248540"))
    assert (second.status, second.session["corrects"]) == ("REVIEW", first.id), second.message
    assert set(api.claims()) == {"S-1"}
    compared = api.get(f"import-sessions/{second.id}/comparison/")
    assert compared["count"] == 1
    (claim,) = compared["results"]
    assert claim["claim_number"] == "S-2"
    assert claim["before"] == {"category": "amount_gap", "claimed": "248540.00", "reimbursed": "4000.00"}
    assert claim["after"] == {"category": "conform", "claimed": "248450.00", "reimbursed": "4000.00"}
    assert api.steer(second.id, "commit").status_code == 200
    assert api.run(second.id).status == "DONE"
    assert api.claims()["S-2"]["claimed_amount"] == "248450.00"
