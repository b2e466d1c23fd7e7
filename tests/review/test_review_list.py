"""DOMAIN §12, the review list: imports add pairs, people answer, and the answers count for later imports."""

from __future__ import annotations

from typing import Any

import pytest

from common.errors import Conflict
from core import models as core
from core.families.undoing import undo_change
from core.integrity import dangling_references
from tests.support.api_user import ApiUser, Json
from tests.support.pairs import Cells, line, matching_pair

pytestmark = pytest.mark.django_db

EARLY, LATE = "10/02/2024", "20/11/2024"
KOFI, KOFFI = "AMEGAN KOFI", "AMEGAN KOFFI"


def of(number: str, name: str = KOFI, **fields: str) -> Cells:
    return line(number, **({"beneficiary": name, "main_insured": name, "settlement_date": EARLY} | fields))


FIRST = matching_pair(
    of("A1", invoice_number="F1", payment_reference="C1", operator="MENSAH AKOU"),
    of("A2", invoice_number="F2", operator="MENSAH AKOU"),
    of("A3", "LAWSON AFI", policy_number="99"),
)
# Another spelling of the client, the provider and the operator; the same person, policy, invoice and payment.
SECOND = matching_pair(
    of(
        "B1", settlement_date=LATE, employer="PORT DE LOMEE", partner="CLINIQUE BIASSA", operator="MENSA AKOU",
        invoice_number="F1", payment_reference="C1", plan="PLAN B",
    ),
    of("B2", KOFFI, settlement_date=LATE, employer="PORT DE LOMEE", partner="CLINIQUE BIASSA"),
)  # fmt: skip
THIRD = matching_pair(
    of("C1", settlement_date="21/11/2024", employer="PORT DE LOMEE", partner="CLINIQUE BIASSA", operator="MENSA AKOU"),
)


def pairs(api: ApiUser, **filters: str) -> list[Json]:
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return list(api.get(f"review-pairs/?{query}")["results"])


def waiting(api: ApiUser) -> dict[str, Json]:
    """Kind → its only waiting pair."""
    found = pairs(api, state="waiting")
    assert len({one["kind"] for one in found}) == len(found), found
    return {one["kind"]: one for one in found}


def decide(api: ApiUser, pair: Json, decision: str, status: int = 200, query: str = "", **more: Any) -> Json:
    response = api.client.post(
        f"/api/v1/review-pairs/{pair['id']}/decide/{query}", {"decision": decision, **more}, format="json"
    )
    assert response.status_code == status, response.content.decode()
    return dict(response.json())


def totals() -> dict[str, Any]:
    """Per table the number of rows, and the sums of the country."""
    sums = [
        sorted(str(value) for value in model.objects.values_list("claimed_amount", "reimbursed_amount"))
        for model in (core.Claim, core.ClaimLine)
    ]
    return {"claims": core.Claim.objects.count(), "lines": core.ClaimLine.objects.count(), "sums": sums}


def sums_of_figures(api: ApiUser) -> Json:
    found = api.get("dashboard/portfolio/")["indicators"]
    return {one["key"]: one["value"] for one in found if one["key"] in ("claims", "lines", "claimed", "reimbursed")}


def dump() -> dict[str, list[Any]]:
    """Every record of the country, without the list itself and the history of changes."""
    models = [
        core.Client, core.Partner, core.Operator, core.Insured, core.InsuredSpelling, core.Membership, core.Policy,
        core.Plan, core.Invoice, core.Payment, core.Claim, core.ClaimLine, core.Premium, core.ClientAlias,
        core.PartnerAlias, core.OperatorAlias,
    ]  # fmt: skip
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


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


def test_imports_list_nearly_equal_names_of_each_kind_once(togo: ApiUser) -> None:
    found = waiting(togo)

    assert set(found) == {"insured", "client", "partner", "operator"}
    assert {found["client"]["one"]["name"], found["client"]["other"]["name"]} == {"PORT DE LOME", "PORT DE LOMEE"}
    assert found["insured"]["policy"] == "45/RD/GB"
    togo.import_pair(*SECOND)
    assert len(pairs(togo)) == 4


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


@pytest.mark.parametrize("kind", ["insured", "client", "partner", "operator"])
def test_different_is_remembered_by_later_imports_and_after_a_revert(togo: ApiUser, kind: str) -> None:
    answered = decide(togo, waiting(togo)[kind], "different")
    assert answered["state"] == "different"
    second = togo.get("import-sessions/")["results"][0]["id"]

    assert togo.steer(second, "revert").status_code == 200
    assert pairs(togo, state="waiting") == []
    togo.import_pair(*SECOND)

    assert kind not in waiting(togo)
    assert len(waiting(togo)) == 3
    assert [one["kind"] for one in pairs(togo, state="different")] == [kind]


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


