"""DOMAIN §12 by the API: previews, the password, the answers, the list of changes, families."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import caches
from rest_framework.response import Response

from core import models as core
from tests.support.cast import PASSWORD
from tests.support.people import dump, fit_dates, give_card, small_country
from tests.support.small_country import SmallCountry
from users.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def togo(db: None) -> SmallCountry:
    """AFI and AFY, principals of policy 1; CODJO, a child of AFI, is under two clients of the policy."""
    caches["throttle"].clear()
    country = small_country()
    country.claim(insured="AFI")
    country.claim(insured="AFY")
    country.claim(insured="CODJO", principal="AFI")
    country.claim(insured="CODJO", principal="AFI", client="TOGOCOM")
    country.claim(insured="AFI", client="TOGOCOM")
    country.claim(insured="BOB", policy="2")
    country.save()
    fit_dates()
    return country


def send(country: SmallCountry, path: str, password: str | None = PASSWORD, **form: Any) -> Response:
    body = form if password is None else form | {"password": password}
    return country.client.post(f"/api/v1/{path}", body, format="json")


def done(response: Response) -> dict[str, Any]:
    assert response.status_code == 200, response.content.decode()
    return dict(response.json())


def test_a_merge_is_previewed_confirmed_listed_and_undone(togo: SmallCountry) -> None:
    before, afi, afy = dump(), togo.insured("AFI").pk, togo.insured("AFY").pk
    seen = done(send(togo, f"insured/{afi}/merge/?dry_run=true", None, insured=[afy]))
    assert (seen["id"], seen["kind"], seen["data"]["claims"], dump()) == (None, "insured_merge", 1, before)
    merged = done(send(togo, f"insured/{afi}/merge/", insured=[afy]))
    assert [one["name"] for one in merged["data"]["absorbed"]] == ["AFY"]
    assert "steps" not in merged["data"]["absorbed"][0]
    assert togo.get(f"insured/{afi}/")["spellings"] == ["AFY"]
    (listed,) = togo.all(f"family-changes/?insured={afi}")
    assert listed == merged
    assert togo.get(f"family-changes/{merged['id']}/")["objection"] == ""
    undone = done(send(togo, f"family-changes/{merged['id']}/undo/"))
    assert undone["undone_at"]
    assert undone["undone_by"]
    assert dump() == before
    assert togo.all("family-changes/?undone=false") == []
    again = send(togo, f"family-changes/{merged['id']}/undo/")
    assert again.status_code == 409
    assert "undone already" in again.json()["detail"]


def test_without_the_own_password_nothing_changes(togo: SmallCountry) -> None:
    before, afi = dump(), togo.insured("AFI").pk
    for password in (None, "", "wrong", "x" * 5000):
        refused = send(togo, f"insured/{afi}/merge/", password, insured=[togo.insured("AFY").pk])
        assert (refused.status_code, list(refused.json())) == (400, ["password"])
    assert dump() == before
    # The account is signed in as before.
    assert togo.get("users/me/")["username"] == togo.user.username


def test_passwords_are_guessed_no_faster_than_at_the_sign_in(togo: SmallCountry) -> None:
    path, form = f"insured/{togo.insured('AFI').pk}/merge/", {"insured": [togo.insured("AFY").pk]}
    answers = [send(togo, f"{path}?dry_run=false", "wrong", **form).status_code for _ in range(11)]
    assert answers == [400] * 10 + [429]
    assert send(togo, path, **form).status_code == 429
    assert send(togo, f"{path}?dry_run=true", None, **form).status_code == 200


def test_a_word_other_than_true_and_false_is_no_preview(togo: SmallCountry) -> None:
    refused = send(togo, f"insured/{togo.insured('AFI').pk}/merge/?dry_run=yes", insured=[togo.insured("AFY").pk])
    assert (refused.status_code, list(refused.json())) == (400, ["dry_run"])


def test_records_of_others_and_of_nobody_are_refused(togo: SmallCountry) -> None:
    benin = SmallCountry("BJ")
    foreign = benin.insured("AFY").pk
    afi = togo.insured("AFI").pk
    assert send(togo, f"insured/{afi}/merge/", insured=[foreign]).status_code == 403
    assert send(togo, f"insured/{foreign}/merge/", insured=[afi]).status_code == 403
    assert send(togo, f"insured/{afi}/merge/", insured=[987654]).json() == {
        "insured": ["There is no record with this number: 987654."]
    }
    assert send(togo, "insured/987654/merge/", insured=[afi]).status_code == 404
    for body in ([], ["x"], "x", [0], None):
        assert list(send(togo, f"insured/{afi}/merge/", insured=body).json()) == ["insured"]


def test_every_reason_against_a_merge_is_answered_at_once(togo: SmallCountry) -> None:
    give_card(togo.insured("AFI"), "K1")
    give_card(togo.insured("CODJO"), "K2")
    refused = send(togo, f"insured/{togo.insured('AFI').pk}/merge/", insured=[togo.insured("CODJO").pk])
    assert refused.status_code == 400
    assert len(refused.json()["insured"]) == 2


def test_a_dependant_is_attached_to_another_principal_of_the_policy(togo: SmallCountry) -> None:
    before = dump()
    of_port, of_togocom = togo.insured("CODJO").memberships.order_by("pk")
    done(send(togo, f"memberships/{of_port.pk}/attach/", principal=togo.insured("AFY").pk))
    # AFY has no membership under TOGOCOM yet: a principal has one wherever a dependant has one.
    change = done(send(togo, f"memberships/{of_togocom.pk}/attach/", principal=togo.insured("AFY").pk))
    assert (change["data"]["principal_before"], change["data"]["principal"]) == ("AFI", "AFY")
    assert togo.insured("AFY").memberships.filter(client__name="TOGOCOM", role="primary").count() == 1
    assert [one["is_corrected"] for one in togo.all(f"memberships/?principal={togo.insured('AFY').pk}")] == [True] * 2
    # Each is undone by itself, the first one first: they do not depend on each other.
    for one in reversed(togo.all("family-changes/")):
        done(send(togo, f"family-changes/{one['id']}/undo/"))
    assert dump() == before


def test_a_membership_that_an_attachment_made_stays_while_another_dependant_needs_it(togo: SmallCountry) -> None:
    togo.claim(insured="CHIMENE", principal="AFI", client="TOGOCOM")
    togo.save()
    fit_dates()
    before, afy = dump(), togo.insured("AFY").pk
    codjo, chimene = (togo.insured(name).memberships.get(client__name="TOGOCOM").pk for name in ("CODJO", "CHIMENE"))
    first = done(send(togo, f"memberships/{codjo}/attach/", principal=afy))
    second = done(send(togo, f"memberships/{chimene}/attach/", principal=afy))
    assert send(togo, f"family-changes/{first['id']}/undo/").status_code == 409
    for one in (second, first):
        done(send(togo, f"family-changes/{one['id']}/undo/"))
    assert dump() == before


def test_who_cannot_be_a_principal_is_refused(togo: SmallCountry) -> None:
    membership = togo.insured("CODJO").memberships.order_by("pk")[0]
    for principal, reason in (
        (togo.insured("BOB").pk, "no principal of the policy"),
        (togo.insured("CODJO").pk, "own principal"),
        (togo.insured("AFI").pk, "already"),
        (987654, "no principal of the policy"),
    ):
        refused = send(togo, f"memberships/{membership.pk}/attach/", principal=principal)
        assert refused.status_code == 400
        assert reason in refused.json()["principal"][0]
    principal = togo.insured("AFY").memberships.get()
    refused = send(togo, f"memberships/{principal.pk}/attach/", principal=togo.insured("AFI").pk)
    assert "Change the role" in refused.json()["principal"][0]


def test_a_role_is_changed_and_families_stay_whole(togo: SmallCountry) -> None:
    before = dump()
    afi = togo.insured("AFI").memberships.order_by("pk")[0]
    refused = send(togo, f"memberships/{afi.pk}/role/", role="spouse", principal=togo.insured("AFY").pk)
    assert "has dependants on the policy" in refused.json()["role"][0]
    afy = togo.insured("AFY").memberships.get()
    assert "needs a principal" in send(togo, f"memberships/{afy.pk}/role/", role="child").json()["principal"][0]
    assert list(send(togo, f"memberships/{afy.pk}/role/", role="uncle").json()) == ["role"]
    assert list(send(togo, f"memberships/{afy.pk}/role/", role="primary").json()) == ["role"]
    child = done(send(togo, f"memberships/{afy.pk}/role/", role="child", principal=afi.insured_id))
    afy.refresh_from_db()
    assert (afy.role, afy.principal_id) == ("child", afi.insured_id)
    founder = done(send(togo, f"memberships/{afy.pk}/role/", role="primary"))
    afy.refresh_from_db()
    assert (afy.role, afy.principal_id) == ("primary", None)
    refused = send(togo, f"family-changes/{child['id']}/undo/")
    assert (refused.status_code, str(founder["id"]) in refused.json()["detail"]) == (409, True)
    done(send(togo, f"family-changes/{founder['id']}/undo/"))
    done(send(togo, f"family-changes/{child['id']}/undo/"))
    assert dump() == before


def test_a_role_on_which_an_attached_dependant_depends_is_not_undone_before(togo: SmallCountry) -> None:
    codjo = togo.insured("CODJO").memberships.order_by("pk")[0]
    founded = done(send(togo, f"memberships/{codjo.pk}/role/", role="primary"))
    afy = togo.insured("AFY").memberships.get()
    attached = done(send(togo, f"memberships/{afy.pk}/role/", role="other", principal=codjo.insured_id))
    assert send(togo, f"family-changes/{founded['id']}/undo/").status_code == 409
    done(send(togo, f"family-changes/{attached['id']}/undo/"))
    done(send(togo, f"family-changes/{founded['id']}/undo/"))


def test_a_name_is_chosen_and_a_record_split_off(togo: SmallCountry) -> None:
    afi, afy = togo.insured("AFI").pk, togo.insured("AFY").pk
    merged = done(send(togo, f"insured/{afi}/merge/", insured=[afy]))
    done(send(togo, f"insured/{afi}/name/", name="AFY"))
    assert togo.get(f"insured/{afi}/")["name"] == "AFY"
    refused = send(togo, f"insured/{afi}/split/", change=merged["id"], insured=afy)
    assert refused.status_code == 409
    done(send(togo, f"insured/{afi}/name/", name="AFI"))
    split = done(send(togo, f"insured/{afi}/split/", change=merged["id"], insured=afy))
    assert (split["data"]["claims"], togo.get(f"insured/{afy}/")["name"]) == (1, "AFY")
    assert list(send(togo, f"insured/{afi}/split/").json()) == ["insured"]


def test_families_are_listed_with_their_members(togo: SmallCountry) -> None:
    found = {one["principal"]["name"]: one for one in togo.all("families/")}
    assert {name: one["dependants"] for name, one in found.items()} == {"AFI": 1, "AFY": 0, "BOB": 0}
    detail = togo.get(f"families/{found['AFI']['id']}/")
    assert [one["insured"]["name"] for one in detail["members"]] == ["AFI", "CODJO", "CODJO", "AFI"]

    def names(query: str) -> list[str]:
        return [one["principal"]["name"] for one in togo.all(f"families/?{query}")]

    assert names("has_dependants=true") == names(f"insured={togo.insured('CODJO').pk}") == ["AFI"]
    assert names(f"policy={togo.policy('2').pk}") == names("search=bob") == ["BOB"]
    child = togo.insured("CODJO").memberships.order_by("pk")[0]
    assert togo.client.get(f"/api/v1/families/{child.pk}/").status_code == 404
    export = b"".join(togo.client.get("/api/v1/families/export/?has_dependants=true"))  # type: ignore[arg-type]
    assert b"AFI" in export
    assert b"BOB" not in export


def test_readings_previews_and_changes_are_in_the_audit_trail(togo: SmallCountry) -> None:
    afi, afy = togo.insured("AFI").pk, togo.insured("AFY").pk
    send(togo, f"insured/{afi}/merge/?dry_run=true", None, insured=[afy])
    merged = done(send(togo, f"insured/{afi}/merge/", insured=[afy]))
    togo.get("families/")
    togo.get("family-changes/")
    done(send(togo, f"family-changes/{merged['id']}/undo/"))
    trail = list(AuditEntry.objects.order_by("pk").values_list("action", "object_type", "data"))
    assert [(action, kind) for action, kind, _data in trail] == [
        ("preview", "core.insured"),
        ("update", "core.insured"),
        ("read", "core.membership"),
        ("read", "core.change"),
        ("update", "core.change"),
    ]
    assert trail[1][2] == {"change": merged["id"], "merged": [afy], "claims": 1}
    assert "AFY" not in str([data for _action, _kind, data in trail])


def test_a_change_of_the_catalogue_is_none_of_a_country(togo: SmallCountry) -> None:
    change = core.Change.objects.create(kind="act_rename", actor_label="x")
    assert togo.client.get(f"/api/v1/family-changes/{change.pk}/").status_code == 404
    assert send(togo, f"family-changes/{change.pk}/undo/").status_code == 404
    assert togo.client.get("/api/v1/family-changes/x/").status_code == 404
