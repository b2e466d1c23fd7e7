"""DOMAIN §12: an import never undoes a correction, and a revert stays right with corrected records."""

from __future__ import annotations

import pytest

from common.errors import Conflict
from core import models as core
from core.families.correcting import attach, change_role
from core.families.merging import merge_people
from core.families.naming import choose_name
from core.families.splitting import split_person
from core.families.undoing import undo_change
from core.integrity import dangling_references
from tests.support.api_user import ApiUser, Outcome
from tests.support.pairs import line, matching_pair
from tests.support.people import dump

pytestmark = pytest.mark.django_db(transaction=True)

EARLY, LATE = "10/02/2024", "20/11/2024"
AFI, AFY = {"beneficiary": "LAWSON AFI"}, {"beneficiary": "LAWSON AFY", "main_insured": "LAWSON AFY"}
CHILD = {"beneficiary": "LAWSON KOFI", "insured_status": "E"}
FIRST = matching_pair(
    line("A1", settlement_date=EARLY, **AFI),
    line("A2", settlement_date=EARLY, **CHILD),
    line("A3", settlement_date=EARLY, beneficiary="MENSAH YAO", main_insured="MENSAH YAO"),
)
SECOND = matching_pair(
    line("B1", settlement_date=LATE, card_number="K-1", **AFY),
    line("B2", settlement_date=LATE, **CHILD | {"beneficiary": "LAWSON ESSI", "main_insured": "LAWSON AFY"}),
)


def person(name: str) -> core.Insured:
    return core.Insured.objects.get(name=name)


def merge(api: ApiUser, kept: str, absorbed: str) -> core.Change:
    return merge_people(actor=api.user, kept=person(kept), absorbed=[person(absorbed)])


def revert(api: ApiUser, outcome: Outcome) -> None:
    response = api.steer(outcome.id, "revert")
    assert response.status_code == 200, response.content.decode()
    assert dangling_references() == {}


def names() -> list[str]:
    return sorted(core.Insured.objects.values_list("name", flat=True))


def test_the_same_files_again_find_the_merged_person_and_change_nothing() -> None:
    api = ApiUser()
    api.import_pair(*FIRST)
    api.import_pair(*SECOND)
    merge(api, "LAWSON AFI", "LAWSON AFY")
    merged = dump()
    for pair in (FIRST, SECOND):
        again = api.import_pair(*pair, on_conflict="update")
        assert (again.status, again.created()) == ("DONE", {})
    assert dump() == merged


def test_new_claims_that_name_an_absorbed_record_are_those_of_the_person_by_name_and_by_card() -> None:
    api = ApiUser()
    api.import_pair(*FIRST)
    api.import_pair(*SECOND)
    merge(api, "LAWSON AFI", "LAWSON AFY")
    new = matching_pair(
        line("C1", **AFY),
        line("C2", beneficiary="LAWSON A.", main_insured="LAWSON A.", card_number="K-1", policy_number="9"),
        line("C3", beneficiary="LAWSON NEW", insured_status="E", main_insured="LAWSON AFY"),
    )
    api.import_pair(*new)
    assert names() == ["LAWSON AFI", "LAWSON ESSI", "LAWSON KOFI", "LAWSON NEW", "MENSAH YAO"]
    afi = person("LAWSON AFI")
    assert sorted(afi.claims.values_list("number", flat=True)) == ["A1", "B1", "C1", "C2"]
    assert person("LAWSON NEW").memberships.get().principal == afi


def test_role_and_principal_of_a_corrected_membership_stay() -> None:
    api = ApiUser()
    api.import_pair(*FIRST)
    api.import_pair(*SECOND)
    kofi, essi, yao = (person(name).memberships.get() for name in ("LAWSON KOFI", "LAWSON ESSI", "MENSAH YAO"))
    attach(actor=api.user, membership=kofi, principal=yao.insured_id)
    change_role(actor=api.user, membership=essi, role="other")
    api.import_pair(
        *matching_pair(
            line("C1", settlement_date=LATE, **CHILD),
            line("C2", **CHILD | {"beneficiary": "LAWSON ESSI", "main_insured": "LAWSON AFI"}),
        )
    )
    kofi.refresh_from_db()
    essi.refresh_from_db()
    assert (kofi.role, kofi.principal, str(kofi.last_settlement_date)) == ("child", yao.insured, "2024-11-20")
    assert (essi.role, essi.principal) == ("other", person("LAWSON AFY"))


def test_an_import_that_completes_a_person_leaves_the_chosen_name() -> None:
    api = ApiUser()
    child = CHILD | {"main_insured": "LAWSON AMA"}
    api.import_pair(*matching_pair(line("A1", **child), line("A2", beneficiary="AMAH LAWSON", **_own("AMAH LAWSON"))))
    merge(api, "LAWSON AMA", "AMAH LAWSON")
    choose_name(actor=api.user, insured=person("LAWSON AMA"), name="AMAH LAWSON")
    api.import_pair(*matching_pair(line("B1", beneficiary="Lawson Ama", card_number="K-9", **_own("Lawson Ama"))))
    ama = person("AMAH LAWSON")
    assert (ama.card_key, ama.name_key) == ("K9", "AMAH LAWSON")
    assert sorted(ama.claims.values_list("number", flat=True)) == ["A2", "B1"]


