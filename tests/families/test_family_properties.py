"""DOMAIN §12, whatever is done: each claim has one person, no sum changes, and undoing everything restores it all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db.models import F, Q, Sum
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from common.errors import ServiceError
from core import models as core
from core.families.correcting import attach, change_role
from core.families.merging import merge_people
from core.families.naming import choose_name
from core.families.splitting import joined_records, split_person
from core.families.undoing import undo_change
from core.integrity import dangling_references
from tests.support.api_user import ApiUser
from tests.support.pairs import line, matching_pair
from tests.support.people import dump

EARLY, LATE = {"settlement_date": "10/02/2024"}, {"settlement_date": "20/11/2024"}


def own(name: str, **more: str) -> dict[str, str]:
    return {"beneficiary": name, "main_insured": name} | more


def child(name: str, principal: str, **more: str) -> dict[str, str]:
    return {"beneficiary": name, "insured_status": "E", "main_insured": principal} | more


GARE = {"employer": "GARE ROUTIERE"}
PAIRS = (
    matching_pair(
        line("A1", **own("LAWSON AFI"), **EARLY),
        line("A2", **own("LAWSON AFY", plan="PLAN B"), **EARLY),
        line("A3", **child("LAWSON KOFI", "LAWSON AFI"), **EARLY),
        line("A4", **child("LAWSON KOFFI", "LAWSON AFI"), **EARLY),
        line("A5", **own("MENSAH YAO", policy_number="77", card_number="K-1"), **EARLY),
    ),
    matching_pair(
        line("B1", **own("LAWSON AFY", policy_number="77"), **LATE),
        line("B2", **child("LAWSON KOFI", "LAWSON AFY", **GARE), **LATE),
        line("B3", **child("MENSAH ESSI", "MENSAH YAO", policy_number="77"), **LATE),
        line("B4", **own("MENSAH YAWO", policy_number="77", card_number="K-2"), **LATE),
        line("B5", **own("LAWSON AFI"), **LATE),
    ),
)
# What is done, and to which of the records that are there, counted from the first.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["merge", "merge", "merge", "split", "name", "attach", "role", "import", "undo"]),
        st.integers(0, 9),
        st.integers(0, 9),
    ),
    min_size=2,
    max_size=7,
)


pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def togo(transactional_db: None) -> ApiUser:
    api = ApiUser()
    for pair in PAIRS:
        assert api.import_pair(*pair).status == "DONE"
    return api


def carry_out(api: ApiUser, step: str, first: int, second: int) -> None:
    """Raises ServiceError where the step is refused."""
    people = list(core.Insured.objects.order_by("pk"))
    memberships = list(core.Membership.objects.order_by("pk"))
    one, other = people[first % len(people)], people[second % len(people)]
    membership = memberships[first % len(memberships)]
    if step == "merge":
        merge_people(actor=api.user, kept=one, absorbed=[other])
    elif step == "split":
        joined = [(person, record) for person in people for record in joined_records(person)]
        if joined:
            person, record = joined[first % len(joined)]
            split_person(actor=api.user, kept=person, absorbed=record.id)
    elif step == "name":
        spellings = list(core.InsuredSpelling.objects.order_by("pk"))
        if spellings:
            chosen = spellings[first % len(spellings)]
            choose_name(actor=api.user, insured=chosen.insured, name=chosen.name)
    elif step == "attach":
        attach(actor=api.user, membership=membership, principal=other.pk)
    elif step == "role":
        role = core.MembershipRole.values[second % 4]
        principal = None if role == "primary" else membership.principal_id or other.pk
        change_role(actor=api.user, membership=membership, role=role, principal=principal)
    elif step == "import":
        before = dump()
        again = api.import_pair(*PAIRS[first % 2], on_conflict=["report", "update"][second % 2])
        assert (again.status, again.created()) == ("DONE", {})
        assert dump() == before
    else:
        undo_last(api)


def undo_last(api: ApiUser) -> bool:
    change = core.Change.objects.filter(undone_at__isnull=True).order_by("-pk").first()
    if change is not None:
        undo_change(actor=api.user, change=change)
    return change is not None


def totals() -> dict[str, Any]:
    """What no correction may change."""
    claims = core.Claim.objects.all()
    by_partner = claims.order_by("partner").values("partner").annotate(sum=Sum("reimbursed_amount"))
    return {
        "claims": claims.count(),
        "claimed": claims.aggregate(sum=Sum("claimed_amount"))["sum"].quantize(Decimal("0.01")),
        "by_partner": list(by_partner),
        "by_policy": list(claims.order_by("policy").values("policy", "client").annotate(sum=Sum("reimbursed_amount"))),
        "lines": core.ClaimLine.objects.count(),
    }


def check() -> None:
    assert dangling_references() == {}
    elsewhere = (
        ~Q(insured=F("membership__insured"))
        | ~Q(policy=F("membership__policy"))
        | ~Q(client=F("membership__client"), client__isnull=False) & ~Q(client=None, membership__client=None)
    )
    assert not core.Claim.objects.filter(elsewhere).exists()
    places = set(core.Membership.objects.values_list("insured", "policy", "client"))
    for one in core.Membership.objects.filter(principal__isnull=False):
        assert one.principal_id != one.insured_id
        assert (one.principal_id, one.policy_id, one.client_id) in places
        assert one.role != "primary"


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
@example(steps=[("merge", 0, 1), ("import", 0, 1), ("merge", 0, 4), ("split", 1, 0), ("import", 1, 0)])
@example(steps=[("merge", 2, 3), ("attach", 2, 1), ("merge", 0, 1), ("name", 0, 0), ("split", 0, 0), ("import", 1, 1)])
@example(steps=[("role", 2, 0), ("merge", 1, 4), ("attach", 3, 2), ("undo", 0, 0), ("split", 0, 0)])
def test_whatever_is_corrected_each_claim_has_one_person_and_everything_can_be_undone(
    togo: ApiUser, steps: list[tuple[str, int, int]]
) -> None:
    first, sums = dump(), totals()
    try:
        for step in steps:
            before = dump()
            try:
                carry_out(togo, *step)
            except ServiceError:
                assert dump() == before
            check()
            assert totals() == sums
    finally:
        while undo_last(togo):
            check()
    assert dump() == first
