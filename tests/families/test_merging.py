"""DOMAIN §12: records of one person become one, and are parted again."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import F

from common.errors import Conflict, Invalid, NotAllowed
from core import models as core
from core.families.correcting import attach
from core.families.merging import merge_people, preview_merge
from core.families.naming import choose_name
from core.families.splitting import joined_records, split_person
from core.families.undoing import undo_change
from core.integrity import dangling_references
from core.rates import recompute
from tests.support.people import EARLY, LATE, dump, fit_dates, give_card, small_country
from tests.support.small_country import SmallCountry
from users.models import Country, Role, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def togo(db: None) -> SmallCountry:
    """AFI and AFY are records of one person on policy 1, AFY on policy 2 too; each has a child."""
    country = small_country()
    country.claim(insured="AFI", settled=EARLY)
    country.claim(insured="AFY", settled=LATE)
    country.claim(insured="AFY", policy="2", settled=EARLY)
    country.claim(insured="CODJO", principal="AFY")
    country.claim(insured="CHIMENE", principal="AFI")
    country.claim(insured="BOB", policy="3")
    country.save()
    fit_dates()
    return country


def merge(country: SmallCountry, kept: str, *absorbed: str) -> core.Change:
    return merge_people(
        actor=country.user, kept=country.insured(kept), absorbed=[country.insured(name) for name in absorbed]
    )


def undo(country: SmallCountry, change: core.Change) -> None:
    undo_change(actor=country.user, change=change)
    assert dangling_references() == {}


def reasons(country: SmallCountry, kept: str, *absorbed: str) -> str:
    before = dump()
    with pytest.raises(Invalid) as refused:
        merge(country, kept, *absorbed)
    assert dump() == before
    return " ".join(refused.value.errors["insured"])


def test_claims_memberships_dependants_names_and_the_card_move_to_the_record_that_stays(togo: SmallCountry) -> None:
    afi, afy = togo.insured("AFI"), togo.insured("AFY")
    give_card(afy, "K1")
    plan = core.Plan.objects.create(policy=togo.policy("1"), name="GOLD", key="GOLD")
    core.Membership.objects.filter(insured=afy, policy=togo.policy("1")).update(plan=plan)
    change = merge(togo, "AFI", "AFY")
    afi.refresh_from_db()
    assert not core.Insured.objects.filter(pk=afy.pk).exists()
    assert afi.claims.count() == 3
    assert (afi.card_number, [one.name for one in afi.spellings.all()]) == ("K1", ["AFY"])
    first, second = afi.memberships.order_by("policy__number")
    assert (first.first_settlement_date, first.last_settlement_date, first.plan) == (EARLY, LATE, plan)
    assert second.policy.number == "2"
    assert set(core.Membership.objects.filter(principal=afi).values_list("insured__name", flat=True)) == {
        "CODJO",
        "CHIMENE",
    }
    (facts,) = change.data["absorbed"]
    assert (facts["claims"], facts["memberships"], facts["memberships_joined"], facts["dependants"]) == (2, 2, 1, 1)
    assert dangling_references() == {}


def test_undoing_a_merge_restores_every_row(togo: SmallCountry) -> None:
    give_card(togo.insured("AFY"), "K1")
    before = dump()
    change = merge(togo, "AFI", "AFY", "BOB")
    assert dump() != before
    undo(togo, change)
    assert dump() == before
    with pytest.raises(Conflict, match="undone already"):
        undo(togo, change)


def test_a_preview_changes_nothing_and_names_what_would_move(togo: SmallCountry) -> None:
    before = dump()
    change = preview_merge(actor=togo.user, kept=togo.insured("AFI"), absorbed=[togo.insured("AFY")])
    assert (change.pk, change.data["claims"]) == (None, 2)
    assert dump() == before
    assert not core.Change.objects.exists()


def test_two_different_cards_are_two_persons(togo: SmallCountry) -> None:
    give_card(togo.insured("AFI"), "K1")
    give_card(togo.insured("AFY"), "K2")
    assert "different card numbers" in reasons(togo, "AFI", "AFY")
    assert "different card numbers" in reasons(togo, "BOB", "AFI", "AFY")


def test_a_dependant_is_not_the_principal(togo: SmallCountry) -> None:
    assert "depends on another" in reasons(togo, "AFI", "CHIMENE")
    assert "depends on another" in reasons(togo, "CHIMENE", "AFI")
    assert "depends on another" in reasons(togo, "BOB", "AFI", "CHIMENE")


def test_another_role_or_principal_on_a_membership_that_both_have_is_refused(togo: SmallCountry) -> None:
    assert "principals on the policy 1 differ" in reasons(togo, "CODJO", "CHIMENE")
    assert "roles on the policy 1 differ (principal, child)" in reasons(togo, "AFI", "CODJO")


def test_the_head_of_a_family_cannot_become_a_dependant_by_a_merge(togo: SmallCountry) -> None:
    togo.claim(insured="CARLOS", principal="BOB", client="TOGOCOM")
    togo.claim(insured="DAN", client="TOGOCOM")
    togo.save()
    assert "has dependants on a policy" in reasons(togo, "CARLOS", "AFI")
    merge(togo, "DAN", "AFI")


def test_the_same_record_and_no_record_are_refused(togo: SmallCountry) -> None:
    assert "with itself" in reasons(togo, "AFI", "AFI")
    assert "at least one" in reasons(togo, "AFI")


def test_records_of_two_countries_are_never_merged(togo: SmallCountry) -> None:
    benin = SmallCountry("BJ")
    benin.claim(insured="AFY")
    benin.save()
    superuser = User.objects.create_user(username="root", email="root@example.org", role=Role.SUPERUSER)
    with pytest.raises(Invalid) as refused:
        merge_people(actor=superuser, kept=togo.insured("AFI"), absorbed=[benin.insured("AFY")])
    assert refused.value.errors["insured"] == ["The records belong to different countries."]


@pytest.mark.parametrize(
    ("role", "is_at_home", "may"),
    [
        (Role.SUPERUSER, False, True),
        (Role.ADMIN_GLOBAL, False, False),
        (Role.ADMIN_TERRITORIAL, True, True),
        (Role.ADMIN_TERRITORIAL, False, False),
        (Role.CHEF_DEPT_TECH, True, True),
        (Role.CHEF_DEPT_TECH, False, False),
        (Role.RESP_OPERATEUR, True, False),
    ],
)
def test_only_the_technical_department_and_the_admin_of_the_country_correct(
    togo: SmallCountry, role: Role, is_at_home: bool, may: bool
) -> None:
    away = Country.objects.create(name="Bénin", code="BJ")
    is_global = role in (Role.SUPERUSER, Role.ADMIN_GLOBAL)
    country = None if is_global else togo.country if is_at_home else away
    actor = User.objects.create_user(username="one", email="one@example.org", role=role, country=country)
    change = merge(togo, "AFI", "AFY")
    calls: list[Any] = [
        lambda: undo_change(actor=actor, change=change),
        lambda: choose_name(actor=actor, insured=togo.insured("AFI"), name="AFY"),
        lambda: split_person(actor=actor, kept=togo.insured("AFI"), absorbed=togo.insured("AFY").pk),
        lambda: attach(actor=actor, membership=togo.insured("CODJO").memberships.get(), principal=1),
    ]
    if may:
        merge_people(actor=actor, kept=togo.insured("AFI"), absorbed=[togo.insured("BOB")])
        return
    for call in calls:
        with pytest.raises(NotAllowed):
            call()


def test_the_name_is_chosen_among_the_known_spellings(togo: SmallCountry) -> None:
    merge(togo, "AFI", "AFY")
    before = dump()
    afi = togo.insured("AFI")
    change = choose_name(actor=togo.user, insured=afi, name="AFY")
    afi.refresh_from_db()
    assert (afi.name, afi.name_key, [one.name for one in afi.spellings.all()]) == ("AFY", "AFY", ["AFI"])
    for wrong in ("", "AFY", "KOSSI"):
        with pytest.raises(Invalid):
            choose_name(actor=togo.user, insured=afi, name=wrong)
    undo(togo, change)
    assert dump() == before


def test_a_record_is_split_off_although_others_followed(togo: SmallCountry) -> None:
    give_card(togo.insured("AFY"), "K1")
    before = dump()
    first = merge(togo, "AFI", "AFY")
    with_bob = merge(togo, "AFI", "BOB")
    with pytest.raises(Conflict, match=f"Change {with_bob.pk} depends on this one"):
        undo(togo, first)
    joined = dump()
    afi, afy = togo.insured("AFI"), togo.insured("AFY")
    split = split_person(actor=togo.user, kept=afi, absorbed=afy.pk)
    assert dangling_references() == {}
    parted = {name: [row for row in rows if row != afi] for name, rows in dump().items()}
    assert [row for row in parted["Insured"] if row["id"] == afy.pk] == [
        row for row in before["Insured"] if row["id"] == afy.pk
    ]
    afy.refresh_from_db()
    assert [one.name for one in joined_records(afi)] == ["BOB"]
    assert (afy.claims.count(), afy.card_number) == (2, "K1")
    assert sorted(afy.memberships.values_list("policy__number", flat=True)) == ["1", "2"]
    assert togo.insured("CODJO").memberships.get().principal_id == afy.pk
    undo(togo, split)
    assert dump() == joined
    undo(togo, with_bob)
    undo(togo, first)
    assert dump() == before


def test_one_of_several_records_of_one_merge_is_split_off(togo: SmallCountry) -> None:
    before = dump()
    change = merge(togo, "AFI", "AFY", "BOB")
    bob = togo.insured("BOB")
    split_person(actor=togo.user, kept=togo.insured("AFI"), absorbed=bob.pk)
    assert bob.claims.count() == 1
    split_person(actor=togo.user, kept=togo.insured("AFI"), merge=change.pk)
    assert dump() == before


def test_a_record_with_the_claims_of_a_later_one_is_not_split_off_before_that(togo: SmallCountry) -> None:
    togo.claim(insured="BETTY", policy="2")
    togo.save()
    fit_dates()
    before = dump()
    merge(togo, "AFI", "AFY")
    merge(togo, "AFI", "BETTY")
    afi = togo.insured("AFI")
    with pytest.raises(Conflict, match="“BETTY” was merged later"):
        split_person(actor=togo.user, kept=afi, absorbed=togo.insured("AFY").pk)
    split_person(actor=togo.user, kept=afi, absorbed=togo.insured("BETTY").pk)
    split_person(actor=togo.user, kept=afi, absorbed=togo.insured("AFY").pk)
    assert dump() == before


def test_a_person_does_not_lose_the_name_that_was_chosen(togo: SmallCountry) -> None:
    merge(togo, "AFI", "AFY")
    afi = togo.insured("AFI")
    choose_name(actor=togo.user, insured=afi, name="AFY")
    with pytest.raises(Conflict, match="Choose another name first"):
        split_person(actor=togo.user, kept=afi, absorbed=togo.insured("AFY").pk)
    choose_name(actor=togo.user, insured=afi, name="AFI")
    split_person(actor=togo.user, kept=afi, absorbed=togo.insured("AFY").pk)
    assert list(afi.spellings.all()) == []


def test_nothing_is_split_off_that_was_not_merged(togo: SmallCountry) -> None:
    merge(togo, "AFI", "AFY")
    for kept, absorbed in (("AFI", "BOB"), ("BOB", "AFY")):
        with pytest.raises(Invalid, match="insured"):
            split_person(actor=togo.user, kept=togo.insured(kept), absorbed=togo.insured(absorbed).pk)
    with pytest.raises(Invalid):
        split_person(actor=togo.user, kept=togo.insured("AFI"))


def test_claims_that_came_later_stay_with_the_membership_that_they_name(togo: SmallCountry) -> None:
    """A claim in the membership that AFY brought goes with AFY; one in the membership that both had stays with AFI."""
    change = merge(togo, "AFI", "AFY")
    afi = togo.insured("AFI")
    for policy in ("1", "2"):
        membership = afi.memberships.get(policy=togo.policy(policy))
        late = togo.claim(insured="AFI", policy="3")
        late.membership, late.policy = membership, membership.policy
    core.Membership.objects.filter(insured=afi, policy=togo.policy("1")).update(last_settlement_date="2024-12-31")
    togo._records = {key: row for key, row in togo._records.items() if key[0] is not core.Membership}
    core.Claim.objects.bulk_create(togo._claims)
    core.Membership.objects.filter(insured=afi, policy=togo.policy("3")).delete()
    undo(togo, change)
    assert togo.insured("AFY").claims.filter(policy__number="2").count() == 2
    assert afi.claims.filter(policy__number="1").count() == 2
    assert not core.Claim.objects.exclude(insured=F("membership__insured")).exists()
    assert str(afi.memberships.get().last_settlement_date) == "2024-06-15"


def test_observed_rates_follow_a_merge_and_its_undoing(togo: SmallCountry) -> None:
    """The claims of both records count for the plan of the membership that stays (DOMAIN §10)."""
    policy, afy = togo.policy("1"), togo.insured("AFY")
    plan = core.Plan.objects.create(policy=policy, name="GOLD", key="GOLD")
    core.Membership.objects.filter(insured=afy, policy=policy).update(plan=plan)
    recompute([policy.pk])

    def lines() -> int:
        return sum(core.PlanRateCount.objects.filter(plan=plan).values_list("lines", flat=True))

    assert lines() == 1
    change = merge(togo, "AFI", "AFY")
    assert lines() == 2
    undo(togo, change)
    assert lines() == 1


def test_the_subscriber_of_a_policy_is_the_chosen_name_of_its_one_principal(togo: SmallCountry) -> None:
    bob = togo.insured("BOB")
    core.Membership.objects.filter(insured=bob).update(client=None, role="primary")
    core.Claim.objects.filter(insured=bob).update(client=None)
    core.InsuredSpelling.objects.create(insured=bob, name="BOBBY", name_key="BOBBY")
    policy = togo.policy("3")

    def subscriber() -> str:
        return core.Policy.objects.get(pk=policy.pk).deduced_subscriber

    recompute([policy.pk])
    assert subscriber() == "BOB"
    change = choose_name(actor=togo.user, insured=bob, name="BOBBY")
    assert subscriber() == "BOBBY"
    undo(togo, change)
    assert subscriber() == "BOB"
