"""What a revert would do, by API: the same figures as on the page, and a revert that does exactly that (DOMAIN §6)."""

from __future__ import annotations

from typing import Any

import pytest

from core import models as core
from file_handling.models import ImportSession
from tests.support.api_user import SESSIONS, ApiUser, Outcome
from tests.support.browser import Browser
from tests.support.cast import Cast
from tests.support.database import record_models
from tests.support.page_text import marked, number, opened
from tests.support.pairs import line, matching_pair

pytestmark = pytest.mark.django_db(transaction=True)

EARLY, LATE = "10/02/2024", "20/11/2024"
FIRST = matching_pair(
    line("A1", "3000", "2000", settlement_date=EARLY),
    line("A2", beneficiary="MENSAH YAO", partner="CHU", settlement_date=EARLY),
)
SECOND = matching_pair(line("B1", settlement_date=LATE))
REPLACED = matching_pair(line("A1", "9000", "8000", settlement_date=EARLY))
MODELS = {
    "claims": core.Claim, "claim_lines": core.ClaimLine, "insured": core.Insured, "partners": core.Partner,
    "policies": core.Policy, "clients": core.Client, "memberships": core.Membership, "acts": core.Act,
}  # fmt: skip


def look(api: ApiUser, outcome: Outcome) -> dict[str, Any]:
    response = api.client.post(f"{SESSIONS}{outcome.id}/revert/?dry_run=true")
    assert response.status_code == 200, response.content.decode()
    return dict(response.json())


def counts() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in record_models()}


def test_a_revert_with_the_token_does_what_the_preview_said() -> None:
    api = ApiUser()
    first, second = api.import_pair(*FIRST), api.import_pair(*SECOND)
    before = counts()
    said = look(api, first)
    assert counts() == before
    assert ImportSession.objects.get(pk=first.id).status == "DONE"
    assert (said["claimed"], said["reimbursed"], said["currency"]) == ("8000.00", "6000.00", "XOF")
    assert (said["stays_claimed"], said["relied_on_by"]) == ("0.00", [second.id])
    assert said["removed"].items() >= {"claims": 2, "claim_lines": 2, "insured": 1, "partners": 1}.items()
    assert said["stays"].items() >= {"insured": 1, "partners": 1, "policies": 1, "clients": 1}.items()

    of_first = {kind: model._default_manager.filter(import_session=first.id).count() for kind, model in MODELS.items()}
    response = api.steer(first.id, "revert", preview_token=said["preview_token"])
    assert (response.status_code, response.json()["status"]) == (200, "REVERTED")
    after = counts()
    assert {kind: before[m.__name__] - after[m.__name__] for kind, m in MODELS.items()} == {
        kind: said["removed"].get(kind, 0) for kind in MODELS
    }
    assert {kind: of_first[kind] - said["removed"].get(kind, 0) for kind in MODELS} == {
        kind: said["stays"].get(kind, 0) for kind in MODELS
    }
    again = api.client.post(f"{SESSIONS}{first.id}/revert/?dry_run=true")
    assert again.status_code == 409
    assert "Only a session that is done" in again.json()["detail"]


def test_a_revert_whose_situation_has_changed_does_nothing_and_names_every_difference() -> None:
    api = ApiUser()
    first = api.import_pair(*FIRST)
    said = look(api, first)
    assert (said["stays"], said["relied_on_by"]) == ({}, [])
    second = api.import_pair(*REPLACED, on_conflict="update")
    before = counts()
    refused = api.steer(first.id, "revert", preview_token=said["preview_token"])
    assert refused.status_code == 409
    detail = refused.json()["detail"]
    assert "has changed since the preview" in detail
    for difference in (
        "Claims that go: 2 → 1",
        "Claims that stay: – → 1",
        "Claimed, of the claims that go: 8,000 F CFA → 5,000 F CFA",
        "Reimbursed, of the claims that stay: 0 F CFA → 8,000 F CFA",
        f"Imports that rely on it: – → {second.id}",
    ):
        assert difference in detail.replace("\N{NO-BREAK SPACE}", " ")
    assert (counts(), api.outcome(first.id).status) == (before, "DONE")
    # The answer has the present preview, whose token reverts.
    now = refused.json()["preview"]
    assert now == look(api, first)
    assert api.steer(first.id, "revert", preview_token=now["preview_token"]).status_code == 200


