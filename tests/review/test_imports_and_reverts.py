"""DOMAIN §12: answers survive imports and reverts, and imports follow merges."""

from __future__ import annotations

import pytest

from common.errors import Conflict
from core import models as core
from core.families.undoing import undo_change
from core.integrity import dangling_references
from tests.support.api_user import ApiUser
from tests.support.pairs import matching_pair
from tests.support.review import FIRST, KOFFI, LATE, SECOND, THIRD, decide, of, pairs, totals, waiting

pytestmark = pytest.mark.django_db(transaction=True)

KINDS = {"insured", "client", "partner", "operator"}


@pytest.fixture
def togo() -> ApiUser:
    api = ApiUser("TG")
    assert api.import_pair(*FIRST).status == "DONE"
    assert api.import_pair(*SECOND).status == "DONE"
    return api


def sessions(api: ApiUser) -> list[int]:
    return [one["id"] for one in api.get("import-sessions/")["results"]]


def test_pairs_go_and_come_with_their_records_and_answers_stay(togo: ApiUser) -> None:
    assert set(waiting(togo)) == KINDS
    second, _first = sessions(togo)

    assert togo.steer(second, "revert").status_code == 200
    assert pairs(togo, state="waiting") == []
    assert len(pairs(togo, state="gone")) == 4

    again = togo.import_pair(*SECOND)
    for pair in waiting(togo).values():
        assert decide(togo, pair, "different")["state"] == "different"
    assert togo.steer(again.id, "revert").status_code == 200
    togo.import_pair(*SECOND)

    assert waiting(togo) == {}
    assert {one["kind"] for one in pairs(togo, state="different")} == KINDS
    assert len(pairs(togo)) == 4


def test_a_later_import_that_names_an_absorbed_record_finds_the_kept_one(togo: ApiUser) -> None:
    merges = {kind: decide(togo, waiting(togo)[kind], "same")["change"] for kind in ("operator", "partner", "client")}

    again = togo.import_pair(*SECOND)
    assert again.status == "DONE"
    assert again.created() == {}
    third = togo.import_pair(*THIRD)

    assert not {"clients", "partners", "operators"} & set(third.created())
    claim = core.Claim.objects.get(number="C1")
    assert (claim.client.name, claim.partner.name) == ("PORT DE LOME", "CLINIQUE BIASA")
    assert claim.lines.get().operator.name == "MENSAH AKOU"
    assert set(waiting(togo)) == {"insured"}
    # The import relies on the merge, until it is reverted.
    change = core.Change.objects.get(pk=merges["client"])
    with pytest.raises(Conflict, match=f"Import {third.id} "):
        undo_change(actor=togo.user, change=change)
    assert togo.steer(third.id, "revert").status_code == 200
    undo_change(actor=togo.user, change=change)
    assert core.Client.objects.count() == 2
    assert dangling_references() == {}


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
    # A person goes with the last import that brought claims; two persons came back, so they are asked about again.
    assert set(waiting(togo)) == {"insured"}
