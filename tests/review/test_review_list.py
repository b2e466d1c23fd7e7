"""DOMAIN §12, the review list: imports add pairs, people answer, and the answers count for later imports."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import models as core
from core.families.undoing import undo_change
from core.integrity import dangling_references
from core.rates import recompute
from tests.support.api_user import ApiUser
from tests.support.review import FIRST, KOFFI, KOFI, SECOND, decide, dump, sums_of_figures, totals, waiting
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def imported(database: None) -> ApiUser:
    """A country with two imports, on which all tests build."""
    api = ApiUser("TG")
    assert api.import_pair(*FIRST).status == "DONE"
    assert api.import_pair(*SECOND).status == "DONE"
    return api


@pytest.fixture
def togo(imported: ApiUser) -> ApiUser:
    """The country as the two imports left it: what a test does is taken back at its end."""
    return imported


def test_each_kind_has_its_pair(togo: ApiUser) -> None:
    found = waiting(togo)

    assert set(found) == {"insured", "client", "partner", "operator"}
    assert {found["client"]["one"]["name"], found["client"]["other"]["name"]} == {"PORT DE LOME", "PORT DE LOMEE"}
    assert found["insured"]["policy"] == "45/RD/GB"


def test_the_detail_has_what_helps_to_judge(togo: ApiUser) -> None:
    detail = togo.get(f"review-pairs/{waiting(togo)['client']['id']}/")

    one, other = sorted((detail["one"], detail["other"]), key=lambda record: record["name"])
    assert (one["claims"], other["claims"]) == (3, 2)
    assert one["amounts"] == [{"currency": "XOF", "claimed": "15000.00", "reimbursed": "12000.00"}]
    assert (one["policies"], one["first_settlement_date"], other["last_settlement_date"]) == (
        2, "2024-02-10", "2024-11-20",
    )  # fmt: skip
    assert detail["suggested"] == one["id"]
    assert [file["name"] for file in other["files"]] == ["stat.csv"]


def test_same_merges_each_kind_without_changing_a_total(togo: ApiUser) -> None:
    before, figures = totals(), sums_of_figures(togo)

    for kind in ("operator", "partner", "client", "insured"):
        pair = waiting(togo)[kind]
        merged = decide(togo, pair, "same")
        assert merged["merge"]["id"] == merged["change"]
        assert merged["state"] == "same"

    assert waiting(togo) == {}
    assert totals() == before
    for model in (core.Client, core.Partner, core.Operator):
        assert model.objects.count() == 1
    # One person on the policy, and the other policy's.
    assert core.Insured.objects.count() == 2
    assert core.Membership.objects.count() == 2
    assert sorted(core.Invoice.objects.values_list("number", flat=True)) == ["F1", "F2"]
    assert core.Payment.objects.count() == 1
    assert core.Client.objects.get().name == "PORT DE LOME"
    assert sums_of_figures(togo) == figures
    assert dangling_references() == {}


def test_a_membership_of_both_clients_becomes_one_with_both_periods(togo: ApiUser) -> None:
    decide(togo, waiting(togo)["client"], "same")

    (kofi,) = core.Membership.objects.filter(insured__name=KOFI)
    assert (str(kofi.first_settlement_date), str(kofi.last_settlement_date)) == ("2024-02-10", "2024-11-20")
    assert kofi.plan is not None
    assert kofi.plan.name == "PLAN B"
    assert kofi.claims.count() == 3
    assert set(kofi.claims.values_list("client", flat=True)) == {kofi.client_id}


@pytest.mark.parametrize("kind", ["insured", "client", "partner", "operator"])
def test_undoing_the_merge_restores_everything_and_asks_again(togo: ApiUser, kind: str) -> None:
    before = dump()
    merged = decide(togo, waiting(togo)[kind], "same")
    assert dump() != before

    undo_change(actor=togo.user, change=core.Change.objects.get(pk=merged["change"]))

    assert dump() == before
    assert kind in waiting(togo)
    assert dangling_references() == {}


def test_all_merges_undone_in_reverse_order_restore_the_first_state(togo: ApiUser) -> None:
    before = dump()
    for kind in ("client", "insured", "partner", "operator"):
        decide(togo, waiting(togo)[kind], "same")

    for change in core.Change.objects.order_by("-pk"):
        undo_change(actor=togo.user, change=change)

    assert dump() == before
    assert len(waiting(togo)) == 4


# ------------------------------------------------------------------------------------------------ which one stays


def test_hundreds_of_memberships_that_both_clients_have_are_joined_and_parted_by_few_statements(togo: ApiUser) -> None:
    port, other = core.Client.objects.order_by("key")
    policy, partner = core.Policy.objects.get(key="99"), core.Partner.objects.all()[0]
    for number in range(60):
        name = f"PERSON {number}"
        person = core.Insured.objects.create(country=togo.country, name=name, name_key=name)
        for client, month in ((port, 3), (other, 9)):
            day = date(2024, month, 1 + number % 28)
            membership = core.Membership.objects.create(
                insured=person, policy=policy, client=client, role="primary",
                first_settlement_date=day, last_settlement_date=day,
            )  # fmt: skip
            core.Claim.objects.create(
                country=togo.country, number=f"{client.pk}/{number}", status="settled", membership=membership,
                insured=person, policy=policy, client=client, partner=partner, settlement_date=day,
                claimed_amount=10, reimbursed_amount=5, currency="XOF", line_count=0, fingerprint="f",
            )  # fmt: skip
    recompute([policy.pk])
    before, sums = dump(), totals()

    with CaptureQueriesContext(connection) as merging:
        merged = decide(togo, waiting(togo)["client"], "same")
    assert merged["merge"]["data"]["memberships_joined"] == 61
    assert totals() == sums
    with CaptureQueriesContext(connection) as parting:
        undo_change(actor=togo.user, change=core.Change.objects.get(pk=merged["change"]))

    assert dump() == before
    assert len(merging) < 100
    assert len(parting) < 100


def test_the_record_with_more_claims_stays_unless_another_is_named(togo: ApiUser) -> None:
    pair = waiting(togo)["partner"]
    lesser = core.Partner.objects.get(key="CLINIQUE BIASSA")

    preview = decide(togo, pair, "same", query="?dry_run=true")
    assert preview["merge"]["id"] is None
    assert preview["merge"]["data"]["kept"] == core.Partner.objects.get(key="CLINIQUE BIASA").pk
    assert preview["merge"]["data"]["claims"] == 2
    assert core.Partner.objects.count() == 2
    assert waiting(togo)["partner"] == pair

    decide(togo, pair, "same", keep=lesser.pk)
    assert core.Partner.objects.get() == lesser
    assert core.PartnerAlias.objects.get().key == "CLINIQUE BIASA"


def test_answers_that_make_no_sense_are_refused(togo: ApiUser) -> None:
    pair = waiting(togo)["client"]

    assert set(decide(togo, pair, "perhaps", 400)) == {"decision"}
    assert set(decide(togo, pair, "same", 400, keep=10**9)) == {"keep"}
    assert set(decide(togo, pair, "same", 400, query="?dry_run=maybe")) == {"dry_run"}
    decide(togo, pair, "same")
    assert "merged already" in decide(togo, pair, "different", 409)["detail"]


def test_an_answer_different_can_be_changed_to_same(togo: ApiUser) -> None:
    pair = waiting(togo)["client"]
    decide(togo, pair, "different")
    decide(togo, pair, "different")

    assert decide(togo, pair, "same")["state"] == "same"
    assert core.Client.objects.count() == 1


def test_people_with_two_cards_are_not_merged(togo: ApiUser) -> None:
    for number, name in enumerate((KOFI, KOFFI)):
        core.Insured.objects.filter(name=name).update(card_number=str(number), card_key=str(number))

    answer = decide(togo, waiting(togo)["insured"], "same", 400)

    assert "different card numbers" in answer["insured"][0]
    assert "insured" in waiting(togo)


def premium(client: core.Client, start: str, end: str) -> core.Premium:
    return core.Premium.objects.create(
        country=client.country, client=client, amount=100, currency="XOF", start=start, end=end
    )


def test_premiums_move_and_overlapping_ones_are_refused_in_words(togo: ApiUser) -> None:
    kept, other = (core.Client.objects.get(key=key) for key in ("PORT DE LOME", "PORT DE LOMEE"))
    premium(kept, "2024-01-01", "2024-12-31")
    moving = premium(other, "2024-12-31", "2025-12-30")
    pair = waiting(togo)["client"]

    (sentence,) = decide(togo, pair, "same", 400)["clients"]
    assert "31/12/2024" in sentence
    assert "PORT DE LOMEE" in sentence

    core.Premium.objects.filter(pk=moving.pk).update(start="2025-01-01")
    version = core.DataVersion.objects.filter(part="premiums").values_list("token", flat=True).first()
    merged = decide(togo, pair, "same")
    assert set(kept.premiums.values_list("start__year", flat=True)) == {2024, 2025}
    later = core.DataVersion.objects.get(part="premiums").token
    assert later != version
    undo_change(actor=togo.user, change=core.Change.objects.get(pk=merged["change"]))
    assert [one.pk for one in other.premiums.all()] == [moving.pk]
    assert core.DataVersion.objects.get(part="premiums").token != later


def test_premiums_of_an_absorbed_name_are_imported_for_the_client_that_stays(togo: ApiUser) -> None:
    decide(togo, waiting(togo)["client"], "same")
    rows = "Employeur;Prime;Année\nPORT DE LOME;100;2024\nPORT DE LOMEE;200;2025"
    file = SimpleUploadedFile("primes.csv", rows.encode())

    answer = togo.client.post("/api/v1/premiums/import/", {"file": file}, format="multipart")

    assert answer.status_code == 201, answer.content
    (client,) = core.Client.objects.filter(premiums__isnull=False).distinct()
    assert (client.name, client.premiums.count()) == ("PORT DE LOME", 2)


# ------------------------------------------------------------------------------------------------ without the list


@pytest.mark.parametrize(
    ("route", "model", "keys"),
    [
        ("clients", core.Client, ("PORT DE LOME", "PORT DE LOMEE")),
        ("partners", core.Partner, ("CLINIQUE BIASA", "CLINIQUE BIASSA")),
        ("operators", core.Operator, ("MENSAH AKOU", "MENSA AKOU")),
    ],
)
def test_records_are_merged_directly_with_the_own_password(
    togo: ApiUser, route: str, model: Any, keys: tuple[str, str]
) -> None:
    togo.user.set_password("own password")
    # Saved as usual, a new password would end the token.
    User.objects.filter(pk=togo.user.pk).update(password=togo.user.password)
    kept, other = (model.objects.get(key=key) for key in keys)
    path, ids = f"/api/v1/{route}/{kept.pk}/merge/", {route: [other.pk]}

    def send(query: str = "", **more: Any) -> Any:
        return togo.client.post(path + query, ids | more, format="json")

    preview = send("?dry_run=true")
    assert preview.status_code == 200, preview.content
    assert preview.json()["id"] is None
    assert set(send().json()) == set(send(password="wrong").json()) == {"password"}
    assert model.objects.filter(pk=other.pk).exists()
    assert set(togo.client.post(path, {route: [10**9], "password": "x"}, format="json").json()) == {route}

    merged = send(password="own password")
    assert merged.status_code == 200
    assert merged.json()["data"]["absorbed"][0]["id"] == other.pk
    assert not model.objects.filter(pk=other.pk).exists()
    # The pair has no second record any more, so nothing is to be asked.
    assert len(waiting(togo)) == 3