def test_a_revert_without_a_token_needs_no_preview() -> None:
    api = ApiUser()
    first = api.import_pair(*FIRST)
    assert api.steer(first.id, "revert").json()["status"] == "REVERTED"
    assert core.Claim.objects.count() == 0


def test_what_a_session_reverted_earlier_had_to_leave_is_in_the_preview_of_the_later_one() -> None:
    api = ApiUser()
    first, second = api.import_pair(*FIRST), api.import_pair(*SECOND)
    api.steer(first.id, "revert")
    said = look(api, second)
    assert (said["removed"]["claims"], said["removed"]["insured"], said["stays"]) == (1, 1, {})
    assert api.steer(second.id, "revert", preview_token=said["preview_token"]).status_code == 200
    assert not any(counts().values())


@pytest.mark.parametrize("token", ["x", "e30:1:2", "of another session"])
def test_a_token_that_is_none_of_the_session_is_refused(token: str) -> None:
    api = ApiUser()
    first, second = api.import_pair(*FIRST), api.import_pair(*SECOND)
    if token == "of another session":
        token = look(api, second)["preview_token"]
    response = api.steer(first.id, "revert", preview_token=token)
    assert response.status_code == 400
    assert [one["field"] for one in response.json()["errors"]] == ["preview_token"]
    assert api.outcome(first.id).status == "DONE"
    assert api.client.post(f"{SESSIONS}{first.id}/revert/?dry_run=perhaps").status_code == 400


def test_only_who_may_revert_may_look(cast: Cast) -> None:
    outcome = ApiUser.for_user(cast.togo_head).import_pair(*FIRST)
    address = f"/api/v1/import-sessions/{outcome.id}/revert/?dry_run=true"
    status = {name: cast.client(name).post(address).status_code for name in cast.users}
    allowed = {"superuser", "togo_admin", "togo_head"}
    assert {name for name, code in status.items() if code == 200} == allowed
    assert {code for name, code in status.items() if name not in allowed} <= {401, 403}
    assert ImportSession.objects.get(pk=outcome.id).status == "DONE"


@pytest.mark.parametrize(
    ("revert", "page_of"),
    [
        ("/imports/{}/revert/", "/imports/{}/"),
        (
            "/admin/file_handling/importsession/{}/steer/revert/",
            "/admin/file_handling/importsession/{}/change/",
        ),
    ],
    ids=["page", "admin"],
)
def test_the_page_shows_the_figures_of_the_api_and_reverts_what_it_showed(
    revert: str, page_of: str, cast: Cast, browser: Browser
) -> None:
    api, client = ApiUser.for_user(cast.togo_admin), browser("togo_admin")
    first = api.import_pair(*FIRST)
    api.import_pair(*SECOND)
    address = revert.format(first.id)
    page, said = opened(client, address), look(api, first)
    shown = marked(page, "removed")
    assert {kind: number(shown[kind]) for kind in said["removed"]} == said["removed"]
    assert {kind: number(text) for kind, text in marked(page, "stays").items()} == said["stays"]
    token = page.split('name="preview_token" value="')[1].split('"')[0]

    third = api.import_pair(*REPLACED, on_conflict="update")
    refused = client.post(address, {"preview_token": token}, headers={"accept-language": "en"})
    assert (refused.status_code, refused.headers["Location"]) == (302, address)
    page = opened(client, address)
    assert "Claims that go: 2 → 1" in page
    assert marked(page, "stays")["claimed"] == "9,000 F CFA"
    assert str(third.id) in marked(page, "relies")
    assert api.outcome(first.id).status == "DONE"
    token = page.split('name="preview_token" value="')[1].split('"')[0]
    done = client.post(address, {"preview_token": token})
    assert (done.headers["Location"], api.outcome(first.id).status) == (page_of.format(first.id), "REVERTED")
