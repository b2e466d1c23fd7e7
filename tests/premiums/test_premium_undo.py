"""The newest change of a premium is undone, by API and on its page: entered, changed, deleted (DOMAIN §9)."""

from __future__ import annotations

from typing import Any

import pytest

from core.models import Client, DataVersion, Premium
from tests.support.browser import Browser
from tests.support.cast import Cast
from tests.support.html import Page
from tests.support.page_text import opened
from tests.support.premium_sheets import PREMIUMS, make_client
from users.models import AuditEntry

YEAR = {"amount": "1200000", "start": "2024-01-01", "end": "2024-12-31", "insured_count": 40, "note": "A"}


@pytest.fixture
def port(cast: Cast) -> Client:
    return make_client(cast.togo, "PORT DU GOLFE")


@pytest.fixture
def premium(cast: Cast, port: Client) -> dict[str, Any]:
    return dict(cast.client("togo_head").post(PREMIUMS, {"client": port.pk, **YEAR}, format="json").json())


def history(cast: Cast, number: int) -> list[dict[str, Any]]:
    return list(cast.client("togo_admin").get(f"{PREMIUMS}{number}/history/").json()["results"])


def undo(cast: Cast, number: int, change: int | None = None, *, query: str = "") -> Any:
    newest = history(cast, number)[0]["id"] if change is None else change
    return cast.client("togo_admin").post(f"{PREMIUMS}{number}/undo/{query}", {"change": newest}, format="json")


def values_of(number: int) -> dict[str, Any]:
    (values,) = Premium.objects.filter(pk=number).values()
    values.pop("changed_at")
    values.pop("created_at")
    return values


def test_a_change_comes_back_and_the_history_keeps_both(cast: Cast, premium: dict[str, Any]) -> None:
    number, before = premium["id"], values_of(premium["id"])
    change = {"amount": "5", "end": "2024-06-30", "insured_count": None, "note": ""}
    assert cast.client("togo_admin").patch(f"{PREMIUMS}{number}/", change, format="json").status_code == 200
    version = DataVersion.objects.get(country=cast.togo, part="premiums").token
    answer = undo(cast, number)
    assert answer.status_code == 200
    assert answer.json()["premium"]["amount"] == "1200000.00"
    assert values_of(number) == before
    assert [(bool(one["before"]), bool(one["after"])) for one in history(cast, number)] == [
        (True, True), (True, True), (False, True),
    ]  # fmt: skip
    assert DataVersion.objects.get(country=cast.togo, part="premiums").token != version
    assert AuditEntry.objects.order_by("-pk").filter(object_type="core.premium", action="update").count() == 2


def test_a_deleted_premium_comes_back_with_its_number_and_author(cast: Cast, premium: dict[str, Any]) -> None:
    number, before = premium["id"], values_of(premium["id"])
    assert cast.client("togo_admin").delete(f"{PREMIUMS}{number}/").status_code == 204
    assert undo(cast, number).json()["premium"]["author"]["username"] == "togo_head"
    assert values_of(number) == before


def test_an_entered_premium_goes_again_and_the_undo_is_undone(cast: Cast, premium: dict[str, Any]) -> None:
    number, before = premium["id"], values_of(premium["id"])
    assert undo(cast, number).json() == {"premium": None}
    assert not Premium.objects.exists()
    assert undo(cast, number).status_code == 200
    assert values_of(number) == before


def test_only_the_newest_change_is_undone(cast: Cast, premium: dict[str, Any]) -> None:
    number = premium["id"]
    cast.client("togo_admin").patch(f"{PREMIUMS}{number}/", {"amount": "5"}, format="json")
    first = history(cast, number)[-1]["id"]
    answer = undo(cast, number, first)
    assert answer.status_code == 409
    assert answer.json()["detail"] == "This premium was changed again later. Undo the later change first."
    assert undo(cast, number, 987654321).json() == {"change": ["This premium has no such change."]}
    assert Premium.objects.get().amount == 5


def test_nothing_comes_back_onto_days_that_another_premium_has_now(
    cast: Cast, port: Client, premium: dict[str, Any]
) -> None:
    client = cast.client("togo_admin")
    client.delete(f"{PREMIUMS}{premium['id']}/")
    later = client.post(PREMIUMS, {"client": port.pk, **YEAR, "start": "2024-12-01"}, format="json").json()
    answer = undo(cast, premium["id"])
    assert answer.status_code == 400
    assert f"premium {later['id']} of this client" in answer.json()["start"][0]
    assert [one.pk for one in Premium.objects.all()] == [later["id"]]


def test_a_preview_changes_nothing(cast: Cast, premium: dict[str, Any]) -> None:
    number = premium["id"]
    cast.client("togo_admin").delete(f"{PREMIUMS}{number}/")
    changes = history(cast, number)
    answer = undo(cast, number, query="?dry_run=true")
    assert answer.json()["premium"]["amount"] == "1200000.00"
    assert not Premium.objects.exists()
    assert history(cast, number) == changes


@pytest.mark.parametrize(("actor", "status"), [("benin_admin", 403), ("togo_operator", 403), ("global_admin", 403)])
def test_others_undo_nothing(actor: str, status: int, cast: Cast, premium: dict[str, Any]) -> None:
    change = history(cast, premium["id"])[0]["id"]
    answer = cast.client(actor).post(f"{PREMIUMS}{premium['id']}/undo/", {"change": change}, format="json")
    assert answer.status_code == status
    assert Premium.objects.count() == 1


def test_the_page_asks_and_brings_a_deleted_premium_back(
    cast: Cast, browser: Browser, port: Client, premium: dict[str, Any]
) -> None:
    number, head = premium["id"], browser("togo_head")
    head.post(f"/premiums/{number}/delete/")
    assert f'href="/premiums/{number}/undo/"' in opened(head, f"/premiums/{number}/")
    assert f'href="/premiums/{number}/undo/"' not in opened(browser("togo_operator"), f"/premiums/{number}/")
    asked = opened(head, f"/premiums/{number}/undo/")
    assert "Amount: – → 1,200,000\xa0F\xa0CFA" in Page(asked).text
    change = history(cast, number)[0]["id"]
    assert (
        "The change was undone."
        in Page(head.post(f"/premiums/{number}/undo/", {"change": change}, follow=True).content.decode()).text
    )
    assert Premium.objects.get().pk == number
    assert head.post(f"/premiums/{number}/undo/", {"change": "x"}).status_code == 400

    head.post(f"/premiums/{number}/delete/")
    cast.client("togo_head").post(PREMIUMS, {"client": port.pk, **YEAR}, format="json")
    refused = opened(head, f"/premiums/{number}/undo/")
    assert "Premiums of one client do not overlap." in Page(refused).text
    assert "<button" not in refused.split("<main")[1]
