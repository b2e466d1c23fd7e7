"""DOMAIN §6, re-import: the same lines again, the same with other spellings, and claims that differ."""

from __future__ import annotations

from typing import Any

import pytest

from core.integrity import dangling_references
from core.models import Act, Claim, ClaimLine, ClaimRevision, Invoice, Payment
from tests.support.api_user import ApiUser
from tests.support.database import record_models
from tests.support.pairs import line, matching_pair, row

pytestmark = pytest.mark.django_db(transaction=True)

CARD = {"card_number": "SN-1"}
PAIR = matching_pair(
    line("A1", "3000", "2000", act="RADIO", note="see file", **CARD),
    line("A1", "2000", "2000", act="ÉCHO", invoice_number="F/1", **CARD),
    line("A2", beneficiary="LAWSON KOFI", insured_status="E"),
)
# The same three lines: another order, other spellings, other layouts of numbers and dates.
NOISE = (
    matching_pair(
        line(
            "a2", "5 000,00 XOF", "4,000.00", beneficiary="kofi  lawson", insured_status="e", main_insured="Afi Lawson"
        ),
        line(
            "a1",
            "2000",
            "2000",
            act="echo",
            invoice_number="f 1",
            policy_number="45 rd gb",
            settlement_date="2024-06-15",
            card_number="sn1",
        ),
        line(
            "a1",
            "3000",
            "2000",
            act="Radio",
            note="see   file",
            employer="Port de Lomé",
            plan="plan a",
            card_number="SN.1",
        ),
    )[0],
    PAIR[1],
)
OTHER = matching_pair(
    line("A1", "9000", "7000", act="SCANNER", beneficiary="MENSAH KOFI", main_insured="MENSAH KOFI"), *PAIR[0][2:]
)


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row of every record, for comparison."""
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in record_models()}


def test_the_same_lines_again_write_nothing_whatever_their_order_and_spelling() -> None:
    api = ApiUser()
    api.import_pair(*PAIR)
    before = everything()
    for pair, form in ((PAIR, {}), (NOISE, {}), (NOISE, {"on_conflict": "update"})):
        again = api.import_pair(*pair, **form)
        assert everything() == before
        assert again.status == "DONE"
        assert again.created() == {}
        assert again.session["outcome"]["claims_skipped"] == 2
        assert again.session["claims_created_count"] == 0
        assert "2 were already imported" in again.message
    assert api.import_pair(*PAIR, currency="XAF").numbers("conflict") == ["A1", "A2"]


def test_a_claim_that_differs_is_listed_unchanged_and_the_others_are_imported() -> None:
    api = ApiUser()
    api.import_pair(*PAIR)
    before = everything()
    stat, recap = matching_pair(*OTHER[0], line("A3", partner="CHU"))
    outcome = api.import_pair(stat, recap)
    (conflict,) = outcome.findings_in("conflict")
    assert (conflict["claim_number"], conflict["stat_claimed"]) == ("A1", "9000.00")
    assert [place["row"] for place in conflict["locations"]] == [2]
    assert outcome.status == "DONE_WITH_ERRORS"
    assert outcome.session["outcome"]["claims_in_conflict"] == 1
    assert outcome.created() == {"partners": 1}
    assert everything()["ClaimLine"][:3] == before["ClaimLine"]
    assert not api.all("insured/?name=mensah")
    # The title of a sheet has no room for the category's whole name.
    sheet = api.report(outcome.id)["Differs from what is there"]
    assert [row[0].value for row in sheet.iter_rows()] == ["Claim", "A1"]


def test_an_update_replaces_claims_that_differ_and_keeps_their_old_values() -> None:
    api = ApiUser()
    first = api.import_pair(*PAIR)
    was = {claim.number: claim.pk for claim in Claim.objects.all()}
    outcome = api.import_pair(*OTHER, on_conflict="update")
    assert outcome.status == "DONE"
    assert outcome.findings_in("conflict") == []
    assert (outcome.session["outcome"]["claims_to_replace"], outcome.session["outcome"]["claims_skipped"]) == (1, 1)
    assert "1 replaced" in outcome.message
    claim = api.claim("A1")
    assert claim["id"] == was["A1"]
    assert (claim["claimed_amount"], claim["insured"]["name"], claim["line_count"]) == ("9000.00", "MENSAH KOFI", 1)
    (written,) = claim["lines"]
    assert (written["act"]["name"], written["import_session"], written["file"]["id"]) == (
        "SCANNER",
        outcome.id,
        outcome.session["stat_file"]["id"],
    )
    assert written["import_session"] != first.id
    assert ClaimLine.objects.count() == 2
    revision = ClaimRevision.objects.get()
    assert (revision.claim_id, revision.replaced_by_session_id, revision.number) == (was["A1"], outcome.id, "A1")
    # The same text on every database: a float would be 5000.0 here and 5000 there.
    assert (revision.before["claimed_amount"], revision.before["reimbursed_amount"]) == ("5000.00", "4000.00")
    assert [one["claimed_amount"] for one in revision.before["lines"]] == ["3000.00", "2000.00"]
    assert revision.before["lines"][0]["note"] == "see file"
    assert dangling_references() == {}


def test_the_values_of_a_replaced_claim_stay_readable_when_the_records_that_it_named_are_gone() -> None:
    api = ApiUser()
    odd = [line("A1", "0.1", "0.07", act="RADIO", **CARD), line("A1", "999999999998.89", "1", act="ÉCHO", **CARD)]
    first = api.import_pair(odd, [row("A1", "999999999998.99", "1.07")])
    api.import_pair(*OTHER, on_conflict="update")
    claim = api.claim("A1")
    (revision,) = api.all(f"claims/{claim['id']}/revisions/")
    before = revision["before"]
    assert (before["claimed_amount"], before["reimbursed_amount"]) == ("999999999998.99", "1.07")
    assert [(one["act"], one["claimed_amount"]) for one in before["lines"]] == [
        ("RADIO", "0.10"),
        ("ÉCHO", "999999999998.89"),
    ]
    assert (before["insured"], before["file"]) == ("LAWSON AFI", "stat.csv")
    assert before["import_session_id"] == first.id
    Act.objects.filter(name="RADIO").delete()
    assert api.all(f"claims/{claim['id']}/revisions/")[0]["before"]["lines"][0]["act"] == "RADIO"


def test_new_claims_on_an_invoice_and_a_payment_that_are_there_join_them() -> None:
    api = ApiUser()
    references = {"invoice_number": "F/1", "payment_reference": "CHQ-9"}
    api.import_pair(*matching_pair(line("A1", **references)))
    again = {"invoice_number": "f 1", "payment_reference": "chq 9"}
    outcome = api.import_pair(*matching_pair(line("A2", **again), line("A2", "50", "40", **again), line("A3", **again)))
    assert (outcome.status, outcome.created()) == ("DONE", {})
    for model in (Invoice, Payment):
        assert model.objects.get().claim_lines.count() == 4