def _own(name: str) -> dict[str, str]:
    return {"main_insured": name}


def test_a_merge_is_undone_after_a_later_import_that_relied_on_it() -> None:
    """The claims that came into the membership that both had stay with the person; the children follow the families."""
    api = ApiUser()
    api.import_pair(*FIRST)
    api.import_pair(*SECOND)
    merged = merge(api, "LAWSON AFI", "LAWSON AFY")
    api.import_pair(*matching_pair(line("C1", settlement_date="20/12/2024", **AFY)))
    undo_change(actor=api.user, change=merged)
    assert dangling_references() == {}
    afi, afy = person("LAWSON AFI"), person("LAWSON AFY")
    assert sorted(afi.claims.values_list("number", flat=True)) == ["A1", "C1"]
    assert list(afy.claims.values_list("number", flat=True)) == ["B1"]
    assert str(afi.memberships.get().last_settlement_date) == "2024-12-20"
    assert person("LAWSON ESSI").memberships.get().principal == afy


@pytest.mark.parametrize("kept", ["LAWSON AFI", "LAWSON AFY"])
def test_a_merged_person_outlives_the_revert_of_one_import(kept: str) -> None:
    api = ApiUser()
    api.import_pair(*FIRST)
    second = api.import_pair(*SECOND)
    absorbed = "LAWSON AFY" if kept == "LAWSON AFI" else "LAWSON AFI"
    merge(api, kept, absorbed)
    revert(api, second)
    one = person(kept)
    assert list(one.claims.values_list("number", flat=True)) == ["A1"]
    membership = one.memberships.get()
    assert (str(membership.first_settlement_date), str(membership.last_settlement_date)) == ("2024-02-10",) * 2
    # Both names still lead to the person.
    again = api.import_pair(*SECOND)
    assert (again.created()["insured"], one.claims.count()) == (1, 2)


def test_after_both_imports_were_reverted_nothing_of_a_merged_person_stays() -> None:
    api = ApiUser()
    first, second = api.import_pair(*FIRST), api.import_pair(*SECOND)
    merge(api, "LAWSON AFI", "LAWSON AFY")
    attach(actor=api.user, membership=person("LAWSON KOFI").memberships.get(), principal=person("MENSAH YAO").pk)
    revert(api, first)
    revert(api, second)
    assert dump() == {"Insured": [], "InsuredSpelling": [], "Membership": [], "Claim": []}


@pytest.mark.parametrize("kept", ["LAWSON AFI", "LAWSON AFY"])
def test_a_merge_undone_after_the_revert_of_one_import_brings_nothing_of_that_import_back(kept: str) -> None:
    api = ApiUser()
    api.import_pair(*FIRST)
    before = dump()
    second = api.import_pair(*SECOND)
    merged = merge(api, kept, "LAWSON AFY" if kept == "LAWSON AFI" else "LAWSON AFI")
    revert(api, second)
    undo_change(actor=api.user, change=merged)
    assert dangling_references() == {}
    assert dump() == before


def test_a_merge_undone_after_everything_was_reverted_is_refused_or_leaves_nothing() -> None:
    api = ApiUser()
    first, second = api.import_pair(*FIRST), api.import_pair(*SECOND)
    merged = merge(api, "LAWSON AFI", "LAWSON AFY")
    revert(api, second)
    revert(api, first)
    with pytest.raises(Conflict, match="gone"):
        undo_change(actor=api.user, change=merged)
    assert dump() == {"Insured": [], "InsuredSpelling": [], "Membership": [], "Claim": []}


def test_a_merge_after_a_revert_is_undone() -> None:
    api = ApiUser()
    first = api.import_pair(*FIRST)
    api.import_pair(*SECOND)
    api.import_pair(*matching_pair(line("C1", **AFI)))
    revert(api, first)
    before = dump()
    merged = merge(api, "LAWSON AFY", "LAWSON AFI")
    undo_change(actor=api.user, change=merged)
    assert dump() == before


def test_a_record_whose_import_was_reverted_is_not_split_off() -> None:
    api = ApiUser()
    api.import_pair(*FIRST)
    second = api.import_pair(*SECOND)
    absorbed = person("LAWSON AFY").pk
    merge(api, "LAWSON AFI", "LAWSON AFY")
    revert(api, second)
    before = dump()
    with pytest.raises(Conflict, match="nothing is left to split off"):
        split_person(actor=api.user, kept=person("LAWSON AFI"), absorbed=absorbed)
    assert dump() == before


def test_the_head_of_a_family_stays_one_when_a_dependant_came_by_an_import() -> None:
    api = ApiUser()
    api.import_pair(*FIRST)
    kofi = person("LAWSON KOFI").memberships.get()
    change = change_role(actor=api.user, membership=kofi, role="primary")
    api.import_pair(*matching_pair(line("C1", **CHILD | {"beneficiary": "BABY", "main_insured": "LAWSON KOFI"})))
    with pytest.raises(Conflict, match="has dependants now"):
        undo_change(actor=api.user, change=change)