def test_a_later_import_that_names_the_absorbed_record_finds_the_kept_one(togo: ApiUser) -> None:
    for kind in ("operator", "partner", "client"):
        decide(togo, waiting(togo)[kind], "same")

    again = togo.import_pair(*SECOND)
    assert again.status == "DONE"
    assert again.created() == {}
    third = togo.import_pair(*THIRD)

    assert not {"clients", "partners", "operators"} & set(third.created())
    claim = core.Claim.objects.get(number="C1")
    assert (claim.client.name, claim.partner.name) == ("PORT DE LOME", "CLINIQUE BIASA")
    assert claim.lines.get().operator.name == "MENSAH AKOU"
    assert set(waiting(togo)) == {"insured"}


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
    togo.import_pair(*FIRST)
    togo.import_pair(*SECOND)

    for change in core.Change.objects.order_by("-pk"):
        undo_change(actor=togo.user, change=change)

    assert dump() == before
    assert len(waiting(togo)) == 4


# ------------------------------------------------------------------------------------------------ which one stays


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
    decide(togo, pair, "same")
    assert set(kept.premiums.values_list("start__year", flat=True)) == {2024, 2025}
    assert core.DataVersion.objects.get(part="premiums").token != version


def test_the_third_of_three_spellings_is_asked_about_the_record_that_stayed(togo: ApiUser) -> None:
    togo.import_pair(*matching_pair(of("D1", settlement_date=LATE, employer="PORT DE LOMEEE")))
    clients = pairs(togo, state="waiting", kind="client")
    assert len(clients) == 3

    merged = decide(togo, clients[0], "same")

    (left,) = pairs(togo, state="waiting", kind="client")
    kept = core.Client.objects.get(key="PORT DE LOME")
    assert kept.pk in (left["one"]["id"], left["other"]["id"])
    undo_change(actor=togo.user, change=core.Change.objects.get(pk=merged["change"]))
    assert len(pairs(togo, state="waiting", kind="client")) == len(clients)


# ------------------------------------------------------------------------------------------------ merges and reverts


def sessions(api: ApiUser) -> list[int]:
    return [one["id"] for one in api.get("import-sessions/")["results"]]


def test_a_merge_on_which_an_import_relies_is_undone_only_after_the_import(togo: ApiUser) -> None:
    change = core.Change.objects.get(pk=decide(togo, waiting(togo)["client"], "same")["change"])
    before = dump()
    third = togo.import_pair(*THIRD)

    with pytest.raises(Conflict, match=f"Import {third.id} "):
        undo_change(actor=togo.user, change=change)

    assert togo.steer(third.id, "revert").status_code == 200
    without_dates = [{**row, "last_settlement_date": None} for row in before["Membership"]]
    assert [{**row, "last_settlement_date": None} for row in dump()["Membership"]] == without_dates
    undo_change(actor=togo.user, change=change)
    assert core.Client.objects.count() == 2
    assert dangling_references() == {}


def test_claims_that_came_later_to_what_was_moved_keep_the_merge(togo: ApiUser) -> None:
    change = core.Change.objects.get(pk=decide(togo, waiting(togo)["client"], "same")["change"])
    # By the kept name, for a person whom only the absorbed client had.
    togo.import_pair(*matching_pair(of("E1", KOFFI, settlement_date=LATE)))

    with pytest.raises(Conflict, match="imported later"):
        undo_change(actor=togo.user, change=change)


def test_a_revert_after_a_merge_leaves_what_the_merge_needs_and_the_files_come_back(togo: ApiUser) -> None:
    before = totals()
    for kind in ("operator", "partner", "client", "insured"):
        decide(togo, waiting(togo)[kind], "same")
    second, first = sessions(togo)

    for session in (first, second):
        assert togo.steer(session, "revert").status_code == 200
        assert dangling_references() == {}
    assert core.Claim.objects.count() == 0
    assert core.Client.objects.get().name == "PORT DE LOME"

    togo.import_pair(*FIRST)
    togo.import_pair(*SECOND)
    assert totals() == before
    assert [model.objects.count() for model in (core.Client, core.Partner, core.Operator)] == [1, 1, 1]
    assert pairs(togo, state="waiting") == []


def test_a_pair_disappears_with_its_records_and_comes_back_with_them(togo: ApiUser) -> None:
    second, _first = sessions(togo)

    assert togo.steer(second, "revert").status_code == 200
    assert pairs(togo, state="waiting") == []
    assert len(pairs(togo, state="gone")) == 4

    togo.import_pair(*SECOND)
    assert set(waiting(togo)) == {"insured", "client", "partner", "operator"}


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
    kept, other = (model.objects.get(key=key) for key in keys)
    path, ids = f"/api/v1/{route}/{kept.pk}/merge/", {route: [other.pk]}

    def send(query: str = "", **more: Any) -> Any:
        return togo.client.post(path + query, ids | more, format="json")

    assert send("?dry_run=true").json()["id"] is None
    assert set(send().json()) == set(send(password="wrong").json()) == {"password"}
    assert model.objects.filter(pk=other.pk).exists()
    assert set(togo.client.post(path, {route: [10**9], "password": "x"}, format="json").json()) == {route}

    merged = send(password="own password")
    assert merged.status_code == 200
    assert merged.json()["data"]["absorbed"][0]["id"] == other.pk
    assert not model.objects.filter(pk=other.pk).exists()
    # The pair has no second record any more, so nothing is to be asked.
    assert len(waiting(togo)) == 3
