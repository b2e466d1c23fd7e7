"""DOMAIN §6, undo: what a session created is removed, except what something later relies on."""

from __future__ import annotations

import pytest

from core import models as core
from core.integrity import dangling_references
from file_handling.models import ImportSession, SessionEvent
from importer.undo import preview
from tests.support.api_user import ApiUser, Outcome
from tests.support.database import record_models
from tests.support.pairs import line, matching_pair

pytestmark = pytest.mark.django_db(transaction=True)

EARLY, LATE = "10/02/2024", "20/11/2024"
FATHER, MOTHER = {"main_insured": "LAWSON AFI"}, {"main_insured": "MENSAH AKOU"}
FIRST = matching_pair(
    line("A1", "3000", "2000", settlement_date=EARLY, invoice_number="F1", payment_reference="P1", operator="AMA"),
    line("A2", settlement_date=EARLY, beneficiary="LAWSON KOFI", insured_status="E", card_number="K-1", **FATHER),
    line("A3", settlement_date=EARLY, beneficiary="KOFFI LAWSON", insured_status="E", card_number="K-1", **FATHER),
    line("A4", settlement_date=EARLY, beneficiary="MENSAH YAO", insured_status="E", policy_number="77", **MOTHER),
    line(
        "A5",
        settlement_date=EARLY,
        partner="CHU",
        act="SCANNER",
        act_category="IMAGERIE",
        employer="TOGOCOM",
        operator="EDEM",
    ),
)
# Relies on the person, the membership, the policy, the client, the provider, the invoice and the spelling of the first.
SECOND = matching_pair(
    line("B1", settlement_date=LATE, invoice_number="F1"),
    line("B2", settlement_date=LATE, beneficiary="KOFFI LAWSON", insured_status="E", **FATHER),
    line("B3", settlement_date=LATE, beneficiary="MENSAH AKOU", policy_number="77", main_insured="MENSAH AKOU"),
)


def counts() -> dict[str, int]:
    found = {model.__name__: model._default_manager.count() for model in record_models()}
    return {name: count for name, count in found.items() if count}


def revert(api: ApiUser, outcome: Outcome) -> str:
    """Revert by the API. The preview just before must have said what goes; its own look changes nothing."""
    before = counts()
    previewed = preview(ImportSession.objects.get(pk=outcome.id))
    assert counts() == before
    response = api.steer(outcome.id, "revert")
    assert response.status_code == 200, response.content.decode()
    assert response.json()["status"] == "REVERTED"
    assert dangling_references() == {}
    (event,) = SessionEvent.objects.filter(session=outcome.id, step="reverted")
    assert {name: previewed.removed[name] for name in event.data} == event.data
    created = {"Claim": "claims", "ClaimLine": "claim_lines", "Insured": "insured", "Membership": "memberships"}
    after = counts()
    assert {kind: before[model] - after.get(model, 0) for model, kind in created.items() if model in before} == {
        kind: previewed.removed[kind] for model, kind in created.items() if model in before
    }
    return str(response.json()["message"])


def test_the_only_import_of_a_country_leaves_nothing_behind_and_can_be_made_again() -> None:
    api = ApiUser()
    first = api.import_pair(*FIRST)
    assert revert(api, first) == "Reverted. Claims removed: 5; lines removed: 5."
    assert counts() == {}
    twice = api.steer(first.id, "revert")
    assert twice.status_code == 409
    assert "Only a session that is done" in twice.json()["detail"]
    again = api.import_pair(*FIRST)
    assert (again.status, again.created()) == ("DONE", first.created())


def test_records_that_a_later_import_relies_on_stay() -> None:
    api = ApiUser()
    first, second = api.import_pair(*FIRST), api.import_pair(*SECOND)
    revert(api, first)
    assert set(api.claims()) == {"B1", "B2", "B3"}
    assert [client["name"] for client in api.all("clients/")] == ["PORT DE LOME"]
    assert [partner["name"] for partner in api.all("partners/")] == ["CLINIQUE BIASA"]
    assert [invoice["number"] for invoice in api.all("invoices/")] == ["F1"]
    assert api.all("payments/") == api.all("operators/") == []
    assert [act["name"] for act in api.all("acts/")] == ["PARACETAMOL"]
    assert [category["name"] for category in api.all("act-categories/")] == ["PHARMACIE"]
    # The father has a line in the second, the mother too; the child of the mother has none any more.
    assert sorted(person["name"] for person in api.all("insured/")) == ["LAWSON AFI", "LAWSON KOFI", "MENSAH AKOU"]
    assert [(s.name, s.insured.name) for s in core.InsuredSpelling.objects.all()] == [("KOFFI LAWSON", "LAWSON KOFI")]
    # A membership that stays forgets the dates that went.
    spans = {
        m["insured"]["name"]: (m["first_settlement_date"], m["last_settlement_date"]) for m in api.all("memberships/")
    }
    assert spans == dict.fromkeys(("LAWSON AFI", "LAWSON KOFI", "MENSAH AKOU"), ("2024-11-20", "2024-11-20"))
    revert(api, second)
    assert counts() == {}


def test_a_reverted_later_import_leaves_the_earlier_one_as_it_was() -> None:
    api = ApiUser()
    first = api.import_pair(*FIRST)
    claims, before = api.claims(), counts()
    spans = {m["id"]: (m["first_settlement_date"], m["last_settlement_date"]) for m in api.all("memberships/")}
    second = api.import_pair(*SECOND)
    revert(api, second)
    assert (api.claims(), counts()) == (claims, before)
    assert {m["id"]: (m["first_settlement_date"], m["last_settlement_date"]) for m in api.all("memberships/")} == spans
    revert(api, first)
    assert counts() == {}


def test_a_claim_that_a_later_session_replaced_stays_as_that_session_wrote_it() -> None:
    api = ApiUser()
    first = api.import_pair(*FIRST)
    second = api.import_pair(*matching_pair(line("A1", "9000", "8000", settlement_date=EARLY)), on_conflict="update")
    message = revert(api, first)
    assert "Claims removed: 4; lines removed: 4" in message
    assert "1 claim was replaced by a later session" in message
    assert {n: c["claimed_amount"] for n, c in api.claims().items()} == {"A1": "9000.00"}
    revert(api, second)
    assert counts() == {"ClaimRevision": 1}


def test_a_session_that_replaced_claims_leaves_them_as_they_are() -> None:
    api = ApiUser()
    api.import_pair(*FIRST)
    second = api.import_pair(
        *matching_pair(line("A1", "9000", "8000", settlement_date=EARLY), line("NEW", settlement_date=EARLY)),
        on_conflict="update",
    )
    message = revert(api, second)
    assert "1 claim that this session had replaced keeps" in message
    assert set(api.claims()) == {"A1", "A2", "A3", "A4", "A5"}
    assert api.claim("A1")["claimed_amount"] == "9000.00"
    assert core.ClaimRevision.objects.get().before["number"] == "A1"


def test_acts_that_another_country_uses_or_that_have_an_alias_stay() -> None:
    api, abroad = ApiUser("TG"), ApiUser("BJ")
    first = api.import_pair(*FIRST)
    abroad.import_pair(*matching_pair(line("X1", act="SCANNER", act_category="IMAGERIE")))
    core.ActAlias.objects.create(name="PARA", act=core.Act.objects.get(key="PARACETAMOL"))
    revert(api, first)
    assert {act["name"] for act in abroad.all("acts/")} == {"SCANNER", "PARACETAMOL"}
    assert set(abroad.claims()) == {"X1"}
    assert {row["country"] for row in abroad.all("partners/")} == {abroad.country.pk}
