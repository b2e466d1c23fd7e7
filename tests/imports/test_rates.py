"""DOMAIN §10: observed rates and deduced subscribers after imports, updates and reverts, in several orders."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import transaction

from core import models as core
from core.rates import recompute
from tests.support.api_user import ApiUser, Json, Outcome
from tests.support.coverage import kept_rates, kept_subscribers, observed_rates, subscribers
from tests.support.pairs import Cells, line, matching_pair

pytestmark = pytest.mark.django_db(transaction=True)

EARLY, LATER, LATE = "10/02/2024", "15/06/2024", "20/11/2024"


def rate_line(number: str, claimed: int, reimbursed: int, **fields: str) -> Cells:
    return line(number, str(claimed), str(reimbursed), **fields)


# Policy 1 has two clients of one group and two plans, policy 2 nobody but its principal, policy 3 two foreign clients.
FIRST = [
    rate_line("A1", 5000, 4000, settlement_date=EARLY, policy_number="1", employer="TOGOCOM / LOMÉ"),
    rate_line("A2", 5000, 4000, settlement_date=EARLY, policy_number="1", employer="TOGOCOM / LOMÉ"),
    rate_line("A3", 1000, 700, settlement_date=EARLY, policy_number="1", employer="Togocom/KARA",
              beneficiary="YAO ABLA", main_insured="YAO ABLA", plan="PLAN B"),
    # 0.665 is rounded up; without a plan of its own.
    rate_line("A4", 1000, 665, settlement_date=EARLY, policy_number="2", employer="", plan=""),
    rate_line("A5", 5000, 5000, settlement_date=EARLY, policy_number="3", employer="PORT"),
    # Neither amount counts alone, and a cancelled claim counts nowhere.
    rate_line("A6", 5000, 0, settlement_date=EARLY, policy_number="3", employer="PORT"),
]  # fmt: skip
# The same person with a newer plan: all the lines of the membership change plan. Two new clients.
SECOND = [
    rate_line("B1", 1000, 900, settlement_date=LATER, policy_number="1", employer="TOGOCOM / LOMÉ", plan="PLAN C"),
    rate_line("B2", 1000, 900, settlement_date=LATER, policy_number="1", employer="TOGOCOM / LOMÉ", plan="PLAN C"),
    rate_line("B3", 5000, 5000, settlement_date=LATER, policy_number="3", employer="BRASSERIE"),
    rate_line("B4", 3, 2, settlement_date=LATER, policy_number="4", employer=""),
    rate_line("B5", 10, 7, settlement_date=LATER, policy_number="4", employer="", beneficiary="YAO ABLA",
              main_insured="YAO ABLA"),
]  # fmt: skip
# Corrects claims of both, with other rates, and adds lines.
THIRD = [
    rate_line("A1", 5000, 2500, settlement_date=EARLY, policy_number="1", employer="TOGOCOM / LOMÉ"),
    rate_line("A1", 1000, 500, settlement_date=EARLY, policy_number="1", employer="TOGOCOM / LOMÉ"),
    rate_line("B3", 5000, 4500, settlement_date=LATER, policy_number="3", employer="BRASSERIE"),
    rate_line("C1", 1000, 500, settlement_date=LATE, policy_number="1", employer="MINES", plan="PLAN B"),
]


def check() -> None:
    assert kept_rates() == observed_rates()
    assert kept_subscribers() == subscribers()
    # A policy without lines has no counts, so that it can be removed.
    assert not core.PolicyRateCount.objects.filter(lines__lte=0).exists()
    assert not core.PlanRateCount.objects.filter(lines__lte=0).exists()


def policies(api: ApiUser) -> dict[str, Json]:
    return {policy["number"]: policy for policy in api.all("policies/")}


def import_all(api: ApiUser) -> dict[str, Outcome]:
    found = {}
    for name, lines in (("first", FIRST), ("second", SECOND), ("third", THIRD)):
        found[name] = api.import_pair(*matching_pair(*lines), on_conflict="update")
        assert found[name].status == "DONE", found[name].message
        check()
    return found


def test_an_import_observes_rates_and_deduces_subscribers() -> None:
    api = ApiUser()
    fields = {"settlement_date": EARLY, "policy_number": "3", "claim_status": "Annulée"}
    cancelled = [rate_line("A7", 5000, 4000, **fields), rate_line("A7", -5000, -4000, **fields)]
    stat, recap = matching_pair(*FIRST)
    api.import_pair([*stat, *cancelled], recap)
    check()
    assert core.Claim.objects.filter(status="cancelled").count() == 1
    found = policies(api)
    assert {n: (p["rate"], p["rate_source"], p["subscriber"], p["subscriber_source"]) for n, p in found.items()} == {
        "1": ("0.80", "observed", "TOGOCOM", "deduced"),
        "2": ("0.67", "observed", "LAWSON AFI", "deduced"),
        "3": ("1.00", "observed", "", ""),
    }
    plans = {(p["policy"]["number"], p["name"]): (p["rate"], p["rate_source"]) for p in api.all("plans/")}
    assert plans == {
        ("1", "PLAN A"): ("0.80", "observed"),
        ("1", "PLAN B"): ("0.70", "observed"),
        ("3", "PLAN A"): ("1.00", "observed"),
    }


@pytest.mark.parametrize("order", [("third", "second", "first"), ("first", "third", "second")])
def test_rates_are_those_of_the_lines_after_updates_and_reverts_in_any_order(order: tuple[str, ...]) -> None:
    api = ApiUser()
    imported = import_all(api)
    of_policy = policies(api)
    # The higher of two that are as frequent: two lines have 0.90, three have 0.50.
    assert (of_policy["1"]["rate"], of_policy["1"]["subscriber"]) == ("0.50", "")
    assert of_policy["4"]["rate"] == "0.70"
    for name in order:
        assert api.steer(imported[name].id, "revert").json()["status"] == "REVERTED"
        check()
    # A claim that was replaced stays as it is now when only its replacement is reverted.
    assert set(policies(api)) <= {"1", "3"}


def test_what_is_typed_stays_through_imports_and_keeps_its_record_when_the_session_is_reverted() -> None:
    api = ApiUser()
    first = api.import_pair(*matching_pair(*FIRST))
    ids = {policy["number"]: policy["id"] for policy in api.all("policies/")}
    plan = next(p["id"] for p in api.all("plans/") if p["policy"]["number"] == "3")
    for path, body in (
        (f"policies/{ids['2']}/subscriber/", {"subscriber": "MÉNAGE LAWSON"}),
        (f"plans/{plan}/rate/", {"rate": "0.90"}),
    ):
        assert api.client.patch(f"/api/v1/{path}", body, format="json").status_code == 200
    api.import_pair(*matching_pair(*SECOND))
    kept = policies(api)["2"]
    assert (kept["subscriber"], kept["subscriber_source"]) == ("MÉNAGE LAWSON", "typed")
    preview = api.client.post(f"/api/v1/import-sessions/{first.id}/revert/?dry_run=true").json()
    # Policy 2 is kept by its subscriber, policy 3 and the plan by the second import.
    assert preview["stays"]["policies"] == 3
    assert api.steer(first.id, "revert").json()["status"] == "REVERTED"
    check()
    assert set(policies(api)) == {"1", "2", "3", "4"}
    assert policies(api)["2"]["rate"] is None
    (of_three,) = [one for one in api.all("plans/") if one["id"] == plan]
    assert (of_three["rate"], of_three["rate_source"], of_three["observed_rate"]) == ("0.90", "typed", "1.00")


def test_recompute_finds_the_rates_of_claims_that_something_else_moved() -> None:
    api = ApiUser()
    api.import_pair(*matching_pair(*FIRST))
    policy = core.Policy.objects.get(number="1")
    mine, other = core.Membership.objects.filter(policy=policy).order_by("pk")
    core.Claim.objects.filter(membership=other).update(membership=mine, client=mine.client)
    core.Client.objects.filter(pk=mine.client_id).update(name="TOGO TELECOM")
    core.ClaimLine.objects.filter(claim__number="A1").update(reimbursed_amount=Decimal("3500.00"))
    other.delete()
    with transaction.atomic():
        recompute([policy.pk])
    check()
    policy.refresh_from_db()
    assert (policy.observed_rate, policy.deduced_subscriber) == (Decimal("0.70"), "TOGO TELECOM")
