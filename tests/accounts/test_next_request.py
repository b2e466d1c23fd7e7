"""Rights that were taken away are gone at the next request, for tokens and for web sessions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from rest_framework.test import APIClient

from tests.support.cast import PASSWORD, Cast
from users.accounts.countries import set_country_active
from users.accounts.services import move_account, set_active, update_account
from users.models import User
from users.sign_in.passwords import change_password, sign_out_everywhere

ME = "/api/v1/users/me/"
LOGIN = "/api/v1/auth/login/"
CHANGES: dict[str, Callable[[Cast], object]] = {
    "deactivated": lambda cast: set_active(actor=cast.global_admin, account=cast.togo_admin, is_active=False),
    "moved": lambda cast: move_account(actor=cast.global_admin, account=cast.togo_admin, country=cast.benin),
    "without a country": lambda cast: move_account(actor=cast.global_admin, account=cast.togo_admin, country=None),
    "demoted": lambda cast: update_account(actor=cast.superuser, account=cast.togo_admin, role="RESP_OPERATEUR"),
    "new password": lambda cast: change_password(
        account=cast.togo_admin, current_password=PASSWORD, new_password="Kapok-tree-1961"
    ),
    "signed out everywhere": lambda cast: sign_out_everywhere(account=cast.togo_admin),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_token_is_refused_on_the_very_next_request(change: str, cast: Cast) -> None:
    client = cast.client("togo_admin")
    assert client.get(ME).status_code == 200
    CHANGES[change](cast)
    assert client.get(ME).status_code == 401


@pytest.mark.parametrize("change", CHANGES)
def test_a_session_of_the_web_pages_is_refused_on_the_very_next_request(change: str, cast: Cast) -> None:
    client = Client()
    assert client.login(username="togo_admin", password=PASSWORD)
    assert client.get(ME).status_code == 200
    CHANGES[change](cast)
    assert client.get(ME).status_code == 401


def test_others_keep_their_tokens_and_sessions(cast: Cast) -> None:
    other = cast.client("togo_head")
    for change in CHANGES.values():
        cast.togo_admin.refresh_from_db()
        if cast.togo_admin.is_active and cast.togo_admin.is_admin_territorial():
            change(cast)
    assert other.get(ME).status_code == 200


def test_deactivating_a_country_refuses_its_accounts_at_once_and_activating_it_restores_them(cast: Cast) -> None:
    token = cast.client("togo_head")
    session = Client()
    assert session.login(username="togo_admin", password=PASSWORD)
    superuser = cast.client("superuser")
    assert superuser.post(f"/api/v1/countries/{cast.togo.pk}/deactivate/").json()["is_active"] is False

    for path in ("users/me/", "claims/", "files/", "countries/"):
        assert token.get(f"/api/v1/{path}").status_code == 403, path
        assert session.get(f"/api/v1/{path}").status_code == 401, path
    assert APIClient().post(LOGIN, {"username": "togo_head", "password": PASSWORD}).status_code == 401
    assert cast.client("benin_head").get(ME).status_code == 200
    assert superuser.get(ME).status_code == 200

    assert superuser.post(f"/api/v1/countries/{cast.togo.pk}/activate/").json()["is_active"] is True
    assert token.get(ME).status_code == 200
    assert User.objects.filter(country=cast.togo).count() == 5


def test_an_account_of_an_inactive_country_gets_the_answer_of_any_refused_sign_in(cast: Cast) -> None:
    frozen = APIClient().post(LOGIN, {"username": "closed_admin", "password": PASSWORD})
    unknown = APIClient().post(LOGIN, {"username": "nobody", "password": PASSWORD})
    assert (frozen.status_code, frozen.content) == (unknown.status_code, unknown.content)


def test_an_account_without_a_country_signs_in_and_reaches_nothing(cast: Cast) -> None:
    client = cast.client("homeless_admin")
    assert client.get(ME).json()["country"] is None
    assert {client.get(f"/api/v1/{path}/").status_code for path in ("claims", "files", "users", "countries")} == {403}


def test_deactivating_a_country_changes_nothing_for_another_country(cast: Cast) -> None:
    set_country_active(actor=cast.superuser, country=cast.togo, is_active=False)
    assert cast.client("benin_admin").get("/api/v1/users/").status_code == 200
    cast.togo_head.refresh_from_db()
    assert cast.togo_head.is_active


def test_signing_out_everywhere_by_the_api_ends_every_token(cast: Cast) -> None:
    first, second = cast.client("togo_head"), cast.client("togo_head")
    assert first.post("/api/v1/auth/logout-all/").status_code == 204
    assert (first.get(ME).status_code, second.get(ME).status_code) == (401, 401)


def test_a_session_survives_another_sign_in_of_the_account(cast: Cast) -> None:
    client = Client()
    assert client.login(username="togo_admin", password=PASSWORD)
    assert Client().login(username="togo_admin", password=PASSWORD)
    assert client.get(ME).status_code == 200
